//! All that lies below a folder.

use std::io;
use std::path::Path;

use walkdir::WalkDir;

use super::{Action, Disk, FileError, FileKind};

impl Disk {
    /// Lists everything below a folder that is no folder itself: path relative to it with `/`, and
    /// kind, sorted by path. Symlinks are listed and not followed; names that are no UTF-8 are left
    /// out.
    pub fn walk(&self, folder: &Path) -> Result<Vec<(String, FileKind)>, FileError> {
        let error = |source| FileError::system("listing", folder, source);
        self.gate(Action::List, folder, None).map_err(error)?;
        let mut found = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|fault| error(fault.into()))?;
            let kind = FileKind::of(entry.file_type());
            let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            if kind == FileKind::Folder {
                continue;
            }
            // left out, it would be missing without a word
            let path = below.to_str().ok_or_else(|| {
                let reason = format!("the name {} is no UTF-8", below.display());
                error(io::Error::new(io::ErrorKind::InvalidData, reason))
            })?;
            found.push((path.to_owned(), kind));
        }
        Ok(found)
    }
}
