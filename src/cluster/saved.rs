//! A plan in a file: what was seen when it was made, so that it is carried out only if nothing moved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field;
use super::plan::{ClusterPlan, Step, uid};
use super::survey::Surveyed;
use crate::object::Identity;
use crate::store::Digest;
use crate::tree::API_VERSION;

/// A saved plan. It holds digests of what is live, and no value of any object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expected {
    api_version: String,
    kind: String,
    /// The mesh.
    pub mesh: String,
    /// The tree's digest.
    pub tree: Digest,
    /// The tree as it was called.
    pub label: String,
    /// The clusters, by name.
    pub clusters: BTreeMap<String, ExpectedCluster>,
    /// Clusters that were left out with `--only`.
    pub left_out: Vec<String>,
    /// What was allowed when it was made.
    pub allowed: Vec<String>,
}

/// One cluster of a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedCluster {
    /// The context by which it was reached.
    pub context: String,
    /// Its identity.
    pub uid: String,
    /// What is done.
    pub steps: Vec<ExpectedStep>,
}

/// One object of a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedStep {
    /// What is done.
    pub action: String,
    /// Which object.
    pub object: Identity,
    /// The UID of what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The digest of what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The digest of a live object: without status, managed and handed-over fields.
pub fn print(step: &Step) -> Option<Digest> {
    let live = step.live.as_ref()?;
    let handover = step.desired.as_ref().map(|desired| desired.handover.clone());
    let normal = field::without_handed_over(&field::normal(live), &handover.unwrap_or_default());
    Some(Digest::of(sorted(&normal).to_string()))
}

/// The order of keys is the server's business.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, Value> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            sorted.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

fn steps(plan: &ClusterPlan) -> Vec<ExpectedStep> {
    let step = |step: &Step| ExpectedStep {
        action: step.action.word().to_owned(),
        object: super::resource::identity(&step.api_version, &step.key),
        uid: step.live.as_ref().and_then(uid).map(str::to_owned),
        digest: print(step),
    };
    plan.steps.iter().map(step).collect()
}

impl ExpectedCluster {
    /// What was seen of a cluster.
    pub fn of(context: &str, surveyed: &Surveyed) -> Self {
        Self {
            context: context.to_owned(),
            uid: surveyed.records.uid.clone(),
            steps: steps(&surveyed.plan),
        }
    }
}

impl Expected {
    /// A plan to save.
    pub fn new(
        mesh: &str,
        tree: Digest,
        label: &str,
        clusters: BTreeMap<String, ExpectedCluster>,
        left_out: Vec<String>,
        allowed: Vec<String>,
    ) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: "Plan".to_owned(),
            mesh: mesh.to_owned(),
            tree,
            label: label.to_owned(),
            clusters,
            left_out,
            allowed,
        }
    }

    /// Reads a saved plan, as hostile input.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let plan: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if plan.api_version != API_VERSION || plan.kind != "Plan" {
            let (version, kind) = (&plan.api_version, &plan.kind);
            return Err(format!("it is `{kind}` of `{version}`, not a Plan of `{API_VERSION}`"));
        }
        Ok(plan)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a plan holds texts alone");
        text.push('\n');
        text
    }

    /// Says what moved in a cluster since the plan was made: objects that changed, came or went.
    pub fn check(&self, cluster: &str, surveyed: &Surveyed) -> Result<(), String> {
        let Some(expected) = self.clusters.get(cluster) else {
            return Err(format!("`{cluster}` is not in the plan"));
        };
        if expected.uid != surveyed.records.uid {
            return Err(format!(
                "it is another cluster than the plan's: UID {}, then {}",
                surveyed.records.uid, expected.uid
            ));
        }
        let now = steps(&surveyed.plan);
        // Istio's namespace is made before the Lease in it can be taken
        let first = |step: &ExpectedStep| {
            let object = &step.object;
            object.kind == "Namespace" && object.name == super::inventory::NAMESPACE
        };
        let made = expected.steps.iter().any(|step| first(step) && step.action == "create");
        let counts = |step: &&ExpectedStep| !(made && first(step));
        let moved = |step: &&ExpectedStep| !now.contains(step);
        let before = expected.steps.iter().filter(counts);
        let mut names: Vec<String> = before.filter(moved).map(|step| name(&step.object)).collect();
        let new = now.iter().filter(counts).filter(|step| !expected.steps.contains(step));
        names.extend(new.map(|step| name(&step.object)));
        names.sort();
        names.dedup();
        if names.is_empty() {
            Ok(())
        } else {
            Err(format!("moved since the plan: {}", names.join(", ")))
        }
    }
}

fn name(object: &Identity) -> String {
    object.to_string()
}
