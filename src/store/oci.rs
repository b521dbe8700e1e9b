//! The documents of an OCI image layout (image-spec 1.1), as far as we write them, and what the
//! documents of others refer to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, GroupFile, StoreError};

/// Content of the file `oci-layout`.
pub const LAYOUT: &[u8] = b"{\"imageLayoutVersion\":\"1.0.0\"}";
/// Content of the config of an artifact that has none (image-spec, "Guidance for an empty
/// descriptor").
pub const EMPTY: &[u8] = b"{}";

/// Media type of an image index.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of an image manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The older names of the two, which Docker's registries still give.
const DOCKER_INDEX_TYPE: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// What a generation is, and a manifest of its files.
pub const TREE_TYPE: &str = "application/vnd.meshgen.tree.v1";
/// What a manifest is that holds the record of a generation.
pub(super) const RECORD_TYPE: &str = "application/vnd.meshgen.record.v1";

/// The path of a file. `oras pull` writes whatever has one, manifests too: those get
/// [`GROUP`] instead, so that it writes the tree and nothing else.
pub const TITLE: &str = "org.opencontainers.image.title";
/// What a manifest holds: a cluster's name, what is shared, or the record.
pub(super) const GROUP: &str = "dev.meshgen.group";
/// What a layout calls a manifest.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation with the whole name of an image, as containerd's `ctr image import` takes it.
pub const IMAGE_NAME: &str = "io.containerd.image.name";

/// Notes on a document or on what it refers to.
pub type Annotations = BTreeMap<String, String>;

/// What a document says of a blob that it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// Notes on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// What it runs on, if it is an image or a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What kind of artifact a manifest holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `amd64`, `arm64`, …: Go's GOARCH.
    pub architecture: String,
    /// `linux`: Go's GOOS.
    pub os: String,
    /// `v8`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Descriptor {
    /// The note of that name.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }
}

/// A document that refers to manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    /// 2.
    pub schema_version: u32,
    /// [`INDEX_TYPE`].
    pub media_type: String,
    /// What kind of artifact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// Notes on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// A document that refers to the blobs of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// [`MANIFEST_TYPE`].
    pub media_type: String,
    /// What kind of artifact it is.
    pub artifact_type: String,
    /// [`EMPTY`]: our artifacts have none.
    pub config: Descriptor,
    /// The blobs.
    pub layers: Vec<Descriptor>,
}

impl Manifest {
    /// The manifest of an artifact without a config.
    pub fn new(artifact_type: &str, layers: Vec<Descriptor>) -> Self {
        let config = Descriptor {
            media_type: EMPTY_TYPE.to_owned(),
            digest: Digest::of(EMPTY),
            size: EMPTY.len() as u64,
            annotations: Annotations::new(),
            platform: None,
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
pub fn layer(title: &str, digest: Digest, size: u64) -> Descriptor {
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
        platform: None,
        artifact_type: None,
    }
}

/// The one manifest of a tree: `files` are all its files, `index.json` first. A function of the tree
/// alone.
pub fn tree(files: &[GroupFile]) -> Vec<u8> {
    let layers = files.iter().map(|file| layer(&file.path, file.digest, file.size)).collect();
    encode(&Manifest::new(TREE_TYPE, layers))
}

/// What a document of anybody's refers to, as far as a closure needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// What the blob is.
    #[serde(default)]
    pub media_type: String,
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// What it runs on, if the document says so.
    #[serde(default)]
    pub platform: Option<Platform>,
}

impl Reference {
    /// Whether it is a document itself: an index or a manifest.
    pub fn is_document(&self) -> bool {
        [INDEX_TYPE, MANIFEST_TYPE, DOCKER_INDEX_TYPE, DOCKER_MANIFEST_TYPE]
            .contains(&self.media_type.as_str())
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Vec<Reference>,
    config: Option<Reference>,
    #[serde(default)]
    layers: Vec<Reference>,
}

/// Everything that an index or a manifest refers to, in its order.
///
/// # Errors
/// Where it is no such document, or names a blob by something else than a sha256.
pub fn references(bytes: &[u8]) -> Result<Vec<Reference>, serde_json::Error> {
    let document: Document = serde_json::from_slice(bytes)?;
    let Document { manifests, config, layers } = document;
    Ok(manifests.into_iter().chain(config).chain(layers).collect())
}

/// The bytes of a document: compact, keys in the order of the specification.
pub fn encode(document: &impl Serialize) -> Vec<u8> {
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
