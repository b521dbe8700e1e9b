//! The view: the plain files under `out/` that people read and git diffs.
//!
//! [`Writer`] brings a tree into it, [`Comparison`] says how it differs from one, [`edits`] what
//! was changed by hand, [`rollback`] brings a generation back.

mod compare;
mod error;
mod finish;
mod folders;
mod known;
mod place;
mod rollback;
mod writer;

use std::path::{Path, PathBuf};

pub use compare::{Compared, Comparison, Difference, Differs, edits};
pub use error::{Edit, Happened, ViewError};
pub use rollback::rollback;
pub use writer::{Opening, Options, Survey, Writer, Written};

use crate::file::{Disk, FileError};
use crate::store::Digest;

/// Name of the table of contents in the view.
pub(super) const INDEX: &str = "index.json";
/// Name of the file that tells git to pass over the store.
pub(super) const IGNORE: &str = ".gitignore";

/// The store's folder of a view.
pub fn store_folder(out: &Path) -> PathBuf {
    out.join("store")
}

/// The tree that the view holds: the digest of its `index.json`, if it has one.
pub fn digest(disk: &Disk, out: &Path) -> Result<Option<Digest>, FileError> {
    match disk.read_input(out, Path::new(INDEX), MAX_INDEX) {
        Ok(bytes) => Ok(Some(Digest::of(bytes))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Most that is read of an index: 20,000 clusters and more.
pub(super) const MAX_INDEX: u64 = 256 << 20;
/// Most that is read of a file of the view: many times the largest CRD.
pub(super) const MAX_FILE: u64 = 64 << 20;
