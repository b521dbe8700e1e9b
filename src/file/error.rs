//! What goes wrong with files: always with the path, and what was being done to it.

use std::io;
use std::path::PathBuf;

/// Why an operation on a file failed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No room is left on the file system, or in the user's quota.
    #[error("no space is left on the device while {doing} `{}`", path.display())]
    Full {
        /// What was being done: `writing`, `creating`, …
        doing: &'static str,
        /// To which file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("{doing} `{}`: {source}", path.display())]
    System {
        /// What was being done: `reading`, `renaming`, …
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Something else stands where a file was asked for.
    #[error("`{}` is {what}, not a file", path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// `a folder`, `a symlink`, …
        what: &'static str,
    },
    /// The path is absolute or leaves the folder it is relative to.
    #[error("`{}` leaves the folder that it must stay in", path.display())]
    Outside {
        /// The path as given.
        path: PathBuf,
    },
    /// The file is bigger than its kind can sensibly be.
    #[error("`{}` is bigger than {max} bytes, the most that is read of such a file", path.display())]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// The limit in bytes.
        max: u64,
    },
    /// Another process holds the lock.
    #[error("{} is at work in this folder (it holds `{}`)", holder(*pid), path.display())]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// The holder, if its file says so.
        pid: Option<u32>,
    },
}

fn holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("another meshgen (process {pid})"),
        None => "another meshgen".to_owned(),
    }
}

impl FileError {
    /// Wraps the system's answer.
    pub(super) fn system(
        doing: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        let (path, source) = (path.into(), source.into());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { doing, path },
            _ => Self::System { doing, path, source },
        }
    }

    /// Whether the file simply is not there.
    pub fn is_not_found(&self) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        matches!(self, Self::System { source, .. } if matches!(source.kind(), NotFound | NotADirectory))
    }

    /// Whether something stands there already.
    pub fn is_already_there(&self) -> bool {
        matches!(self, Self::System { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether the file system can only be read, or this user may not write there.
    pub fn is_read_only(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::System { source, .. }
            if matches!(source.kind(), ReadOnlyFilesystem | PermissionDenied))
    }
}
