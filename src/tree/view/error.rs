//! What keeps a tree out of the view.

use std::fmt::Write;
use std::path::PathBuf;

use crate::file::FileError;
use crate::store::{Digest, StoreError};
use crate::tree::{IndexError, TreePath};

/// What somebody did by hand under `out/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The file, relative to `out/`.
    pub path: String,
    /// What happened to it.
    pub happened: Happened,
}

/// Prints the path and what happened.
impl std::fmt::Display for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.happened)
    }
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// It holds other bytes than the index says.
    Changed,
    /// The index has it, the folder has not.
    Missing,
    /// A file that the index does not know stands where one has to be written.
    Foreign,
}

impl std::fmt::Display for Happened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Happened::Changed => "changed by hand",
            Happened::Missing => "removed by hand",
            Happened::Foreign => "not written by meshgen",
        })
    }
}

/// Why the view was not written, or not read.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Somebody edited the view, and what he did would be lost.
    #[error("{}", list(.0))]
    Edits(Vec<Edit>),
    /// Something that is no file stands where a file has to be written, or no folder where one is.
    #[error("`{}` is {what}; meshgen neither follows nor replaces it", path.display())]
    InTheWay {
        /// Where.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The view holds another mesh.
    #[error("out/ holds the mesh `{there}`, not `{new}`")]
    OtherMesh {
        /// The mesh of the index.
        there: String,
        /// The mesh to be written.
        new: String,
    },
    /// The index of the view cannot be read.
    #[error("out/index.json: {0}")]
    Index(#[from] IndexError),
    /// The view has no index: nothing was rendered yet.
    #[error("out/ has no index.json: nothing was rendered here yet")]
    NoIndex,
    /// The index to be written does not list what was added. A defect of meshgen.
    #[error("the new index does not fit its files at `{0}`; this is a defect of meshgen")]
    Inconsistent(String),
    /// A blob of the generation to be brought back is gone or damaged.
    #[error(
        "generation {number} cannot be brought back: the blob {digest} of `{path}` is damaged or missing"
    )]
    Lost {
        /// Which generation.
        number: u64,
        /// The file that cannot be written.
        path: TreePath,
        /// Its blob.
        digest: Digest,
    },
    /// The store did not let it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files did not let it.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Most paths that a message lists.
const LISTED: usize = 20;

fn list(edits: &[Edit]) -> String {
    let plural = if edits.len() == 1 { "file was" } else { "files were" };
    let mut text = format!("{} {plural} edited under out/:", edits.len());
    for Edit { path, happened } in edits.iter().take(LISTED) {
        let _ = write!(text, "\n  {path}: {happened}");
    }
    if edits.len() > LISTED {
        let _ = write!(text, "\n  and {} more", edits.len() - LISTED);
    }
    text
}

impl ViewError {
    /// What the user can do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            ViewError::Edits(_) => {
                "change the mesh or a template instead; `--overwrite-edits` replaces what was edited"
            }
            ViewError::InTheWay { .. } => "move it away and run it again",
            ViewError::OtherMesh { .. } => {
                "is this the right folder? `--allow-other-mesh` replaces that mesh with this one"
            }
            ViewError::Index(IndexError::Conflict) => "`meshgen render` settles what git could not",
            ViewError::Index(_) => {
                "`git checkout out/index.json` brings the committed one back; \
                 `meshgen render --overwrite-edits` writes a new one"
            }
            ViewError::NoIndex => "run `meshgen render`",
            ViewError::Lost { .. } => {
                "`meshgen fsck` lists the damage; `git checkout REV -- out` brings a committed tree back"
            }
            ViewError::File(error) if error.is_full() => {
                "make room, for example with `meshgen gc --keep 1`, and run it again"
            }
            ViewError::Store(error) => return error.hint(),
            ViewError::File(_) | ViewError::Inconsistent(_) => return None,
        };
        Some(text.to_owned())
    }
}
