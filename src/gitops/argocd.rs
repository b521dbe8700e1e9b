//! The objects that point Argo CD at a tree in git: an application a stage, in waves, and a set of
//! applications that brings them for every cluster.

use serde_json::{Value, json};

use super::share::below;
use super::{GitopsError, Share, Step};
use crate::tree::ArtifactRow;

/// How Argo CD gets at a tree.
#[derive(Debug, Clone)]
pub struct Argocd {
    /// The repository, as Argo CD knows it.
    pub url: String,
    /// The branch, tag or commit.
    pub revision: String,
    /// The folder of the tree in the repository: `out`; empty for its top, as the next one.
    pub path: String,
    /// The folder of the applications in the repository, a folder a cluster below it.
    pub applications: String,
    /// The namespace of Argo CD: `argocd`.
    pub namespace: String,
    /// The project of the applications: `default`.
    pub project: String,
    /// What becomes of sealed values.
    pub sealed: Sealed,
}

/// What becomes of sealed values, which Argo CD does not open by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// Nobody said: a tree that has some is refused.
    Refused,
    /// A config management plugin of this name opens them.
    Plugin(String),
    /// They are brought in another way; their stages are left out.
    LeftOut,
}

/// Makes the folders of a cluster's applications known: a list of clusters, an application for each,
/// which brings that cluster's applications in the order of their waves.
pub fn argocd(mesh: &str, clusters: &[&str], how: &Argocd) -> Value {
    let elements: Vec<Value> = clusters.iter().map(|cluster| json!({"cluster": cluster})).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": mesh, "namespace": how.namespace},
        "spec": {
            "goTemplate": true,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"list": {"elements": elements}}],
            // a cluster that leaves the list is retired by hand, not emptied by the way
            "syncPolicy": {"preserveResourcesOnDeletion": true},
            "template": {
                "metadata": {"name": format!("{mesh}-{{{{.cluster}}}}")},
                "spec": {
                    "project": how.project,
                    "source": {
                        "repoURL": how.url,
                        "targetRevision": how.revision,
                        "path": below(&how.applications, "{{.cluster}}"),
                    },
                    "destination": {"name": "in-cluster", "namespace": how.namespace},
                    "syncPolicy": {
                        "automated": {"prune": true, "selfHeal": true},
                        "retry": retry(),
                    },
                },
            },
        },
    })
}

/// The applications of one cluster, a stage each, in waves: one goes out when those before it are
/// healthy.
///
/// # Errors
/// Where a stage holds what is sealed, and nobody said what becomes of it.
pub fn applications(share: &Share<'_>, how: &Argocd) -> Result<Vec<Value>, GitopsError> {
    let mut applications = Vec::new();
    for step in &share.steps {
        if let Some(path) = step.sealed() {
            match how.sealed {
                Sealed::Refused => return Err(GitopsError::Sealed(path.clone())),
                Sealed::LeftOut => continue,
                Sealed::Plugin(_) => {}
            }
        }
        applications.push(application(share, step, how));
    }
    Ok(applications)
}

fn application(share: &Share<'_>, step: &Step<'_>, how: &Argocd) -> Value {
    let mesh = &share.source.index.mesh;
    let cluster = &share.cluster.name;
    let mut source = json!({
        "repoURL": how.url,
        "targetRevision": how.revision,
        "path": below(&how.path, step.folder),
    });
    match &how.sealed {
        Sealed::Plugin(name) if step.sealed().is_some() => source["plugin"] = json!({"name": name}),
        _ if !step.foreign.is_empty() => {
            let names = step.foreign.iter().filter_map(|path| path.as_str().rsplit('/').next());
            let names: Vec<&str> = names.collect();
            source["directory"] = json!({"exclude": format!("{{{}}}", names.join(","))});
        }
        _ => {}
    }
    // definitions that clusters share go out before the rest of their stage
    let is_shared = !step.folder.starts_with(&format!("{cluster}/"));
    let wave = step.number() - u32::from(is_shared && step.number() > 0);
    let mut spec = json!({
        "project": how.project,
        "source": source,
        "destination": {"name": cluster},
        "syncPolicy": {
            "automated": {"prune": !step.is_kept(), "selfHeal": true},
            "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
            "retry": retry(),
        },
    });
    let ignored: Vec<Value> = step.rows.iter().filter_map(|row| ignored(row)).collect();
    if !ignored.is_empty() {
        spec["ignoreDifferences"] = Value::Array(ignored);
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": format!("{mesh}-{cluster}-{}", step.name),
            "namespace": how.namespace,
            "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()},
        },
        "spec": spec,
    })
}

/// Tried again without end: a cluster may take long to come up.
fn retry() -> Value {
    json!({"limit": -1, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}})
}

/// Handed-over fields of an object, which Argo CD neither compares nor writes once it is there.
fn ignored(row: &ArtifactRow) -> Option<Value> {
    let identity = row.object.as_ref().filter(|_| !row.handover.is_empty())?;
    let (many, one): (Vec<&String>, Vec<&String>) =
        row.handover.iter().partition(|pointer| pointer.split('/').any(|step| step == "*"));
    let mut rule = json!({"group": identity.group(), "kind": identity.kind, "name": identity.name});
    if let Some(namespace) = &identity.namespace {
        rule["namespace"] = namespace.as_str().into();
    }
    if !one.is_empty() {
        rule["jsonPointers"] = json!(one);
    }
    if !many.is_empty() {
        rule["jqPathExpressions"] = many.iter().map(|pointer| jq(pointer)).collect();
    }
    Some(rule)
}

/// A pointer as a path of jq: `.webhooks[]?.failurePolicy`.
fn jq(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if step == "*" {
            path.push_str("[]?");
        } else if step.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            path.push_str(&format!(".{step}"));
        } else {
            path.push_str(&format!("[{}]", Value::from(step)));
        }
    }
    // `["a b"]` alone would make a list
    if path.starts_with('[') { format!(".{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_paths_of_jq() {
        assert_eq!(jq("/webhooks/*/clientConfig/caBundle"), ".webhooks[]?.clientConfig.caBundle");
        assert_eq!(jq("/*/a~1b"), ".[]?[\"a/b\"]");
        assert_eq!(jq("/metadata/annotations/x.y"), ".metadata.annotations[\"x.y\"]");
    }
}
