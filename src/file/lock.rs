//! A lock that the kernel frees when its holder dies.
#![expect(clippy::disallowed_methods, reason = "the room that counts them")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{Action, Disk, FILE_MODE, FileError};

/// A held lock; dropping it, or dying, frees it.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // closing the file is not enough: a child process that another thread has forked but that
        // did not start its program yet still has it open
        let _ = self.file.unlock();
    }
}

impl Disk {
    /// Takes the lock of a folder, whose file is made if need be, without waiting.
    ///
    /// The file holds the holder's process id, for the message of others; the lock itself is
    /// `flock`, so that a file left behind locks nobody out.
    pub fn lock(&self, path: &Path) -> Result<Lock, FileError> {
        let error = |source| FileError::system("locking", path, source);
        self.gate(Action::Lock, path, None).map_err(error)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .custom_flags(nofollow())
            .open(path)
            .map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FileError::Locked { path: path.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
        // a holder that made the store for nothing removes the file: a lock on a file without a
        // name keeps nobody out
        let named = std::fs::symlink_metadata(path).map_err(error)?;
        if named.ino() != file.metadata().map_err(error)?.ino() {
            return Err(FileError::Locked { path: path.to_owned(), pid: None });
        }
        // on a full disk the lock is as good without the name: `gc` must be able to make room
        let _ = sign(&mut file);
        Ok(Lock { file })
    }
}

fn nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

fn sign(file: &mut File) -> std::io::Result<()> {
    let line = format!("{}\n", std::process::id());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(line.as_bytes())?;
    file.set_len(line.len() as u64)
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
