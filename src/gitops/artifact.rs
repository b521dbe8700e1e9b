//! What Flux pulls: one gzipped tar a cluster.

use serde_json::json;

use super::archive::archive;
use super::gzip::stored;
use super::{GitopsError, Share};
use crate::store::Digest;

/// Media type of the config of an artifact of Flux, as `flux push artifact` makes it.
pub const FLUX_CONFIG_TYPE: &str = "application/vnd.cncf.flux.config.v1+json";
/// Media type of its one layer.
pub const FLUX_CONTENT_TYPE: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// The artifact of a cluster: what a registry holds of it.
///
/// Its bytes are a function of the cluster's own files: no time, no tree's digest, no codec. So a
/// change of another cluster leaves it as it is, and its digest is known before it is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The mesh that it is of.
    pub mesh: String,
    /// The cluster that it is for.
    pub cluster: String,
    /// Its manifest.
    pub manifest: Vec<u8>,
    /// The blobs that the manifest names: config and layer.
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

impl Artifact {
    /// The artifact of a share: the files of the tree that the cluster gets, at their paths.
    pub fn of(share: &Share<'_>) -> Result<Self, GitopsError> {
        let files = share.files()?;
        let files = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        let tar = archive(files);
        let layer = stored(&tar);
        let config = json!({
            "architecture": "",
            "os": "",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&tar)]},
        });
        let config = config.to_string().into_bytes();
        let descriptor = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": Digest::of(bytes), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor(FLUX_CONFIG_TYPE, &config),
            "layers": [descriptor(FLUX_CONTENT_TYPE, &layer)],
            "annotations": {
                "dev.meshgen.cluster": share.cluster.name,
                "dev.meshgen.mesh": share.source.index.mesh,
            },
        });
        Ok(Self {
            mesh: share.source.index.mesh.clone(),
            cluster: share.cluster.name.clone(),
            manifest: manifest.to_string().into_bytes(),
            blobs: vec![(Digest::of(&config), config), (Digest::of(&layer), layer)],
        })
    }

    /// The digest of the manifest: what a fleet's repository names.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// The tag that moves with the cluster's artifact; several meshes can share a repository. No name
    /// of a mesh or cluster holds a `.`.
    pub fn moving_tag(mesh: &str, cluster: &str) -> String {
        format!("flux-{mesh}.{cluster}")
    }

    /// The tag that stays, so that a registry which clears away what has no tag keeps what a fleet
    /// still names by digest.
    pub fn lasting_tag(&self) -> String {
        format!("{}.{}", Self::moving_tag(&self.mesh, &self.cluster), self.digest().short())
    }
}
