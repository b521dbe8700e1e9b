//! A bundle's file, checked to the byte before anything is taken from it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::content::Piece;
use super::files::{by_digest, wrong};
use super::front::{FRONT, INDEX, SUMS, front};
use super::index::{differ, other};
use super::scan::{Scanned, scan};
use super::{Bundle, BundleError, Content, Fault, read_blob};
use crate::file::{Disk, OpenFile};
use crate::store::Digest;
use crate::tree::images;
use crate::tree::source::{Source, SourceError};

/// What is wrong with an index whose images are not those of its tree.
pub(super) const OTHER_IMAGES: &str = "the images that it names are not those that its tree names";

/// A bundle in a file that is what we would have written, to the byte.
#[derive(Debug)]
pub struct BundleFile {
    /// What it says.
    pub bundle: Bundle,
    /// The sha256 of the whole file: what a detached signature is of.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    pub(super) blobs: Arc<Blobs>,
}

/// The blobs of an open file.
#[derive(Debug)]
pub(super) struct Blobs {
    file: OpenFile,
    places: BTreeMap<Digest, (u64, u64)>,
}

impl BundleFile {
    /// Opens a file, reads it once from end to end, and builds it again from what it read.
    ///
    /// Refuses whatever [`write`](super::write) would not have written, byte by byte: form, order,
    /// sums, texts; a closure that is not complete, or more than that; naming what is wrong, where,
    /// and what should be there. Nothing is written, no blob is held. The file stays open: what is
    /// read later is of the same file, and checked again by its digest.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self, BundleError> {
        let file = disk.open(path)?;
        let name = path.display().to_string();
        let refuse = |faults| BundleError::Faults { name: name.clone(), faults };
        let Scanned { front, blobs, digest } = scan(&file)?.map_err(&refuse)?;
        let size = file.size();
        let blobs = Blobs { file, places: blobs };
        let (index_at, index) = &front[FRONT.len() - 1];
        let bundle = read(index, &blobs).map_err(|error| match error {
            error @ (BundleError::File(_) | BundleError::Damaged(_)) => error,
            error => refuse(vec![Fault::new(INDEX, *index_at, error.to_string())]),
        })?;
        let mut faults = rest(&bundle, &blobs);
        let opened = Self { bundle, digest, size, blobs: Arc::new(blobs) };
        if faults.is_empty() {
            faults.extend(opened.files()?);
        }
        if faults.is_empty() {
            faults.extend(opened.list_of_images(*index_at)?);
        }
        if faults.is_empty() {
            faults.extend(compare(&opened.bundle, &front));
        }
        if faults.is_empty() { Ok(opened) } else { Err(refuse(faults)) }
    }

    /// Whether a blob is inside.
    pub fn holds(&self, digest: &Digest) -> bool {
        self.blobs.places.contains_key(digest)
    }

    /// Files that are not what the tree's index says of them, or hold a private key in clear. Of a
    /// delta, those that are inside.
    fn files(&self) -> Result<Vec<Fault>, BundleError> {
        let source = super::source::within(&self.bundle, &self.blobs, "the bundle", None)?;
        let mut faults = Vec::new();
        for (digest, rows) in by_digest(&source.index.artifacts) {
            let Some((at, _)) = self.blobs.places.get(&digest) else { continue };
            let what = wrong(&rows, &source.read(&rows[0].path)?);
            let fault = |what| Fault::new(super::archive::blob_name(&digest), *at, what);
            faults.extend(what.map(fault));
        }
        Ok(faults)
    }

    /// Holds the images that it names against those that its tree names. Of a delta, only whoever
    /// has the base can.
    fn list_of_images(&self, at: u64) -> Result<Option<Fault>, BundleError> {
        if self.bundle.base.is_some() {
            return Ok(None);
        }
        let source = super::source::within(&self.bundle, &self.blobs, "the bundle", None)?;
        let is_it = self.bundle.names_images_of(&source)?;
        Ok((!is_it).then(|| Fault::new(INDEX, at, OTHER_IMAGES)))
    }
}

impl Bundle {
    /// Whether the images that it names are those that its tree names.
    pub(super) fn names_images_of(&self, source: &Source) -> Result<bool, SourceError> {
        Ok(images(source)?.iter().map(|one| &one.reference).eq(&self.images))
    }
}

/// What `index.json` leads to.
fn read(index: &[u8], blobs: &Blobs) -> Result<Bundle, BundleError> {
    let size = |digest: &Digest| blobs.places.get(digest).map(|(_, size)| *size);
    Bundle::read(index.to_vec(), &size, &|digest, size| read_blob(blobs, digest, size))
}

/// Blobs that belong to nothing.
fn rest(bundle: &Bundle, blobs: &Blobs) -> Vec<Fault> {
    let foreign = blobs.places.iter().filter(|(digest, _)| !bundle.blobs.contains_key(digest));
    let fault = |(digest, (at, _)): (&Digest, &(u64, u64))| {
        let what = "it belongs to nothing that `index.json` names";
        Fault::new(super::archive::blob_name(digest), *at, what)
    };
    foreign.map(fault).collect()
}

/// Texts that are not what the rest makes.
fn compare(bundle: &Bundle, found: &[(u64, Vec<u8>)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (_, sums) = &found[1];
    let (index_at, index) = &found[FRONT.len() - 1];
    for ((name, expected), (start, found)) in FRONT.iter().zip(&front(bundle)).zip(found) {
        let Some(at) = differ(expected, found) else { continue };
        // a text that is wrong makes its sum wrong: the text is the better answer
        if *name == SUMS && !faults.is_empty() {
            continue;
        }
        // and an index that is wrong makes the texts wrong, which fit the sums still
        if *name != SUMS && lists(sums, name, found) && !lists(sums, INDEX, index) {
            let what = "its sum is not the one that `SHA256SUMS` has for it";
            faults.push(Fault::new(INDEX, *index_at, what));
            break;
        }
        let line = found[..at].split(|byte| *byte == b'\n').count();
        let what = format!("its byte {at}, in line {line}, {}", other(expected, found, at));
        faults.push(Fault::new(*name, start + at as u64, what));
    }
    faults
}

/// Whether sums have the one of these bytes under that name.
fn lists(sums: &[u8], name: &str, bytes: &[u8]) -> bool {
    let line = format!("{}  {name}", Digest::of(bytes).hex());
    sums.split(|byte| *byte == b'\n').any(|one| one == line.as_bytes())
}

impl Content for Blobs {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        let (at, size) = self.places.get(digest).ok_or(BundleError::Missing(*digest))?;
        Ok(Box::new(Piece::new(&self.file, *at, *size)))
    }
}

impl Content for BundleFile {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        self.blobs.blob(digest)
    }
}
