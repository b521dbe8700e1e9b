//! A Kubernetes object as a value: its identity, its file name, its canonical form.

mod delivery;
mod file_name;
mod name;

use serde_json::{Map, Value};

pub use delivery::{Binding, BindingSource, Except, Targets};
pub use file_name::{encode_name, file_name};
pub use name::is_dns_label;

use crate::yaml;

/// What identifies an object in a cluster.
///
/// Ordered and compared as a whole; the API version is part of it because the server wants it, but
/// two versions of one kind are one object: see [`Identity::same_object`].
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `v1`, `apps/v1`, …
    pub api_version: String,
    /// `Secret`, …
    pub kind: String,
    /// Absent for what is cluster-scoped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

/// Why a value is not an object that can be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The document is a list or a scalar.
    #[error("the document is no mapping")]
    NotAMapping,
    /// A field that every object has is missing or no string.
    #[error("`{0}` is missing or no string")]
    Missing(&'static str),
    /// The server would choose the name, so that no file name and no second apply is possible.
    #[error("`metadata.generateName` gives a new object at every apply; it needs a name")]
    GenerateName,
}

impl Identity {
    /// Reads the identity of an object.
    ///
    /// Refuses what is no mapping, what lacks `apiVersion`, `kind` or `metadata.name`, and
    /// `generateName`.
    pub fn of(value: &Value) -> Result<Self, ObjectError> {
        let map = value.as_object().ok_or(ObjectError::NotAMapping)?;
        let metadata = map.get("metadata").and_then(Value::as_object);
        let in_metadata = |key: &str| {
            metadata
                .and_then(|m| m.get(key))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let top = |map: &Map<String, Value>, key: &'static str| {
            let text = map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(ObjectError::Missing(key))
        };
        let name = match in_metadata("name") {
            Some(name) => name.to_owned(),
            None if in_metadata("generateName").is_some() => return Err(ObjectError::GenerateName),
            None => return Err(ObjectError::Missing("metadata.name")),
        };
        Ok(Self {
            api_version: top(map, "apiVersion")?,
            kind: top(map, "kind")?,
            namespace: in_metadata("namespace").map(str::to_owned),
            name,
        })
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Whether two identities name one object: all but the version of the group is equal.
    pub fn same_object(&self, other: &Self) -> bool {
        self.group() == other.group()
            && self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

/// Prints `Kind/namespace/name`, or `Kind/name` for what is cluster-scoped.
impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// Returns the bytes of an object's file: canonical YAML.
pub fn canonical(value: &Value) -> String {
    yaml::canonical(value)
}
