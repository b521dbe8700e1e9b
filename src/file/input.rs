//! Reading what others wrote: never through a symlink, never out of the folder.

use std::fs::File;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::disk::read_to_limit;
use super::{Action, Disk, FileError, FileKind};

impl Disk {
    /// Reads `root`/`relative`, at most `max` bytes.
    ///
    /// Refuses an absolute path, `..`, a symlink anywhere below `root`, and whatever is no plain
    /// file. Each part is opened relative to the one before and without following, so that a
    /// symlink that is put there meanwhile is refused too. `root` itself may be a symlink: it is
    /// the user's own word.
    pub fn read_input(&self, root: &Path, relative: &Path, max: u64) -> Result<Vec<u8>, FileError> {
        let path = root.join(relative);
        let file = self.open_input(root, relative)?;
        let kind = file
            .metadata()
            .map(|metadata| FileKind::of(metadata.file_type()))
            .map_err(|source| FileError::system("reading", &path, source))?;
        if kind != FileKind::File {
            return Err(FileError::NotAFile { path, what: kind.describe() });
        }
        read_to_limit(&file, &path, max)
    }

    fn open_input(&self, root: &Path, relative: &Path) -> Result<File, FileError> {
        let path = root.join(relative);
        let mut parts = Vec::new();
        for component in relative.components() {
            match component {
                Component::Normal(part) => parts.push(part),
                Component::CurDir => {}
                _ => {
                    return Err(FileError::Outside { path: relative.to_owned() });
                }
            }
        }
        let Some(last) = parts.pop() else {
            return Err(FileError::NotAFile { path, what: FileKind::Folder.describe() });
        };
        self.gate(Action::Read, &path, None)
            .map_err(|source| FileError::system("reading", &path, source))?;

        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let error = |source| FileError::system("reading", &path, source);
        let mut current = openat(CWD, root, folder, Mode::empty()).map_err(error)?;
        let mut walked = root.to_owned();
        for part in parts {
            walked.push(part);
            current = openat(&current, part, folder | OFlags::NOFOLLOW, Mode::empty())
                .map_err(|source| self.explain(&walked, source))?;
        }
        // NONBLOCK: opening a pipe that nobody writes to would wait for ever
        let plain = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&current, last, plain, Mode::empty())
            .map_err(|source| self.explain(&path, source))?;
        Ok(File::from(file))
    }

    /// A symlink that was not followed looks like many things to the system; name it.
    fn explain(&self, path: &Path, source: rustix::io::Errno) -> FileError {
        match self.stat(path) {
            Ok(Some(stat)) if stat.kind == FileKind::Symlink => {
                FileError::NotAFile { path: path.to_owned(), what: stat.kind.describe() }
            }
            _ => FileError::system("reading", path, source),
        }
    }
}
