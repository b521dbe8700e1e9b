//! Changing the store: one at a time, and safe to interrupt at any instant.
//!
//! The order, of which the view (room `tree`) is a part:
//!
//! 1. everything new is written under temporary names: [`Transaction::put`],
//!    [`Transaction::temporary`], [`Transaction::stage`]
//! 2. [`Transaction::publish`]: barrier; blobs, manifests and the catalogue get their names; `next`
//!    names the new tree; barrier
//! 3. the view's files get their names, its table of contents last
//! 4. [`Transaction::finish`]: barrier; `next` goes; the caches are written
//!
//! Killed before `next` stands, the view was not touched. Killed after it, `next` says which trees
//! the files of the view may belong to, and all of them can be read from the store.
#![expect(clippy::disallowed_types, reason = "a set for membership alone")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use rayon::prelude::*;

use super::generation::documents;
use super::oci::Descriptor;
use super::{
    Catalogue, DerivationCache, Digest, Digester, Group, Record, StatCache, Store, StoreError, oci,
};
use crate::file::{Disk, FILE_MODE, FileError, FileKind, Lock, NewFile, OpenFile, Stat};

/// The right to change a store: holds its lock.
///
/// Dropped unfinished, it removes its temporary files and leaves the store as it was.
#[derive(Debug)]
pub struct Transaction {
    store: Store,
    catalogue: Catalogue,
    interrupted: Vec<Digest>,
    started: i128,
    present: OnceLock<HashSet<Digest>>,
    claimed: Mutex<HashSet<Digest>>,
    damaged: Mutex<HashSet<Digest>>,
    blobs: Mutex<Vec<(PathBuf, Digest)>>,
    moves: Mutex<Vec<(PathBuf, PathBuf)>>,
    numbers: AtomicU64,
    shards: Mutex<BTreeSet<usize>>,
    finished: bool,
    /// Whether the store was made by this transaction. Its blobs then get their names all at once,
    /// by one move of their folder.
    is_new: bool,
    /// The folders of a store that this transaction made, outermost first.
    made: Vec<PathBuf>,
    inputs: OnceLock<StatCache>,
    view: OnceLock<StatCache>,
    derivations: OnceLock<DerivationCache>,
    // last: freed after all else is dropped
    _lock: Lock,
}

/// A file under a temporary name in the store, to be renamed to its place.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// Where it is.
    pub path: PathBuf,
    /// What the system says of it.
    pub stat: Stat,
}

impl Transaction {
    /// Takes the lock of the store in `folder`, which is made if need be, and sweeps what a killed
    /// process left there.
    ///
    /// Refuses a store that another process is at work in, whose process it names.
    pub fn begin(disk: &Disk, folder: &Path) -> Result<Self, StoreError> {
        let store = Store::open(disk, folder)?;
        let is_new = !disk.exists(folder)?;
        let mut made = disk.create_dir_all(&store.blobs())?;
        let lock_path = folder.join("lock");
        let lock = disk.lock(&lock_path)?;
        // taking the lock wrote our process id: the file system's clock, now
        let started = disk.stat(&lock_path)?.map_or(0, |stat| stat.modified);
        made.extend(disk.create_dir_all(&folder.join("tmp"))?);
        let catalogue = store.generations()?;
        let transaction = Self {
            interrupted: store.interrupted()?,
            store,
            catalogue,
            started,
            present: OnceLock::new(),
            claimed: Mutex::default(),
            damaged: Mutex::default(),
            blobs: Mutex::default(),
            moves: Mutex::default(),
            numbers: AtomicU64::new(0),
            shards: Mutex::default(),
            finished: false,
            is_new,
            made: if is_new { made } else { Vec::new() },
            inputs: OnceLock::new(),
            view: OnceLock::new(),
            derivations: OnceLock::new(),
            _lock: lock,
        };
        transaction.sweep()?;
        if is_new {
            disk.create_dir_all(&transaction.new_blobs())?;
        }
        Ok(transaction)
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The generations as they were at the start.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The trees that killed writes were about to bring into the view.
    pub fn interrupted(&self) -> &[Digest] {
        &self.interrupted
    }

    /// The file system's clock when this transaction began; for [`StatCache::insert`].
    pub fn started(&self) -> i128 {
        self.started
    }

    /// The stat cache of the inputs, read when it is first asked for.
    pub fn inputs(&self) -> &StatCache {
        self.inputs.get_or_init(|| StatCache::load(self.disk(), &self.path("stat-inputs")))
    }

    /// The stat cache of the view, read when it is first asked for.
    pub fn view(&self) -> &StatCache {
        self.view.get_or_init(|| StatCache::load(self.disk(), &self.path("stat-view")))
    }

    /// The cache of derivations, read when it is first asked for.
    pub fn derivations(&self) -> &DerivationCache {
        self.derivations
            .get_or_init(|| DerivationCache::load(self.disk(), &self.path("derivations")))
    }

    /// The file system's clock, now: the time of a file that is written and removed for it.
    pub fn clock(&self) -> Result<i128, StoreError> {
        let path = self.temporary_path()?;
        let stat = self.disk().write_new(&path, b"", FILE_MODE)?;
        self.disk().remove(&path)?;
        Ok(stat.modified)
    }

    /// Reads the caches and the names of the blobs, all at once.
    pub fn preload(&self) -> Result<(), StoreError> {
        let (blobs, _) = rayon::join(
            || self.present().map(HashSet::len),
            || rayon::join(|| self.view(), || self.derivations()),
        );
        blobs.map(drop)
    }

    /// The names of the blobs: one look at their folder instead of one at each.
    fn present(&self) -> Result<&HashSet<Digest>, StoreError> {
        if let Some(present) = self.present.get() {
            return Ok(present);
        }
        let present = self.store.names()?;
        Ok(self.present.get_or_init(|| present))
    }

    /// Whether a blob is there, or was put by this transaction.
    pub fn holds(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.is_present(digest)?
            || self.claimed.lock().expect("no holder panics").contains(digest))
    }

    fn is_present(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.present()?.contains(digest)
            && !self.damaged.lock().expect("no holder panics").contains(digest))
    }

    /// The bytes of a blob. One that is damaged counts as not there from then on, so that
    /// [`Transaction::put`] writes it again.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let bytes = self.store.read(digest);
        if let Err(StoreError::Damaged { .. }) = bytes {
            self.damaged.lock().expect("no holder panics").insert(*digest);
        }
        bytes
    }

    /// Puts a blob under a temporary name, unless it is there. From any thread; says whether it is
    /// new.
    pub fn put(&self, digest: Digest, bytes: &[u8]) -> Result<bool, StoreError> {
        // claimed by the first thread only: equal files of many clusters are one blob
        if self.is_present(&digest)?
            || !self.claimed.lock().expect("no holder panics").insert(digest)
        {
            return Ok(false);
        }
        let path = self.path_of_new(&digest)?;
        self.disk().write_new(&path, bytes, FILE_MODE)?;
        self.blobs.lock().expect("no holder panics").push((path, digest));
        Ok(true)
    }

    /// As [`Transaction::put`], for a blob that is too large to hold: `write` gives its bytes, and
    /// fails if they are not those of the digest.
    pub fn put_in_pieces<E: From<StoreError>>(
        &self,
        digest: Digest,
        write: impl FnOnce(&mut NewFile) -> Result<(), E>,
    ) -> Result<bool, E> {
        if self.is_present(&digest)?
            || !self.claimed.lock().expect("no holder panics").insert(digest)
        {
            return Ok(false);
        }
        let error = |error: FileError| E::from(StoreError::from(error));
        let path = self.path_of_new(&digest).map_err(error)?;
        let mut file = self.disk().write_new_in_pieces(&path, FILE_MODE).map_err(error)?;
        let written = write(&mut file).and_then(|()| file.flush().map_err(error));
        if let Err(reason) = written {
            let _ = self.disk().remove(&path);
            self.claimed.lock().expect("no holder panics").remove(&digest);
            return Err(reason);
        }
        self.blobs.lock().expect("no holder panics").push((path, digest));
        Ok(true)
    }

    /// Where a blob is written before it gets its name.
    fn path_of_new(&self, digest: &Digest) -> Result<PathBuf, FileError> {
        if self.is_new { Ok(self.new_blobs().join(digest.hex())) } else { self.temporary_path() }
    }

    /// Whether a blob is there and holds the bytes of its name. Reads it in pieces; one that is
    /// damaged counts as not there from then on.
    pub fn is_sound(&self, digest: &Digest) -> Result<bool, StoreError> {
        if !self.is_present(digest)? {
            return Ok(false);
        }
        let sound = match self.disk().open(&self.store.blob_path(digest)) {
            Ok(file) => digest_of(&file)? == *digest,
            Err(FileError::NotAFile { .. }) => false,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error.into()),
        };
        if !sound {
            self.damaged.lock().expect("no holder panics").insert(*digest);
        }
        Ok(sound)
    }

    /// Whether a blob was put that was not there.
    pub fn has_new_blobs(&self) -> bool {
        !self.blobs.lock().expect("no holder panics").is_empty()
    }

    /// Writes bytes under a temporary name, for a file outside the store on the same file system.
    pub fn temporary(&self, bytes: &[u8]) -> Result<Temporary, StoreError> {
        let path = self.temporary_path()?;
        let stat = self.disk().write_new(&path, bytes, FILE_MODE)?;
        Ok(Temporary { path, stat })
    }

    /// Prepares a generation of a tree whose files were put; returns its number if it is new.
    ///
    /// A tree that has a generation already gets no second one: that one becomes current.
    pub fn stage(
        &mut self,
        tree: Digest,
        groups: &[Group],
        record: &Record,
    ) -> Result<Option<u64>, StoreError> {
        let before = self.catalogue.clone();
        let existing = self.catalogue.of_tree(&tree).map(|generation| generation.number);
        let mut new = None;
        if let Some(number) = existing {
            self.catalogue.current = Some(number);
        } else {
            let number = self.catalogue.last + 1;
            let documents = documents(number, tree, groups, &self.current_groups(record), record);
            documents
                .blobs
                .par_iter()
                .try_for_each(|(digest, bytes)| self.put(*digest, bytes).map(drop))?;
            self.catalogue.generations.push(documents.generation);
            self.catalogue.last = number;
            self.catalogue.current = Some(number);
            new = Some(number);
        }
        if !self.disk().exists(&self.path("oci-layout"))? {
            self.stage_file("oci-layout", oci::LAYOUT)?;
        }
        if self.catalogue != before {
            self.stage_file("index.json", &self.catalogue.encode())?;
        }
        if self.interrupted.contains(&tree) {
            return Ok(new);
        }
        // what earlier, killed writes brought into the view stays named until one succeeds
        let next: Vec<String> =
            self.interrupted.iter().chain([&tree]).map(Digest::to_string).collect();
        self.stage_file("next", next.join("\n").as_bytes())?;
        Ok(new)
    }

    /// The manifests of the current generation that are in the store. One that cannot be read is
    /// made again.
    fn current_groups(&self, record: &Record) -> BTreeMap<String, Descriptor> {
        let current = self.catalogue.current();
        let groups = current.and_then(|one| self.store.groups(one, &record.meshgen).ok());
        let mut groups = groups.unwrap_or_default();
        groups.retain(|_, manifest| self.is_present(&manifest.digest).unwrap_or(false));
        groups
    }

    /// Gives the names to all that was put and staged, with a barrier before and one after.
    ///
    /// `others` are the temporary files of the view: their content is made durable too.
    pub fn publish(&self, others: &[&Path]) -> Result<(), StoreError> {
        let blobs = self.blobs.lock().expect("no holder panics");
        let moves = self.moves.lock().expect("no holder panics");
        let pairs: Vec<(PathBuf, PathBuf)> = if self.is_new {
            vec![(self.new_blobs(), self.store.blobs())]
        } else {
            let place = |digest| self.store.blob_path(digest);
            blobs.iter().map(|(from, digest)| (from.clone(), place(digest))).collect()
        };
        let sources = blobs.iter().map(|(from, _)| from);
        let sources = sources.chain(moves.iter().map(|(from, _)| from)).map(PathBuf::as_path);
        let written: Vec<&Path> = sources.chain(others.iter().copied()).collect();
        let folder = self.store.folder();
        self.disk().barrier(folder, &written)?;

        // by one thread: the kernel does one rename at a time, a second thread would only spin;
        // `next` was staged last, so that what it names is in place before it
        let mut all = pairs.iter().chain(moves.iter());
        all.try_for_each(|(from, to)| self.disk().rename(from, to))?;

        let named: Vec<&Path> = pairs.iter().chain(moves.iter()).map(|(_, to)| &**to).collect();
        Ok(self.disk().barrier(folder, &named)?)
    }

    /// Ends a write: barrier, `next` goes, the caches are written, the lock is freed.
    ///
    /// `changed` are the files and folders outside the store that were changed.
    pub fn finish(
        mut self,
        changed: &[&Path],
        remember: impl FnOnce(&Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.disk().barrier(self.store.folder(), changed)?;
        self.disk().remove(&self.path("next"))?;
        self.finished = true;
        // all is done and durable: a cache that cannot be written costs time, not the result
        let _ = remember(&self);
        self.save_caches();
        self.remove_shards();
        Ok(())
    }

    /// Ends a transaction that had nothing to write, except what the caches learned.
    pub fn finish_unchanged(mut self) {
        self.finished = true;
        self.save_caches();
        self.remove_shards();
    }

    fn save_caches(&self) {
        let save = |name: &str, save: &(dyn Fn(&Path, &Path) -> Result<(), FileError> + Sync)| {
            let Ok(temporary) = self.temporary_path() else { return };
            if save(&temporary, &self.path(name)).is_err() {
                let _ = self.disk().remove(&temporary);
            }
        };
        let disk = self.disk();
        let stats = || {
            if let Some(cache) = self.inputs.get() {
                save("stat-inputs", &|temporary, path| cache.save(disk, temporary, path));
            }
            if let Some(cache) = self.view.get() {
                save("stat-view", &|temporary, path| cache.save(disk, temporary, path));
            }
        };
        let derivations = || {
            if let Some(cache) = self.derivations.get() {
                save("derivations", &|temporary, path| cache.save(disk, temporary, path));
            }
        };
        rayon::join(stats, derivations);
    }

    /// Replaces the catalogue, durably and in one instant.
    pub(super) fn replace_catalogue(&mut self, catalogue: Catalogue) -> Result<(), StoreError> {
        let temporary = self.temporary(&catalogue.encode())?;
        let path = self.store.catalogue_path();
        self.disk().barrier(self.store.folder(), &[&temporary.path])?;
        self.disk().rename(&temporary.path, &path)?;
        self.disk().barrier(self.store.folder(), &[&path])?;
        self.catalogue = catalogue;
        Ok(())
    }

    pub(super) fn stage_file(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = self.temporary(bytes)?;
        self.moves.lock().expect("no holder panics").push((temporary.path, self.path(name)));
        Ok(())
    }

    /// Removes all temporary files: nobody else is at work here.
    fn sweep(&self) -> Result<(), StoreError> {
        let folder = self.path("tmp");
        for entry in self.disk().list(&folder)? {
            let path = folder.join(&entry.name);
            if entry.kind != FileKind::Folder {
                self.disk().remove(&path)?;
                continue;
            }
            let entries = self.disk().list(&path)?;
            entries.par_iter().try_for_each(|entry| self.disk().remove(&path.join(&entry.name)))?;
            self.disk().remove_empty_folder(&path)?;
        }
        Ok(())
    }

    fn disk(&self) -> &Disk {
        self.store.disk()
    }

    /// Where the blobs of a new store are made, under their final names.
    fn new_blobs(&self) -> PathBuf {
        self.path("tmp/blobs")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.store.folder().join(name)
    }

    /// A name for a temporary file, in a folder of this thread's own: threads that make files in
    /// one folder wait for each other.
    fn temporary_path(&self) -> Result<PathBuf, FileError> {
        let mut path = self.path("tmp");
        if let Some(shard) = rayon::current_thread_index() {
            path.push(format!("t{shard}"));
            let mut shards = self.shards.lock().expect("no holder panics");
            if !shards.contains(&shard) {
                self.disk().create_dir_all(&path)?;
                shards.insert(shard);
            }
        }
        path.push(self.numbers.fetch_add(1, Ordering::Relaxed).to_string());
        Ok(path)
    }

    /// Removes the folders of temporary files, which are empty by now.
    fn remove_shards(&self) {
        for shard in self.shards.lock().expect("no holder panics").iter() {
            let _ = self.disk().remove_empty_folder(&self.path("tmp").join(format!("t{shard}")));
        }
    }
}

/// The digest of an open file, read in pieces.
fn digest_of(file: &OpenFile) -> Result<Digest, FileError> {
    let mut piece = vec![0; 1 << 18];
    let (mut digester, mut at) = (Digester::default(), 0);
    loop {
        let count = file.read_at(at, &mut piece)?;
        if count == 0 {
            return Ok(digester.finish());
        }
        digester.update(&piece[..count]);
        at += count as u64;
    }
}

impl Transaction {
    /// Takes away a store that was made for nothing: whoever asked for something invalid finds
    /// every file, and no folder more, as it was.
    fn unmake(&self) {
        if self.made.is_empty()
            || self.store.generations().is_ok_and(|all| !all.generations.is_empty())
        {
            return;
        }
        let disk = self.disk();
        let _ = disk.remove(&self.path("lock"));
        for folder in self.made.iter().rev() {
            // one that is not empty holds something that is not ours to remove
            let _ = disk.remove_empty_folder(folder);
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.finished {
            // makes room again on a full disk; what cannot be removed is swept at the next start
            let _ = self.sweep();
            self.unmake();
        }
    }
}
