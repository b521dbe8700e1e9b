//! What no control plane does by itself: pods become ready, load balancers get addresses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::control_plane::ControlPlane;

const MERGE: &str = "application/merge-patch+json";

/// What Services of type `LoadBalancer` get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Addresses {
    /// 198.18.CLUSTER.n, the clusters and the Services numbered from 1.
    Ip,
    /// `SERVICE.NAMESPACE.CLUSTER.lb.example.com`.
    Hostname,
    /// Nothing, as where no controller is.
    None,
}

/// A thread that stands in for kubelets and for a controller of load balancers; ends on drop.
///
/// Pods are bound to no node: so they are in no `EndpointSlice`, and go at once when deleted.
pub struct Kubelet {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    client: Client,
    name: String,
    number: usize,
    ended: AtomicBool,
    hold: AtomicBool,
    addresses: Mutex<Addresses>,
    given: Mutex<BTreeMap<String, usize>>,
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Kubelet {
    /// Starts one for a control plane; it gives addresses of the kind [`Addresses::Ip`].
    pub fn start(plane: &ControlPlane) -> Self {
        let state = Arc::new(State {
            client: plane.client_named("testbed-kubelet"),
            name: plane.name.clone(),
            number: plane.number,
            ended: AtomicBool::new(false),
            hold: AtomicBool::new(false),
            addresses: Mutex::new(Addresses::Ip),
            given: Mutex::default(),
        });
        let seen = state.clone();
        let thread = thread::spawn(move || {
            while !seen.ended.load(Ordering::SeqCst) {
                // a dead API server is part of some tests
                let _ = seen.round();
                thread::sleep(Duration::from_millis(100));
            }
        });
        Self { state, thread: Some(thread) }
    }

    /// With `true`, pods that are not ready yet stay so.
    pub fn hold_pods(&self, hold: bool) {
        self.state.hold.store(hold, Ordering::SeqCst);
    }

    /// What Services get from now on. What they have stays.
    pub fn addresses(&self, addresses: Addresses) {
        *self.state.addresses.lock().expect("no thread panics here") = addresses;
    }

    /// Services get no address from now on.
    pub fn without_addresses(&self) {
        self.addresses(Addresses::None);
    }

    /// Creates a ready node, so that a `DaemonSet` wants a pod.
    pub fn add_node(&self, name: &str) {
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
            }},
        });
        self.state.client.post("/api/v1/nodes", &node);
        // a new node is tainted until its lifecycle's controller, which does not run, has seen it
        let path = format!("/api/v1/nodes/{name}");
        self.state.client.patch(&path, MERGE, &json!({"spec": {"taints": null}}));
        let room = json!({"cpu": "64", "memory": "256Gi", "pods": "500"});
        let status = json!({"status": {
            "capacity": room, "allocatable": room,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        }});
        self.state.client.patch(&format!("{path}/status"), MERGE, &status);
    }
}

impl State {
    fn round(&self) -> Option<()> {
        if !self.hold.load(Ordering::SeqCst) {
            for pod in self.items("/api/v1/pods?fieldSelector=status.phase%3DPending")? {
                let path = path("pods", &pod);
                self.patch_status(&path, &ready(&pod, &self.pod_ip(&path)));
            }
        }
        let addresses = *self.addresses.lock().expect("no thread panics here");
        if addresses != Addresses::None {
            for service in self.items("/api/v1/services")? {
                let waits = service["spec"]["type"] == "LoadBalancer"
                    && service["status"]["loadBalancer"]["ingress"].is_null();
                if waits {
                    let address = self.address(&service, addresses);
                    let status = json!({"loadBalancer": {"ingress": [address]}});
                    self.patch_status(&path("services", &service), &status);
                }
            }
        }
        Some(())
    }

    fn items(&self, path: &str) -> Option<Vec<Value>> {
        let mut answer = self.client.try_request("GET", path, None).ok()?;
        answer.body["items"].as_array_mut().map(std::mem::take)
    }

    fn patch_status(&self, path: &str, status: &Value) {
        let patch = json!({"status": status});
        // it may be gone by now
        let _ = self.client.try_request("PATCH", &format!("{path}/status"), Some((MERGE, &patch)));
    }

    fn address(&self, service: &Value, addresses: Addresses) -> Value {
        let metadata = &service["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
        if addresses == Addresses::Hostname {
            return json!({"hostname": format!("{name}.{namespace}.{}.lb.example.com", self.name)});
        }
        let count = self.count(&format!("{namespace}/{name}"));
        json!({"ip": format!("198.18.{}.{count}", self.number % 256), "ipMode": "VIP"})
    }

    fn pod_ip(&self, path: &str) -> String {
        let count = self.count(path);
        format!("10.{}.{}.{}", self.number % 256, count / 250, count % 250 + 1)
    }

    /// The number of a thing, from 1, the same each time.
    fn count(&self, thing: &str) -> usize {
        let mut given = self.given.lock().expect("no thread panics here");
        let next = given.len() + 1;
        *given.entry(thing.to_owned()).or_insert(next)
    }
}

fn path(kind: &str, object: &Value) -> String {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "/api/v1/namespaces/{}/{kind}/{}",
        text(&metadata["namespace"]),
        text(&metadata["name"])
    )
}

/// The status of a pod that runs; of a pod of a Job, that has done its work.
fn ready(pod: &Value, ip: &str) -> Value {
    let done = pod["metadata"]["ownerReferences"][0]["kind"] == "Job";
    let now = "2026-01-01T00:00:00Z";
    let state = if done {
        json!({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": now}})
    } else {
        json!({"running": {"startedAt": now}})
    };
    let status = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "imageID": "", "ready": !done,
            "started": !done, "restartCount": 0, "state": state,
        })
    };
    let statuses = |containers: &Value| -> Vec<Value> {
        containers.as_array().into_iter().flatten().map(status).collect()
    };
    let truth = if done { "False" } else { "True" };
    let gates = pod["spec"]["readinessGates"].as_array().into_iter().flatten();
    let conditions: Vec<Value> = ["Ready", "ContainersReady", "Initialized", "PodScheduled"]
        .into_iter()
        .chain(gates.filter_map(|gate| gate["conditionType"].as_str()))
        .map(|kind| json!({"type": kind, "status": truth, "lastTransitionTime": now}))
        .collect();
    json!({
        "phase": if done { "Succeeded" } else { "Running" },
        "startTime": now,
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": conditions,
        "containerStatuses": statuses(&pod["spec"]["containers"]),
        "initContainerStatuses": statuses(&pod["spec"]["initContainers"]),
    })
}
