//! What goes wrong with a store.

use std::path::PathBuf;

use super::Digest;
use crate::file::FileError;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The files did not let it.
    #[error(transparent)]
    File(#[from] FileError),
    /// A blob that should be there is not.
    #[error("blob {0} is not in the store")]
    Missing(Digest),
    /// A blob's bytes are not those of its name.
    #[error("blob {digest} is damaged: `{}` holds other bytes", path.display())]
    Damaged {
        /// What it should be.
        digest: Digest,
        /// Its file.
        path: PathBuf,
    },
    /// A document of the layout cannot be read.
    #[error("`{}` is damaged: {message}", path.display())]
    Malformed {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A root or an import cannot be read, or not be written: what it keeps is not known.
    #[error("the root `{}` cannot be used: {message}", path.display())]
    Root {
        /// Its file, or the file outside that it is to name.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A symlink or a file stands where the store's folder should be.
    #[error("`{}` is {what}, not a folder", path.display())]
    NoFolder {
        /// Where.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// No generation has that number.
    #[error("there is no generation {0}")]
    NoGeneration(u64),
    /// No generation's tree starts like that.
    #[error("there is no tree here whose digest starts with sha256:{0}")]
    NoTree(String),
    /// Several trees start like that.
    #[error("sha256:{0} is the start of several trees: {1}")]
    Ambiguous(String, String),
}

impl StoreError {
    /// What the user can do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            StoreError::File(error) if error.is_full() => {
                Some("make room, for example with `meshgen gc --keep 1`, and run it again".into())
            }
            StoreError::File(FileError::Locked { .. }) => Some(
                "wait for it to end; the lock of a killed one is freed by the kernel".to_owned(),
            ),
            StoreError::Damaged { .. } | StoreError::Missing(_) => Some(
                "`meshgen fsck` lists what is damaged; remove those files and `meshgen render` \
                 writes what it still renders"
                    .to_owned(),
            ),
            StoreError::Malformed { .. } => Some(
                "the store is a cache with history: remove `out/store` to start a new one"
                    .to_owned(),
            ),
            StoreError::Root { .. } => Some(
                "a root keeps the tree of a saved plan, or of a bundle: remove it if none is needed \
                 any more"
                    .to_owned(),
            ),
            StoreError::NoGeneration(_) | StoreError::NoTree(_) => {
                Some("`meshgen generations` lists them".to_owned())
            }
            _ => None,
        }
    }
}
