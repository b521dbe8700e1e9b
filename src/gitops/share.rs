//! What an engine brings to one cluster, and in which order.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;

use crate::tree::source::{Source, SourceError};
use crate::tree::stage_name::is_of_bindings;
use crate::tree::{ArtifactRow, ClusterRow, TreePath};
use crate::yaml::{self, Schema};

/// Why an engine cannot be pointed at a tree.
#[derive(Debug, thiserror::Error)]
pub enum GitopsError {
    /// The tree does not list that cluster.
    #[error("the tree has no cluster `{0}`")]
    NoCluster(String),
    /// A file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file holds no object.
    #[error("`{path}`: {why}")]
    File {
        /// Which file.
        path: TreePath,
        /// What is wrong.
        why: String,
    },
    /// What is sealed would be applied as it stands.
    #[error("`{0}` holds what SOPS sealed, which Argo CD does not open")]
    Sealed(TreePath),
}

/// What an engine brings to a cluster: all that the cluster gets, save what needs a live token.
#[derive(Debug)]
pub struct Share<'a> {
    /// The tree.
    pub source: &'a Source,
    /// The cluster.
    pub cluster: &'a ClusterRow,
    /// What is brought, each step after the one before.
    pub steps: Vec<Step<'a>>,
    /// What is left to `meshgen apply --only-bindings`.
    pub left: Vec<&'a ArtifactRow>,
}

/// The files of one folder of the tree, brought together.
#[derive(Debug)]
pub struct Step<'a> {
    /// `20-base`; `20-crds-stable` for what clusters share.
    pub name: String,
    /// The folder in the tree: `c1/20-base`, `crds/stable`.
    pub folder: &'a str,
    /// The files, sorted by path.
    pub rows: Vec<&'a ArtifactRow>,
    /// Files of the folder that the cluster does not get.
    pub foreign: Vec<&'a TreePath>,
}

impl<'a> Share<'a> {
    /// The share of a cluster.
    ///
    /// # Errors
    /// Where the tree has no such cluster.
    pub fn of(source: &'a Source, cluster: &str) -> Result<Self, GitopsError> {
        let index = &source.index;
        let cluster = index
            .clusters
            .iter()
            .find(|row| row.name == cluster)
            .ok_or_else(|| GitopsError::NoCluster(cluster.to_owned()))?;
        let mut left = Vec::new();
        let mut steps: BTreeMap<(&str, bool, &str), Vec<&ArtifactRow>> = BTreeMap::new();
        for row in &index.artifacts {
            let (Some(stage), Some(targets)) = (&row.stage, &row.targets) else { continue };
            if !targets.contains(&cluster.name) {
                continue;
            }
            // an engine that brought a binding would take it away when it is pending
            if is_of_bindings(stage) || !row.bindings.is_empty() {
                left.push(row);
                continue;
            }
            let folder = folder(&row.path);
            let is_own = row.path.first() == cluster.name;
            // CRDs that clusters share before what else is in that stage
            steps.entry((stage, is_own, folder)).or_default().push(row);
        }
        let step =
            |((stage, is_own, at), rows): ((&'a str, bool, &'a str), Vec<&'a ArtifactRow>)| {
                let name = match stage.split_once('-') {
                    Some((number, _)) if !is_own => format!("{number}-{}", at.replace('/', "-")),
                    _ => stage.to_owned(),
                };
                let all = index.artifacts.iter().map(|row| &row.path);
                let foreign = all.filter(|path| folder(path) == at);
                let foreign = foreign.filter(|path| !rows.iter().any(|row| row.path == **path));
                Step { name, folder: at, foreign: foreign.collect(), rows }
            };
        let steps = steps.into_iter().map(step).collect();
        Ok(Self { source, cluster, steps, left })
    }

    /// The files with their bytes, sorted by path.
    pub fn files(&self) -> Result<BTreeMap<&'a TreePath, Vec<u8>>, GitopsError> {
        let rows: Vec<&ArtifactRow> = self.rows().collect();
        let read = |row: &&'a ArtifactRow| Ok((&row.path, self.source.read(&row.path)?));
        rows.par_iter().map(read).collect()
    }

    /// The rows of all steps.
    pub fn rows(&self) -> impl Iterator<Item = &'a ArtifactRow> {
        self.steps.iter().flat_map(|step| step.rows.iter().copied())
    }

    /// The object in a file.
    pub(super) fn object(&self, row: &ArtifactRow) -> Result<Value, GitopsError> {
        let bytes = self.source.read(&row.path)?;
        let fault = |why: String| GitopsError::File { path: row.path.clone(), why };
        let text = std::str::from_utf8(&bytes).map_err(|_| fault("it is no UTF-8".to_owned()))?;
        yaml::document(text, Schema::Strict).map_err(|error| fault(error.with_position(text)))
    }
}

impl Step<'_> {
    /// Whether a file of it holds what SOPS sealed.
    pub fn sealed(&self) -> Option<&TreePath> {
        self.rows.iter().find(|row| !row.sealed.is_empty()).map(|row| &row.path)
    }

    /// Whether what it brings is kept when the tree has it no more: deleting a namespace or a
    /// definition takes all with it that is in there.
    pub fn is_kept(&self) -> bool {
        self.rows
            .iter()
            .filter_map(|row| row.object.as_ref())
            .any(|object| matches!(object.kind.as_str(), "Namespace" | "CustomResourceDefinition"))
    }

    /// The number of its stage.
    pub fn number(&self) -> u32 {
        self.name.split('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

/// A path below a folder of a repository, which may be its top: empty.
pub(super) fn below(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

fn folder(path: &TreePath) -> &str {
    path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The places of an object that a pointer with `*` for every item means, and that are there; items
/// of a list from its end, so that they can be taken out one after the other.
pub(super) fn places(object: &Value, pointer: &str) -> Vec<String> {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut found = Vec::new();
    walk(object, &steps, String::new(), &mut found);
    found
}

fn walk(value: &Value, steps: &[&str], at: String, found: &mut Vec<String>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(at);
        return;
    };
    match value {
        Value::Object(map) => {
            if let Some(below) = map.get(&step.replace("~1", "/").replace("~0", "~")) {
                walk(below, rest, format!("{at}/{step}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().rev() {
                if *step == "*" || step.parse() == Ok(index) {
                    walk(item, rest, format!("{at}/{index}"), found);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_those_that_are_there() {
        let object = json!({
            "spec": {"replicas": 1, "a/b": {"c~d": 1}},
            "webhooks": [{"failurePolicy": "Fail"}, {"clientConfig": {}}, {"failurePolicy": "Ignore"}],
        });
        assert_eq!(places(&object, "/spec/replicas"), ["/spec/replicas"]);
        assert_eq!(places(&object, "/spec/a~1b/c~0d"), ["/spec/a~1b/c~0d"]);
        assert_eq!(
            places(&object, "/webhooks/*/failurePolicy"),
            ["/webhooks/2/failurePolicy", "/webhooks/0/failurePolicy"]
        );
        assert_eq!(places(&object, "/webhooks/*/clientConfig/caBundle"), Vec::<String>::new());
        assert_eq!(places(&object, "/webhooks/*"), ["/webhooks/2", "/webhooks/1", "/webhooks/0"]);
    }
}
