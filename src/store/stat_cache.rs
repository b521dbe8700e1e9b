//! Which file has which digest, as long as its metadata is what it was: like git's index.
#![expect(
    clippy::disallowed_types,
    reason = "looked up by key; the order of entries in a cache file means nothing"
)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Digest, frame};
use crate::file::{Disk, FileError, Stat};

const HEADER: &str = "meshgen stat cache 2\n";

/// Remembers digests of files by key, size, times, inode and device.
///
/// Git trusts an entry if the file is older than the index. This one is stricter and has no gap: an
/// entry is kept only if the file had its last change (`ctime`, which nobody can set) before an
/// instant of the file system's own clock that lies *before* the metadata was read. Whoever changes
/// the file later gives it a later `ctime`, however coarse the clock.
///
/// A damaged or foreign cache file reads as an empty cache.
#[derive(Debug, Default)]
pub struct StatCache {
    file: frame::Body,
    known: HashMap<Box<str>, (Entry, AtomicBool)>,
    fresh: Mutex<HashMap<Box<str>, Entry>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    size: u64,
    modified: i64,
    changed: i64,
    inode: u64,
    device: u64,
    digest: Digest,
}

impl Entry {
    /// `None` for times before 1678 and after 2262.
    fn new(stat: &Stat, digest: Digest) -> Option<Self> {
        Some(Self {
            size: stat.size,
            modified: i64::try_from(stat.modified).ok()?,
            changed: i64::try_from(stat.changed).ok()?,
            inode: stat.inode,
            device: stat.device,
            digest,
        })
    }

    fn fits(&self, stat: &Stat) -> bool {
        stat.is_file()
            && self.size == stat.size
            && i128::from(self.modified) == stat.modified
            && i128::from(self.changed) == stat.changed
            && self.inode == stat.inode
            && self.device == stat.device
    }
}

impl StatCache {
    /// Reads a cache file.
    pub fn load(disk: &Disk, path: &Path) -> Self {
        let file = frame::read(disk, path, HEADER);
        let known = decode(file.bytes());
        known.map_or_else(Self::default, |known| Self { file, known, fresh: Mutex::default() })
    }

    /// The digest of a file whose metadata is `stat`, if it is known.
    pub fn get(&self, key: &str, stat: &Stat) -> Option<Digest> {
        let (entry, used) = self.known.get(key)?;
        if !entry.fits(stat) {
            return None;
        }
        used.store(true, Ordering::Relaxed);
        Some(entry.digest)
    }

    /// Remembers a digest of content that was read *after* `stat`.
    ///
    /// `clock` is an instant of the file system's clock before `stat` was taken (see
    /// [`super::Transaction::started`]); a file that was changed since is not remembered.
    pub fn insert(&self, key: &str, stat: &Stat, digest: Digest, clock: i128) {
        if stat.changed < clock
            && let Some(entry) = Entry::new(stat, digest)
        {
            self.fresh.lock().expect("no holder panics").insert(key.into(), entry);
        }
    }

    /// Adds what was remembered in this run; where that has become much, writes that and what was
    /// asked for.
    pub(super) fn save(&self, disk: &Disk, temporary: &Path, path: &Path) -> Result<(), FileError> {
        let fresh = self.fresh.lock().expect("no holder panics");
        if fresh.is_empty() {
            return Ok(());
        }
        let mut out = Vec::with_capacity(fresh.len() * 160);
        for (key, entry) in fresh.iter() {
            encode(&mut out, key, entry);
        }
        if self.file.has_room(out.len()) {
            return frame::add(disk, path, &out);
        }
        for (key, (entry, used)) in &self.known {
            if used.load(Ordering::Relaxed) && !fresh.contains_key(key) {
                encode(&mut out, key, entry);
            }
        }
        frame::write(disk, temporary, path, HEADER, &out)
    }
}

fn encode(out: &mut Vec<u8>, key: &str, entry: &Entry) {
    let Ok(length) = u16::try_from(key.len()) else { return };
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(&entry.size.to_le_bytes());
    out.extend_from_slice(&entry.modified.to_le_bytes());
    out.extend_from_slice(&entry.changed.to_le_bytes());
    out.extend_from_slice(&entry.inode.to_le_bytes());
    out.extend_from_slice(&entry.device.to_le_bytes());
    out.extend_from_slice(entry.digest.as_bytes());
}

fn decode(mut body: &[u8]) -> Option<HashMap<Box<str>, (Entry, AtomicBool)>> {
    fn take<const N: usize>(body: &mut &[u8]) -> Option<[u8; N]> {
        let (chunk, rest) = body.split_first_chunk::<N>()?;
        *body = rest;
        Some(*chunk)
    }
    let mut known = HashMap::with_capacity(body.len() / 128);
    while !body.is_empty() {
        let length = usize::from(u16::from_le_bytes(take(&mut body)?));
        let (key, rest) = body.split_at_checked(length)?;
        body = rest;
        let entry = Entry {
            size: u64::from_le_bytes(take(&mut body)?),
            modified: i64::from_le_bytes(take(&mut body)?),
            changed: i64::from_le_bytes(take(&mut body)?),
            inode: u64::from_le_bytes(take(&mut body)?),
            device: u64::from_le_bytes(take(&mut body)?),
            digest: Digest::from_bytes(take(&mut body)?),
        };
        known.insert(str::from_utf8(key).ok()?.into(), (entry, AtomicBool::new(false)));
    }
    Some(known)
}
