//! Content by digest, kept on disk: blobs, generations, caches. Knows nothing of meshes.
//!
//! The store is an OCI image layout that `oras` and `crane` read, plus a lock, caches, a folder of
//! temporary files, `roots`: what files outside the store keep, and
//! `imports`: what came in bundles. It is a cache with history: a project works without it, and removing
//! it loses the generations alone.

mod derivation_cache;
mod digest;
mod error;
mod frame;
mod fsck;
mod gc;
mod generation;
mod import;
mod layout;
pub mod oci;
mod root;
mod stat_cache;
mod transaction;
pub mod ustar;

pub use derivation_cache::{DerivationCache, Output};
pub use digest::{Digest, DigestError, Digester};
pub use error::StoreError;
pub use fsck::{Finding, What, fsck};
pub use gc::{Swept, gc, would_sweep};
pub use generation::{Catalogue, Generation, Group, GroupFile, Record};
pub use import::Import;
pub use layout::Store;
pub use stat_cache::StatCache;
pub use transaction::{Temporary, Transaction};
