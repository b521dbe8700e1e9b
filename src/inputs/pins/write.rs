//! Writing pins: content first, then `meshgen.lock`, so that it never names what is not there.

use std::collections::BTreeMap;
use std::path::Path;

use crate::file::{Disk, FileError, FileKind};
use crate::pin::{CHARTS, LOCK_FILE, Lock, path_of};
use crate::store::{Digest, StoreError, Transaction};

/// What the command `lock` changes.
#[derive(Debug, Default)]
pub struct PinChange {
    /// The pins as they were read.
    pub old: Lock,
    /// The pins as they are to be.
    pub new: Lock,
    /// Content to be put into `charts/`, by digest.
    pub contents: BTreeMap<Digest, Vec<u8>>,
}

/// Why pins cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another meshgen is at work, or the store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Somebody wrote `meshgen.lock` meanwhile.
    #[error("{LOCK_FILE} was changed while charts were fetched")]
    Changed,
}

/// Writes a change, under the lock of the project's store.
///
/// Killed at any instant it leaves the old pins or the new ones, and the content of those. Content
/// that no pin needs any more goes last. A disk that is full changes no pin.
///
/// # Errors
/// Nothing was changed then, save that content may lie in `charts/` which no pin names.
pub fn write_pins(
    disk: &Disk,
    project: &Path,
    store: &Path,
    change: &PinChange,
) -> Result<(), WriteError> {
    if change.contents.is_empty() && change.old == change.new {
        return Ok(());
    }
    let _held = Transaction::begin(disk, store)?;
    match super::load_lock(disk, project) {
        Ok(lock) if lock == change.old => {}
        _ => return Err(WriteError::Changed),
    }
    let folder = project.join(CHARTS);
    match disk.stat(&folder)? {
        Some(stat) if stat.kind != FileKind::Folder => {
            return Err(FileError::NotAFile { path: folder, what: stat.kind.describe() }.into());
        }
        Some(_) => sweep(disk, &folder)?,
        None if change.contents.is_empty() => {}
        None => drop(disk.create_dir_all(&folder)?),
    }
    for (digest, bytes) in &change.contents {
        disk.replace(&project.join(path_of(*digest)), bytes)?;
    }
    if change.old != change.new {
        disk.replace(&project.join(LOCK_FILE), change.new.text().as_bytes())?;
    }
    for pin in change.old.pins.values().filter(|pin| !change.new.needs(pin.digest)) {
        disk.remove(&project.join(pin.path()))?;
    }
    Ok(())
}

/// Removes what a killed process left: we hold the lock, so nobody writes here.
fn sweep(disk: &Disk, folder: &Path) -> Result<(), FileError> {
    for entry in disk.list(folder)? {
        let name = entry.name.to_string_lossy();
        if entry.kind == FileKind::File && name.starts_with('.') && name.ends_with(".tmp") {
            disk.remove(&folder.join(&entry.name))?;
        }
    }
    Ok(())
}
