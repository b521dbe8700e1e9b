//! Where settings come from: the line of mesh.yaml or of a profile behind each value.

use std::collections::BTreeMap;

use super::{Spec, SpecCluster};
use crate::diag::Span;
use crate::yaml::{Kind, Node};

/// A setting and the place that gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Dotted path: `gateways.eastWest.enabled`.
    pub path: String,
    /// Where it stands.
    pub span: Span,
    /// Its value on one line.
    pub value: String,
}

impl Spec {
    /// The settings below `prefix` as a cluster sees them (`None`: as the mesh does), by path, each
    /// with the place of the strongest layer that sets it.
    pub fn origins(&self, cluster: Option<&SpecCluster>, prefix: &[&str]) -> Vec<Origin> {
        let mut found = BTreeMap::new();
        let layers: Vec<&Node> = match cluster {
            Some(cluster) => self.layers(cluster).collect(),
            None => self.mesh_layers().collect(),
        };
        for layer in layers {
            if let Some(node) = layer.at_keys(prefix) {
                leaves(node, &prefix.join("."), &mut found);
            }
        }
        found.into_values().collect()
    }
}

/// Collects scalars, lists and empty mappings; what a stronger layer set stays.
fn leaves(node: &Node, path: &str, found: &mut BTreeMap<String, Origin>) {
    match &node.kind {
        Kind::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                leaves(&entry.value, &format!("{path}.{}", entry.key), found);
            }
        }
        _ => {
            let shadowed = found.keys().any(|known| {
                path.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('.'))
            });
            if !shadowed {
                found.entry(path.to_owned()).or_insert_with(|| Origin {
                    path: path.to_owned(),
                    span: node.span,
                    value: crate::yaml::inline(&node.to_value()),
                });
            }
        }
    }
}
