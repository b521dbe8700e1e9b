//! What an operation would write, and why it would not.

use serde_json::Value;

use super::cacerts::OpenError;
use super::certificate::{CertificateError, ChainError};
use super::entry::Root;
use super::key::{KeyError, PrivateKey};
use super::keyring::Keyring;
use super::mint::MintError;
use super::policy::{ROOT, path_of};
use super::recipient::Identities;
use super::sops::SopsError;
use crate::yaml;

/// One keyring file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// [`ROOT`] or the cluster's name.
    pub name: String,
    /// Its path in the project.
    pub path: String,
    /// The whole text: certificate in clear, key sealed.
    pub text: String,
    /// Whether the file must not be there yet.
    pub is_new: bool,
    /// What happened, for people: `made a root valid until 2036-11-21 16:01:30Z`.
    pub what: String,
}

impl FileChange {
    pub(super) fn new(name: &str, document: &Value, is_new: bool, what: String) -> Self {
        let text = yaml::canonical(document);
        Self { name: name.to_owned(), path: path_of(name), text, is_new, what }
    }
}

/// Everything that an operation would write: all of it, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The files, the root first.
    pub files: Vec<FileChange>,
    /// What the user should know besides.
    pub notes: Vec<String>,
}

/// Why an operation does not do what it was asked for, and for which file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct OperationError {
    /// The keyring file that it is about.
    pub path: String,
    /// Why.
    pub cause: Cause,
}

/// Why an operation does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Making a certificate failed.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// A sealed file does not open, or not to what it should.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Sealing failed.
    #[error(transparent)]
    Sops(#[from] SopsError),
    /// A certificate given by the user.
    #[error("the certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// A key given by the user.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
    /// A certificate given by the user is not the root's child.
    #[error("the certificate does not chain to the root: {0}")]
    Chain(#[from] ChainError),
    /// Key and certificate given by the user are no pair.
    #[error("the private key does not fit the certificate")]
    NotAPair,
    /// A certificate that cannot sign.
    #[error("the certificate is no CA that may sign what has to be signed with it: {0}")]
    NotAnAuthority(&'static str),
    /// It ends after the root.
    #[error("the certificate ends on {0}, after the root, which ends on {1}")]
    OutlivesRoot(String, String),
    /// There is no root to sign with.
    #[error("the mesh has no root yet")]
    NoRoot,
    /// The root's key is elsewhere.
    #[error(
        "the root's private key is not in `pki/root.yaml`, so nothing can be signed with it here"
    )]
    NoRootKey,
    /// A new root would cut off the intermediates that are there.
    #[error(
        "the root is missing, and intermediates under it are there: a new root would cut them off"
    )]
    RootLost,
    /// No such cluster.
    #[error("mesh.yaml has no cluster of this name")]
    UnknownCluster,
    /// The name is taken.
    #[error("a cluster cannot be called `root`: `pki/root.yaml` is the mesh's root")]
    ClusterCalledRoot,
    /// Nothing there to work on.
    #[error("the file is missing")]
    Missing,
    /// Something there that would be lost.
    #[error("the file is there already, with another certificate")]
    Exists,
}

impl OperationError {
    /// An error about the file of this name.
    pub fn new(name: &str, cause: impl Into<Cause>) -> Self {
        Self { path: path_of(name), cause: cause.into() }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.cause {
            Cause::Open(OpenError::Sops(error)) | Cause::Sops(error) => return sops_hint(error),
            Cause::Open(OpenError::OtherKey) => {
                "the certificate was exchanged after the key was sealed: take the file back from git, or rotate the cluster"
            }
            Cause::Mint(MintError::RootExpired(_)) => {
                "a new root means new intermediates everywhere: `meshgen explain MG0604`"
            }
            Cause::Key(error) => error.hint()?,
            Cause::NotAPair => {
                "`openssl x509 -in CERT -noout -pubkey` and `openssl pkey -in KEY -pubout` print the same for a pair"
            }
            Cause::NoRoot | Cause::Missing => "`meshgen pki init` makes what is missing",
            Cause::RootLost => {
                "take the file back from git, or bring the root in by `meshgen pki import`; to start over, move all of `pki/` away"
            }
            Cause::NoRootKey => {
                "make the intermediates where the root's key is, and bring them in by `meshgen pki import`"
            }
            Cause::Exists => {
                "`--replace` replaces it; clusters then have to be applied again before the old one ends"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn sops_hint(error: &SopsError) -> Option<String> {
    let hint = match error {
        SopsError::NoIdentity | SopsError::NotForUs(_) => {
            "identities come from `--identity FILE`, `SOPS_AGE_KEY_FILE` or `SOPS_AGE_KEY`"
        }
        SopsError::Value { .. } | SopsError::Mac | SopsError::Metadata(_) => {
            "take the file back from git; `git log -p` on it shows who changed it"
        }
        SopsError::NoRecipients => {
            "list age recipients under `pki.recipients` in mesh.yaml; `meshgen pki init --new-identity FILE` makes one"
        }
        SopsError::Random => return None,
    };
    Some(hint.to_owned())
}

/// Opens the root to sign with it.
pub(super) fn open_root<'a>(
    keyring: &'a Keyring,
    identities: &Identities,
) -> Result<(&'a Root, PrivateKey), OperationError> {
    let root = keyring.root().ok_or_else(|| OperationError::new(ROOT, Cause::NoRoot))?;
    if !root.entry().has_key() {
        return Err(OperationError::new(ROOT, Cause::NoRootKey));
    }
    let key = root.entry().open(identities).map_err(|error| OperationError::new(ROOT, error))?;
    Ok((root, key))
}
