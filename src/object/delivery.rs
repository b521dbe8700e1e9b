//! How an object reaches clusters: which get it, and what is put in on the way.

use serde::{Deserialize, Serialize};

/// Which clusters get an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Targets {
    /// These.
    Only(Vec<String>),
    /// All of the index but these.
    AllBut(Except),
}

/// The exception of [`Targets::AllBut`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Except {
    /// The clusters that do not get it.
    pub except: Vec<String>,
}

impl Targets {
    /// Whether a cluster gets the object.
    pub fn contains(&self, cluster: &str) -> bool {
        match self {
            Targets::Only(names) => names.iter().any(|name| name == cluster),
            Targets::AllBut(Except { except }) => !except.iter().any(|name| name == cluster),
        }
    }
}

/// A value that exists only in a live cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// JSON pointer of the string that holds the placeholder.
    pub field: String,
    /// The text to replace; stands exactly once in that string.
    pub placeholder: String,
    /// Where the value comes from.
    pub from: BindingSource,
}

/// Where a binding's value is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingSource {
    /// The cluster to ask.
    pub cluster: String,
    /// `namespace/name` of the Secret.
    pub secret: String,
    /// Its data key.
    pub key: String,
}
