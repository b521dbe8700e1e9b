//! A recipe: a builder and the digests of all that it reads.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::store::Digest;

/// First bytes of every encoding; a change of the rules below is a change of this.
const VERSION: &[u8] = b"meshgen derivation 1\n";

/// One thing that a recipe reads, for people: `template samples/sleep.yaml`, and its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InputDigest {
    /// What it is.
    pub name: String,
    /// The digest of its content.
    pub digest: Digest,
}

/// A recipe with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Who builds: `samples`, `cacerts`, …
    pub builder: &'static str,
    /// The cluster that it is for, if it is for one.
    pub cluster: Option<String>,
    /// Covers builder, cluster, all inputs and the executable.
    pub digest: Digest,
    /// What is read.
    pub inputs: Vec<InputDigest>,
}

/// Collects what a recipe reads.
///
/// The encoding: the version line, then each field as its length in eight bytes (little endian)
/// and its bytes; names and values alternate. No field can be mistaken for two others.
#[derive(Debug)]
pub struct RecipeBuilder {
    hasher: Sha256,
    builder: &'static str,
    cluster: Option<String>,
    inputs: Vec<InputDigest>,
}

impl RecipeBuilder {
    /// Starts a recipe. `build_id` names the executable: another one may build otherwise.
    pub fn new(builder: &'static str, cluster: Option<&str>, build_id: &str) -> Self {
        let mut this = Self {
            hasher: Sha256::new(),
            builder,
            cluster: cluster.map(str::to_owned),
            inputs: Vec::new(),
        };
        this.hasher.update(VERSION);
        this.field(build_id.as_bytes());
        this.field(builder.as_bytes());
        this.field(cluster.unwrap_or_default().as_bytes());
        this
    }

    fn field(&mut self, bytes: &[u8]) {
        self.hasher.update((bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    /// Reads something by its digest: a template, a keyring file.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, digest: Digest) -> Self {
        let name = name.into();
        self.field(name.as_bytes());
        self.field(digest.as_bytes());
        self.inputs.push(InputDigest { name, digest });
        self
    }

    /// Reads a part of the mesh: its JSON, whose fields come in the order of their types.
    ///
    /// Panics where the value cannot be JSON, which parts of the mesh always can.
    #[must_use]
    pub fn part<T: Serialize>(self, name: &str, value: &T) -> Self {
        let bytes = serde_json::to_vec(value).expect("parts of the mesh are JSON");
        let digest = Digest::of(&bytes);
        self.input(name, digest)
    }

    /// Ends the recipe.
    pub fn finish(self) -> Recipe {
        Recipe {
            builder: self.builder,
            cluster: self.cluster,
            digest: Digest::from_bytes(self.hasher.finalize().into()),
            inputs: self.inputs,
        }
    }
}
