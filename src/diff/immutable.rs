//! Fields that the API server refuses to change.
//!
//! From the update validation of Kubernetes 1.28 to 1.34 (`pkg/apis/*/validation`). Where versions
//! differ, a field is listed only if every one of them refuses it.

use super::consequence::alters;
use super::content::Content;
use super::field_change::FieldChange;
use super::field_path::{FieldPath, Step};
use crate::object::Identity;

/// What a line of the table says of a kind.
enum Fixed {
    /// These fields, and what is below them, cannot change.
    Only(&'static [&'static [&'static str]]),
    /// Nothing below the first can change, save the others.
    AllBut(&'static [&'static str], &'static [&'static [&'static str]]),
}

/// Group, kind, what is fixed.
const TABLE: &[(&str, &str, Fixed)] = &[
    ("apps", "Deployment", Fixed::Only(&[&["spec", "selector"]])),
    ("apps", "DaemonSet", Fixed::Only(&[&["spec", "selector"]])),
    ("apps", "ReplicaSet", Fixed::Only(&[&["spec", "selector"]])),
    (
        "apps",
        "StatefulSet",
        Fixed::AllBut(
            &["spec"],
            &[
                &["spec", "minReadySeconds"],
                &["spec", "ordinals"],
                &["spec", "persistentVolumeClaimRetentionPolicy"],
                &["spec", "replicas"],
                // mutable since 1.33
                &["spec", "revisionHistoryLimit"],
                &["spec", "template"],
                &["spec", "updateStrategy"],
            ],
        ),
    ),
    (
        "batch",
        "Job",
        Fixed::Only(&[
            &["spec", "completionMode"],
            &["spec", "podFailurePolicy"],
            &["spec", "selector"],
            &["spec", "template"],
        ]),
    ),
    (
        "",
        "Pod",
        Fixed::AllBut(
            &["spec"],
            &[
                &["spec", "activeDeadlineSeconds"],
                &["spec", "containers", "*", "image"],
                &["spec", "initContainers", "*", "image"],
                &["spec", "terminationGracePeriodSeconds"],
                &["spec", "tolerations"],
            ],
        ),
    ),
    (
        "",
        "PersistentVolumeClaim",
        Fixed::AllBut(
            &["spec"],
            &[&["spec", "resources", "requests"], &["spec", "volumeAttributesClassName"]],
        ),
    ),
    ("rbac.authorization.k8s.io", "RoleBinding", Fixed::Only(&[&["roleRef"]])),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", Fixed::Only(&[&["roleRef"]])),
    (
        "storage.k8s.io",
        "StorageClass",
        Fixed::Only(&[
            &["parameters"],
            &["provisioner"],
            &["reclaimPolicy"],
            &["volumeBindingMode"],
        ]),
    ),
    (
        "storage.k8s.io",
        "CSIDriver",
        Fixed::Only(&[&["spec", "attachRequired"], &["spec", "volumeLifecycleModes"]]),
    ),
    ("scheduling.k8s.io", "PriorityClass", Fixed::Only(&[&["preemptionPolicy"], &["value"]])),
    ("networking.k8s.io", "IngressClass", Fixed::Only(&[&["spec", "controller"]])),
    ("node.k8s.io", "RuntimeClass", Fixed::Only(&[&["handler"]])),
    ("discovery.k8s.io", "EndpointSlice", Fixed::Only(&[&["addressType"]])),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        Fixed::Only(&[
            &["spec", "group"],
            &["spec", "names", "kind"],
            &["spec", "names", "plural"],
            &["spec", "scope"],
        ]),
    ),
];

/// The changed fields that the server refuses.
pub(super) fn refused(
    identity: &Identity,
    old: &Content,
    new: &Content,
    sent: &[&FieldChange],
) -> Vec<FieldPath> {
    let line =
        TABLE.iter().find(|(group, kind, _)| *group == identity.group() && *kind == identity.kind);
    let fixed = |field: &FieldChange| match line {
        Some((.., Fixed::Only(paths))) => paths.iter().any(|path| is_below(&field.path, path)),
        Some((.., Fixed::AllBut(top, free))) => {
            is_below(&field.path, top) && !free.iter().any(|path| is_below(&field.path, path))
        }
        None => false,
    };
    sent.iter()
        .filter(|field| fixed(field) || special(identity, old, new, field))
        .map(|field| field.path.clone())
        .collect()
}

/// What depends on values: Services, and Secrets and `ConfigMap`s that are marked immutable.
fn special(identity: &Identity, old: &Content, new: &Content, field: &FieldChange) -> bool {
    if !identity.group().is_empty() {
        return false;
    }
    let path = &field.path;
    match identity.kind.as_str() {
        "Service" => {
            let is_address = [&["spec", "clusterIP"][..], &["spec", "clusterIPs"]]
                .iter()
                .any(|address| is_below(path, address));
            // an ExternalName has no address to keep; a new field may be what the server chose
            let external = |side: &Content| side.text(&["spec", "type"]) == Some("ExternalName");
            is_address && alters(&field.change) && !external(old) && !external(new)
        }
        "Secret" | "ConfigMap" => {
            let locked = old.get("immutable") == Some(&Content::Scalar(true.into()));
            let holds = ["data", "stringData", "binaryData", "immutable"];
            let is_type = identity.kind == "Secret" && path.starts_with(&["type"]);
            is_type || locked && holds.iter().any(|key| path.starts_with(&[key]))
        }
        _ => false,
    }
}

/// Whether a path is at or below a pattern in which `*` stands for one step, or holds it whole.
fn is_below(path: &FieldPath, pattern: &[&str]) -> bool {
    let fits = |(key, step): (&&str, &Step)| match step {
        Step::Key(own) => own == *key || **key == *"*",
        _ => **key == *"*",
    };
    path.steps().len() >= pattern.len() && pattern.iter().zip(path.steps()).all(fits)
}
