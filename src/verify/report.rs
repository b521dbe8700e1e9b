//! What a verification found. The same value is printed, written as JSON, and drawn by `report`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a check, or one thing that it looked at, came out. The later, the more it weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Nobody asked for it, or the mesh has nothing that it is about.
    Skipped,
    /// It is as it should be.
    #[default]
    Passed,
    /// It works, and somebody should know.
    Warning,
    /// It could not be looked at.
    NotLooked,
    /// It is not as it should be.
    Failed,
}

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Status::Skipped => "skipped",
            Status::Passed => "passed",
            Status::Warning => "warning",
            Status::NotLooked => "not looked",
            Status::Failed => "failed",
        }
    }
}

/// A verification of a mesh.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The mesh's name.
    pub mesh: String,
    /// The tree as it was called: `out`, `gen:3`.
    pub label: String,
    /// The tree's digest: `sha256:…`.
    pub tree: String,
    /// When it ended, UTC, RFC 3339.
    pub at: String,
    /// The clusters that it was about, in the order of the tree.
    pub clusters: Vec<ClusterRow>,
    /// Clusters of the tree that were not to be looked at.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The checks, in the order of the table.
    pub checks: Vec<CheckResult>,
    /// What was counted, if traffic was sent.
    pub traffic: Option<Traffic>,
}

/// A cluster of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRow {
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: String,
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The check's id: `discovery.clusters`.
    pub id: String,
    /// The worst of its findings; passed or skipped without any.
    pub status: Status,
    /// What was looked at, in a sentence: `2 istiods report 2 remote clusters as synced`.
    pub summary: String,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The cluster where it was seen; nothing if it is about all.
    pub cluster: Option<String>,
    /// Failed, warning or not looked.
    pub status: Status,
    /// What it is: the object, pod or peer, and what is wrong with it.
    pub message: String,
    /// What was seen by looking closer, a line each: which hop, what each side says.
    pub evidence: Vec<String>,
    /// What to do about it, where that is more than the check's own hint.
    pub hint: Option<String>,
}

/// What was counted of requests from the client of each cluster to the sample service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// What was asked: `helloworld.sample:5000/hello`.
    pub target: String,
    /// Requests of each client.
    pub requests: u32,
    /// Whether the client pods were made anew first.
    pub fresh: bool,
    /// The servers: ready endpoints by version, then by cluster.
    pub servers: BTreeMap<String, BTreeMap<String, u32>>,
    /// The clients, in the order of the clusters.
    pub clients: Vec<ClientCount>,
    /// The verdict of each ordered pair of clusters, row by row.
    pub pairs: Vec<Pair>,
}

/// What the client of one cluster saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCount {
    /// Its cluster.
    pub cluster: String,
    /// Its pod.
    pub pod: String,
    /// Answers by version, then by the cluster of the pod that answered.
    pub answers: BTreeMap<String, BTreeMap<String, u32>>,
    /// What went wrong, and how often.
    pub failures: BTreeMap<String, u32>,
    /// How old the connections may be that it used: seconds since its proxy started.
    pub oldest_seconds: Option<u64>,
    /// Connections to the service that were opened during these requests.
    pub opened: Option<u64>,
}

/// Whether a cluster's client reaches what runs in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The client's cluster.
    pub from: String,
    /// The servers' cluster.
    pub to: String,
    /// How it came out; skipped where nothing runs there.
    pub status: Status,
    /// Answers.
    pub seen: u32,
    /// The least and the most answers that chance explains.
    pub expected: Option<(u32, u32)>,
}

impl Report {
    /// The worst of its checks.
    pub fn status(&self) -> Status {
        self.checks.iter().map(|check| check.status).max().unwrap_or_default()
    }

    /// A check's result.
    pub fn check(&self, id: &str) -> Option<&CheckResult> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The results of a group, in order.
    pub fn group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a CheckResult> {
        self.checks
            .iter()
            .filter(move |check| check.id.split_once('.').is_some_and(|(of, _)| of == group))
    }
}
