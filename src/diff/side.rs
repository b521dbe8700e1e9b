//! One of the two trees of a comparison.

use std::collections::BTreeMap;

use crate::store::Digest;
use crate::tree::source::Source;
use crate::tree::{ArtifactRow, Index, TreePath};

/// Why a file of a tree could not be read; whatever the tree's source says.
pub type ReadFailure = Box<dyn std::error::Error + Send + Sync>;

type Read<'a> = Box<dyn Fn(&TreePath) -> Result<Vec<u8>, ReadFailure> + Send + Sync + 'a>;

/// A tree to compare: its table of contents, and a way to its files.
///
/// Only files whose digest differs from the other side's are ever asked for.
pub struct Side<'a> {
    /// How people wrote it: `git:HEAD`, `gen:3`, `out`.
    pub label: String,
    /// The digest of its `index.json`; none for a folder without one.
    pub digest: Option<Digest>,
    /// Its table of contents.
    pub index: Index,
    read: Read<'a>,
}

/// Why two trees could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file of a tree could not be read.
    #[error("cannot read `{path}` of `{tree}`: {source}")]
    Read {
        /// The tree's label.
        tree: String,
        /// The file.
        path: TreePath,
        /// What its source says.
        source: ReadFailure,
    },
    /// A file is not what its index says.
    #[error("`{path}` of `{tree}` has the digest {found}, but its index says {expected}")]
    Damaged {
        /// The tree's label.
        tree: String,
        /// The file.
        path: TreePath,
        /// The digest of the row.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
}

impl<'a> Side<'a> {
    /// A tree whose files come from `read`.
    pub fn new(
        label: impl Into<String>,
        digest: Option<Digest>,
        index: Index,
        read: impl Fn(&TreePath) -> Result<Vec<u8>, ReadFailure> + Send + Sync + 'a,
    ) -> Self {
        Self { label: label.into(), digest, index, read: Box::new(read) }
    }

    /// A tree without any file, for what there is nothing to compare with.
    pub fn nothing(label: impl Into<String>, mesh: &str) -> Self {
        let index = Index {
            mesh: mesh.to_owned(),
            clusters: Vec::new(),
            examples: Vec::new(),
            pending: Vec::new(),
            artifacts: Vec::new(),
        };
        Self::new(label, None, index, |_| Err("no such file".into()))
    }

    /// A tree that is in memory.
    pub fn in_memory(
        label: impl Into<String>,
        index: Index,
        files: BTreeMap<TreePath, Vec<u8>>,
    ) -> Self {
        let digest = Digest::of(index.to_text());
        Self::new(label, Some(digest), index, move |path| {
            files.get(path).cloned().ok_or_else(|| "no such file".into())
        })
    }

    /// The bytes of a file, checked against its row.
    pub(super) fn bytes(&self, row: &ArtifactRow) -> Result<Vec<u8>, DiffError> {
        let tree = || self.label.clone();
        let path = || row.path.clone();
        let bytes = (self.read)(&row.path).map_err(|source| DiffError::Read {
            tree: tree(),
            path: path(),
            source,
        })?;
        let found = Digest::of(&bytes);
        if found == row.digest {
            return Ok(bytes);
        }
        Err(DiffError::Damaged { tree: tree(), path: path(), expected: row.digest, found })
    }
}

impl From<Source> for Side<'static> {
    fn from(source: Source) -> Self {
        let (label, index) = (source.name.clone(), source.index.clone());
        let digest = Some(source.digest);
        Self::new(label, digest, index, move |path| source.read(path).map_err(Into::into))
    }
}
