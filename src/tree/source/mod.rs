//! A tree to read from, wherever it is: what commands take as TREE.

mod folder;
mod git;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use self::git::Repository;
use super::view::{self, MAX_FILE, MAX_INDEX};
use super::{Index, IndexError, TreePath};
use crate::file::{Disk, FileError, FileKind};
use crate::store::{Catalogue, Digest, Store, StoreError};

/// A tree: its index, and the bytes of its files.
pub struct Source {
    /// Its table of contents.
    pub index: Index,
    /// The sha256 of the index: the tree's digest.
    pub digest: Digest,
    /// What the user calls it: `out`, `gen:3`, `git:HEAD`, …
    pub name: String,
    text: Vec<u8>,
    reader: Reader,
}

enum Reader {
    Folder { disk: Disk, folder: PathBuf },
    Store(Store),
    Git { repository: Box<Mutex<Repository>>, folder: String },
    Blobs(Box<dyn Blobs>),
}

/// Where blobs are that belong to a tree: a bundle, a registry. Whoever implements it need not check
/// their digests.
pub trait Blobs: Send + Sync {
    /// The bytes of a blob, `None` if it is not there. From any thread.
    fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, SourceError>;
}

/// Why a tree cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The text names no kind of tree that there is.
    #[error("`{0}` names no tree: {1}")]
    Unknown(String, &'static str),
    /// Nothing was rendered where the tree should be.
    #[error("{0} has no index.json")]
    NoIndex(String),
    /// The index does not read.
    #[error("the index of {name}: {error}")]
    Index {
        /// Which tree.
        name: String,
        /// What is wrong with it.
        error: IndexError,
    },
    /// The tree does not list that path.
    #[error("{name} has no `{path}`")]
    NoPath {
        /// Which tree.
        name: String,
        /// The path asked for.
        path: TreePath,
    },
    /// A file is not what the index says.
    #[error("`{path}` in {name} is not what its index says: {why}")]
    Differs {
        /// Which tree.
        name: String,
        /// Which file.
        path: TreePath,
        /// `it is missing`, `it holds other bytes`, …
        why: &'static str,
    },
    /// A file of a folder without an index cannot be in a tree.
    #[error("`{}`: {why}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// What holds the blobs did not give one.
    #[error("{name}: {why}")]
    Blobs {
        /// Which tree.
        name: String,
        /// What went wrong.
        why: String,
        /// Whether it is the outside that failed, so that the same again may work.
        is_outside: bool,
    },
    /// Git said no, or is not there.
    #[error("git: {0}")]
    Git(String),
    /// The store did not let it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files did not let it.
    #[error(transparent)]
    Disk(#[from] FileError),
}

impl SourceError {
    /// Whether the outside failed, and not the request: the same again may work.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Blobs { is_outside: true, .. })
    }

    /// What the user can do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            SourceError::Unknown(..) => {
                "a tree is `gen:N`, `sha256:PREFIX`, `git:REV`, a folder, a bundle or \
                 `oci://…@sha256:…`; nothing stands for what is in out/"
            }
            SourceError::NoIndex(name) if name == VIEW => "run `meshgen render`",
            SourceError::NoIndex(_) => "only what `meshgen render` wrote is a tree",
            SourceError::Index { name, .. } if name == VIEW => {
                "`meshgen render` settles a conflict; `git checkout out/index.json` brings the \
                 committed one back"
            }
            SourceError::Differs { name, .. } if name == VIEW => {
                "`meshgen check` lists what was edited; `meshgen render` writes it anew"
            }
            SourceError::Store(error) => return error.hint(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// What messages call the view.
const VIEW: &str = "out";

/// Finds the tree that a text names, in the project at `project`. `None` is the view.
///
/// Reads only: no lock is taken, nothing is checked out, and a fresh clone without a store will do
/// for everything but `gen:N` and `sha256:PREFIX` of older trees. `sha256:PREFIX` finds the
/// generations, the trees of saved plans and of imported bundles, and the view.
pub fn resolve(disk: &Disk, project: &Path, text: Option<&str>) -> Result<Source, SourceError> {
    let out = project.join("out");
    let Some(text) = text else {
        return folder::indexed(disk, &out, VIEW);
    };
    let store = || Store::open(disk, &view::store_folder(&out));
    if let Some(number) = text.strip_prefix("gen:") {
        let number: u64 = number
            .parse()
            .map_err(|_| SourceError::Unknown(text.to_owned(), "a generation is a number"))?;
        let store = store()?;
        let tree = store.generations()?.get(number)?.tree;
        return stored(store, tree, text);
    }
    if let Some(prefix) = text.strip_prefix("sha256:") {
        return by_digest(disk, &out, store()?, prefix, text);
    }
    if let Some(revision) = text.strip_prefix("git:") {
        return at_revision(project, revision, text);
    }
    if text.starts_with("oci://") {
        return Err(SourceError::Unknown(text.to_owned(), "no registry is read here"));
    }
    let path = project.join(text);
    match disk.stat(&path)?.map(|stat| stat.kind) {
        Some(FileKind::Folder | FileKind::Symlink) => folder::open(disk, &path, text),
        Some(_) => Err(SourceError::Unknown(text.to_owned(), "it is a file, not a folder")),
        None => Err(SourceError::Unknown(text.to_owned(), "there is no such folder")),
    }
}

fn by_digest(
    disk: &Disk,
    out: &Path,
    store: Store,
    prefix: &str,
    text: &str,
) -> Result<Source, SourceError> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if prefix.len() < 4 || prefix.len() > 64 || !prefix.bytes().all(hex) {
        let why = "after sha256: come 4 to 64 hex digits in lower case";
        return Err(SourceError::Unknown(text.to_owned(), why));
    }
    let catalogue: Catalogue = store.generations()?;
    let mut rooted = store.rooted(prefix)?;
    rooted.retain(|tree| catalogue.of_tree(tree).is_none());
    match catalogue.of_prefix(prefix) {
        Err(StoreError::NoTree(_)) if rooted.len() == 1 => stored(store, rooted[0], text),
        Ok(_) | Err(StoreError::NoTree(_)) if !rooted.is_empty() => {
            Err(ambiguous(&catalogue, prefix, &rooted).into())
        }
        Ok(generation) => stored(store, generation.tree, text),
        // in a fresh clone the view is the only tree that there is
        Err(StoreError::NoTree(_))
            if view::digest(disk, out)?.is_some_and(|tree| tree.hex().starts_with(prefix)) =>
        {
            folder::indexed(disk, out, text)
        }
        Err(error) => Err(error.into()),
    }
}

/// The error for a prefix of several trees of which not all are generations.
fn ambiguous(catalogue: &Catalogue, prefix: &str, rooted: &[Digest]) -> StoreError {
    let generations = catalogue.generations.iter();
    let generations = generations
        .filter(|generation| generation.tree.hex().starts_with(prefix))
        .map(|generation| format!("gen:{} is {}", generation.number, generation.tree));
    let rooted = rooted.iter().map(|tree| format!("a saved plan or a bundle brought {tree}"));
    let list: Vec<String> = generations.chain(rooted).collect();
    StoreError::Ambiguous(prefix.to_owned(), list.join(", "))
}

fn stored(store: Store, tree: Digest, name: &str) -> Result<Source, SourceError> {
    let bytes = store.read(&tree)?;
    Source::new(name, bytes, Reader::Store(store))
}

fn at_revision(project: &Path, revision: &str, name: &str) -> Result<Source, SourceError> {
    let mut repository = Repository::open(project, revision)?;
    let folder = format!("{}out/", repository.prefix());
    let bytes = repository.read(&format!("{folder}index.json"), MAX_INDEX)?;
    let bytes = bytes.ok_or_else(|| SourceError::NoIndex(name.to_owned()))?;
    let repository = Box::new(Mutex::new(repository));
    Source::new(name, bytes, Reader::Git { repository, folder })
}

impl Source {
    fn new(name: &str, text: Vec<u8>, reader: Reader) -> Result<Self, SourceError> {
        let digest = Digest::of(&text);
        let index = Index::parse(&text)
            .map_err(|error| SourceError::Index { name: name.to_owned(), error })?;
        Ok(Self { index, digest, name: name.to_owned(), text, reader })
    }

    /// A tree whose blobs are held by something else than the project: `text` is its index.
    ///
    /// Refuses an index that does not read.
    pub fn of_blobs(name: &str, text: Vec<u8>, blobs: Box<dyn Blobs>) -> Result<Self, SourceError> {
        Self::new(name, text, Reader::Blobs(blobs))
    }

    /// The bytes of the index, of which the tree's digest is.
    pub fn index_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The bytes of a file, checked against the index. From any thread.
    pub fn read(&self, path: &TreePath) -> Result<Vec<u8>, SourceError> {
        let by_path = |row: &super::ArtifactRow| row.path.cmp(path);
        // the index is sorted as we write it; one that is not was not written by us
        let row = match self.index.artifacts.binary_search_by(by_path) {
            Ok(at) => self.index.artifacts.get(at),
            Err(_) => self.index.artifacts.iter().find(|row| row.path == *path),
        };
        let row =
            row.ok_or_else(|| SourceError::NoPath { name: self.name.clone(), path: path.clone() })?;
        let differs =
            |why| SourceError::Differs { name: self.name.clone(), path: path.clone(), why };
        let bytes = match &self.reader {
            Reader::Store(store) => return Ok(store.read(&row.digest)?),
            Reader::Folder { disk, folder } => {
                match disk.read_input(folder, Path::new(path.as_str()), MAX_FILE) {
                    Err(error) if error.is_not_found() => None,
                    Err(FileError::NotAFile { what, .. }) => return Err(differs(what)),
                    other => Some(other?),
                }
            }
            Reader::Git { repository, folder } => {
                let mut repository = repository.lock().expect("no holder panics");
                repository.read(&format!("{folder}{path}"), MAX_FILE)?
            }
            Reader::Blobs(blobs) => blobs.read(&row.digest)?,
        };
        let bytes = bytes.ok_or_else(|| differs("it is missing"))?;
        if Digest::of(&bytes) != row.digest {
            return Err(differs("it holds other bytes"));
        }
        Ok(bytes)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, digest, .. } = self;
        f.debug_struct("Source").field("name", name).field("digest", digest).finish_non_exhaustive()
    }
}
