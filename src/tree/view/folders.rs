//! Folders that a write makes before it is sure to come to its end.
//!
//! They are made while a full disk still changes nothing, and are written down first, so that a
//! killed write leaves no empty ones behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::place::Places;
use super::{ViewError, store_folder};
use crate::file::{Disk, FILE_MODE, FileError};
use crate::tree::TreePath;

/// Most that is read of the list.
const MAX_LIST: u64 = 64 << 20;

/// The file that lists them.
pub(super) fn list(out: &Path) -> PathBuf {
    store_folder(out).join("folders")
}

/// Writes down the folders that are about to be made.
pub(super) fn announce(
    disk: &Disk,
    out: &Path,
    folders: &BTreeSet<String>,
) -> Result<(), FileError> {
    let text: String = folders.iter().flat_map(|folder| [folder.as_str(), "\n"]).collect();
    disk.write_new(&list(out), text.as_bytes(), FILE_MODE).map(drop)
}

/// Removes the folders of the list that are empty, and the list.
pub(super) fn remove_announced(disk: &Disk, out: &Path, places: &Places) -> Result<(), ViewError> {
    let list = list(out);
    let bytes = match disk.read_limited(&list, MAX_LIST) {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    // innermost first; a torn last line names nothing, or a folder that is only removed if empty
    for line in bytes.split(|byte| *byte == b'\n').rev() {
        let folder = str::from_utf8(line).ok().and_then(|line| line.parse::<TreePath>().ok());
        if let Some(folder) = folder
            && places.is_there_afresh(folder.as_str())
        {
            disk.remove_empty_folder(&out.join(folder.as_str()))?;
        }
    }
    Ok(disk.remove(&list)?)
}
