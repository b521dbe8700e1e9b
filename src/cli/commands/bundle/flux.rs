//! The artifacts for Flux that `bundle push --flux` brings.

use serde_json::{Value, json};

use crate::bundle::registry::RemoteError;
use crate::cli::{CommandError, Context};
use crate::cluster::unfit;
use crate::gitops::{Artifact, Pushed, Share};
use crate::registry::{Reference, Repository};
use crate::tree::source::Source;

/// Brings an artifact for each cluster of a tree, and says so. A cluster that `apply` would refuse gets
/// none.
pub fn push(
    context: &Context,
    source: &Source,
    repository: &Repository,
    to: &Reference,
) -> Result<Vec<Value>, CommandError> {
    let mut rows = Vec::new();
    for cluster in &source.index.clusters {
        let name = &cluster.name;
        if let Some(refusal) = unfit(&source.index, name).first() {
            context.note(&format!("{name}: nothing for Flux: {}", refusal.message));
            continue;
        }
        let refused = |error: crate::gitops::GitopsError| CommandError::refused(error.to_string());
        let share = Share::of(source, name).map_err(refused)?;
        let artifact = Artifact::of(&share).map_err(refused)?;
        let Pushed { sent, there } = artifact.push(repository).map_err(RemoteError::from)?;
        let full = to.at(artifact.digest());
        let tag = Artifact::moving_tag(&artifact.mesh, name);
        context.note(&format!(
            "{name}: {} for Flux, tag {tag}: {sent} blobs sent, {there} were there",
            full.as_str()
        ));
        rows.push(json!({
            "cluster": name, "name": full.as_str(), "tag": tag, "sent": sent, "there": there,
        }));
    }
    Ok(rows)
}
