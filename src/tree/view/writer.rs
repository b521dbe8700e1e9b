//! Bringing a tree into the view: all of it or nothing, and safe to kill at any instant.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::known::{IndexFault, Known};
use super::place::{Place, Places};
use super::{Edit, Happened, INDEX, ViewError, folders};
use crate::file::{Disk, FileKind, Stat};
use crate::store::{DerivationCache, Digest, StoreError, Temporary, Transaction};
use crate::tree::TreePath;

/// What a write may do beyond the usual. Each lifts a guard.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Replace or remove what somebody edited by hand.
    pub overwrite_edits: bool,
    /// Replace the tree of a mesh of another name.
    pub allow_other_mesh: bool,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The tree's digest.
    pub digest: Digest,
    /// The number of the new generation; `None` if the tree had one already.
    pub generation: Option<u64>,
    /// How many files of the view were written.
    pub files_written: usize,
    /// How many were removed.
    pub files_removed: usize,
    /// How many stayed as they were.
    pub unchanged: usize,
}

/// Brings a tree into the view and into the store.
///
/// Artifacts are added from any thread, as they are built: their bytes go to disk at once, under
/// temporary names, and are not kept in memory. Nothing of the view changes before
/// [`Writer::finish`]; a writer that is dropped leaves everything as it was.
pub struct Writer {
    pub(super) disk: Disk,
    pub(super) out: PathBuf,
    pub(super) options: Options,
    pub(super) transaction: Transaction,
    pub(super) known: Known,
    pub(super) places: Places,
    pub(super) added: Mutex<Vec<Added>>,
    pub(super) edits: Mutex<Vec<Edit>>,
}

/// A view whose store is locked, before it was read: [`Writer::open`] in steps, for who has
/// something else to do meanwhile.
pub struct Opening {
    disk: Disk,
    out: PathBuf,
    transaction: Transaction,
}

/// What a view holds.
pub struct Survey(Known);

impl Opening {
    /// Takes the store's lock and sweeps what a killed write left.
    ///
    /// Refuses an `out` that is a symlink or a file, and one that another process is writing.
    pub fn begin(disk: &Disk, out: &Path) -> Result<Self, ViewError> {
        if let Some(stat) = disk.stat(out)?
            && stat.kind != FileKind::Folder
        {
            return Err(ViewError::InTheWay { path: out.to_owned(), what: stat.kind.describe() });
        }
        let transaction = Transaction::begin(disk, &super::store_folder(out))?;
        Ok(Self { disk: disk.clone(), out: out.to_owned(), transaction })
    }

    /// Reads the index of the view, and the store's caches.
    pub fn survey(&self) -> Result<Survey, ViewError> {
        let Self { disk, out, transaction } = self;
        let (store, catalogue) = (transaction.store(), transaction.catalogue());
        let (known, preloaded) = rayon::join(
            || Known::read(disk, out, store, catalogue, transaction.interrupted()),
            || transaction.preload(),
        );
        preloaded?;
        Ok(Survey(known?))
    }

    /// The store and its caches.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The right to change the store alone: the view was not looked at.
    pub fn into_transaction(self) -> Transaction {
        self.transaction
    }
}

/// An artifact of the new tree.
pub(super) struct Added {
    pub path: TreePath,
    pub digest: Digest,
    pub size: u64,
    /// `None` if the view has it already.
    pub write: Option<Write>,
}

/// A file of the view that is to be written.
pub(super) struct Write {
    pub temporary: Temporary,
    /// What stood there when we looked.
    pub before: Option<Stat>,
}

impl Writer {
    /// Takes the store's lock, sweeps what a killed write left, and reads what the view holds.
    ///
    /// Refuses an `out` that is a symlink or a file, a view whose index is none, and one that
    /// another process is writing.
    pub fn open(disk: &Disk, out: &Path, options: Options) -> Result<Self, ViewError> {
        let opening = Opening::begin(disk, out)?;
        let survey = opening.survey()?;
        Self::new(opening, survey, options)
    }

    /// A writer of a view that is locked and was read.
    pub fn new(opening: Opening, survey: Survey, options: Options) -> Result<Self, ViewError> {
        let Opening { disk, out, transaction } = opening;
        let Survey(mut known) = survey;
        let places = Places::new(&disk, &out);
        folders::remove_announced(&disk, &out, &places)?;
        let mut edits = Vec::new();
        match known.fault.take() {
            None => {}
            Some(_) if options.overwrite_edits => {}
            Some(IndexFault::Unreadable(error)) => return Err(error.into()),
            Some(IndexFault::Edited) => {
                edits.push(Edit { path: INDEX.to_owned(), happened: Happened::Changed });
            }
        }
        Ok(Self {
            disk,
            out,
            options,
            places,
            transaction,
            added: Mutex::new(Vec::with_capacity(known.old.listed.len())),
            known,
            edits: Mutex::new(edits),
        })
    }

    /// The cache of derivations.
    pub fn derivations(&self) -> &DerivationCache {
        self.transaction.derivations()
    }

    /// The store and its generations.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Adds an artifact that was built. From any thread.
    ///
    /// Refuses a path where a symlink or a folder stands. A hand edit is noted, and stops
    /// [`Writer::finish`].
    pub fn add(&self, path: TreePath, bytes: &[u8]) -> Result<Digest, ViewError> {
        let digest = Digest::of(bytes);
        let place = self.look(&path)?;
        self.transaction.put(digest, bytes)?;
        self.place(path, digest, place, bytes)?;
        Ok(digest)
    }

    /// Adds an artifact that an earlier run built. From any thread.
    ///
    /// Returns `false`, and adds nothing, if neither the view nor the store has those bytes: they
    /// have to be built again.
    pub fn reuse(&self, path: &TreePath, digest: Digest, size: u64) -> Result<bool, ViewError> {
        let place = self.look(path)?;
        let in_view = matches!(&place, Place::File { digest: Some(there), .. } if *there == digest);
        if in_view {
            if !self.transaction.holds(&digest)? {
                let file = self.disk.read(&self.places.file(path))?;
                if Digest::of(&file) != digest {
                    return Ok(false);
                }
                self.transaction.put(digest, &file)?;
            }
            self.push(Added { path: path.clone(), digest, size, write: None });
            return Ok(true);
        }
        match self.transaction.read(&digest) {
            Ok(bytes) => {
                self.place(path.clone(), digest, place, &bytes)?;
                Ok(true)
            }
            Err(StoreError::Missing(_) | StoreError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn look(&self, path: &TreePath) -> Result<Place, ViewError> {
        let cache = (self.transaction.view(), self.transaction.started());
        match self.places.look(path, Some(cache))? {
            Place::Other(kind) => {
                Err(ViewError::InTheWay { path: self.places.file(path), what: kind.describe() })
            }
            place => Ok(place),
        }
    }

    /// Decides what has to happen at the artifact's place.
    fn place(
        &self,
        path: TreePath,
        digest: Digest,
        place: Place,
        bytes: &[u8],
    ) -> Result<(), ViewError> {
        let size = bytes.len() as u64;
        let mut before = None;
        match place {
            Place::File { digest: Some(there), .. } if there == digest => {
                self.push(Added { path, digest, size, write: None });
                return Ok(());
            }
            Place::File { stat, digest: there, bytes } => {
                before = Some(stat);
                self.note_edit(&path, there, bytes.as_deref())?;
            }
            Place::Empty if self.known.is_missing(&path) => {
                self.edit(&path, Happened::Missing);
            }
            Place::Empty | Place::Other(_) => {}
        }
        let temporary = self.transaction.temporary(bytes)?;
        self.push(Added { path, digest, size, write: Some(Write { temporary, before }) });
        Ok(())
    }

    /// Notes a hand edit if a file that has to go, or to be replaced, is not ours.
    pub(super) fn note_edit(
        &self,
        path: &TreePath,
        digest: Option<Digest>,
        bytes: Option<&[u8]>,
    ) -> Result<(), ViewError> {
        if self.known.is_ours(path, digest.as_ref(), bytes) {
            return Ok(());
        }
        // the cache knew the digest; whether git left markers only the bytes tell
        if digest.is_some() && bytes.is_none() {
            let bytes = self.disk.read(&self.places.file(path))?;
            if self.known.is_ours(path, None, Some(&bytes)) {
                return Ok(());
            }
        }
        let listed = self.known.lists(path);
        self.edit(path, if listed { Happened::Changed } else { Happened::Foreign });
        Ok(())
    }

    fn edit(&self, path: &TreePath, happened: Happened) {
        let edit = Edit { path: path.to_string(), happened };
        self.edits.lock().expect("no holder panics").push(edit);
    }

    fn push(&self, added: Added) {
        self.added.lock().expect("no holder panics").push(added);
    }
}
