//! From a registry into a file.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::parallel::each;
use super::{Remote, RemoteError};
use crate::bundle::{BundleError, BundleFile, Content, Written, write};
use crate::file::{Disk, FILE_MODE, FileError, FileKind};
use crate::registry::RegistryError;
use crate::store::{Digest, Digester};

/// Says in the folder of unfinished work that somebody is at it.
const LOCK: &str = "lock";
/// So much is held at once; what is larger goes to the disk in pieces.
const PIECE: u64 = 1 << 20;

/// What was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulled {
    /// The file.
    pub written: Written,
    /// Blobs that were fetched now.
    pub fetched: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that were here, from a run that was broken off.
    pub here: usize,
}

/// Fetches a bundle into a file: the bytes that it was pushed from.
///
/// Blobs are kept in `FILE.partial` until all are here, so that broken off at any instant, the same again
/// fetches the rest; a blob there counts only if its bytes are those of its digest. Then the file is
/// written in one instant, and the folder goes away. A file that is this bundle already is left alone.
/// Refuses what is no file, and a folder of unfinished work that another process is at.
/// `progress` gets how many blobs are done.
pub fn pull(
    disk: &Disk,
    remote: &Remote,
    path: &Path,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Pulled, RemoteError> {
    let bundle = &remote.bundle;
    // what stands in the way is told before anything is fetched
    disk.absolute(path)?;
    if let Some(stat) = disk.stat(path)?.filter(|stat| !stat.is_file()) {
        let what = stat.kind.describe();
        return Err(FileError::NotAFile { path: path.to_owned(), what }.into());
    }
    let partial = Partial { disk, folder: beside(path), remote };
    if let Some(written) = is_here(disk, path, &bundle.digest)? {
        partial.remove()?;
        return Ok(Pulled { written, fetched: 0, bytes: 0, here: 0 });
    }
    partial.make()?;
    // two at the same file would take one another's unfinished blobs away
    let lock = disk.lock(&partial.folder.join(LOCK))?;
    let blobs = bundle.blobs.iter().filter(|(digest, _)| !bundle.documents.contains_key(digest));
    let blobs: Vec<(&Digest, &u64)> = blobs.collect();
    let (fetched, bytes, here) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicUsize::new(0));
    each(&blobs, |(digest, size)| {
        if partial.fetch(digest, **size)? {
            fetched.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(**size, Ordering::Relaxed);
        } else {
            here.fetch_add(1, Ordering::Relaxed);
        }
        progress(fetched.load(Ordering::Relaxed) + here.load(Ordering::Relaxed));
        Ok::<(), RemoteError>(())
    })?;
    let written = write(disk, path, bundle, &partial)?;
    partial.remove()?;
    drop(lock);
    Ok(Pulled {
        written,
        fetched: fetched.into_inner(),
        bytes: bytes.into_inner(),
        here: here.into_inner(),
    })
}

/// Whether a file is this bundle.
fn is_here(disk: &Disk, path: &Path, digest: &Digest) -> Result<Option<Written>, RemoteError> {
    if !disk.stat(path)?.is_some_and(|stat| stat.is_file()) {
        return Ok(None);
    }
    match BundleFile::open(disk, path) {
        Ok(file) if file.bundle.digest == *digest => {
            Ok(Some(Written { size: file.size, digest: file.digest }))
        }
        Ok(_) | Err(BundleError::Faults { .. } | BundleError::Damaged(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where blobs wait.
fn beside(path: &Path) -> PathBuf {
    let mut folder = path.as_os_str().to_owned();
    folder.push(".partial");
    PathBuf::from(folder)
}

/// What was fetched so far.
struct Partial<'a> {
    disk: &'a Disk,
    folder: PathBuf,
    remote: &'a Remote,
}

impl Partial<'_> {
    fn make(&self) -> Result<(), RemoteError> {
        match self.disk.stat(&self.folder)? {
            Some(stat) if stat.kind != FileKind::Folder => {
                Err(RemoteError::InTheWay(self.folder.clone()))
            }
            Some(_) => Ok(()),
            None => {
                self.disk.create_dir_all(&self.folder)?;
                Ok(())
            }
        }
    }

    fn remove(&self) -> Result<(), RemoteError> {
        if self.disk.stat(&self.folder)?.is_none_or(|stat| stat.kind != FileKind::Folder) {
            return Ok(());
        }
        for entry in self.disk.list_unsorted(&self.folder)? {
            // what is none of ours stays, and so does the folder
            let name = entry.name.to_str();
            let is_ours = name.is_some_and(|name| name == LOCK || Digest::from_hex(name).is_some());
            if is_ours && entry.kind == FileKind::File {
                self.disk.remove(&self.folder.join(&entry.name))?;
            }
        }
        self.disk.remove_empty_folder(&self.folder)?;
        Ok(())
    }

    /// Has a blob here; says whether it had to be fetched.
    fn fetch(&self, digest: &Digest, size: u64) -> Result<bool, RemoteError> {
        let path = self.folder.join(digest.hex());
        if self.disk.stat(&path)?.is_some() {
            if self.holds(&path, digest, size)? {
                return Ok(false);
            }
            self.disk.remove(&path)?;
        }
        let repository = self.remote.repository();
        if size <= PIECE {
            let bytes = repository.blob(digest, size, &|_| {})?;
            self.disk.write_new(&path, &bytes, FILE_MODE)?;
            return Ok(true);
        }
        let mut attempt = 1;
        loop {
            let mut file = self.disk.write_new_in_pieces(&path, FILE_MODE)?;
            let copied = repository
                .copy_blob::<RemoteError>(digest, size, |piece| Ok(file.write(piece)?))
                .and_then(|()| Ok(file.flush()?));
            match copied {
                Err(RemoteError::Registry(error)) if error.is_outside() && attempt < 3 => {
                    self.disk.remove(&path)?;
                    attempt += 1;
                }
                other => return other.map(|()| true),
            }
        }
    }

    /// Whether a file has the bytes of a blob.
    fn holds(&self, path: &Path, digest: &Digest, size: u64) -> Result<bool, RemoteError> {
        let stat = self.disk.stat(path)?;
        if stat.is_none_or(|stat| !stat.is_file() || stat.size != size) {
            return Ok(false);
        }
        let mut reader = self.disk.open(path)?.into_reader();
        let mut hasher = Digester::default();
        let mut piece = vec![0; 1 << 18];
        loop {
            let read = reader.read(&mut piece).map_err(|error| {
                BundleError::Registry(RegistryError::Content(error.to_string()))
            })?;
            if read == 0 {
                return Ok(hasher.finish() == *digest);
            }
            hasher.update(&piece[..read]);
        }
    }
}

impl Content for Partial<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        if let Some(bytes) = self.remote.bundle.documents.get(digest) {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        let file = self.disk.open(&self.folder.join(digest.hex()))?;
        Ok(Box::new(file.into_reader()))
    }
}
