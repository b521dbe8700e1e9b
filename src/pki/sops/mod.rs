//! The age part of the SOPS file format, so that `sops -d` and Flux read what meshgen seals, and
//! meshgen reads what `sops -e` made.
//!
//! A document keeps its shape; sealed values stand as `ENC[AES256_GCM,…]` where the values stood,
//! and the key `sops` holds the rest. One random data key encrypts every value; it is wrapped for
//! each recipient by age. A MAC over the values, encrypted with the same key, ties them together.
//! Measured against sops 3.13.3 in both directions (`tests/it/pki`).

mod cipher;
mod document;
mod metadata;

pub(super) use cipher::DataKey;
pub use cipher::{CipherError, is_sealed};
pub(super) use document::wrap;
pub use document::{Opened, SopsError, open, seal};
pub use metadata::{ENCRYPTED_REGEX, Metadata, MetadataError, Wrapped};
