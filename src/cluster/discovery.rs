//! What each istiod says of the clusters that it reads.

use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, RequestError};
use super::inventory::NAMESPACE;
use super::stream::Pod;

/// istiod's port for people, which asks for no credential from loopback.
const DEBUG: u16 = 8080;
/// istiod's port for metrics.
const METRICS: u16 = 15014;

/// A cluster as one istiod sees it.
///
/// Source: `DebugInfo` of Istio's `pkg/cluster`, served at `/debug/clusterz`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteCluster {
    /// Its name: the key of its kubeconfig in the remote secret.
    pub id: String,
    /// `namespace/name` of the remote secret that it comes from; nothing for istiod's own cluster.
    #[serde(default)]
    pub secret_name: String,
    /// `synced`, `syncing`, `timeout` or `closed`.
    pub sync_status: String,
}

impl RemoteCluster {
    /// Whether istiod has read it to the end, and goes on reading.
    pub fn is_synced(&self) -> bool {
        self.sync_status == "synced"
    }
}

/// The pods of all istiods of a cluster that run, by name: each reads remote clusters by itself.
///
/// A pod that is on its way out is none of them, nor is one that has ended.
pub async fn istiods(client: &Client) -> Result<Vec<Pod>, RequestError> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3Distiod");
    let mut pods: Vec<Pod> = client.list(&path).await?.iter().filter_map(running).collect();
    pods.sort();
    Ok(pods)
}

fn running(live: &Value) -> Option<Pod> {
    let phase = live.pointer("/status/phase").and_then(Value::as_str);
    if phase != Some("Running") || live.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let text = |pointer: &str| live.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Some(Pod { namespace: text("/metadata/namespace")?, name: text("/metadata/name")? })
}

/// The clusters that an istiod reads, its own first, as it says of them itself.
///
/// A remote secret that came within the last moments may not be among them yet, and one that changed
/// may still be reported with its old kubeconfig.
pub async fn synced(client: &Client, pod: &Pod) -> Result<Vec<RemoteCluster>, RequestError> {
    let (status, body) = client.ask(pod, DEBUG, "/debug/clusterz").await?;
    if status != 200 {
        let text = format!("{} answers `/debug/clusterz` with status {status}", pod.name);
        return Err(RequestError::Unreachable(text));
    }
    parse(&body).map_err(|error| {
        let text = format!("{} answers `/debug/clusterz` with something else: {error}", pod.name);
        RequestError::Unreachable(text)
    })
}

/// How many changes of remote secrets an istiod was told of by its API server since it started;
/// nothing where it does not say. It is told of a change before it acts on it.
///
/// Source: the counter `remote_cluster_secret_events_total` of Istio's `pkg/kube/multicluster`.
pub async fn told(client: &Client, pod: &Pod) -> Option<u64> {
    let (status, body) = client.ask(pod, METRICS, "/metrics").await.ok()?;
    if status == 200 { updates(&body) } else { None }
}

/// The counter in a page of metrics. One that has events, and none of them a change, is at 0; where
/// nothing at all was counted, nothing is known.
fn updates(page: &str) -> Option<u64> {
    let rows = page.lines().filter_map(|line| {
        let rest = line.strip_prefix("remote_cluster_secret_events_total{")?;
        let (labels, value) = rest.rsplit_once("} ")?;
        Some((labels, value))
    });
    let mut sum = None;
    for (labels, value) in rows {
        let counted = if labels.split(',').any(|label| label.trim() == "event=\"update\"") {
            // a number of OpenMetrics; no counter of events has a fraction
            value.split(' ').next()?.split('.').next()?.parse().ok()?
        } else {
            0
        };
        sum = Some(sum.unwrap_or(0) + counted);
    }
    sum
}

/// Reads an answer. An istiod without remote clusters may say `null`.
fn parse(body: &str) -> Result<Vec<RemoteCluster>, serde_json::Error> {
    Ok(serde_json::from_str::<Option<Vec<RemoteCluster>>>(body)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_istiod_answers() {
        let body = r#"[{"id": "c1", "syncStatus": "synced"},
            {"id": "c2", "secretName": "istio-system/istio-remote-secret-c2", "syncStatus": "timeout"}]"#;
        let all = parse(body).expect("it reads");
        assert_eq!((all[0].id.as_str(), all[0].secret_name.as_str()), ("c1", ""));
        assert!(all[0].is_synced() && !all[1].is_synced());
        assert_eq!(parse("null").expect("it reads"), Vec::new());
        assert!(parse("not found").is_err());
    }

    #[test]
    fn changes_are_counted_where_anything_is() {
        let page = |rows: &str| format!("# HELP x y\npilot_xds{{type=\"a\"}} 3\n{rows}go_info 1\n");
        let row = |event: &str, count: &str| {
            format!("remote_cluster_secret_events_total{{event=\"{event}\"}} {count}\n")
        };
        assert_eq!(updates(&page("")), None);
        assert_eq!(updates(&page(&row("add", "2"))), Some(0));
        assert_eq!(updates(&page(&(row("add", "2") + &row("update", "17")))), Some(17));
    }

    #[test]
    fn a_pod_that_leaves_is_not_asked() {
        let pod = |phase: &str, leaving: bool| {
            let mut pod = serde_json::json!({
                "metadata": {"namespace": "istio-system", "name": "istiod-1"},
                "status": {"phase": phase},
            });
            if leaving {
                pod["metadata"]["deletionTimestamp"] = Value::from("2026-01-01T00:00:00Z");
            }
            running(&pod)
        };
        assert!(pod("Running", false).is_some());
        assert!(pod("Running", true).is_none());
        assert!(pod("Pending", false).is_none());
        assert!(pod("Failed", false).is_none());
    }
}
