//! Bringing a tree into the store without touching the view, and making it stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::TreePath;
use super::source::{Source, SourceError};
use super::view::{IGNORE, INDEX, Opening, ViewError};
use crate::file::{Disk, FileError};
use crate::store::{Digest, GroupFile, StoreError, Transaction};

/// Why a tree was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The tree could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What stands at `out` did not let it.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The store did not let it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files did not let it.
    #[error(transparent)]
    File(#[from] FileError),
}

impl KeepError {
    /// What the user can do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            KeepError::Source(error) => error.hint(),
            KeepError::View(error) => error.hint(),
            KeepError::Store(error) => error.hint(),
            KeepError::File(error) => {
                error.is_full().then(|| "make room and run it again".to_owned())
            }
        }
    }
}

/// A tree that is kept, while the store is still locked: no collection comes between it and the
/// file that names it.
#[derive(Debug)]
pub struct Held {
    tree: Digest,
    root: Option<PathBuf>,
    transaction: Transaction,
}

impl Held {
    /// The tree's digest.
    pub fn tree(&self) -> Digest {
        self.tree
    }

    /// Frees the lock. The file that names the tree is there and durable by now: what it named
    /// before need not stay any more.
    pub fn release(self) -> Result<(), StoreError> {
        if let Some(root) = &self.root {
            self.transaction.settle_root(root)?;
        }
        self.transaction.finish_unchanged();
        Ok(())
    }
}

/// Brings a tree into the store of `out` and makes it stay as long as the file at `root` is there;
/// returns its digest, by which it can be read from then on.
///
/// As [`hold`], for a file that is written already.
pub fn keep(
    disk: &Disk,
    out: &Path,
    source: &Source,
    root: Option<&Path>,
) -> Result<Digest, KeepError> {
    let held = hold(disk, out, source, root)?;
    let tree = held.tree();
    held.release()?;
    Ok(tree)
}

/// Brings a tree into the store of `out`, makes it stay as long as the file at `root` is there,
/// and keeps the store locked until [`Held::release`], so that the caller can write that file.
///
/// Every blob is checked against its digest; one that the store lacks, or has damaged, is taken
/// from the source. All is durable when this returns. Killed at any instant, it leaves whole blobs
/// that the next collection takes, and what the file at `root` named before stays until
/// [`Held::release`]. The view is not touched; a store that is not there is made as a render makes
/// it. Without a root the next collection takes what is no generation. Refuses a root whose folder
/// is not there, and a store that another process is at work in.
pub fn hold(
    disk: &Disk,
    out: &Path,
    source: &Source,
    root: Option<&Path>,
) -> Result<Held, KeepError> {
    let root = root.map(|path| disk.absolute(path)).transpose()?;
    let transaction = Opening::begin(disk, out)?.into_transaction();
    let tree = source.digest;
    let files = bring(&transaction, source)?;
    let is_generation = transaction.catalogue().of_tree(&tree).is_some();
    let manifest = if is_generation { None } else { Some(transaction.put_manifest(&files)?) };
    publish(disk, out, &transaction)?;
    if let Some(root) = &root {
        transaction.add_root(root, tree, manifest)?;
    }
    Ok(Held { tree, root, transaction })
}

/// Gives the names to all blobs that were put, and makes the store one that git passes over.
/// Durable before it returns.
pub fn publish(disk: &Disk, out: &Path, transaction: &Transaction) -> Result<(), KeepError> {
    transaction.stage_layout()?;
    let ignore = out.join(IGNORE);
    let unignored = !disk.exists(&ignore)?;
    let temporary = if unignored { Some(transaction.temporary(b"/store/\n")?.path) } else { None };
    let others: Vec<&Path> = temporary.iter().map(PathBuf::as_path).collect();
    transaction.publish(&others)?;
    if let Some(temporary) = &temporary {
        disk.rename(temporary, &ignore)?;
        disk.barrier(out, &[&ignore])?;
    }
    Ok(())
}

/// Puts the blobs that the store lacks. Returns all files of the tree, the index first.
fn bring(transaction: &Transaction, source: &Source) -> Result<Vec<GroupFile>, KeepError> {
    let index = source.index_bytes();
    let mut files =
        vec![GroupFile { path: INDEX.to_owned(), digest: source.digest, size: index.len() as u64 }];
    if sound_size(transaction, &source.digest)?.is_none() {
        transaction.put(source.digest, index)?;
    }
    // equal files of many clusters are one blob, looked at once
    let blobs: BTreeMap<Digest, &TreePath> =
        source.index.artifacts.iter().map(|row| (row.digest, &row.path)).collect();
    let sizes: Result<BTreeMap<Digest, u64>, KeepError> = blobs
        .par_iter()
        .map(|(digest, path)| {
            if let Some(size) = sound_size(transaction, digest)? {
                return Ok((*digest, size));
            }
            let bytes = source.read(path)?;
            transaction.put(*digest, &bytes)?;
            Ok((*digest, bytes.len() as u64))
        })
        .collect();
    let sizes = sizes?;
    files.extend(source.index.artifacts.iter().map(|row| GroupFile {
        path: row.path.to_string(),
        digest: row.digest,
        size: sizes[&row.digest],
    }));
    Ok(files)
}

/// The size of a blob, if it is there and holds what its name says.
fn sound_size(transaction: &Transaction, digest: &Digest) -> Result<Option<u64>, StoreError> {
    match transaction.read(digest) {
        Ok(bytes) => Ok(Some(bytes.len() as u64)),
        Err(StoreError::Missing(_) | StoreError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
