//! What goes wrong with a bundle: always what, where, and what should be there.

use std::fmt;

use crate::file::FileError;
use crate::registry::RegistryError;
use crate::store::{Digest, StoreError};
use crate::tree::KeepError;
use crate::tree::source::SourceError;
use crate::tree::view::ViewError;

/// One thing that is wrong with a bundle's file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Which of its entries: `README`, `blobs/sha256/…`.
    pub entry: String,
    /// Where in the file, in bytes from its start.
    pub offset: u64,
    /// What stands there, and what should.
    pub what: String,
}

impl Fault {
    pub(super) fn new(entry: impl Into<String>, offset: u64, what: impl Into<String>) -> Self {
        Self { entry: entry.into(), offset, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}: {}", self.entry, self.offset, self.what)
    }
}

/// Why there is no bundle, or nothing can be taken from it.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file is none that meshgen wrote, or was changed since.
    #[error("`{name}` is not a bundle as meshgen writes it: {}", list(.faults))]
    Faults {
        /// Which file.
        name: String,
        /// What is wrong; at least one.
        faults: Vec<Fault>,
    },
    /// A document of it, from wherever it comes, says what no bundle says.
    #[error("{what} is not as meshgen writes it: {why}")]
    Malformed {
        /// Which document: `index.json`, `the tree's manifest`, …
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A blob is not where it should come from.
    #[error("blob {0} is not there")]
    Missing(Digest),
    /// A blob's bytes are not those of its name.
    #[error("blob {0} holds other bytes than its name says")]
    Damaged(Digest),
    /// A delta, and something that it builds on is not here.
    #[error(
        "`{name}` is a delta on the tree {base}: {missing} blobs of that are not here, {first} among them"
    )]
    NoBase {
        /// Which file.
        name: String,
        /// The tree that the far side must have.
        base: Digest,
        /// How many blobs are not here.
        missing: usize,
        /// One of them.
        first: Digest,
    },
    /// The tree is none that was rendered, or was changed since.
    #[error("{0} cannot be bundled: {1}")]
    NotRendered(String, String),
    /// What images are to be taken from is nothing that holds any.
    #[error("`{path}` holds no images: {why}")]
    Origin {
        /// Which file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// An image that cannot be taken.
    #[error("image {reference}: {why}")]
    Image {
        /// Its reference, as the tree has it.
        reference: String,
        /// Why not.
        why: String,
        /// Whether it is the outside that failed, so that the same again may work.
        is_outside: bool,
    },
    /// A file that is no program that this meshgen could run as.
    #[error("`{0}` is no program for Linux on amd64 or arm64")]
    NoProgram(String),
    /// A blob is larger than a ustar can say.
    #[error("blob {0} is larger than 8 GiB, the most that fits into a bundle")]
    Large(Digest),
    /// The tree could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store did not let it.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// What stands at `out/` did not let it.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The store did not let it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files did not let it.
    #[error(transparent)]
    File(#[from] FileError),
    /// A registry did not let it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

fn list(faults: &[Fault]) -> String {
    match faults {
        [one] => one.to_string(),
        many => {
            let lines: Vec<String> = many.iter().map(|fault| format!("\n  {fault}")).collect();
            lines.concat()
        }
    }
}

impl BundleError {
    /// Whether the outside failed, and not the request: the same again may work.
    pub fn is_outside(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_outside(),
            Self::Source(error) => error.is_outside(),
            Self::Image { is_outside, .. } => *is_outside,
            _ => false,
        }
    }

    /// What the user can do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            BundleError::Faults { .. } => {
                "it was cut short or changed on the way: get it again from who made it"
            }
            BundleError::NoBase { .. } => {
                "import the bundle of that tree first, or get a whole one: `meshgen bundle create` \
                 without `--since`"
            }
            BundleError::NotRendered(..) => {
                "only what `meshgen render` wrote is a tree; keys are sealed in it (`meshgen pki`)"
            }
            BundleError::Registry(error) => return error.hint().map(str::to_owned),
            BundleError::Source(error) => return error.hint(),
            BundleError::Store(error) => return error.hint(),
            BundleError::Keep(error) => return error.hint(),
            BundleError::View(error) => return error.hint(),
            BundleError::File(error) if error.is_full() => {
                "free some space and run it again; nothing was changed"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}
