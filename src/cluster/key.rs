//! Which object of a cluster: its identity without the version of its group.

use std::fmt;

use crate::object::Identity;

/// An object's identity in a cluster. Two versions of one kind are one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The API group; empty for the core group.
    pub group: String,
    /// `Secret`, …
    pub kind: String,
    /// Absent for what is cluster-scoped.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    /// The key of an identity.
    pub fn of(identity: &Identity) -> Self {
        Self {
            group: identity.group().to_owned(),
            kind: identity.kind.clone(),
            namespace: identity.namespace.clone(),
            name: identity.name.clone(),
        }
    }

    /// A Namespace.
    pub fn namespace(name: &str) -> Self {
        Self {
            group: String::new(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: name.to_owned(),
        }
    }

    /// A Secret.
    pub fn secret(namespace: &str, name: &str) -> Self {
        Self {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Whether it is of this kind of Kubernetes' own or another group.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Whether it is a Namespace.
    pub fn is_namespace(&self) -> bool {
        self.is("", "Namespace")
    }

    /// Whether it is a `CustomResourceDefinition`.
    pub fn is_crd(&self) -> bool {
        self.is("apiextensions.k8s.io", "CustomResourceDefinition")
    }

    /// Whether it configures webhooks.
    pub fn is_webhook(&self) -> bool {
        self.group == "admissionregistration.k8s.io" && self.kind.ends_with("WebhookConfiguration")
    }
}

/// Prints `Kind/namespace/name`, or `Kind/name` for what is cluster-scoped: as people select it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// Objects that a flag names: all, or those of a list of `KIND/NS/NAME` or `KIND/NAME`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Every object.
    pub all: bool,
    /// These, as [`Key`] prints them, perhaps with `CLUSTER:` before.
    pub names: Vec<String>,
}

impl Selection {
    /// The selection of a flag that was given with these values; an empty value means all.
    pub fn new(values: &[String]) -> Self {
        let all = values.iter().any(String::is_empty);
        Self { all, names: values.iter().filter(|value| !value.is_empty()).cloned().collect() }
    }

    /// Whether an object is selected, in any case of the kind's letters.
    pub fn contains(&self, cluster: &str, key: &Key) -> bool {
        let own = key.to_string();
        self.all || self.names.iter().any(|name| is_named(name, cluster, &own))
    }

    /// Whether an object is selected by its name, not by `all`.
    pub fn names(&self, cluster: &str, key: &Key) -> bool {
        let own = key.to_string();
        self.names.iter().any(|name| is_named(name, cluster, &own))
    }

    /// Whether nothing is selected.
    pub fn is_empty(&self) -> bool {
        !self.all && self.names.is_empty()
    }
}

fn is_named(name: &str, cluster: &str, own: &str) -> bool {
    let name = match name.split_once(':') {
        Some((of, rest)) if of == cluster => rest,
        // a name may hold colons itself: `ClusterRole/system:x`
        _ => name,
    };
    let split = |text: &str| {
        let (kind, rest) = text.split_once('/')?;
        Some((kind.to_lowercase(), rest.to_owned()))
    };
    split(name).is_some_and(|parts| Some(parts) == split(own))
}
