//! How a tree came to be, as SLSA v1 says it: an in-toto statement about the tree's digest.
//!
//! From the record of a generation, which only the store has where the tree was rendered: a clone has
//! none, and no byte of a bundle may depend on it. So it goes with a tree into a registry alone.

use serde_json::{Value, json};

use crate::store::{Digest, Record};

/// Media type of a statement, and the type of the artifact that holds it in a registry.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";
/// What the statement is (SLSA v1.0, "Provenance").
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// What was done: a render, whose parameters are all in files.
const BUILD_TYPE: &str = "https://meshgen.dev/render/v1";
const BUILDER: &str = "https://meshgen.dev/meshgen";

/// Something that the statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// Its sha256.
    pub digest: Digest,
}

/// The statement: inputs by their digests, recipes, the version of meshgen. The text is indented and ends
/// with a line end.
pub fn provenance(mesh: &str, subjects: &[Subject], record: &Record) -> String {
    let sha256 = |digest: &Digest| json!({"sha256": digest.hex()});
    let subjects: Vec<Value> = subjects
        .iter()
        .map(|one| json!({"name": one.name, "digest": sha256(&one.digest)}))
        .collect();
    let inputs: Vec<Value> = record
        .inputs
        .iter()
        .map(|(path, digest)| json!({"name": path, "digest": sha256(digest)}))
        .collect();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"mesh": mesh},
                "internalParameters": {"derivations": record.derivations},
                "resolvedDependencies": inputs,
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"meshgen": record.meshgen}},
            },
        },
    });
    format!("{statement:#}\n")
}
