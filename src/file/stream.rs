//! Files that are too large to hold: read and written in pieces.
#![expect(clippy::disallowed_methods, reason = "the room that counts them")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::change::parent;
use super::fault::Reach;
use super::{Action, Disk, FileError, FileKind};

/// So much is written at once.
const PIECE: usize = 1 << 20;

/// A file that is open for reading at any place. Whatever happens to its name, it stays the same
/// file.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    path: PathBuf,
    size: u64,
}

impl OpenFile {
    /// Its path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size in bytes when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads into `buffer` from a place on; returns how much there was. Less than asked for means
    /// that the file ends there.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, FileError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            match self.file.read_at(&mut buffer[filled..], at) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::system("reading", &self.path, error)),
            }
        }
        Ok(filled)
    }

    /// It, to be read from its start to its end.
    pub fn into_reader(self) -> FileReader {
        FileReader { file: self, at: 0 }
    }
}

/// An open file from its start to its end.
#[derive(Debug)]
pub struct FileReader {
    file: OpenFile,
    at: u64,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.at, buffer).map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A file that is being written in pieces. Neither atomic nor durable by itself.
#[derive(Debug)]
pub struct NewFile {
    disk: Disk,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
}

impl NewFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds to it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(PIECE - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            if self.buffer.len() == PIECE {
                self.flush()?;
            }
            rest = later;
        }
        Ok(())
    }

    /// Hands everything to the system.
    pub fn flush(&mut self) -> Result<(), FileError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut write = || match self.disk.gate(Action::Write, &self.path, None)? {
            Reach::Whole => self.file.write_all(&self.buffer),
            Reach::Half(stop) => {
                self.file.write_all(&self.buffer[..self.buffer.len() / 2])?;
                Err(stop.error())
            }
        };
        let written = write();
        self.buffer.clear();
        written.map_err(|source| FileError::system("writing", &self.path, source))
    }
}

/// A file that will stand in place of another, or of none, once it is whole.
///
/// Until [`Replacement::place`] nothing is seen of it but a hidden file beside it; dropped before,
/// it leaves nothing.
#[derive(Debug)]
pub struct Replacement {
    to: PathBuf,
    new: NewFile,
    placed: bool,
}

impl Replacement {
    /// Adds to it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.new.write(bytes)
    }

    /// Puts it in its place: atomic and durable.
    pub fn place(mut self) -> Result<(), FileError> {
        self.new.flush()?;
        let disk = self.new.disk.clone();
        disk.sync_file(&self.new.path)?;
        disk.rename(&self.new.path, &self.to)?;
        self.placed = true;
        disk.sync_file(parent(&self.to))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.placed {
            // the reason for giving up is worth more than that of a failed clean-up
            let _ = self.new.disk.remove(&self.new.path);
        }
    }
}

impl Disk {
    /// Opens a plain file for reading. Follows symlinks: it is the user's own word.
    ///
    /// Refuses a folder, a pipe, a device.
    pub fn open(&self, path: &Path) -> Result<OpenFile, FileError> {
        let error = |source: io::Error| FileError::system("reading", path, source);
        let open = || {
            self.gate(Action::Read, path, None)?;
            // opening a pipe that nobody writes to would wait for ever
            let kind = FileKind::of(fs::metadata(path)?.file_type());
            if kind != FileKind::File {
                return Ok(Err(kind));
            }
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok(Ok(OpenFile { file, path: path.to_owned(), size }))
        };
        let not =
            |kind: FileKind| FileError::NotAFile { path: path.to_owned(), what: kind.describe() };
        open().map_err(error)?.map_err(not)
    }

    /// Makes a file that is not there yet, to be written in pieces. The mode is as given, whatever
    /// the umask.
    pub fn write_new_in_pieces(&self, path: &Path, mode: u32) -> Result<NewFile, FileError> {
        let create = || {
            let reach = self.gate(Action::Write, path, None)?;
            let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
            if let Reach::Half(stop) = reach {
                // it is ours, and nobody knows of it yet
                let _ = self.remove(path);
                return Err(stop.error());
            }
            if file.metadata()?.mode() & 0o7777 != mode {
                file.set_permissions(fs::Permissions::from_mode(mode))?;
            }
            Ok(file)
        };
        let file = create().map_err(|source| FileError::system("writing", path, source))?;
        Ok(NewFile { disk: self.clone(), path: path.to_owned(), file, buffer: Vec::new() })
    }

    /// Reads a plain file whole, unless it is bigger than `max` bytes. Follows symlinks, but refuses what
    /// is no file: a pipe that nobody writes to would be waited for.
    pub fn read_plain(&self, path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
        let file = self.open(path)?;
        if file.size > max {
            return Err(FileError::TooLarge { path: path.to_owned(), max });
        }
        let mut bytes = vec![0; usize::try_from(file.size).unwrap_or_default()];
        let count = file.read_at(0, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// As [`Disk::replace`], in pieces.
    pub fn replace_in_pieces(&self, path: &Path) -> Result<Replacement, FileError> {
        let mode = self.mode_of(path)?;
        let new = self.write_new_in_pieces(&self.name_beside(path)?, mode)?;
        Ok(Replacement { to: path.to_owned(), new, placed: false })
    }
}
