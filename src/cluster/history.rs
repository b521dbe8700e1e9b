//! The applies of a cluster, recorded in that cluster.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::inventory::config_map;
use crate::store::Digest;

/// The name of the `ConfigMap`, in Istio's namespace.
pub const NAME: &str = "meshgen-history";
/// How many applies are kept.
const KEPT: usize = 20;

/// One apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The tree's digest.
    pub tree: Digest,
    /// When it ended, in RFC 3339.
    pub at: String,
    /// By whom: user and host.
    pub by: String,
    /// `done`, or what was left.
    pub result: String,
    /// The version of meshgen.
    pub meshgen: String,
}

/// The last applies, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The applies.
    pub applies: Vec<Applied>,
    /// The state that was read; nothing if there is none yet.
    pub version: Option<String>,
}

impl History {
    /// Reads the `ConfigMap`. Lines that do not read are passed over: nothing depends on them.
    pub fn parse(value: &Value) -> Self {
        let text = value.pointer("/data/applies").and_then(Value::as_str).unwrap_or_default();
        Self {
            applies: text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            version: value
                .pointer("/metadata/resourceVersion")
                .and_then(Value::as_str)
                .map(str::to_owned),
        }
    }

    /// Adds an apply, and drops the oldest above twenty.
    pub fn push(&mut self, applied: Applied) {
        self.applies.push(applied);
        let over = self.applies.len().saturating_sub(KEPT);
        self.applies.drain(..over);
    }

    /// The `ConfigMap`.
    pub fn to_value(&self) -> Value {
        let line = |applied: &Applied| {
            let line = serde_json::to_string(applied).expect("an apply holds texts alone");
            format!("{line}\n")
        };
        let mut value = config_map(NAME);
        value["data"] = json!({"applies": self.applies.iter().map(line).collect::<String>()});
        if let Some(version) = &self.version {
            value["metadata"]["resourceVersion"] = Value::from(version.as_str());
        }
        value
    }
}
