//! Changing the disk.
#![expect(clippy::disallowed_methods, reason = "the room that counts them")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::OFlags;

use super::fault::Reach;
use super::{Action, Disk, FILE_MODE, FOLDER_MODE, FileError, FileKind, Stat};

/// Tells this process's temporary files apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Disk {
    /// Makes a file that is not there yet, and says what it became.
    ///
    /// Neither atomic nor durable: for temporary files that a [`Disk::barrier`] and a
    /// [`Disk::rename`] follow. The mode is as given, whatever the umask.
    pub fn write_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<Stat, FileError> {
        let write = || {
            let reach = self.gate(Action::Write, path, None)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
            if let Reach::Half(stop) = reach {
                file.write_all(&bytes[..bytes.len() / 2])?;
                return Err(stop.error());
            }
            file.write_all(bytes)?;
            let metadata = file.metadata()?;
            if metadata.mode() & 0o7777 != mode {
                file.set_permissions(fs::Permissions::from_mode(mode))?;
            }
            Ok(Stat { mode, ..Stat::of(&metadata) })
        };
        write().map_err(|source| FileError::system("writing", path, source))
    }

    /// Adds to a file that is there.
    ///
    /// Neither atomic nor durable: for what can be told from a torn write. A symlink is refused.
    pub fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        let write = || {
            let reach = self.gate(Action::Write, path, None)?;
            let flags = OFlags::NOFOLLOW.bits().cast_signed();
            let mut file = OpenOptions::new().append(true).custom_flags(flags).open(path)?;
            if let Reach::Half(stop) = reach {
                file.write_all(&bytes[..bytes.len() / 2])?;
                return Err(stop.error());
            }
            file.write_all(bytes)
        };
        write().map_err(|source| FileError::system("writing", path, source))
    }

    /// Makes a file that is not there yet: atomic, durable, and never over another.
    ///
    /// Fails with [`FileError::is_already_there`] if anything stands at `path`.
    pub fn create_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        if self.exists(path)? {
            return Err(FileError::system("creating", path, io::ErrorKind::AlreadyExists));
        }
        self.beside(path, bytes, mode, |temporary| self.rename_new(temporary, path))
    }

    /// Writes a file in place of what was there: atomic and durable.
    ///
    /// A file that is there keeps its mode; a new one gets 0644. Refuses to replace what is no
    /// plain file.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        let mode = self.mode_of(path)?;
        self.beside(path, bytes, mode, |temporary| self.rename(temporary, path))
    }

    /// The mode that a file keeps when it is replaced; 0644 for one that is not there.
    pub(super) fn mode_of(&self, path: &Path) -> Result<u32, FileError> {
        match self.stat(path)? {
            None => Ok(FILE_MODE),
            Some(stat) if stat.is_file() => Ok(stat.mode),
            Some(stat) => {
                let what = stat.kind.describe();
                Err(FileError::NotAFile { path: path.to_owned(), what })
            }
        }
    }

    /// Writes a temporary file beside `path`, makes it durable, and has it moved.
    fn beside(
        &self,
        path: &Path,
        bytes: &[u8],
        mode: u32,
        place: impl FnOnce(&Path) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let folder = parent(path);
        let temporary = self.name_beside(path)?;
        let done = self
            .write_new(&temporary, bytes, mode)
            .and_then(|_| self.sync_file(&temporary))
            .and_then(|()| place(&temporary));
        if done.is_err() {
            // the reason for the failure is worth more than that of a failed clean-up
            let _ = self.remove(&temporary);
        }
        done?;
        self.sync_file(folder)
    }

    /// A name for a temporary file beside `path`, once what killed processes left there is gone.
    pub(super) fn name_beside(&self, path: &Path) -> Result<PathBuf, FileError> {
        let folder = parent(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // room for the rest of the name: file systems take 255 bytes
        let end = (0..=name.len().min(200)).rev().find(|end| name.is_char_boundary(*end));
        let name = &name[..end.unwrap_or_default()];
        self.sweep_beside(folder, name)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(folder.join(format!(".{name}.{}-{number}.tmp", std::process::id())))
    }

    /// Removes what a killed process left beside a file.
    fn sweep_beside(&self, folder: &Path, name: &str) -> Result<(), FileError> {
        let prefix = format!(".{name}.");
        for entry in self.list(folder)? {
            let Some(text) = entry.name.to_str() else {
                continue;
            };
            let middle = text.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".tmp"));
            let pid = middle.and_then(|middle| middle.split_once('-')).map(|(pid, _)| pid);
            if let Some(pid) = pid.and_then(|pid| pid.parse().ok())
                && entry.kind == FileKind::File
                && !is_alive(pid)
            {
                self.remove(&folder.join(&entry.name))?;
            }
        }
        Ok(())
    }

    /// Moves a file; one that stands there is replaced in the same instant.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.gate(Action::Rename, from, Some(to))
            .and_then(|_| fs::rename(from, to))
            .map_err(|source| FileError::system("writing", to, source))
    }

    /// Moves a file to where nothing stands.
    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        let rename = || {
            self.gate(Action::Rename, from, Some(to))?;
            // a second name and then one less: refuses to overwrite on every file system
            match fs::hard_link(from, to) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
                Err(_) => rename_without_link(from, to),
                Ok(()) => fs::remove_file(from),
            }
        };
        rename().map_err(|source| FileError::system("creating", to, source))
    }

    /// Removes a file or a symlink; it is no error if nothing is there.
    pub fn remove(&self, path: &Path) -> Result<(), FileError> {
        match self.gate(Action::Remove, path, None).and_then(|_| fs::remove_file(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FileError::system("removing", path, error))
            }
            _ => Ok(()),
        }
    }

    /// Removes a folder if it is empty; says whether it did.
    pub fn remove_empty_folder(&self, path: &Path) -> Result<bool, FileError> {
        use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound};
        match self.gate(Action::RemoveFolder, path, None).and_then(|_| fs::remove_dir(path)) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), DirectoryNotEmpty | NotADirectory | NotFound) => {
                Ok(false)
            }
            Err(error) => Err(FileError::system("removing", path, error)),
        }
    }

    /// Makes a folder and those above it, with mode 0755 whatever the umask. Returns the ones that
    /// were not there, outermost first.
    ///
    /// A symlink to a folder counts as one; callers that must not follow it look first.
    pub fn create_dir_all(&self, path: &Path) -> Result<Vec<PathBuf>, FileError> {
        let mut missing = Vec::new();
        let mut folder = path;
        while !folder.as_os_str().is_empty() && !self.exists(folder)? {
            missing.push(folder.to_owned());
            let Some(above) = folder.parent() else { break };
            folder = above;
        }
        missing.reverse();
        for folder in &missing {
            self.create_dir(folder)?;
        }
        Ok(missing)
    }

    /// Makes one folder; it is no error if one is there already (another thread's).
    fn create_dir(&self, folder: &Path) -> Result<(), FileError> {
        let create = || {
            self.gate(Action::CreateFolder, folder, None)?;
            match fs::create_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {
                    Ok(())
                }
                Err(error) => Err(error),
                Ok(()) => {
                    let mode = fs::symlink_metadata(folder)?.mode() & 0o7777;
                    if mode & 0o777 != FOLDER_MODE {
                        // a set-group-id bit that the folder above hands down stays
                        let mode = (mode & !0o777) | FOLDER_MODE;
                        fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
                    }
                    Ok(())
                }
            }
        };
        create().map_err(|source| FileError::system("creating", folder, source))
    }

    /// Makes durable all that was written below `folder`: after it, a power cut loses none of it.
    ///
    /// One `syncfs` of the file system where there is one. Elsewhere `files` and the folders that
    /// hold them are synced one by one, so they must name all that was written or moved.
    pub fn barrier(&self, folder: &Path, files: &[&Path]) -> Result<(), FileError> {
        let error = |source| FileError::system("making durable", folder, source);
        self.gate(Action::Sync, folder, None).map_err(error)?;
        let handle = File::open(folder).map_err(error)?;
        if sync_file_system(&handle).map_err(error)? {
            return Ok(());
        }
        let mut folders: Vec<&Path> = files.iter().map(|file| parent(file)).collect();
        folders.sort();
        folders.dedup();
        for path in files.iter().copied().chain(folders) {
            match File::open(path).and_then(|file| file.sync_all()) {
                // removed, or moved on by now: its folder is in the list
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(|source| FileError::system("making durable", path, source))?,
            }
        }
        Ok(())
    }

    /// Makes one file or folder durable.
    pub(super) fn sync_file(&self, path: &Path) -> Result<(), FileError> {
        self.gate(Action::Sync, path, None)
            .and_then(|_| File::open(path))
            .and_then(|file| file.sync_all())
            .map_err(|source| FileError::system("making durable", path, source))
    }
}

pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn is_alive(pid: i32) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else {
        return false;
    };
    // not allowed to signal it: it is there
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// For file systems without hard links: they all know an exclusive rename.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn rename_without_link(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn rename_without_link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the whole file system could be synced in one call.
#[cfg(target_os = "linux")]
fn sync_file_system(handle: &File) -> io::Result<bool> {
    match rustix::fs::syncfs(handle) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &File) -> io::Result<bool> {
    Ok(false)
}
