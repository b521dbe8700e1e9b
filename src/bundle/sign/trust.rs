//! Whom the operator trusts: keys that he names, or keeps in a folder of his own.

use std::fmt;
use std::path::{Path, PathBuf};

use super::public_key::{PublicKey, PublicKeyError};
use crate::file::{Disk, FileError};

/// More than any file of public keys.
const MAX: u64 = 1 << 20;
/// What a file of public keys is called.
const EXTENSION: &str = ".pub";

/// Why it is not known who is trusted. Nobody is then.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file or folder cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file holds something else.
    #[error("`{}`: {error}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: PublicKeyError,
    },
    /// The folder lies where others write.
    #[error(
        "the folder of trusted keys `{}` lies in the project, whose files come from others",
        .0.display()
    )]
    InProject(PathBuf),
}

/// A key that is trusted, and why.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// The file that it comes from.
    pub path: PathBuf,
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", self.key.fingerprint(), self.path.display())
    }
}

/// The keys that are trusted. Whoever holds one of their other halves can have anything applied.
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

impl TrustedKeys {
    /// The keys of files that the operator names.
    pub fn of_files(disk: &Disk, files: &[PathBuf]) -> Result<Self, TrustError> {
        let mut keys = Self::default();
        for path in files {
            // a pipe will do: it is the operator's own word
            keys.add(path, &disk.read_limited(path, MAX)?)?;
        }
        Ok(keys)
    }

    /// The keys of every `*.pub` in the operator's own folder; none if there is no such folder.
    ///
    /// One file that cannot be read stops it: the operator would not know whom he trusts. Refuses a
    /// folder in the project: what came with the project must not say who signs it.
    pub fn of_folder(disk: &Disk, folder: &Path, project: &Path) -> Result<Self, TrustError> {
        let mut keys = Self::default();
        if !disk.is_folder(folder)? {
            return Ok(keys);
        }
        // where there is no mesh, `project` is but the folder that the operator stands in: his home, say
        let is_project = disk.exists(&project.join("mesh.yaml"))?;
        if is_project && disk.lies_in(&folder.join(EXTENSION), project)? {
            return Err(TrustError::InProject(folder.to_owned()));
        }
        for entry in disk.list(folder)? {
            if entry.name.to_str().is_some_and(|name| name.ends_with(EXTENSION)) {
                let path = folder.join(&entry.name);
                keys.add(&path, &disk.read_plain(&path, MAX)?)?;
            }
        }
        Ok(keys)
    }

    fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<(), TrustError> {
        let fault = |error| TrustError::Key { path: path.to_owned(), error };
        let text = str::from_utf8(bytes).map_err(|_| fault(PublicKeyError::None))?;
        for key in PublicKey::from_pem(text).map_err(fault)? {
            self.0.push(TrustedKey { key, path: path.to_owned() });
        }
        Ok(())
    }

    /// All of them, in the order in which they were named.
    pub fn iter(&self) -> impl Iterator<Item = &TrustedKey> {
        self.0.iter()
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
