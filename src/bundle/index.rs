//! What a bundle says: its `index.json`, and what that leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::BundleError;
use super::closure::{self, Closure};
use crate::store::oci::{self, Annotations, Descriptor, ImageIndex, Platform};
use crate::store::{Digest, GroupFile};
use crate::tree::Index;

/// What kind of artifact a bundle is.
pub const BUNDLE_TYPE: &str = "application/vnd.meshgen.bundle.v1";
/// What kind of artifact meshgen's own executable is, in a bundle.
pub const BINARY_TYPE: &str = "application/vnd.meshgen.binary.v1";

/// The annotation that names the tree: the sha256 of its table of contents.
pub const TREE: &str = "dev.meshgen.tree";
/// The annotation of a delta that names the tree which the far side must have.
pub const BASE: &str = "dev.meshgen.base";
/// The annotation with every image that the mesh runs, sorted, a space between two.
pub const IMAGES: &str = "dev.meshgen.images";
/// What the layout calls the tree.
const TREE_NAME: &str = "tree";
/// The name of a tree's table of contents in its manifest.
pub(super) const TABLE: &str = "index.json";

/// Gives the bytes of a document, of at most that size, checked against its digest.
pub type ReadDocument<'a> = dyn Fn(&Digest, u64) -> Result<Vec<u8>, BundleError> + 'a;

/// What a bundle holds, without the bytes of its blobs.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The bytes of its `index.json`.
    pub index: Vec<u8>,
    /// Their sha256: names the bundle with all that is in it.
    pub digest: Digest,
    /// The sha256 of the tree's table of contents: names the tree.
    pub tree: Digest,
    /// The tree's table of contents.
    pub table: Index,
    /// The bytes of it.
    pub table_bytes: Vec<u8>,
    /// Of a delta, the tree that the far side must have.
    pub base: Option<Digest>,
    /// Every image that the mesh runs, sorted, whether it is inside or not.
    pub images: Vec<String>,
    /// What is inside, in the order of `index.json`; the tree comes first.
    pub entries: Vec<Entry>,
    /// Indexes and manifests that are inside, by digest.
    pub documents: BTreeMap<Digest, Vec<u8>>,
    /// Every blob that is inside, documents too, with its size.
    pub blobs: BTreeMap<Digest, u64>,
    /// Of a delta, the blobs that it names and leaves to the far side, with their sizes. Else empty.
    pub needs: BTreeMap<Digest, u64>,
}

/// Something of its own in a bundle: a line of `index.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its manifest, or its index.
    pub descriptor: Descriptor,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The tree.
    Tree,
    /// An image that the mesh runs, by the reference that the tree has.
    Image(String),
    /// meshgen itself, by its platform: `linux-amd64`.
    Binary(String),
}

impl Entry {
    /// An image that the mesh runs, by its index or its manifest.
    pub(super) fn image(reference: &str, mut descriptor: Descriptor) -> Self {
        descriptor.artifact_type = None;
        let kind = Kind::Image(reference.to_owned());
        let descriptor = Self { kind: kind.clone(), descriptor }.rebuilt();
        Self { kind, descriptor }
    }

    /// meshgen itself, for Linux on a kind of machine, by its manifest.
    pub(super) fn binary(architecture: &str, manifest: &[u8]) -> Self {
        let platform = Platform {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            variant: None,
        };
        let descriptor = Descriptor {
            media_type: oci::MANIFEST_TYPE.to_owned(),
            digest: Digest::of(manifest),
            size: manifest.len() as u64,
            annotations: Annotations::new(),
            platform: Some(platform),
            artifact_type: Some(BINARY_TYPE.to_owned()),
        };
        let kind = Kind::Binary(format!("linux-{architecture}"));
        let descriptor = Self { kind: kind.clone(), descriptor }.rebuilt();
        Self { kind, descriptor }
    }

    /// The tree, by its manifest.
    pub(super) fn tree(manifest: &[u8]) -> Self {
        let descriptor = Descriptor {
            media_type: oci::MANIFEST_TYPE.to_owned(),
            digest: Digest::of(manifest),
            size: manifest.len() as u64,
            annotations: [(oci::REF_NAME.to_owned(), TREE_NAME.to_owned())].into(),
            platform: None,
            artifact_type: Some(oci::TREE_TYPE.to_owned()),
        };
        Self { kind: Kind::Tree, descriptor }
    }

    fn of(descriptor: &Descriptor) -> Result<Self, String> {
        let name = descriptor.annotation(oci::REF_NAME).unwrap_or_default();
        let kind = match descriptor.artifact_type.as_deref() {
            Some(oci::TREE_TYPE) => Kind::Tree,
            Some(BINARY_TYPE) => Kind::Binary(name.trim_start_matches("meshgen-").to_owned()),
            None if descriptor.annotation(oci::IMAGE_NAME).is_some() => {
                Kind::Image(name.to_owned())
            }
            other => {
                let what = other.unwrap_or("something without a type");
                return Err(format!("it holds {what:?}, which this meshgen does not know"));
            }
        };
        Ok(Self { kind, descriptor: descriptor.clone() })
    }

    /// The descriptor with the notes that it has to have, whatever it came with.
    fn rebuilt(&self) -> Descriptor {
        let note = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let annotations: Annotations = match &self.kind {
            Kind::Tree => [note(oci::REF_NAME, TREE_NAME)].into(),
            Kind::Image(reference) => {
                [note(oci::IMAGE_NAME, reference), note(oci::REF_NAME, reference)].into()
            }
            Kind::Binary(platform) => [note(oci::REF_NAME, &format!("meshgen-{platform}"))].into(),
        };
        Descriptor { annotations, ..self.descriptor.clone() }
    }
}

/// The bytes of an `index.json`.
pub(super) fn encode(
    tree: Digest,
    base: Option<Digest>,
    images: &[String],
    entries: &[Entry],
) -> Vec<u8> {
    let mut annotations: Annotations =
        [(TREE.to_owned(), tree.to_string()), (IMAGES.to_owned(), images.join(" "))].into();
    annotations.extend(base.map(|base| (BASE.to_owned(), base.to_string())));
    oci::encode(&ImageIndex {
        schema_version: 2,
        media_type: oci::INDEX_TYPE.to_owned(),
        artifact_type: Some(BUNDLE_TYPE.to_owned()),
        manifests: entries.iter().map(Entry::rebuilt).collect(),
        annotations,
    })
}

impl Bundle {
    /// What an `index.json` and the documents that it leads to say.
    ///
    /// `inside` gives the size of a blob that is inside, `document` the bytes of one, which were
    /// checked against its digest. Refuses whatever [`create`](super::create) would have made
    /// otherwise: an index of another form, a tree's manifest that its table of contents does not
    /// make, a size that is not true, a blob that is missing where there is no base. What is inside
    /// and belongs to nothing is for the caller to find, in [`Bundle::blobs`].
    pub fn read(
        index: Vec<u8>,
        inside: &dyn Fn(&Digest) -> Option<u64>,
        document: &ReadDocument<'_>,
    ) -> Result<Self, BundleError> {
        let bad = |why: String| BundleError::Malformed { what: "index.json".to_owned(), why };
        let read: ImageIndex =
            serde_json::from_slice(&index).map_err(|error| bad(error.to_string()))?;
        if read.artifact_type.as_deref() != Some(BUNDLE_TYPE) {
            return Err(bad(format!("it is not of type {BUNDLE_TYPE}")));
        }
        let digest_of = |key: &str| {
            let text = read.annotations.get(key);
            let parsed = text.map(|text| text.parse::<Digest>()).transpose();
            parsed.map_err(|error| bad(format!("{key}: {error}")))
        };
        let tree = digest_of(TREE)?.ok_or_else(|| bad(format!("it has no {TREE}")))?;
        let base = digest_of(BASE)?;
        let images = read.annotations.get(IMAGES).map(String::as_str).unwrap_or_default();
        let images: Vec<String> = images.split_terminator(' ').map(str::to_owned).collect();
        let entries: Result<Vec<Entry>, String> = read.manifests.iter().map(Entry::of).collect();
        let entries = entries.map_err(&bad)?;
        let rebuilt = encode(tree, base, &images, &entries);
        if let Some(at) = differ(&rebuilt, &index) {
            return Err(bad(format!("its byte {at} {}", other(&rebuilt, &index, at))));
        }
        ordered(&entries, &images).map_err(&bad)?;
        let Closure { documents, blobs, needs } = closure::follow(&entries, inside, document)?;
        if base.is_none()
            && let Some(digest) = needs.keys().next()
        {
            return Err(BundleError::Missing(*digest));
        }
        for entry in &entries {
            // what a delta leaves to the far side was looked at when that got it
            if let (Kind::Binary(platform), Some(bytes)) =
                (&entry.kind, documents.get(&entry.descriptor.digest))
            {
                check_binary(entry, platform, bytes)?;
            }
        }
        let manifest = &entries[0].descriptor;
        let Some(bytes) = documents.get(&manifest.digest) else {
            return Err(BundleError::Missing(manifest.digest));
        };
        let size = blobs.get(&tree).copied().ok_or(BundleError::Missing(tree))?;
        if size > closure::MAX_FILE {
            let what = "the tree's index.json".to_owned();
            let why = format!("it is larger than {} bytes", closure::MAX_FILE);
            return Err(BundleError::Malformed { what, why });
        }
        let table_bytes = document(&tree, size)?;
        let table = check_tree(bytes, &table_bytes)?;
        let digest = Digest::of(&index);
        Ok(Self {
            index,
            digest,
            tree,
            table,
            table_bytes,
            base,
            images,
            entries,
            documents,
            blobs,
            needs,
        })
    }

    /// Every blob that it is about, inside or not.
    pub fn closure(&self) -> BTreeSet<Digest> {
        self.blobs.keys().chain(self.needs.keys()).copied().collect()
    }

    /// The files of the tree, its table of contents first, with their sizes.
    pub fn files(&self) -> Vec<GroupFile> {
        let table = GroupFile {
            path: TABLE.to_owned(),
            digest: self.tree,
            size: self.table_bytes.len() as u64,
        };
        let rows = self.table.artifacts.iter().map(|row| GroupFile {
            path: row.path.to_string(),
            digest: row.digest,
            size: self.blobs.get(&row.digest).or(self.needs.get(&row.digest)).copied().unwrap_or(0),
        });
        std::iter::once(table).chain(rows).collect()
    }
}

/// Refuses entries that are not in the one order: the tree, images, meshgen itself; none twice.
fn ordered(entries: &[Entry], images: &[String]) -> Result<(), String> {
    let rank = |entry: &Entry| match &entry.kind {
        Kind::Tree => (0, String::new()),
        Kind::Image(reference) => (1, reference.clone()),
        Kind::Binary(platform) => (2, platform.clone()),
    };
    if entries.first().is_none_or(|entry| entry.kind != Kind::Tree) {
        return Err("its first manifest is not a tree's".to_owned());
    }
    if !entries.is_sorted_by(|a, b| rank(a) < rank(b)) {
        return Err("its manifests are not in order, or one stands there twice".to_owned());
    }
    if !images.is_sorted_by(|a, b| a < b) {
        return Err("its images are not in order, or one stands there twice".to_owned());
    }
    let is_known = |reference: &String| images.binary_search(reference).is_ok();
    for entry in entries {
        if let Kind::Image(reference) = &entry.kind
            && !is_known(reference)
        {
            return Err(format!("it holds the image {reference:?}, which the mesh does not run"));
        }
    }
    Ok(())
}

/// The manifest of meshgen itself, for the file that it names.
pub(super) fn binary(digest: Digest, size: u64) -> Vec<u8> {
    oci::encode(&oci::Manifest::new(BINARY_TYPE, vec![oci::layer("meshgen", digest, size)]))
}

/// Refuses a manifest of meshgen itself that names anything else.
fn check_binary(entry: &Entry, platform: &str, manifest: &[u8]) -> Result<(), BundleError> {
    let bad = |why: &str| BundleError::Malformed {
        what: format!("the manifest of meshgen for {platform}"),
        why: why.to_owned(),
    };
    let all = oci::references(manifest).map_err(|error| bad(&error.to_string()))?;
    let is_file = all.iter().any(|one| {
        // it names its empty config, and one file
        binary(one.digest, one.size) == manifest
    });
    if !is_file {
        return Err(bad("it does not name one program and nothing else"));
    }
    let architecture = platform.strip_prefix("linux-").unwrap_or_default();
    let is_known = ["amd64", "arm64"].contains(&architecture);
    if !is_known || Entry::binary(architecture, manifest) != *entry {
        return Err(bad("index.json describes it otherwise"));
    }
    Ok(())
}

/// Holds a tree's manifest against its table of contents.
fn check_tree(manifest: &[u8], table: &[u8]) -> Result<Index, BundleError> {
    let bad = |why: String| BundleError::Malformed { what: "the tree's manifest".to_owned(), why };
    let index = Index::parse(table).map_err(|error| BundleError::Malformed {
        what: "the tree's index.json".to_owned(),
        why: error.to_string(),
    })?;
    let references = oci::references(manifest).map_err(|error| bad(error.to_string()))?;
    let sizes: BTreeMap<Digest, u64> =
        references.iter().map(|reference| (reference.digest, reference.size)).collect();
    let mut files = vec![GroupFile {
        path: TABLE.to_owned(),
        digest: Digest::of(table),
        size: table.len() as u64,
    }];
    for row in &index.artifacts {
        let size = sizes.get(&row.digest).ok_or_else(|| bad(format!("it lacks `{}`", row.path)))?;
        files.push(GroupFile { path: row.path.to_string(), digest: row.digest, size: *size });
    }
    let rebuilt = oci::tree(&files);
    match differ(&rebuilt, manifest) {
        None => Ok(index),
        Some(at) => Err(bad(format!("its byte {at} {}", other(&rebuilt, manifest, at)))),
    }
}

/// The first place where two texts differ.
pub(super) fn differ(expected: &[u8], found: &[u8]) -> Option<usize> {
    let at = expected.iter().zip(found).position(|(a, b)| a != b);
    at.or((expected.len() != found.len()).then_some(expected.len().min(found.len())))
}

/// What differs at a place, in words.
pub(super) fn other(expected: &[u8], found: &[u8], at: usize) -> String {
    let byte = |bytes: &[u8]| match bytes.get(at) {
        Some(byte) if byte.is_ascii_graphic() => format!("`{}` (0x{byte:02x})", char::from(*byte)),
        Some(byte) => format!("0x{byte:02x}"),
        None => "the end".to_owned(),
    };
    format!("is {}, expected {}", byte(found), byte(expected))
}
