//! What joins clusters, read from an index alone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::tree::stage_name;
use crate::tree::{Index, Targets};

/// That a cluster's istiod reads another cluster's API server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Read {
    /// The cluster that is read.
    pub cluster: String,
    /// The facts that its remote secret waits for; empty once it is rendered.
    pub needs: Vec<String>,
}

/// The rows of an index that join clusters.
#[derive(Debug, Default)]
pub struct Joints<'a> {
    /// Who gets what opens a gateway.
    exposes: Vec<&'a Targets>,
    /// Whose API server is read, by whom, and what the remote secret waits for.
    remote: Vec<(&'a str, &'a Targets, &'a [String])>,
}

impl<'a> Joints<'a> {
    /// Reads an index. Of a remote secret that is not rendered yet, the cluster is known by the
    /// file's name: `remote-secrets/<cluster>.yaml`.
    pub fn of(index: &'a Index) -> Self {
        let mut joints = Self::default();
        for row in &index.artifacts {
            let Some(targets) = &row.targets else { continue };
            match (row.stage.as_deref(), row.bindings.first()) {
                (Some(stage_name::EXPOSE), _) => joints.exposes.push(targets),
                (Some(stage_name::REMOTE_SECRETS), Some(binding)) => {
                    joints.remote.push((&binding.from.cluster, targets, &[]));
                }
                _ => {}
            }
        }
        for row in &index.pending {
            let Some(targets) = &row.targets else { continue };
            match row.stage.as_deref() {
                Some(stage_name::EXPOSE) => joints.exposes.push(targets),
                Some(stage_name::REMOTE_SECRETS) => {
                    let name = row.path.as_str().strip_prefix("remote-secrets/");
                    let name = name.and_then(|name| name.strip_suffix(".yaml"));
                    joints.remote.extend(name.map(|name| (name, targets, &row.needs[..])));
                }
                _ => {}
            }
        }
        joints
    }

    /// Whether the tree opens the gateway of its network in a cluster, or will once facts are there.
    pub fn has_gateway(&self, cluster: &str) -> bool {
        self.exposes.iter().any(|targets| targets.contains(cluster))
    }

    /// Whose remote secrets a cluster gets, sorted by name.
    pub fn reads(&self, cluster: &str) -> Vec<Read> {
        let mut reads: BTreeMap<&str, &[String]> = BTreeMap::new();
        for (of, targets, needs) in &self.remote {
            if targets.contains(cluster) {
                // one that is rendered goes before one that waits
                let known = reads.entry(of).or_insert(needs);
                if needs.is_empty() {
                    *known = needs;
                }
            }
        }
        let read = |(cluster, needs): (&str, &[String])| Read {
            cluster: cluster.to_owned(),
            needs: needs.to_vec(),
        };
        reads.into_iter().map(read).collect()
    }
}
