//! The disk: reading, and the one gate that every operation passes.
#![expect(clippy::disallowed_methods, reason = "the room that counts them")]

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fault::{Hooks, Reach};
use super::{Action, Fault, FileError, FileKind, Operation, Stat};

/// All access to files. Cheap to clone; clones count together.
#[derive(Clone, Default)]
pub struct Disk(Arc<Inner>);

#[derive(Default)]
struct Inner {
    operations: AtomicU64,
    changes: AtomicU64,
    hooks: Option<Hooks>,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the folder.
    pub name: OsString,
    /// What it is.
    pub kind: FileKind,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("operations", &self.operations()).finish_non_exhaustive()
    }
}

impl Disk {
    /// The real disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// The real disk with a fault, for tests; it also records the order of calls.
    pub fn with_faults(fault: Fault) -> Self {
        Self(Arc::new(Inner { hooks: Some(Hooks::new(fault)), ..Inner::default() }))
    }

    /// How many operations were asked for so far.
    pub fn operations(&self) -> u64 {
        self.0.operations.load(Ordering::Relaxed)
    }

    /// How many of them change something; what [`Fault`] counts.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Relaxed)
    }

    /// The operations in their order; empty without [`Disk::with_faults`].
    pub fn log(&self) -> Vec<Operation> {
        self.0.hooks.as_ref().map(Hooks::log).unwrap_or_default()
    }

    /// The gate: counts an operation, and stops it if a test wants that.
    pub(super) fn gate(&self, action: Action, path: &Path, to: Option<&Path>) -> io::Result<Reach> {
        self.0.operations.fetch_add(1, Ordering::Relaxed);
        let mut number = 0;
        if action.is_change() {
            number = 1 + self.0.changes.fetch_add(1, Ordering::Relaxed);
        }
        match &self.0.hooks {
            None => Ok(Reach::Whole),
            Some(hooks) => {
                hooks.before(action, number, path, to).map_err(super::fault::Stop::error)
            }
        }
    }

    /// Reads a file whole. Follows symlinks.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        self.gate(Action::Read, path, None)
            .and_then(|_| fs::read(path))
            .map_err(|source| FileError::system("reading", path, source))
    }

    /// Reads a file whole, unless it is bigger than `max` bytes. Follows symlinks.
    pub fn read_limited(&self, path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
        let file = self
            .gate(Action::Read, path, None)
            .and_then(|_| fs::File::open(path))
            .map_err(|source| FileError::system("reading", path, source))?;
        read_to_limit(&file, path, max)
    }

    /// What stands at a path, `None` if nothing does. Does not follow a symlink at its end.
    pub fn stat(&self, path: &Path) -> Result<Option<Stat>, FileError> {
        use io::ErrorKind::{NotADirectory, NotFound};
        match self.gate(Action::Stat, path, None).and_then(|_| fs::symlink_metadata(path)) {
            Ok(metadata) => Ok(Some(Stat::of(&metadata))),
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
            Err(source) => Err(FileError::system("looking at", path, source)),
        }
    }

    /// Whether a folder stands at a path, or a symlink to one.
    pub fn is_folder(&self, path: &Path) -> Result<bool, FileError> {
        use io::ErrorKind::{NotADirectory, NotFound};
        match self.gate(Action::Stat, path, None).and_then(|_| fs::metadata(path)) {
            Ok(metadata) => Ok(metadata.is_dir()),
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(false),
            Err(source) => Err(FileError::system("looking at", path, source)),
        }
    }

    /// Whether anything stands at a path, be it a dangling symlink.
    pub fn exists(&self, path: &Path) -> Result<bool, FileError> {
        Ok(self.stat(path)?.is_some())
    }

    /// Whether `path` lies in `folder`, symlinks and `..` resolved on both sides.
    ///
    /// Neither the file nor its folders need be there yet. Of a symlink it is the link's own place
    /// that counts.
    pub fn lies_in(&self, path: &Path, folder: &Path) -> Result<bool, FileError> {
        let resolve = |path: &Path| {
            let here = Path::new(".");
            let above = path.ancestors();
            let above = above.map(|path| if path.as_os_str().is_empty() { here } else { path });
            for there in above {
                let found =
                    self.gate(Action::Stat, there, None).and_then(|_| fs::canonicalize(there));
                match found {
                    Ok(found) => return Ok(found),
                    // what is not there is no symlink; `..` behind it leads nowhere
                    Err(error)
                        if error.kind() == io::ErrorKind::NotFound
                            && there.file_name().is_some() => {}
                    Err(source) => return Err(FileError::system("looking at", there, source)),
                }
            }
            Ok(PathBuf::from("."))
        };
        Ok(resolve(super::change::parent(path))?.starts_with(resolve(folder)?))
    }

    /// The absolute path of a file: its folder with symlinks and `..` resolved, its name as given.
    ///
    /// The file itself need not be there yet, its folder must. Refuses a path without a name.
    pub fn absolute(&self, path: &Path) -> Result<PathBuf, FileError> {
        let above = match path.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        let Some(name) = path.file_name() else {
            let what = super::FileKind::Folder.describe();
            return Err(FileError::NotAFile { path: path.to_owned(), what });
        };
        self.gate(Action::Stat, above, None)
            .and_then(|_| fs::canonicalize(above))
            .map(|above| above.join(name))
            .map_err(|source| FileError::system("looking at", above, source))
    }

    /// The names in a folder, sorted by their bytes.
    pub fn list(&self, folder: &Path) -> Result<Vec<Entry>, FileError> {
        let mut entries = self.list_unsorted(folder)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The names in a folder in the order of the system, for sets.
    pub fn list_unsorted(&self, folder: &Path) -> Result<Vec<Entry>, FileError> {
        let read = || {
            self.gate(Action::List, folder, None)?;
            let mut entries = Vec::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                entries.push(Entry {
                    name: entry.file_name(),
                    kind: FileKind::of(entry.file_type()?),
                });
            }
            Ok(entries)
        };
        read().map_err(|source: io::Error| FileError::system("listing", folder, source))
    }
}

/// Reads an open file, of at most `max` bytes.
pub(super) fn read_to_limit(file: &fs::File, path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let error = |source: io::Error| FileError::system("reading", path, source);
    let metadata = file.metadata().map_err(error)?;
    let kind = FileKind::of(metadata.file_type());
    if kind == FileKind::Folder {
        return Err(FileError::NotAFile { path: path.to_owned(), what: kind.describe() });
    }
    let too_large = || FileError::TooLarge { path: path.to_owned(), max };
    if metadata.len() > max {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // the size is only a hint: a file can grow, and a pipe has none
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > max {
        return Err(too_large());
    }
    Ok(bytes)
}
