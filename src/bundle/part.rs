//! What a bundle can hold beside the tree.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::content::Piece;
use super::index::binary;
use super::{BundleError, Content, Entry, copy_blob};
use crate::file::{Disk, OpenFile};
use crate::store::oci;
use crate::store::{Digest, Digester};

/// Something beside the tree: an image, or meshgen itself.
pub struct Part {
    /// Its line in `index.json`.
    pub entry: Entry,
    /// Every blob of it with its size, documents too.
    pub blobs: BTreeMap<Digest, u64>,
    /// Where their bytes are.
    pub content: Box<dyn Content>,
}

impl Part {
    /// A program: meshgen itself. What it runs on is read from its head.
    ///
    /// Refuses a file that is no program for Linux on amd64 or arm64 (ELF: System V ABI, "ELF
    /// Header").
    pub fn binary(disk: &Disk, path: &Path) -> Result<Self, BundleError> {
        let file = disk.open(path)?;
        let mut head = [0; 20];
        file.read_at(0, &mut head)?;
        let architecture = match (&head[..6], u16::from_le_bytes([head[18], head[19]])) {
            (b"\x7fELF\x02\x01", 62) => "amd64",
            (b"\x7fELF\x02\x01", 183) => "arm64",
            _ => return Err(BundleError::NoProgram(path.display().to_string())),
        };
        let size = file.size();
        let (digest, _) = digest(&file)?;
        let manifest = binary(digest, size);
        let entry = Entry::binary(architecture, &manifest);
        let held: BTreeMap<Digest, Vec<u8>> = [manifest, oci::EMPTY.to_vec()]
            .into_iter()
            .map(|bytes| (Digest::of(&bytes), bytes))
            .collect();
        let mut blobs: BTreeMap<Digest, u64> =
            held.iter().map(|(digest, bytes)| (*digest, bytes.len() as u64)).collect();
        blobs.insert(digest, size);
        let file: Box<dyn Content> = Box::new(One { digest, file });
        Ok(Self { entry, blobs, content: Box::new(Held { held, rest: file }) })
    }
}

/// The digest of an open file, and its size.
pub(super) fn digest(file: &OpenFile) -> Result<(Digest, u64), BundleError> {
    let mut digester = Digester::default();
    let mut piece = vec![0; 1 << 18];
    let mut at = 0;
    loop {
        let count = file.read_at(at, &mut piece)?;
        if count == 0 {
            return Ok((digester.finish(), at));
        }
        digester.update(&piece[..count]);
        at += count as u64;
    }
}

/// Some blobs that are held, and the rest.
pub(super) struct Held {
    pub held: BTreeMap<Digest, Vec<u8>>,
    pub rest: Box<dyn Content>,
}

impl Content for Held {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        match self.held.get(digest) {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => self.rest.blob(digest),
        }
    }

    fn copy(
        &self,
        digest: &Digest,
        size: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        match self.held.get(digest) {
            Some(bytes) => take(bytes),
            None => copy_blob(&*self.rest, digest, size, take),
        }
    }
}

/// A blob that is a whole file.
struct One {
    digest: Digest,
    file: OpenFile,
}

impl Content for One {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        if *digest != self.digest {
            return Err(BundleError::Missing(*digest));
        }
        Ok(Box::new(Piece::new(&self.file, 0, self.file.size())))
    }
}
