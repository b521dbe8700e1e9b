//! What a change does to a cluster, beyond the fields that differ.

use super::content::Content;
use super::field_change::{Change, FieldChange};
use super::field_path::{FieldPath, Step};
use super::{immutable, rbac};
use crate::object::Identity;

/// What follows from a change of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// The server refuses the change: the object must be deleted and made anew, because these
    /// fields cannot change.
    Recreates(Vec<FieldPath>),
    /// The pod template differs: the workload replaces its pods.
    Restarts(Rollout),
    /// More is allowed than before: each line says what.
    Widens(Vec<String>),
    /// The `cacerts` of istiod hold another intermediate under the same root: istiod reloads it
    /// without a restart, and workloads get new certificates at their next renewal.
    ReloadsCa,
    /// The `cacerts` of istiod hold another root. Running istiods refuse it until they restart, and
    /// workloads that trust the old root alone reject those that have the new one.
    ChangesRoot,
    /// An object goes that takes others with it: what.
    TakesAlong(&'static str),
    /// The remote secret of this cluster goes: its peers no longer see its endpoints.
    Disconnects(String),
}

/// When pods are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rollout {
    /// At once, by the workload's controller.
    Now,
    /// When somebody deletes them: the update strategy is `OnDelete`.
    OnDelete,
    /// When the Deployment is resumed: it is paused.
    Paused,
}

impl Consequence {
    /// The word in JSON, and the class in summaries.
    pub fn word(&self) -> &'static str {
        match self {
            Consequence::Recreates(_) => "recreates",
            Consequence::Restarts(_) => "restarts",
            Consequence::Widens(_) => "widensRbac",
            Consequence::ReloadsCa => "reloadsCa",
            Consequence::ChangesRoot => "changesRoot",
            Consequence::TakesAlong(_) => "takesAlong",
            Consequence::Disconnects(_) => "disconnects",
        }
    }

    /// A short label beside an object's name.
    pub fn label(&self) -> &'static str {
        match self {
            Consequence::Recreates(_) => "must be recreated",
            Consequence::Restarts(Rollout::Now) => "restarts pods",
            Consequence::Restarts(Rollout::OnDelete) => "new pods when deleted by hand",
            Consequence::Restarts(Rollout::Paused) => "restarts pods when resumed",
            Consequence::Widens(_) => "widens RBAC",
            Consequence::ReloadsCa => "istiod reloads its CA",
            Consequence::ChangesRoot => "changes the root of trust",
            Consequence::TakesAlong(_) => "takes others along",
            Consequence::Disconnects(_) => "disconnects a cluster",
        }
    }

    /// What follows, a sentence a line.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Consequence::Recreates(fields) => {
                let fields: Vec<String> = fields.iter().map(FieldPath::to_string).collect();
                vec![format!("the server refuses a change of {}", fields.join(", "))]
            }
            Consequence::Restarts(Rollout::Now) => {
                vec!["the pod template differs: all its pods are replaced".to_owned()]
            }
            Consequence::Restarts(Rollout::OnDelete) => {
                vec![
                    "the pod template differs, but pods change only when they are deleted"
                        .to_owned(),
                ]
            }
            Consequence::Restarts(Rollout::Paused) => {
                vec!["the pod template differs, but the Deployment is paused".to_owned()]
            }
            Consequence::Widens(grants) => grants.clone(),
            Consequence::ReloadsCa => vec![
                "new intermediate under the same root: istiod reloads it, workloads get new \
                 certificates at their next renewal"
                    .to_owned(),
            ],
            Consequence::ChangesRoot => vec![
                "a running istiod refuses another root until it restarts, and workloads reject \
                 peers whose root they do not have"
                    .to_owned(),
            ],
            Consequence::TakesAlong(what) => vec![format!("deleting it deletes {what}")],
            Consequence::Disconnects(cluster) => {
                vec![format!("these clusters no longer see the endpoints of {cluster}")]
            }
        }
    }
}

/// What follows from an object's change; `old` or `new` is missing where it comes or goes.
///
/// Fields that are handed over are not sent, so nothing follows from them.
pub fn consequences(
    identity: &Identity,
    old: Option<&Content>,
    new: Option<&Content>,
    fields: &[FieldChange],
) -> Vec<Consequence> {
    let mut found = Vec::new();
    let sent: Vec<&FieldChange> = fields.iter().filter(|field| !field.handed_over).collect();
    if let (Some(old), Some(new)) = (old, new) {
        let refused = immutable::refused(identity, old, new, &sent);
        if !refused.is_empty() {
            found.push(Consequence::Recreates(refused));
        }
        found.extend(restart(identity, new, &sent));
        found.extend(authority(identity, new, &sent));
    }
    let grants = rbac::widened(identity, old, new);
    if !grants.is_empty() {
        found.push(Consequence::Widens(grants));
    }
    if let (Some(old), None) = (old, new) {
        found.extend(removal(identity, old));
    }
    found
}

fn restart(identity: &Identity, new: &Content, sent: &[&FieldChange]) -> Option<Consequence> {
    let is_workload = identity.group() == "apps"
        && ["Deployment", "DaemonSet", "StatefulSet"].contains(&identity.kind.as_str());
    if !is_workload || !sent.iter().any(|field| field.path.starts_with(&["spec", "template"])) {
        return None;
    }
    let paused = new.at(&["spec", "paused"]) == Some(&Content::Scalar(true.into()));
    let strategy = new.text(&["spec", "updateStrategy", "type"]);
    Some(Consequence::Restarts(match (identity.kind.as_str(), strategy) {
        ("Deployment", _) if paused => Rollout::Paused,
        ("DaemonSet" | "StatefulSet", Some("OnDelete")) => Rollout::OnDelete,
        _ => Rollout::Now,
    }))
}

/// What a change of istiod's plug-in CA does (istiod, `pilot/pkg/bootstrap/istio_ca.go`).
fn authority(identity: &Identity, new: &Content, sent: &[&FieldChange]) -> Option<Consequence> {
    if !identity.group().is_empty() || identity.kind != "Secret" || identity.name != "cacerts" {
        return None;
    }
    let touches = |names: &[&str]| {
        sent.iter().any(|field| match field.path.steps() {
            [Step::Key(data), Step::Key(name), ..] => {
                (data == "data" || data == "stringData") && names.contains(&name.as_str())
            }
            _ => false,
        })
    };
    let has = |name| ["data", "stringData"].iter().any(|data| new.at(&[*data, name]).is_some());
    if touches(&["root-cert.pem", "ca.crt"]) {
        return Some(Consequence::ChangesRoot);
    }
    let names = if has("tls.crt") { ["tls.crt"] } else { ["ca-cert.pem"] };
    touches(&names).then_some(Consequence::ReloadsCa)
}

fn removal(identity: &Identity, old: &Content) -> Option<Consequence> {
    match (identity.group(), identity.kind.as_str()) {
        ("", "Namespace") => Some(Consequence::TakesAlong("everything in it")),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            Some(Consequence::TakesAlong("every object of its kind"))
        }
        ("", "PersistentVolumeClaim") => {
            Some(Consequence::TakesAlong("its data, unless the volume is kept"))
        }
        ("", "Secret") => {
            let is_remote = old.text(&["metadata", "labels", "istio/multiCluster"]) == Some("true");
            let cluster = old.text(&["metadata", "annotations", "networking.istio.io/cluster"]);
            let name = cluster.or_else(|| identity.name.strip_prefix("istio-remote-secret-"));
            is_remote.then(|| Consequence::Disconnects(name.unwrap_or("it").to_owned()))
        }
        _ => None,
    }
}

/// Whether a change took something away or replaced it, rather than only adding to it.
pub(super) fn alters(change: &Change) -> bool {
    !matches!(change, Change::Added(_) | Change::Reordered | Change::Rewritten)
}
