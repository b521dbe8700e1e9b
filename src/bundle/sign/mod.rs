//! Signatures of bundles: keys as cosign keeps them, signature files as Sigstore defines them, and
//! whom the operator trusts.
//!
//! Two things are signed. A file has a detached signature beside it (`FILE.sigstore.json`), a message
//! signature over its sha256. A manifest in a registry has a referrer, a DSSE envelope around a
//! statement that names the manifest's digest. Both are Sigstore bundles v0.3, which cosign writes and
//! verifies too. Verification takes a public key and no network: entries of transparency logs and
//! timestamps in a bundle are passed over, because with a key that is known beforehand they decide
//! nothing.

mod check;
mod document;
mod envelope;
mod error;
mod private_key;
mod public_key;
mod sealed;
mod trust;

pub use check::{SIGNATURE_TYPE, file_of, sign_file, sign_manifest, verify_file, verify_manifest};
pub use envelope::PREDICATE;
pub use error::SignatureError;
pub use private_key::{SigningKey, SigningKeyError};
pub use public_key::{PublicKey, PublicKeyError};
pub use trust::{TrustError, TrustedKey, TrustedKeys};
