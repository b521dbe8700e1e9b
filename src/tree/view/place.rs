//! Looking at the place of a file in the view, without following what others put there.
#![expect(clippy::disallowed_types, reason = "looked up by key")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::RwLock;

use super::{MAX_FILE, ViewError};
use crate::file::{Disk, FileKind, Stat};
use crate::store::{Digest, StatCache};
use crate::tree::TreePath;

/// What stands at a path of the view.
#[derive(Debug)]
pub(super) enum Place {
    /// Nothing.
    Empty,
    /// A plain file.
    File {
        /// Its metadata, taken before it was read.
        stat: Stat,
        /// The sha256 of its bytes; `None` for one that is too big to be ours.
        digest: Option<Digest>,
        /// Its bytes, if they had to be read.
        bytes: Option<Vec<u8>>,
    },
    /// Something that is no file.
    Other(FileKind),
}

/// The folders of a view, each looked at once.
#[derive(Debug)]
pub(super) struct Places {
    disk: Disk,
    out: PathBuf,
    folders: RwLock<HashMap<String, bool>>,
}

impl Places {
    pub fn new(disk: &Disk, out: &Path) -> Self {
        Self { disk: disk.clone(), out: out.to_owned(), folders: RwLock::default() }
    }

    /// The file of a path.
    pub fn file(&self, path: &TreePath) -> PathBuf {
        self.out.join(path.as_str())
    }

    /// Looks at a place; reads the file unless the cache knows it.
    ///
    /// `clock` is an instant before this call, for the cache. Refuses a folder on the way that is a
    /// symlink or a file.
    pub fn look(
        &self,
        path: &TreePath,
        cache: Option<(&StatCache, i128)>,
    ) -> Result<Place, ViewError> {
        let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        if !self.is_there(folder)? {
            return Ok(Place::Empty);
        }
        let file = self.file(path);
        let Some(stat) = self.disk.stat(&file)? else { return Ok(Place::Empty) };
        if !stat.is_file() {
            return Ok(Place::Other(stat.kind));
        }
        if stat.size > MAX_FILE {
            return Ok(Place::File { stat, digest: None, bytes: None });
        }
        if let Some((cache, _)) = cache
            && let Some(digest) = cache.get(path.as_str(), &stat)
        {
            return Ok(Place::File { stat, digest: Some(digest), bytes: None });
        }
        let bytes = self.disk.read_input(&self.out, Path::new(path.as_str()), MAX_FILE)?;
        let digest = Digest::of(&bytes);
        if let Some((cache, clock)) = cache {
            cache.insert(path.as_str(), &stat, digest, clock);
        }
        Ok(Place::File { stat, digest: Some(digest), bytes: Some(bytes) })
    }

    /// Whether a folder below `out` is there now, whatever was seen before; no for whatever is in
    /// the way.
    pub fn is_there_afresh(&self, folder: &str) -> bool {
        Self::new(&self.disk, &self.out).is_there(folder).unwrap_or(false)
    }

    /// Whether a folder below `out` is there.
    pub fn is_there(&self, folder: &str) -> Result<bool, ViewError> {
        if let Some(there) = self.folders.read().expect("no holder panics").get(folder) {
            return Ok(*there);
        }
        let above = match folder.rsplit_once('/') {
            Some((above, _)) => self.is_there(above)?,
            None if folder.is_empty() => true,
            None => self.is_there("")?,
        };
        let there = above && self.look_at_folder(folder)?;
        self.folders.write().expect("no holder panics").insert(folder.to_owned(), there);
        Ok(there)
    }

    fn look_at_folder(&self, folder: &str) -> Result<bool, ViewError> {
        let path = if folder.is_empty() { self.out.clone() } else { self.out.join(folder) };
        match self.disk.stat(&path)? {
            None => Ok(false),
            Some(stat) if stat.kind == FileKind::Folder => Ok(true),
            Some(stat) => Err(ViewError::InTheWay { path, what: stat.kind.describe() }),
        }
    }
}
