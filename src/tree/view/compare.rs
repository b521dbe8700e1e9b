//! Comparing the view with a tree, and with its own index. Reads only: no lock, no cache, no store
//! needed, and a read-only disk will do.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use super::known::{IndexFault, Known};
use super::place::{Place, Places};
use super::{Edit, Happened, INDEX, ViewError, store_folder};
use crate::file::Disk;
use crate::store::{Digest, Store};
use crate::tree::{IndexError, TreePath};

/// How a file of the view differs from the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The file, relative to `out/`.
    pub path: String,
    /// What differs.
    pub differs: Differs,
}

/// What differs between a file of the view and the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Differs {
    /// The bytes, from this one on: offset from 0, line from 1.
    Content {
        /// Offset of the first byte that differs.
        byte: usize,
        /// Its line.
        line: usize,
    },
    /// The tree has it, the view has not.
    Missing,
    /// The view has it, the tree has not any more.
    Stale,
    /// Something that is no file stands there: `a symlink`.
    Other(&'static str),
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = &self.path;
        match self.differs {
            Differs::Content { byte, line } => {
                write!(f, "{path}: differs from byte {byte} on (line {line})")
            }
            Differs::Missing => write!(f, "{path}: is missing"),
            Differs::Stale => write!(f, "{path}: is no longer rendered"),
            Differs::Other(what) => write!(f, "{path}: is {what}, not a file"),
        }
    }
}

/// The result of a [`Comparison`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The digest of the tree that the view was compared with.
    pub digest: Digest,
    /// The differences, by path; empty if the view is that tree.
    pub differences: Vec<Difference>,
    /// Those of the files that were edited by hand, rather than being older than the inputs.
    pub edits: Vec<Edit>,
}

/// Compares the view with a tree whose artifacts are added one by one.
pub struct Comparison {
    disk: Disk,
    out: PathBuf,
    known: Known,
    places: Places,
    seen: Mutex<Vec<TreePath>>,
    differences: Mutex<Vec<Difference>>,
    edits: Mutex<Vec<Edit>>,
}

impl Comparison {
    /// Reads the index of the view. A view that is not there, or whose index is damaged, differs.
    pub fn open(disk: &Disk, out: &Path) -> Result<Self, ViewError> {
        let known = read_known(disk, out)?;
        Ok(Self {
            disk: disk.clone(),
            out: out.to_owned(),
            places: Places::new(disk, out),
            known,
            seen: Mutex::default(),
            differences: Mutex::default(),
            edits: Mutex::default(),
        })
    }

    /// Compares one artifact. From any thread.
    pub fn add(&self, path: TreePath, bytes: &[u8]) -> Result<Digest, ViewError> {
        match self.look(&path)? {
            Ok(Place::Empty) => {
                self.differ(&path, Differs::Missing);
                if self.known.is_missing(&path) {
                    self.edit(&path, Happened::Missing);
                }
            }
            Ok(Place::Other(kind)) => self.in_the_way(&path, kind.describe()),
            Ok(Place::File { digest, bytes: there, .. }) => {
                let there = there.unwrap_or_default();
                if there != bytes || digest.is_none() {
                    self.differ(&path, first_difference(&there, bytes));
                    if !self.known.is_ours(&path, digest.as_ref(), Some(&there)) {
                        self.edit(&path, self.changed(&path));
                    }
                }
            }
            Err(what) => self.in_the_way(&path, what),
        }
        self.seen.lock().expect("no holder panics").push(path);
        Ok(Digest::of(bytes))
    }

    /// Compares the index and what else the view holds of ours.
    pub fn finish(self, index_text: &str) -> Result<Compared, ViewError> {
        let mut seen = std::mem::take(&mut *self.seen.lock().expect("no holder panics"));
        seen.sort();
        for path in self.known.without(&seen.iter()) {
            if let Ok(Place::File { digest, bytes, .. }) = self.look(&path)? {
                let ours = self.known.is_ours(&path, digest.as_ref(), bytes.as_deref());
                if ours || self.known.lists(&path) {
                    self.differ(&path, Differs::Stale);
                }
                if !ours && self.known.lists(&path) {
                    self.edit(&path, Happened::Changed);
                }
            }
        }
        let mut differences = self.differences.into_inner().expect("no holder panics");
        let mut edits = self.edits.into_inner().expect("no holder panics");
        let there = self.known.text.as_deref();
        if there != Some(index_text.as_bytes()) {
            let differs = match there {
                Some(there) => first_difference(there, index_text.as_bytes()),
                None => Differs::Missing,
            };
            differences.push(Difference { path: INDEX.to_owned(), differs });
        }
        if self.known.fault.is_some() {
            edits.push(Edit { path: INDEX.to_owned(), happened: Happened::Changed });
        }
        differences.sort();
        edits.sort();
        Ok(Compared { digest: Digest::of(index_text), differences, edits })
    }

    /// Looks at a place; a folder on the way that is none is a difference, not an error.
    fn look(&self, path: &TreePath) -> Result<Result<Place, &'static str>, ViewError> {
        match self.places.look(path, None) {
            Err(ViewError::InTheWay { what, .. }) => Ok(Err(what)),
            other => Ok(Ok(other?)),
        }
    }

    /// What is no file was not put there by a render, and stops the next one.
    fn in_the_way(&self, path: &TreePath, what: &'static str) {
        self.differ(path, Differs::Other(what));
        self.edit(path, self.changed(path));
    }

    fn changed(&self, path: &TreePath) -> Happened {
        if self.known.lists(path) { Happened::Changed } else { Happened::Foreign }
    }

    fn differ(&self, path: &TreePath, differs: Differs) {
        let difference = Difference { path: path.to_string(), differs };
        self.differences.lock().expect("no holder panics").push(difference);
    }

    fn edit(&self, path: &TreePath, happened: Happened) {
        let edit = Edit { path: path.to_string(), happened };
        self.edits.lock().expect("no holder panics").push(edit);
    }
}

impl std::fmt::Debug for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { disk, out, .. } = self;
        f.debug_struct("Comparison").field("disk", disk).field("out", out).finish_non_exhaustive()
    }
}

fn first_difference(there: &[u8], new: &[u8]) -> Differs {
    let same = there.iter().zip(new).take_while(|(a, b)| a == b).count();
    let line = there[..same].split(|byte| *byte == b'\n').count();
    Differs::Content { byte: same, line }
}

fn read_known(disk: &Disk, out: &Path) -> Result<Known, ViewError> {
    let store = Store::open(disk, &store_folder(out))?;
    // a store that cannot be read explains nothing, and is not needed here
    let catalogue = store.generations().unwrap_or_default();
    Known::read(disk, out, &store, &catalogue, &store.interrupted().unwrap_or_default())
}

/// What was edited by hand in the view, against its own index: every file is read.
///
/// Fails with [`ViewError::NoIndex`] if nothing was rendered yet, and with [`ViewError::Index`] if
/// the index itself cannot be read.
pub fn edits(disk: &Disk, out: &Path) -> Result<Vec<Edit>, ViewError> {
    let known = read_known(disk, out)?;
    if known.text.is_none() {
        return Err(ViewError::NoIndex);
    }
    let mut edits = Vec::new();
    match known.fault {
        Some(IndexFault::Unreadable(error)) => return Err(error.into()),
        Some(IndexFault::Edited) => {
            edits.push(Edit { path: INDEX.to_owned(), happened: Happened::Changed });
        }
        None if known.old.conflict => return Err(IndexError::Conflict.into()),
        None => {}
    }
    let places = Places::new(disk, out);
    let mut paths: Vec<&TreePath> = known.old.paths().collect();
    paths.dedup();
    let check = |path: &&TreePath| -> Result<Option<Edit>, ViewError> {
        let happened = match places.look(path, None) {
            Ok(Place::Empty) if known.is_missing(path) => Happened::Missing,
            Ok(Place::Empty) => return Ok(None),
            Ok(Place::File { digest, bytes, .. }) => {
                if known.is_ours(path, digest.as_ref(), bytes.as_deref()) {
                    return Ok(None);
                }
                Happened::Changed
            }
            Ok(Place::Other(_)) | Err(ViewError::InTheWay { .. }) => Happened::Changed,
            Err(error) => return Err(error),
        };
        Ok(Some(Edit { path: path.to_string(), happened }))
    };
    let found: Result<Vec<_>, ViewError> = paths.par_iter().map(check).collect();
    edits.extend(found?.into_iter().flatten());
    edits.sort();
    Ok(edits)
}
