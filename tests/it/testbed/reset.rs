//! Makes a used control plane as good as new.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::control_plane::ControlPlane;

/// A kind of object that can be listed and deleted.
struct Kind {
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    base: String,
    name: String,
    namespaced: bool,
}

/// What makes other things, or keeps them from going: deleted before the rest.
const FIRST: [&str; 4] = [
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "namespaces",
    "customresourcedefinitions",
];

/// What Kubernetes keeps for itself.
const UNTOUCHED: [&str; 4] = ["componentstatuses", "events", "ipaddresses", "servicecidrs"];

impl ControlPlane {
    /// Deletes all that others than Kubernetes itself have made, wherever it lies, waits until it is
    /// gone, and forgets the audit. A dead API server is started first; where something stays for 15
    /// seconds, this wipes.
    ///
    /// Objects that only kube-apiserver and kube-controller-manager have written stay, and so do the
    /// roles that a cluster is born with; the labels of `default` and `kube-*` go.
    pub fn reset(&self) {
        self.restart();
        let forgotten = *self.audited.lock().expect("no thread panics here")
            > *self.clean.lock().expect("the same");
        if !forgotten && self.audit().iter().all(|event| event.user.starts_with("system:")) {
            // nobody was here
            return;
        }
        let client = self.client();
        let started = Instant::now();
        loop {
            let (kinds, foreign) = kinds(&client);
            // discovery lags behind, and a client would take it for true
            let mut left: BTreeSet<String> = foreign.into_iter().collect();
            for kind in &kinds {
                let deleted = kind.sweep(&client);
                left.extend(deleted);
            }
            if left.is_empty() {
                break;
            }
            if left.iter().all(|one| one.starts_with("namespaces ")) {
                finalize(&client);
            }
            if started.elapsed() > Duration::from_secs(15) {
                // such as a finalizer that nobody takes away
                println!("{}: started anew, because these stay: {left:?}", self.name);
                self.wipe();
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.forget_audit();
        *self.clean.lock().expect("no thread panics here") =
            *self.audited.lock().expect("the same");
    }
}

impl Kind {
    /// Asks for the deletion of everything that is not Kubernetes' own; gives what there was.
    fn sweep(&self, client: &Client) -> Vec<String> {
        let mut found = Vec::new();
        let path = format!("{}/{}", self.base, self.name);
        let answer = client.request("GET", &path, None);
        if answer.status != 200 && answer.status != 404 {
            // such as a kind whose definition is just being deleted
            return vec![format!("{path}: {}", answer.status)];
        }
        for object in answer.body["items"].as_array().into_iter().flatten() {
            let metadata = &object["metadata"];
            let name = metadata["name"].as_str().unwrap_or_default();
            let namespace = metadata["namespace"].as_str().unwrap_or_default();
            if self.name == "namespaces" && is_builtin(name) {
                strip(client, object);
                continue;
            }
            if is_own(metadata) && (!self.namespaced || is_builtin(namespace)) {
                continue;
            }
            found.push(format!("{} {namespace}/{name}", self.name));
            if metadata["deletionTimestamp"].is_null() {
                let place = if self.namespaced {
                    format!("{}/namespaces/{namespace}", self.base)
                } else {
                    self.base.clone()
                };
                let options = "gracePeriodSeconds=0&propagationPolicy=Background";
                let path = format!("{place}/{}/{name}?{options}", self.name);
                client.request("DELETE", &path, None);
            }
        }
        found
    }
}

/// Lets empty namespaces go: the controller manager would not look at them for five seconds.
fn finalize(client: &Client) {
    for mut namespace in client.list("/api/v1/namespaces") {
        let name = namespace["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if !is_builtin(&name) {
            namespace["spec"]["finalizers"] = json!([]);
            let path = format!("/api/v1/namespaces/{name}");
            client.request("DELETE", &format!("{path}/events"), None);
            client.request(
                "PUT",
                &format!("{path}/finalize"),
                Some(("application/json", &namespace)),
            );
        }
    }
}

fn is_builtin(namespace: &str) -> bool {
    namespace == "default" || namespace.starts_with("kube-")
}

/// Whether Kubernetes made it, and nobody else has written to it.
fn is_own(metadata: &Value) -> bool {
    if metadata["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults" {
        return true;
    }
    let managers = metadata["managedFields"].as_array().into_iter().flatten();
    let own = ["kube-apiserver", "kube-controller-manager"];
    managers.map(|row| &row["manager"]).all(|manager| own.iter().any(|own| manager == own))
}

/// Takes labels and annotations off a namespace that cannot go.
fn strip(client: &Client, namespace: &Value) {
    let metadata = &namespace["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let labels = metadata["labels"].as_object().map_or(0, serde_json::Map::len);
    if labels > 1 || metadata["annotations"].is_object() {
        let mut clean = namespace.clone();
        clean["metadata"]["labels"] = json!({"kubernetes.io/metadata.name": name});
        clean["metadata"]["annotations"] = Value::Null;
        client.put(&format!("/api/v1/namespaces/{name}"), &clean);
    }
}

/// Every kind of Kubernetes itself that can be swept, and the groups that are not its own: they go
/// with their definitions.
fn kinds(client: &Client) -> (Vec<Kind>, Vec<String>) {
    let (mut kinds, mut foreign) = (Vec::new(), Vec::new());
    for root in ["/api", "/apis"] {
        for group in client.list(root) {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            let version = &group["versions"][0];
            let base = match name {
                "" => format!("/api/{}", version["version"].as_str().unwrap_or_default()),
                _ => format!("/apis/{name}/{}", version["version"].as_str().unwrap_or_default()),
            };
            if name == "gateway.networking.k8s.io"
                || (name.contains('.') && !name.ends_with(".k8s.io"))
            {
                foreign.push(format!("group {name}"));
                continue;
            }
            kinds.extend(of_version(&base, version));
        }
    }
    kinds.sort_by_key(|kind| FIRST.iter().position(|first| *first == kind.name).unwrap_or(9));
    (kinds, foreign)
}

fn of_version(base: &str, version: &Value) -> Vec<Kind> {
    let resources = version["resources"].as_array().into_iter().flatten();
    let sweepable = |resource: &&Value| {
        let verbs = resource["verbs"].as_array().into_iter().flatten();
        let can: BTreeSet<&str> = verbs.filter_map(Value::as_str).collect();
        let name = resource["resource"].as_str().unwrap_or_default();
        can.contains("list") && can.contains("delete") && !UNTOUCHED.contains(&name)
    };
    let kind = |resource: &Value| Kind {
        base: base.to_owned(),
        name: resource["resource"].as_str().unwrap_or_default().to_owned(),
        namespaced: resource["scope"] == "Namespaced",
    };
    resources.filter(sweepable).map(kind).collect()
}
