//! The store as readers see it: blobs by digest. No lock, no change.

use std::path::{Path, PathBuf};

use super::{Digest, StoreError};
use crate::file::{Disk, FileKind};

/// A store, for reading. Needs no lock, and no writable disk; a folder that is not there is an
/// empty store.
#[derive(Debug, Clone)]
pub struct Store {
    disk: Disk,
    folder: PathBuf,
}

impl Store {
    /// The store in a folder.
    ///
    /// Refuses a folder that is a symlink or a file: what is written there must not land elsewhere.
    pub fn open(disk: &Disk, folder: &Path) -> Result<Self, StoreError> {
        match disk.stat(folder)? {
            Some(stat) if stat.kind != FileKind::Folder => {
                Err(StoreError::NoFolder { path: folder.to_owned(), what: stat.kind.describe() })
            }
            _ => Ok(Self { disk: disk.clone(), folder: folder.to_owned() }),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it reads.
    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The folder of the blobs.
    pub(super) fn blobs(&self) -> PathBuf {
        self.folder.join("blobs/sha256")
    }

    /// The file of a blob, whether it is there or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let mut path = self.blobs();
        path.push(digest.hex());
        path
    }

    /// The digests of all blobs by the names of their files. Does not read them.
    #[expect(clippy::disallowed_types, reason = "a set for membership alone")]
    pub(super) fn names(&self) -> Result<std::collections::HashSet<Digest>, StoreError> {
        let entries = self.disk.list_unsorted(&self.blobs())?;
        let digests = entries.iter().filter(|entry| entry.kind == FileKind::File);
        Ok(digests.filter_map(|entry| Digest::from_hex(entry.name.to_str()?)).collect())
    }

    /// The size of a blob, `None` if it is not there. Does not read it.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let stat = self.disk.stat(&self.blob_path(digest))?;
        Ok(stat.filter(crate::file::Stat::is_file).map(|stat| stat.size))
    }

    /// Whether a blob is there. Does not read it.
    pub fn has(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.size(digest)?.is_some())
    }

    /// The bytes of a blob, checked against its digest.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.blob_path(digest);
        let bytes = match self.disk.read(&path) {
            Err(error) if error.is_not_found() => return Err(StoreError::Missing(*digest)),
            other => other?,
        };
        if Digest::of(&bytes) != *digest {
            return Err(StoreError::Damaged { digest: *digest, path });
        }
        Ok(bytes)
    }

    /// The trees that killed writes were about to bring into the view: what `next` names.
    pub fn interrupted(&self) -> Result<Vec<Digest>, StoreError> {
        match self.disk.read(&self.folder.join("next")) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            other => {
                let bytes = other?;
                let lines = bytes.split(|byte| *byte == b'\n');
                Ok(lines.filter_map(|line| str::from_utf8(line).ok()?.parse().ok()).collect())
            }
        }
    }
}
