//! Waiting until objects do their work.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::client::{Client, RequestError};
use super::inventory::NAMESPACE;
use super::key::Key;
use super::readiness::{Readiness, gateway_addresses, node_selector, pod_trouble, readiness};
use super::report::{Event, Tell};
use super::resource::segment;
use super::survey::NETWORK_LABEL;

/// How often is looked.
const LOOK: Duration = Duration::from_millis(500);
/// After how long the reason is looked for in pods and events.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why waiting ended without what was waited for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WaitError {
    /// It took too long.
    #[error("{what} after {seconds} s: {why}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// What was seen last.
        why: String,
    },
    /// It will never come.
    #[error("{what}: {why}")]
    Failed {
        /// What was waited for.
        what: String,
        /// What the object says.
        why: String,
    },
    /// A request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// How one cluster waits.
#[derive(Clone)]
pub struct Waiter {
    /// The cluster's name.
    pub cluster: String,
    /// The way to it.
    pub client: Client,
    /// The most that one wait may take.
    pub timeout: Duration,
    /// Who is told.
    pub tell: Tell,
}

/// What one look gave.
pub enum Look<T> {
    /// It is there.
    There(T),
    /// Not yet, with the reason.
    NotYet(String),
    /// It will never be.
    Never(String),
}

impl Waiter {
    /// Looks until it is there. Tells what is waited for whenever that changes.
    pub async fn until<T, F>(
        &self,
        what: &str,
        mut look: impl FnMut(bool) -> F,
    ) -> Result<T, WaitError>
    where
        F: Future<Output = Result<Look<T>, RequestError>>,
    {
        let started = Instant::now();
        let mut said = String::new();
        let mut pause = Duration::from_millis(100);
        loop {
            let why = match look(started.elapsed() > PATIENCE).await? {
                Look::There(value) => return Ok(value),
                Look::Never(why) => return Err(WaitError::Failed { what: what.to_owned(), why }),
                Look::NotYet(why) => why,
            };
            if started.elapsed() > self.timeout {
                let seconds = self.timeout.as_secs();
                return Err(WaitError::Timeout {
                    what: format!("{what} is not ready"),
                    seconds,
                    why,
                });
            }
            if why != said && started.elapsed() > Duration::from_millis(400) {
                let what = format!("{what}: {why}");
                (self.tell)(Event::Waiting { cluster: self.cluster.clone(), what });
                said = why;
            }
            if self.client.stop().or(sleep(pause)).await.is_none() {
                self.client.stop().check().map_err(RequestError::Stopped)?;
            }
            pause = (pause * 2).min(LOOK);
        }
    }

    /// Waits until an object does its work.
    pub async fn ready(&self, key: &Key, path: &str) -> Result<Value, WaitError> {
        self.until(&key.to_string(), |slow| async move {
            let Some(live) = self.client.get(path).await? else {
                return Ok(Look::NotYet("it is not there".to_owned()));
            };
            match state(&live) {
                Readiness::Ready => Ok(Look::There(live)),
                Readiness::Waiting(why) if slow => {
                    let trouble = self.trouble(key, &live).await?;
                    Ok(Look::NotYet(match trouble {
                        Some(trouble) => format!("{why}; {trouble}"),
                        None => why,
                    }))
                }
                Readiness::Waiting(why) => Ok(Look::NotYet(why)),
                Readiness::Failed(why) => {
                    let trouble = self.trouble(key, &live).await?;
                    Ok(Look::Never(match trouble {
                        Some(trouble) => format!("{why}; {trouble}"),
                        None => why,
                    }))
                }
            }
        })
        .await
    }

    /// Why a workload's pods do not start: their own reason, or the last warning about them.
    async fn trouble(&self, key: &Key, live: &Value) -> Result<Option<String>, RequestError> {
        let Some(namespace) =
            key.namespace.as_deref().filter(|_| key.group == "apps" || key.group == "batch")
        else {
            return Ok(None);
        };
        let labels = live.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        let selector: Vec<String> = labels
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
            .collect();
        let selector = segment(&selector.join(","));
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
        let pods = match self.client.list(&path).await {
            Ok(pods) => pods,
            // no right to look is no reason to fail
            Err(error) if error.is(403) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = pods.iter().find_map(|pod| {
            let name = pod.pointer("/metadata/name").and_then(Value::as_str)?;
            Some(format!("pod {name}: {}", pod_trouble(pod)?))
        });
        if found.is_some() {
            return Ok(found);
        }
        // no pod at all: whoever should make them says why
        let events = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=type%3DWarning");
        let events = match self.client.list(&events).await {
            Ok(events) => events,
            Err(error) if error.is(403) => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = |event: &&Value| {
            let kind = event.pointer("/involvedObject/kind").and_then(Value::as_str);
            // an autoscaler without metrics is not why a pod does not start
            let makes_pods = kind.is_some_and(|kind| kind != "HorizontalPodAutoscaler");
            let name = event.pointer("/involvedObject/name").and_then(Value::as_str);
            makes_pods
                && name.is_some_and(|name| {
                    name == key.name || name.starts_with(&format!("{}-", key.name))
                })
        };
        let time = |event: &Value| {
            event.get("lastTimestamp").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let last = events.iter().filter(about).max_by_key(|event| time(event));
        Ok(last
            .and_then(|event| event.get("message")?.as_str())
            .map(|text| text.chars().take(300).collect()))
    }

    /// Waits until an object is gone. A finalizer that holds it is named.
    pub async fn gone(&self, key: &Key, path: &str, uid: &str) -> Result<(), WaitError> {
        let what = format!("the end of {key}");
        self.until(&what, |_| async move {
            let Some(live) = self.client.get(path).await? else { return Ok(Look::There(())) };
            if live.pointer("/metadata/uid").and_then(Value::as_str) != Some(uid) {
                return Ok(Look::There(()));
            }
            let finalizers = live.pointer("/metadata/finalizers").and_then(Value::as_array);
            let names: Vec<&str> =
                finalizers.into_iter().flatten().filter_map(Value::as_str).collect();
            Ok(Look::NotYet(match names.as_slice() {
                [] => "it is still there".to_owned(),
                names => format!("the finalizer {} holds it", names.join(", ")),
            }))
        })
        .await
    }

    /// Waits until istiod injects: a dry-run pod comes back with `istio-proxy` in it.
    pub async fn injector(&self, revision: Option<&str>) -> Result<(), WaitError> {
        let mut labels = json!({"sidecar.istio.io/inject": "true"});
        if let Some(revision) = revision {
            labels["istio.io/rev"] = Value::from(revision);
        }
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "meshgen-probe", "namespace": NAMESPACE, "labels": labels},
            "spec": {"containers": [{"name": "probe", "image": "meshgen.dev/probe"}]},
        });
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All");
        let (pod, path) = (&pod, &path);
        self.until("the injector's answer", |_| async move {
            match self.client.create_anyway(path, pod).await {
                Ok(answer) => {
                    let containers = |list: &str| {
                        let list = answer.pointer(list).and_then(Value::as_array);
                        list.into_iter().flatten().any(|container| {
                            container.get("name").and_then(Value::as_str) == Some("istio-proxy")
                        })
                    };
                    // a sidecar of Kubernetes' own is an init container
                    if containers("/spec/containers") || containers("/spec/initContainers") {
                        return Ok(Look::There(()));
                    }
                    Ok(Look::NotYet("a pod comes back without `istio-proxy`".to_owned()))
                }
                Err(RequestError::Status(status)) => {
                    Ok(Look::NotYet(status.message.chars().take(300).collect()))
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Looks for the address of a network's gateway in this cluster.
    pub async fn gateway(&self, network: &str) -> Result<Look<()>, RequestError> {
        let label = format!("labelSelector={}", segment(&format!("{NETWORK_LABEL}={network}")));
        let services = match self.client.list(&format!("/api/v1/services?{label}")).await {
            Err(error) if error.is(403) => {
                let path = format!("/api/v1/namespaces/{NAMESPACE}/services?{label}");
                self.client.list(&path).await?
            }
            other => other?,
        };
        let mut names = Vec::new();
        for service in &services {
            // nodes' addresses are istiod's to find
            if !gateway_addresses(service).is_empty() || node_selector(service).is_some() {
                return Ok(Look::There(()));
            }
            names.extend(service.pointer("/metadata/name").and_then(Value::as_str));
        }
        Ok(Look::NotYet(match names.as_slice() {
            [] => "no Service bears its label".to_owned(),
            names => format!("Service {} has no address", names.join(", ")),
        }))
    }

    /// Whether a ready istiod is there that others installed.
    pub async fn istiod(&self) -> Result<bool, RequestError> {
        let path =
            format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments?labelSelector=app%3Distiod");
        let found = self.client.list(&path).await?;
        Ok(found.iter().any(|live| readiness(live) == Readiness::Ready))
    }
}

/// Readiness, save that nobody waits here for addresses: once a network is enough, and the barrier
/// between clusters does that.
fn state(live: &Value) -> Readiness {
    let is_service = live.get("kind").and_then(Value::as_str) == Some("Service");
    if is_service { Readiness::Ready } else { readiness(live) }
}
