//! Making the file.

use std::path::Path;

use super::archive::{blob_name, header};
use super::content::copy_blob;
use super::front::{FRONT, front};
use super::scan::MAX_FRONT;
use super::{Bundle, BundleError, Content};
use crate::file::{Disk, Replacement};
use crate::store::ustar::{MAX_SIZE, ZEROS, padding};
use crate::store::{Digest, Digester};

/// What became of a bundle's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its size in bytes.
    pub size: u64,
    /// The sha256 of it.
    pub digest: Digest,
}

/// Writes a bundle to a file: atomic and durable; killed at any instant, nothing half-made stands at
/// `path`.
///
/// The bytes are a function of the bundle. Each blob comes from `content` and is checked on its way.
/// A plain file that stands there is replaced; anything else is refused.
pub fn write(
    disk: &Disk,
    path: &Path,
    bundle: &Bundle,
    content: &dyn Content,
) -> Result<Written, BundleError> {
    if let Some((digest, _)) = bundle.blobs.iter().find(|(_, size)| **size > MAX_SIZE) {
        return Err(BundleError::Large(*digest));
    }
    let front = front(bundle);
    if let Some((name, _)) =
        FRONT.iter().zip(&front).find(|(_, bytes)| bytes.len() as u64 > MAX_FRONT)
    {
        let why = format!("it would be larger than {MAX_FRONT} bytes, and nobody could read it");
        return Err(BundleError::Malformed { what: (*name).to_owned(), why });
    }
    let file = disk.replace_in_pieces(path)?;
    let mut out = Out { file, size: 0, hasher: Digester::default() };
    for (name, bytes) in FRONT.iter().zip(front) {
        let size = bytes.len() as u64;
        out.write(&header(name, size))?;
        out.write(&bytes)?;
        out.write(&ZEROS[..padding(size)])?;
    }
    for (digest, size) in &bundle.blobs {
        out.write(&header(&blob_name(digest), *size))?;
        copy_blob(content, digest, *size, |piece| out.write(piece))?;
        out.write(&ZEROS[..padding(*size)])?;
    }
    out.write(&ZEROS)?;
    out.write(&ZEROS)?;
    let Out { file, size, hasher } = out;
    file.place()?;
    Ok(Written { size, digest: hasher.finish() })
}

struct Out {
    file: Replacement,
    size: u64,
    hasher: Digester,
}

impl Out {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.size += bytes.len() as u64;
        self.hasher.update(bytes);
        Ok(self.file.write(bytes)?)
    }
}
