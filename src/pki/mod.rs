//! The keyring: keys, certificates, sealing.
//!
//! Pure over bytes and texts: nothing here reads a file or the clock, and randomness is drawn only
//! where a key, a serial or a ciphertext is made. Decrypted material lives in [`Secret`]s.

pub mod cacerts;
pub mod certificate;
mod change;
mod check;
mod entry;
mod import;
mod issue;
mod key;
mod keyring;
pub mod mint;
pub mod pem;
mod policy;
mod recipient;
mod secret;
pub mod sops;
mod status;
mod update;

pub use cacerts::{OpenError, SEALED_POINTER, cacerts};
pub use certificate::{Certificate, CertificateError, CertificateInfo};
pub use change::{Cause, Changes, FileChange, OperationError};
pub use check::check;
pub use entry::{Entry, Foreign, KeyringFile, Root};
pub use import::{Import, Material, import};
pub use issue::{init, rotate};
pub use key::{Algorithm, KeyError, PrivateKey};
pub use keyring::Keyring;
pub use mint::Pair;
pub use policy::{ClusterPolicy, DEFAULT_DAYS, Policy, ROOT, path_of};
pub use recipient::{Identities, IdentityError, Recipient, RecipientError, new_identity};
pub use secret::{Secret, Wiped};
pub use status::{StatusRow, Validity, parse_span, status};
pub use update::update_keys;
