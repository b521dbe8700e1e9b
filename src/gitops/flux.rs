//! The objects that point Flux at a tree: a source, and a Kustomization a stage.

use serde_json::{Map, Value, json};

use super::share::{below, places};
use super::{Artifact, GitopsError, Share, Step};
use crate::object::Identity;
use crate::tree::ArtifactRow;

/// How Flux gets at a tree.
#[derive(Debug, Clone)]
pub struct Flux {
    /// Where from.
    pub pull: Pull,
    /// The namespace of Flux's objects: `flux-system`.
    pub namespace: String,
    /// The Secret with the age identity that opens what is sealed.
    pub decryption_secret: String,
    /// The Secret with credentials of registry or repository.
    pub pull_secret: Option<String>,
}

/// Where Flux gets a tree from.
#[derive(Debug, Clone)]
pub enum Pull {
    /// Artifacts in a registry.
    Oci {
        /// `oci://HOST/REPOSITORY`.
        url: String,
        /// Which of them.
        reference: Reference,
        /// Without TLS.
        is_insecure: bool,
    },
    /// The tree as it is committed.
    Git {
        /// `https://…` or `ssh://…`.
        url: String,
        /// The branch.
        branch: String,
        /// The folder of the tree in the repository: `out`; empty for its top.
        path: String,
    },
}

/// Which artifact of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The one that this tree makes, by its digest.
    Digest,
    /// Whichever `bundle push --flux` pushed last for the cluster.
    Tag,
}

/// How often Flux looks, how soon it tries again, how long it waits: the values of its own guides.
const INTERVAL: &str = "10m";
const RETRY: &str = "1m";
const TIMEOUT: &str = "5m";

/// The objects for one cluster, of a Flux that runs in it: the source first, then a Kustomization a
/// step, each of which waits until all that the one before brought is ready.
///
/// Handed-over fields are taken out by patches, or Flux would force them back on whom they were
/// handed to; what is sealed is opened by Flux; namespaces and definitions are never pruned.
pub fn flux(share: &Share<'_>, how: &Flux) -> Result<Vec<Value>, GitopsError> {
    let mesh = &share.source.index.mesh;
    let mut objects = vec![source(share, how)?];
    let root = match &how.pull {
        Pull::Oci { .. } => "",
        Pull::Git { path, .. } => path,
    };
    let kind = objects[0]["kind"].clone();
    let mut before: Option<String> = None;
    for step in &share.steps {
        let name = format!("{mesh}-{}", step.name);
        let mut spec = json!({
            "interval": INTERVAL,
            "retryInterval": RETRY,
            "timeout": TIMEOUT,
            "path": format!("./{}", below(root, step.folder)),
            "prune": !step.is_kept(),
            "wait": true,
            "sourceRef": {"kind": kind, "name": mesh},
        });
        if let Some(before) = before.replace(name.clone()) {
            spec["dependsOn"] = json!([{"name": before}]);
        }
        if step.sealed().is_some() {
            spec["decryption"] =
                json!({"provider": "sops", "secretRef": {"name": how.decryption_secret}});
        }
        let patches = patches(share, step)?;
        if !patches.is_empty() {
            spec["patches"] = Value::Array(patches);
        }
        objects.push(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": how.namespace},
            "spec": spec,
        }));
    }
    Ok(objects)
}

fn source(share: &Share<'_>, how: &Flux) -> Result<Value, GitopsError> {
    let mut spec = Map::new();
    spec.insert("interval".to_owned(), INTERVAL.into());
    let kind = match &how.pull {
        Pull::Oci { url, reference, is_insecure } => {
            spec.insert("url".to_owned(), url.as_str().into());
            let reference = match reference {
                Reference::Digest => json!({"digest": Artifact::of(share)?.digest()}),
                Reference::Tag => {
                    json!({"tag": Artifact::moving_tag(&share.source.index.mesh, &share.cluster.name)})
                }
            };
            spec.insert("ref".to_owned(), reference);
            if *is_insecure {
                spec.insert("insecure".to_owned(), true.into());
            }
            "OCIRepository"
        }
        Pull::Git { url, branch, path } => {
            spec.insert("url".to_owned(), url.as_str().into());
            spec.insert("ref".to_owned(), json!({"branch": branch}));
            let foreign = share.steps.iter().flat_map(|step| &step.foreign);
            let lines = foreign.map(|file| format!("/{}\n", below(path, file.as_str())));
            let lines: String = lines.collect();
            if !lines.is_empty() {
                spec.insert("ignore".to_owned(), lines.into());
            }
            "GitRepository"
        }
    };
    if let Some(name) = &how.pull_secret {
        spec.insert("secretRef".to_owned(), json!({"name": name}));
    }
    Ok(json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": kind,
        "metadata": {"name": share.source.index.mesh, "namespace": how.namespace},
        "spec": spec,
    }))
}

/// A patch for every object with handed-over fields. kustomize refuses to remove what is not there,
/// so the fields are those that the file has.
fn patches(share: &Share<'_>, step: &Step<'_>) -> Result<Vec<Value>, GitopsError> {
    let mut patches = Vec::new();
    for row in step.rows.iter().filter(|row| !row.handover.is_empty()) {
        let Some(identity) = &row.object else { continue };
        let object = share.object(row)?;
        let fields: Vec<String> = fields(&object, row);
        if fields.is_empty() {
            continue;
        }
        let operations: Vec<Value> =
            fields.iter().map(|path| json!({"op": "remove", "path": path})).collect();
        patches.push(json!({
            "patch": crate::yaml::canonical(&Value::Array(operations)),
            "target": target(identity),
        }));
    }
    Ok(patches)
}

fn fields(object: &Value, row: &ArtifactRow) -> Vec<String> {
    row.handover.iter().flat_map(|pointer| places(object, pointer)).collect()
}

/// Selects one object. kustomize takes each of these for a whole regular expression.
fn target(identity: &Identity) -> Value {
    let (group, version) = match identity.api_version.split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", identity.api_version.as_str()),
    };
    let mut target =
        json!({"version": version, "kind": identity.kind, "name": exactly(&identity.name)});
    if !group.is_empty() {
        target["group"] = exactly(group).into();
    }
    if let Some(namespace) = &identity.namespace {
        target["namespace"] = exactly(namespace).into();
    }
    target
}

fn exactly(name: &str) -> String {
    name.replace('.', "\\.")
}
