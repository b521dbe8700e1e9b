//! Generations: the trees that were written here, numbered, each with its record.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::oci::{self, Annotations, Descriptor, ImageIndex, Manifest};
use super::{Digest, Store, StoreError};

const NUMBER: &str = "dev.meshgen.generation";
const TREE: &str = "dev.meshgen.tree";
const CURRENT: &str = "dev.meshgen.current";
const LAST: &str = "dev.meshgen.last";
const VERSION: &str = "dev.meshgen.version";

/// A tree that was written here once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number: from 1, never given again.
    pub number: u64,
    /// The digest of its table of contents, which is a blob too.
    pub tree: Digest,
    /// The version of meshgen that wrote it; empty if the catalogue does not say.
    pub meshgen: String,
    /// The nested OCI index that lists its manifests.
    pub(super) descriptor: Descriptor,
}

/// How a generation came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of meshgen that wrote it.
    pub meshgen: String,
    /// What it was made from: path relative to the project → digest.
    pub inputs: BTreeMap<String, Digest>,
    /// How: name of the derivation → its digest.
    pub derivations: BTreeMap<String, Digest>,
}

/// Files that go together: they become one OCI manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name of the manifest.
    pub name: String,
    /// Its files, sorted by path. Not empty.
    pub files: Vec<GroupFile>,
    /// Whether the current generation has the same group, so that its manifest can be taken over.
    pub is_current: bool,
}

/// A file of a [`Group`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFile {
    /// Its path in the tree.
    pub path: String,
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
}

/// All generations of a store, and which one is current.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Sorted by number.
    pub generations: Vec<Generation>,
    /// The number of the one that was written, or brought back, last.
    pub current: Option<u64>,
    /// The highest number ever given.
    pub(super) last: u64,
}

impl Catalogue {
    /// The generation of a number.
    pub fn get(&self, number: u64) -> Result<&Generation, StoreError> {
        let found = self.generations.iter().find(|generation| generation.number == number);
        found.ok_or(StoreError::NoGeneration(number))
    }

    /// The generation of a tree.
    pub fn of_tree(&self, tree: &Digest) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.tree == *tree)
    }

    /// The current generation.
    pub fn current(&self) -> Option<&Generation> {
        self.current.and_then(|number| self.get(number).ok())
    }

    /// The one generation whose tree's digest starts with these hex digits.
    pub fn of_prefix(&self, prefix: &str) -> Result<&Generation, StoreError> {
        let fits = |generation: &&Generation| generation.tree.hex().starts_with(prefix);
        let found: Vec<&Generation> = self.generations.iter().filter(fits).collect();
        match found[..] {
            [] => Err(StoreError::NoTree(prefix.to_owned())),
            [one] => Ok(one),
            _ => {
                let list: Vec<String> = found
                    .iter()
                    .map(|generation| format!("gen:{} is {}", generation.number, generation.tree))
                    .collect();
                Err(StoreError::Ambiguous(prefix.to_owned(), list.join(", ")))
            }
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut annotations = Annotations::new();
        if let Some(current) = self.current {
            annotations.insert(CURRENT.to_owned(), current.to_string());
        }
        annotations.insert(LAST.to_owned(), self.last.to_string());
        oci::encode(&ImageIndex {
            schema_version: 2,
            media_type: oci::INDEX_TYPE.to_owned(),
            artifact_type: None,
            manifests: self.generations.iter().map(|one| one.descriptor.clone()).collect(),
            annotations,
        })
    }

    fn decode(index: ImageIndex) -> Result<Self, String> {
        let annotated = |key: &str| index.annotations.get(key).and_then(|text| text.parse().ok());
        let (current, last) = (annotated(CURRENT), annotated(LAST));
        let mut generations = Vec::new();
        for descriptor in index.manifests {
            let number = descriptor.annotation(NUMBER).and_then(|text| text.parse().ok());
            let tree = descriptor.annotation(TREE).and_then(|text| text.parse().ok());
            let (Some(number), Some(tree)) = (number, tree) else {
                return Err(format!("{} is no generation of meshgen", descriptor.digest));
            };
            let meshgen = descriptor.annotation(VERSION).unwrap_or_default().to_owned();
            generations.push(Generation { number, tree, meshgen, descriptor });
        }
        generations.sort_by_key(|generation| generation.number);
        let highest = generations.last().map_or(0, |generation| generation.number);
        Ok(Self { generations, current, last: last.unwrap_or(0).max(highest) })
    }
}

impl Store {
    pub(super) fn catalogue_path(&self) -> PathBuf {
        self.folder().join("index.json")
    }

    /// The generations; none if there is no store.
    pub fn generations(&self) -> Result<Catalogue, StoreError> {
        let path = self.catalogue_path();
        let bytes = match self.disk().read(&path) {
            Err(error) if error.is_not_found() => return Ok(Catalogue::default()),
            other => other?,
        };
        let index: ImageIndex = oci::decode(&bytes, &path)?;
        Catalogue::decode(index).map_err(|message| StoreError::Malformed { path, message })
    }

    /// When a generation was written, in nanoseconds since 1970: the time of its file, for people
    /// only. `None` if the file is not there.
    pub fn written(&self, generation: &Generation) -> Result<Option<i128>, StoreError> {
        let stat = self.disk().stat(&self.blob_path(&generation.descriptor.digest))?;
        Ok(stat.map(|stat| stat.modified))
    }

    /// The record of a generation.
    pub fn record(&self, generation: &Generation) -> Result<Record, StoreError> {
        for descriptor in self.manifests(generation)? {
            if descriptor.artifact_type.as_deref() == Some(oci::RECORD_TYPE) {
                let layers = self.layers(&descriptor)?;
                let layer = layers.first().ok_or(StoreError::Missing(descriptor.digest))?;
                let path = self.blob_path(&layer.digest);
                return oci::decode(&self.read(&layer.digest)?, &path);
            }
        }
        Err(StoreError::Missing(generation.descriptor.digest))
    }

    /// The descriptors of a generation's manifests.
    pub(super) fn manifests(&self, generation: &Generation) -> Result<Vec<Descriptor>, StoreError> {
        let digest = &generation.descriptor.digest;
        let index: ImageIndex = oci::decode(&self.read(digest)?, &self.blob_path(digest))?;
        Ok(index.manifests)
    }

    /// The manifests of groups of a generation, by name; none of one that another meshgen wrote,
    /// whose encoding may be another.
    pub(super) fn groups(
        &self,
        generation: &Generation,
        meshgen: &str,
    ) -> Result<BTreeMap<String, Descriptor>, StoreError> {
        if generation.meshgen != meshgen {
            return Ok(BTreeMap::new());
        }
        let named = |one: Descriptor| Some((one.annotation(oci::GROUP)?.to_owned(), one));
        Ok(self.manifests(generation)?.into_iter().filter_map(named).collect())
    }

    /// The descriptors of a manifest's files.
    pub(super) fn layers(&self, manifest: &Descriptor) -> Result<Vec<Descriptor>, StoreError> {
        let digest = &manifest.digest;
        let manifest: Manifest = oci::decode(&self.read(digest)?, &self.blob_path(digest))?;
        Ok(manifest.layers)
    }
}

/// The documents of a new generation: blobs still to be written, and its line in the catalogue.
pub(super) struct Documents {
    pub blobs: Vec<(Digest, Vec<u8>)>,
    pub generation: Generation,
}

/// Writes the documents of a generation.
///
/// All but the record's are a function of the tree alone: a group that did not change keeps its
/// manifest. `current` are the manifests of the current generation that are in the store.
pub(super) fn documents(
    number: u64,
    tree: Digest,
    groups: &[Group],
    current: &BTreeMap<String, Descriptor>,
    record: &Record,
) -> Documents {
    let mut blobs = vec![(Digest::of(oci::EMPTY), oci::EMPTY.to_vec())];
    let of_group = |group: &Group| {
        if let Some(same) = current.get(&group.name).filter(|_| group.is_current) {
            return (same.clone(), None);
        }
        let files = group.files.iter();
        let layers = files.map(|file| oci::layer(&file.path, file.digest, file.size)).collect();
        let (manifest, bytes) = manifest(&group.name, oci::TREE_TYPE, layers);
        (manifest, Some(bytes))
    };
    let made: Vec<(Descriptor, Option<Vec<u8>>)> = groups.par_iter().map(of_group).collect();
    let mut manifests = Vec::with_capacity(groups.len() + 1);
    for (descriptor, bytes) in made {
        blobs.extend(bytes.map(|bytes| (descriptor.digest, bytes)));
        manifests.push(descriptor);
    }
    let mut text = serde_json::to_vec_pretty(record).expect("a record holds strings alone");
    text.push(b'\n');
    let digest = Digest::of(&text);
    let mut layer = oci::layer("record.json", digest, text.len() as u64);
    // no file of the tree
    layer.annotations.clear();
    blobs.push((digest, text));
    let (descriptor, bytes) = manifest("record", oci::RECORD_TYPE, vec![layer]);
    blobs.push((descriptor.digest, bytes));
    manifests.push(descriptor);

    let bytes = oci::encode(&ImageIndex {
        schema_version: 2,
        media_type: oci::INDEX_TYPE.to_owned(),
        artifact_type: Some(oci::TREE_TYPE.to_owned()),
        manifests,
        annotations: [(TREE.to_owned(), tree.to_string())].into(),
    });
    let descriptor = Descriptor {
        media_type: oci::INDEX_TYPE.to_owned(),
        digest: Digest::of(&bytes),
        size: bytes.len() as u64,
        annotations: [
            (NUMBER.to_owned(), number.to_string()),
            (TREE.to_owned(), tree.to_string()),
            (VERSION.to_owned(), record.meshgen.clone()),
            (oci::REF_NAME.to_owned(), format!("gen-{number}")),
        ]
        .into(),
        platform: None,
        artifact_type: Some(oci::TREE_TYPE.to_owned()),
    };
    blobs.push((descriptor.digest, bytes));
    let meshgen = record.meshgen.clone();
    Documents { blobs, generation: Generation { number, tree, meshgen, descriptor } }
}

/// A manifest and its descriptor.
fn manifest(name: &str, artifact_type: &str, layers: Vec<Descriptor>) -> (Descriptor, Vec<u8>) {
    let bytes = oci::encode(&Manifest::new(artifact_type, layers));
    let descriptor = Descriptor {
        media_type: oci::MANIFEST_TYPE.to_owned(),
        digest: Digest::of(&bytes),
        size: bytes.len() as u64,
        annotations: [(oci::GROUP.to_owned(), name.to_owned())].into(),
        platform: None,
        artifact_type: Some(artifact_type.to_owned()),
    };
    (descriptor, bytes)
}
