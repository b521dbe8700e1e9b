//! What the system knows of a file without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A symlink, wherever it points.
    Symlink,
    /// A socket, a pipe, a device.
    Other,
}

impl FileKind {
    /// The kind in a sentence: `a folder`.
    pub fn describe(self) -> &'static str {
        match self {
            FileKind::File => "a file",
            FileKind::Folder => "a folder",
            FileKind::Symlink => "a symlink",
            FileKind::Other => "a device, pipe or socket",
        }
    }

    pub(super) fn of(kind: std::fs::FileType) -> Self {
        if kind.is_file() {
            FileKind::File
        } else if kind.is_dir() {
            FileKind::Folder
        } else if kind.is_symlink() {
            FileKind::Symlink
        } else {
            FileKind::Other
        }
    }
}

/// A file's metadata, enough to notice that it was changed. Symlinks are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was changed, in nanoseconds.
    pub modified: i128,
    /// When it or its metadata was changed, in nanoseconds.
    pub changed: i128,
    /// Its number on the device.
    pub inode: u64,
    /// The device.
    pub device: u64,
    /// The permission bits.
    pub mode: u32,
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            kind: FileKind::of(metadata.file_type()),
            size: metadata.size(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
            mode: metadata.mode() & 0o7777,
        }
    }

    /// Whether it is a plain file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }
}
