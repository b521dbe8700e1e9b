//! Which files of the view are ours.

use std::path::Path;

use super::{INDEX, MAX_INDEX, ViewError};
use crate::file::{Disk, FileKind};
use crate::store::{Catalogue, Digest, Store};
use crate::tree::rows::{Rows, has_markers};
use crate::tree::{Index, IndexError, TreePath};

/// What the index of the view says, and the trees of killed writes.
pub(super) struct Known {
    /// The bytes of `index.json`, if it is there.
    pub text: Option<Vec<u8>>,
    /// Their digest.
    pub digest: Option<Digest>,
    /// Its rows.
    pub old: Rows,
    /// The rows of the trees that `next` names.
    pub next: Vec<Rows>,
    /// Why the index is not one that meshgen wrote, nor one that git merged.
    pub fault: Option<IndexFault>,
}

/// What is wrong with the index of a view.
pub(super) enum IndexFault {
    /// It does not read.
    Unreadable(IndexError),
    /// It reads, but its text is not what meshgen writes.
    Edited,
}

impl Known {
    /// Reads the index of the view and what `next` names.
    ///
    /// Refuses an index that is a symlink or a folder. A blob of `next` that is not there means
    /// that the write was killed before it touched the view.
    pub fn read(
        disk: &Disk,
        out: &Path,
        store: &Store,
        catalogue: &Catalogue,
        interrupted: &[Digest],
    ) -> Result<Self, ViewError> {
        let path = out.join(INDEX);
        let mut known =
            Self { text: None, digest: None, old: Rows::default(), next: Vec::new(), fault: None };
        for tree in interrupted {
            if let Ok(bytes) = store.read(tree) {
                known.next.push(Rows::read(&String::from_utf8_lossy(&bytes)));
            }
        }
        match disk.stat(&path)? {
            None => return Ok(known),
            Some(stat) if stat.kind != FileKind::File => {
                return Err(ViewError::InTheWay { path, what: stat.kind.describe() });
            }
            Some(_) => {}
        }
        let bytes = disk.read_input(out, Path::new(INDEX), MAX_INDEX)?;
        let digest = Digest::of(&bytes);
        known.old = Rows::read(&String::from_utf8_lossy(&bytes));
        // one that we wrote ourselves, or that git marked, needs no second, strict look
        let ours = interrupted.contains(&digest) || catalogue.of_tree(&digest).is_some();
        if !ours && !known.old.conflict {
            known.fault = match Index::parse(&bytes) {
                Err(error) => Some(IndexFault::Unreadable(error)),
                Ok(index) if index.to_text().as_bytes() != bytes => Some(IndexFault::Edited),
                Ok(_) => None,
            };
        }
        known.text = Some(bytes);
        known.digest = Some(digest);
        Ok(known)
    }

    /// Whether the index has a row for a path, on any side.
    pub fn lists(&self, path: &TreePath) -> bool {
        self.old.lists(path)
    }

    /// Whether content at a path is ours: the index or an interrupted write says so, or git did
    /// something to it that is no hand edit.
    pub fn is_ours(&self, path: &TreePath, digest: Option<&Digest>, bytes: Option<&[u8]>) -> bool {
        let by_digest = |digest: &Digest| {
            let path = path.as_str();
            self.old.holds(path, digest) || self.next.iter().any(|rows| rows.holds(path, digest))
        };
        digest.is_some_and(by_digest)
            || self.old.disputed.contains(path)
            || bytes.is_some_and(has_markers)
    }

    /// Whether a file that is not there was removed by hand: the index has it, and no interrupted
    /// write and no merge explains that it is gone.
    pub fn is_missing(&self, path: &TreePath) -> bool {
        self.lists(path)
            && !self.old.disputed.contains(path)
            && self.next.iter().all(|rows| rows.lists(path))
    }

    /// The paths that are or may be in the view because of us, without those in `keep`, which is
    /// sorted; sorted.
    pub fn without<'a>(
        &self,
        keep: &(impl Iterator<Item = &'a TreePath> + Clone),
    ) -> Vec<TreePath> {
        let mut stale = Vec::new();
        for rows in std::iter::once(&self.old).chain(&self.next) {
            let mut keep = keep.clone().peekable();
            for path in rows.paths() {
                while keep.next_if(|kept| *kept < path).is_some() {}
                if keep.peek() != Some(&path) {
                    stale.push(path.clone());
                }
            }
        }
        stale.sort();
        stale.dedup();
        stale
    }
}
