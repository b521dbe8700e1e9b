//! The documents of an OCI image layout (image-spec 1.1), as far as we write them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, StoreError};

/// Content of the file `oci-layout`.
pub(super) const LAYOUT: &[u8] = b"{\"imageLayoutVersion\":\"1.0.0\"}";
/// Content of the config of an artifact that has none (image-spec, "Guidance for an empty
/// descriptor").
pub(super) const EMPTY: &[u8] = b"{}";

pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// What a generation is, and a manifest of its files.
pub(super) const TREE_TYPE: &str = "application/vnd.meshgen.tree.v1";
/// What a manifest is that holds the record of a generation.
pub(super) const RECORD_TYPE: &str = "application/vnd.meshgen.record.v1";

/// The path of a file. `oras pull` writes whatever has one, manifests too: those get
/// [`GROUP`] instead, so that it writes the tree and nothing else.
pub(super) const TITLE: &str = "org.opencontainers.image.title";
/// What a manifest holds: a cluster's name, what is shared, or the record.
pub(super) const GROUP: &str = "dev.meshgen.group";
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

pub(super) type Annotations = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

impl Descriptor {
    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageIndex {
    pub schema_version: u32,
    pub media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub schema_version: u32,
    pub media_type: String,
    pub artifact_type: String,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

impl Manifest {
    pub(super) fn new(artifact_type: &str, layers: Vec<Descriptor>) -> Self {
        let config = Descriptor {
            media_type: EMPTY_TYPE.to_owned(),
            digest: Digest::of(EMPTY),
            size: EMPTY.len() as u64,
            annotations: Annotations::new(),
            artifact_type: None,
        };
        Self {
            schema_version: 2,
            media_type: MANIFEST_TYPE.to_owned(),
            artifact_type: artifact_type.to_owned(),
            config,
            layers,
        }
    }
}

/// The descriptor of a plain file.
pub(super) fn layer(title: &str, digest: Digest, size: u64) -> Descriptor {
    let extension = title.rsplit_once('.').map(|(_, extension)| extension);
    let media_type = match extension {
        Some("yaml") => "application/yaml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        annotations: [(TITLE.to_owned(), title.to_owned())].into(),
        artifact_type: None,
    }
}

/// The bytes of a document: compact, keys in the order of the specification.
pub(super) fn encode(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents hold strings, numbers and lists alone")
}

/// Reads a document.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    path: &std::path::Path,
) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Malformed {
        path: path.to_owned(),
        message: error.to_string(),
    })
}
