//! Bringing a bundle into the store of a project.

use std::path::Path;

use super::content::copy_blob;
use super::open::OTHER_IMAGES;
use super::{BundleError, BundleFile};
use crate::file::Disk;
use crate::store::{Digest, StoreError, Transaction};
use crate::tree::publish;
use crate::tree::view::Opening;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The tree, by which it can be named from then on.
    pub tree: Digest,
    /// How many blobs were not there before.
    pub new: usize,
    /// How many were.
    pub known: usize,
}

/// Brings a bundle into the store of the project at `project`; `sha256:…` finds its tree from then
/// on, and a collection keeps it as it keeps a generation.
///
/// Every blob is checked against its digest once more on its way; what the store has damaged is
/// written anew. Of a delta, the rest must be here, in the store or in the view, and is checked too.
/// All is durable when this returns. Killed at any instant, it leaves whole blobs that the next
/// collection takes, and no import. The view is not touched. Refuses a store that another process is
/// at work in.
pub fn import(
    disk: &Disk,
    project: &Path,
    file: &BundleFile,
    name: &str,
) -> Result<Imported, BundleError> {
    let bundle = &file.bundle;
    let far = bundle.far(name, disk, project)?;
    if far.is_some() {
        // the list of images could not be held against the tree before
        let source = file.source(name, disk, project)?;
        if !bundle.names_images_of(&source)? {
            let why = OTHER_IMAGES.to_owned();
            return Err(BundleError::Malformed { what: "index.json".to_owned(), why });
        }
    }
    let out = project.join("out");
    let transaction = Opening::begin(disk, &out)?.into_transaction();
    let mut new = 0;
    for (digest, size) in &bundle.blobs {
        if !transaction.is_sound(digest)? {
            new += usize::from(put(&transaction, file, digest, *size)?);
        }
    }
    if let Some(far) = &far {
        for digest in bundle.needs.keys() {
            if transaction.is_sound(digest)? {
                continue;
            }
            let bytes = far.read(digest)?.ok_or(StoreError::Missing(*digest))?;
            transaction.put(*digest, &bytes)?;
        }
    }
    transaction.put(bundle.digest, &bundle.index)?;
    publish(disk, &out, &transaction)?;
    transaction.add_import(bundle.tree, bundle.digest, name)?;
    transaction.finish_unchanged();
    Ok(Imported { tree: bundle.tree, new, known: bundle.blobs.len() - new })
}

fn put(
    transaction: &Transaction,
    file: &BundleFile,
    digest: &Digest,
    size: u64,
) -> Result<bool, BundleError> {
    transaction.put_in_pieces(*digest, |blob| {
        copy_blob(file, digest, size, |piece| Ok(blob.write(piece)?))
    })
}
