//! Hand-over to engines that pull: what Flux or Argo CD gets to bring a tree to its clusters.
//!
//! All of it is a function of the tree: the objects that point an engine at it ([`flux`],
//! [`argocd`]), and the artifact that Flux pulls ([`Artifact`]), named by its digest before anybody
//! has pushed it. So what is reviewed in a fleet's repository says to the byte what is applied.
//!
//! An engine brings a [`Share`] of the tree. Remote secrets hold tokens that exist only in live
//! clusters, and the Secrets that those are written to: they stay with `meshgen apply
//! --only-bindings`, so that no object has two owners.

mod archive;
mod argocd;
mod artifact;
mod flux;
mod gzip;
mod push;
mod share;

pub use argocd::{Argocd, Sealed, applications, argocd};
pub use artifact::{Artifact, FLUX_CONFIG_TYPE, FLUX_CONTENT_TYPE};
pub use flux::{Flux, Pull, Reference, flux};
pub use push::Pushed;
pub use share::{GitopsError, Share, Step};

use serde_json::Value;

use crate::object::canonical;

/// A stream of YAML documents in canonical form.
pub fn stream(objects: &[Value]) -> String {
    let documents: Vec<String> = objects.iter().map(canonical).collect();
    documents.join("---\n")
}
