//! `out/index.json`: the table of contents whose sha256 is the tree's digest.
//!
//! One row a line and an empty line between rows, so that git merges changes of neighbouring
//! rows. A row's text is made once, by [`ArtifactRow::to_line`], and kept beside cached artifacts:
//! the index is then a concatenation.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TreePath;
use crate::object::{Binding, Identity, Targets, is_dns_label};
use crate::store::Digest;

/// `apiVersion` of the index.
pub const API_VERSION: &str = "meshgen.dev/v1alpha1";

/// The table of contents of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Name of the mesh.
    pub mesh: String,
    /// The clusters that get something, sorted by name.
    pub clusters: Vec<ClusterRow>,
    /// Clusters whose facts are made up, sorted.
    pub examples: Vec<String>,
    /// What could not be rendered yet, sorted by path.
    pub pending: Vec<PendingRow>,
    /// What is there, sorted by path.
    pub artifacts: Vec<ArtifactRow>,
}

/// A cluster of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRow {
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: String,
    /// The kubeconfig context that `apply` takes by default.
    pub context: String,
    /// UID of its `kube-system` namespace, if pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// An artifact that waits for facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingRow {
    /// Where it will stand.
    pub path: TreePath,
    /// The missing facts: `facts.c3.server`.
    pub needs: Vec<String>,
    /// As in [`ArtifactRow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// As in [`ArtifactRow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Targets>,
    /// As in [`ArtifactRow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Identity>,
}

/// A rendered file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactRow {
    /// Where it stands under `out/`.
    pub path: TreePath,
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// The step of an apply that sends it; absent for what is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The clusters that get it; absent for what is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Targets>,
    /// The object in it; absent for what is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Identity>,
    /// JSON pointers of sealed values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<String>,
    /// Values that are put in at apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// JSON pointers of fields that are sent at creation only; `*` stands for every item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handover: Vec<String>,
}

impl ArtifactRow {
    /// The row's text in the index, without indent and comma.
    pub fn to_line(&self) -> String {
        line(self)
    }
}

impl PendingRow {
    /// The row's text in the index, without indent and comma.
    pub fn to_line(&self) -> String {
        line(self)
    }
}

/// The index from its parts, rows given as the lines of [`ArtifactRow::to_line`] and
/// [`PendingRow::to_line`], in the order of their paths.
pub fn assemble(
    mesh: &str,
    clusters: &[ClusterRow],
    examples: &[String],
    pending: &[&str],
    artifacts: &[&str],
) -> String {
    // a row of a cluster, and what stands between rows
    const ABOUT: usize = 160;
    let length = pending.iter().chain(artifacts).map(|row| row.len() + 8).sum::<usize>();
    let mut out = String::with_capacity(length + clusters.len() * ABOUT);
    let api_version = line(API_VERSION);
    let mesh = line(mesh);
    write!(out, "{{\"apiVersion\": {api_version}, \"kind\": \"Index\", \"mesh\": {mesh}")
        .expect("writing into a string cannot fail");
    rows(&mut out, "clusters", clusters.iter().map(line));
    rows(&mut out, "examples", examples.iter().map(line));
    rows(&mut out, "pending", pending.iter());
    rows(&mut out, "artifacts", artifacts.iter());
    out.push_str("}\n");
    out
}

fn rows<T: AsRef<str>>(out: &mut String, key: &str, lines: impl Iterator<Item = T>) {
    write!(out, ",\n \"{key}\": [").expect("writing into a string cannot fail");
    for (index, line) in lines.enumerate() {
        out.push_str(if index == 0 { "\n\n  " } else { ",\n\n  " });
        out.push_str(line.as_ref());
    }
    // an empty line before the bracket, so that a change of the last row does not touch the next list
    out.push_str(if out.ends_with('[') { "]" } else { "\n\n ]" });
}

/// JSON on one line with a space after `:` and `,`.
fn line<T: Serialize + ?Sized>(value: &T) -> String {
    let value = serde_json::to_value(value).expect("rows hold strings and lists alone");
    let mut out = String::new();
    spaced(&mut out, &value);
    out
}

fn spaced(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                spaced(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                spaced(out, item);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Why bytes are no index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Git left a conflict in it.
    #[error("it holds git's conflict markers; run `meshgen render` to settle them")]
    Conflict,
    /// It is no JSON, or not of the documented shape.
    #[error("line {line}: {message}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Written by a later meshgen, or not an index at all.
    #[error("it is `{0}`, but this meshgen reads `{API_VERSION}` of kind `Index`")]
    Version(String),
    /// A name that no mesh or cluster has: it would lead out of a folder, or into a terminal.
    #[error("{0:?} is no name of a mesh or cluster: lower case letters, digits and `-`")]
    Name(String),
    /// Two rows share a path.
    #[error("two rows have the path `{0}`")]
    Duplicate(TreePath),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: String,
    kind: String,
    mesh: String,
    clusters: Vec<ClusterRow>,
    examples: Vec<String>,
    pending: Vec<PendingRow>,
    artifacts: Vec<ArtifactRow>,
}

impl Index {
    /// Reads an index, as hostile input: unknown fields, names that are none, paths that leave the
    /// folder, and paths that stand twice are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        if bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< ")) {
            return Err(IndexError::Conflict);
        }
        let malformed = |error: serde_json::Error| IndexError::Malformed {
            line: error.line(),
            message: error.to_string(),
        };
        let document: Document = serde_json::from_slice(bytes).map_err(malformed)?;
        if document.api_version != API_VERSION || document.kind != "Index" {
            return Err(IndexError::Version(document.api_version));
        }
        let names = document.clusters.iter().map(|row| &row.name).chain(&document.examples);
        let odd = names.chain([&document.mesh]).find(|name| !is_dns_label(name));
        if let Some(name) = odd {
            return Err(IndexError::Name(name.clone()));
        }
        let mut paths: Vec<_> = document.artifacts.iter().map(|row| &row.path).collect();
        paths.extend(document.pending.iter().map(|row| &row.path));
        paths.sort();
        if let Some(pair) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(IndexError::Duplicate(pair[0].clone()));
        }
        Ok(Self {
            mesh: document.mesh,
            clusters: document.clusters,
            examples: document.examples,
            pending: document.pending,
            artifacts: document.artifacts,
        })
    }

    /// The bytes of `index.json`.
    pub fn to_text(&self) -> String {
        let pending: Vec<String> = self.pending.iter().map(PendingRow::to_line).collect();
        let artifacts: Vec<String> = self.artifacts.iter().map(ArtifactRow::to_line).collect();
        let pending: Vec<&str> = pending.iter().map(String::as_str).collect();
        let artifacts: Vec<&str> = artifacts.iter().map(String::as_str).collect();
        assemble(&self.mesh, &self.clusters, &self.examples, &pending, &artifacts)
    }

    /// The row of a path.
    pub fn row(&self, path: &str) -> Option<&ArtifactRow> {
        self.artifacts.iter().find(|row| row.path.as_str() == path)
    }
}
