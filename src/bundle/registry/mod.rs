//! Bundles in registries: every blob and manifest under its own digest, the bundle's `index.json` as an
//! index that names them all, signatures as its referrers.
//!
//! The index is what is named and signed: its digest is that of the bundle ([`Bundle::digest`]). It comes
//! last, so that whoever finds it finds all of it.
//!
//! [`Bundle::digest`]: super::Bundle::digest

mod error;
mod parallel;
mod pull;
mod push;
mod remote;
mod signature;

pub use error::RemoteError;
pub use pull::{Pulled, pull};
pub use push::{Pushed, push, push_image};
pub use remote::Remote;
pub use signature::{attach, attached, describe, sign, signed};
