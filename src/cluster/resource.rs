//! Which address a kind of object has at an API server.

use serde_json::Value;

use super::key::Key;
use crate::object::Identity;

/// How a kind is called in addresses, and whether it lives in namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `v1`, `apps/v1`, …
    pub api_version: String,
    /// `deployments`, …
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// Kubernetes' own kinds: API version, kind, plural, whether namespaced. Servers from 1.25 on have
/// them all, so that nothing must be asked.
const BUILT_IN: [(&str, &str, &str, bool); 28] = [
    ("v1", "Namespace", "namespaces", false),
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Service", "services", true),
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("v1", "Pod", "pods", true),
    ("v1", "Endpoints", "endpoints", true),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    ("v1", "ResourceQuota", "resourcequotas", true),
    ("v1", "LimitRange", "limitranges", true),
    ("apps/v1", "Deployment", "deployments", true),
    ("apps/v1", "DaemonSet", "daemonsets", true),
    ("apps/v1", "StatefulSet", "statefulsets", true),
    ("batch/v1", "Job", "jobs", true),
    ("batch/v1", "CronJob", "cronjobs", true),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
    ("networking.k8s.io/v1", "Ingress", "ingresses", true),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true),
    ("coordination.k8s.io/v1", "Lease", "leases", true),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        false,
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
    ),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
];

impl Resource {
    /// A kind that every server has.
    pub fn built_in(api_version: &str, kind: &str) -> Option<Self> {
        let fits = |row: &&(&str, &str, &str, bool)| row.0 == api_version && row.1 == kind;
        BUILT_IN.iter().find(fits).map(|(api_version, _, plural, namespaced)| Self {
            api_version: (*api_version).to_owned(),
            plural: (*plural).to_owned(),
            namespaced: *namespaced,
        })
    }

    /// A kind of an `APIResourceList`.
    pub fn listed(api_version: &str, list: &Value, kind: &str) -> Option<Self> {
        let rows = list.get("resources")?.as_array()?;
        let row = rows.iter().find(|row| {
            let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
            row.get("kind").and_then(Value::as_str) == Some(kind) && !name.contains('/')
        })?;
        Some(Self {
            api_version: api_version.to_owned(),
            plural: row.get("name")?.as_str()?.to_owned(),
            namespaced: row.get("namespaced").and_then(Value::as_bool).unwrap_or(true),
        })
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The address of all objects, of one namespace or of the whole cluster.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let base = group_path(&self.api_version);
        match namespace {
            Some(namespace) => format!("{base}/namespaces/{}/{}", segment(namespace), self.plural),
            None => format!("{base}/{}", self.plural),
        }
    }

    /// The address of an object.
    pub fn path(&self, key: &Key) -> String {
        let namespace = key.namespace.as_deref().filter(|_| self.namespaced);
        format!("{}/{}", self.collection(namespace), segment(&key.name))
    }
}

/// The address of a group and version.
pub fn group_path(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

/// The identity of what a kind calls itself, for objects that exist at a version we did not write.
pub fn identity(api_version: &str, key: &Key) -> Identity {
    Identity {
        api_version: api_version.to_owned(),
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

/// A text as a part of an address, in a path or as a value of a query: what RFC 3986 reserves is
/// escaped, save the colons of RBAC's names.
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
