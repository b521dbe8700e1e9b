//! Tokens of readers are made anew, and nobody loses sight of anybody.
//!
//! What reads is a [`Reader`] in every cluster, which is asked through real port-forwards, and asks
//! real API servers with the tokens that it got.

mod charts;
mod istiod;
mod kill;
mod refuse;
mod retire;
mod stopped;
mod whole;

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Bed, json_of, rare, writes};
use crate::testbed::{self, Client, ControlPlane, Kubelet, PATIENCE, Reader};

const SECRETS: &str = "/api/v1/namespaces/istio-system/secrets";
const INVENTORY: &str = "/api/v1/namespaces/istio-system/configmaps/meshgen-inventory";
const OWN: &str = "istio-reader-service-account-istio-remote-secret-token";
const ACCOUNT: &str = "istio-reader-service-account";
const ACCOUNTS: &str = "/api/v1/namespaces/istio-system/serviceaccounts";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const SECOND: &str = "istio-reader-service-account-istio-remote-secret-token-second";

/// A mesh that is applied, and read by everybody.
struct Mesh<'a> {
    readers: Vec<Reader>,
    _kubelets: Vec<Kubelet>,
    bed: Bed<'a>,
}

impl<'a> Mesh<'a> {
    fn start(planes: &'a testbed::Shared) -> Self {
        let (bed, kubelets) = rare::applied(planes);
        Self::of(planes, bed, kubelets)
    }

    fn of(planes: &'a testbed::Shared, bed: Bed<'a>, kubelets: Vec<Kubelet>) -> Self {
        planes.iter().for_each(bound);
        let readers: Vec<Reader> = planes.iter().map(Reader::start).collect();
        let mesh = Self { readers, _kubelets: kubelets, bed };
        mesh.reads_all();
        mesh
    }

    /// Waits until everybody reads everybody with the token that is in the remote secrets.
    #[track_caller]
    fn reads_all(&self) {
        for (reader, plane) in self.readers.iter().zip(self.bed.planes) {
            for peer in self.bed.planes.iter().filter(|peer| peer.name != plane.name) {
                let what = format!("{} reads {}", plane.name, peer.name);
                let held = remote(plane, &peer.name);
                until(&what, || held.is_some() && reader.token(&peer.name) == held);
            }
        }
    }

    /// Asserts that no rotation is under way anywhere, that everybody reads everybody by the tree's
    /// own Secrets, that nothing else was left, and that nobody was ever refused.
    #[track_caller]
    fn is_whole(&self, what: &str) {
        for plane in self.bed.planes {
            let client = plane.client();
            let name = &plane.name;
            assert!(client.get(&format!("{SECRETS}/{SECOND}")).is_none(), "{what}: {name}");
            let left: Vec<Value> =
                [ACCOUNTS, &format!("{RBAC}/clusterrolebindings"), &format!("{RBAC}/rolebindings")]
                    .into_iter()
                    .flat_map(|path| client.list(path))
                    .map(|one| one["metadata"]["name"].clone())
                    .filter(|name| name.as_str().is_some_and(|name| name.ends_with("-second")))
                    .collect();
            assert!(left.is_empty(), "{what}: {name}: {left:?}");
            let own = secret(plane, OWN);
            assert!(may_read(plane, &token(&own)), "{what}: {name}");
            let head = client.get(INVENTORY).expect("an inventory");
            let lines = head["data"]["objects"].as_str().expect("lines");
            assert!(!lines.contains("-second"), "{what}: {name}: {lines}");
            let lines: Vec<Value> = lines.lines().map(json_of).collect();
            let found: Vec<&Value> =
                lines.iter().filter(|line| is_token_secret(&line["name"])).collect();
            assert_eq!(found.len(), 1, "{what}: {name}: {found:?}");
            assert_eq!(found[0]["uid"], own["metadata"]["uid"], "{what}: {name}");
            let all = client.list(SECRETS);
            let tokens = all.iter().filter(|one| is_token_secret(&one["metadata"]["name"])).count();
            assert_eq!(tokens, 1, "{what}: {name}");
            for peer in self.bed.planes.iter().filter(|peer| peer.name != *name) {
                assert_eq!(
                    remote(peer, name),
                    Some(token(&own)),
                    "{what}: {name} in {}",
                    peer.name
                );
            }
        }
        self.nobody_was_refused(what);
    }

    #[track_caller]
    fn nobody_was_refused(&self, what: &str) {
        for reader in &self.readers {
            let outages = reader.outages();
            assert!(outages.is_empty(), "{what}: {outages:?}");
        }
    }

    /// Every token of a cluster that anybody had, by now and before.
    fn tokens(&self, of: &str) -> Vec<String> {
        self.readers.iter().flat_map(|reader| reader.tokens(of)).collect()
    }

    /// Panics if any token that there ever was stands in what was said, recorded or written.
    #[track_caller]
    fn keeps_tokens(&self) {
        let all = self.bed.planes.iter().flat_map(|plane| self.tokens(&plane.name));
        let both = all.flat_map(|token| [STANDARD.encode(&token), token]);
        self.bed.keeps(&both.collect::<Vec<_>>());
        self.bed.keeps_secrets();
    }
}

/// Gives the account of the readers what Istio's chart gives it: one right of the cluster, and one of
/// a namespace.
fn bound(plane: &ControlPlane) {
    let client = plane.client();
    let subjects = json!([{
        "kind": "ServiceAccount", "namespace": "istio-system", "name": ACCOUNT,
    }]);
    for (scope, kind, resource) in
        [("", "ClusterRole", "pods"), ("namespaces/istio-system/", "Role", "configmaps")]
    {
        let plural = kind.to_lowercase();
        let role = json!({"metadata": {"name": "istio-reader"}, "rules": [
            {"apiGroups": [""], "resources": [resource, "nodes"], "verbs": ["get", "list", "watch"]},
        ]});
        let reference =
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "istio-reader"});
        let binding = json!({
            "metadata": {"name": "istio-reader"}, "roleRef": reference, "subjects": subjects,
        });
        for (collection, object) in
            [(format!("{plural}s"), role), (format!("{plural}bindings"), binding)]
        {
            let collection = format!("{RBAC}/{scope}{collection}");
            if client.get(&format!("{collection}/istio-reader")).is_none() {
                client.post(&collection, &object);
            }
        }
    }
}

/// Whether a token has the rights that [`bound`] gave.
fn may_read(plane: &ControlPlane, token: &str) -> bool {
    let tls = testbed::anybody(plane.ca_pem());
    let client = Client::new(plane.address(), tls, "testbed-thief").with_token(token);
    let paths = ["/api/v1/pods", "/api/v1/nodes", "/api/v1/namespaces/istio-system/configmaps"];
    paths.iter().all(|path| client.request("GET", path, None).status == 200)
}

fn is_token_secret(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with(OWN))
}

fn secret(plane: &ControlPlane, name: &str) -> Value {
    let path = format!("{SECRETS}/{name}");
    plane.client().get(&path).unwrap_or_else(|| panic!("{}: no {name}", plane.name))
}

fn text(data: &Value) -> String {
    String::from_utf8(STANDARD.decode(data.as_str().expect("data")).expect("base64")).expect("text")
}

/// The token in a Secret.
fn token(secret: &Value) -> String {
    text(&secret["data"]["token"])
}

/// The token by which a cluster reads another.
fn remote(plane: &ControlPlane, of: &str) -> Option<String> {
    let path = format!("{SECRETS}/istio-remote-secret-{of}");
    let kubeconfig = text(&plane.client().get(&path)?["data"][of]);
    let line = kubeconfig.lines().find_map(|line| line.trim().strip_prefix("token: "));
    line.map(str::to_owned)
}

/// Whether an API server takes a token.
fn takes(plane: &ControlPlane, token: &str) -> bool {
    let tls = testbed::anybody(plane.ca_pem());
    let client = Client::new(plane.address(), tls, "testbed-thief").with_token(token);
    client.request("GET", "/api/v1/services?limit=1", None).status != 401
}

/// Waits until an API server refuses a token: it remembers for ten seconds what it took.
#[track_caller]
fn is_refused(plane: &ControlPlane, token: &str) {
    until(&format!("{} refuses it", plane.name), || !takes(plane, token));
}

#[track_caller]
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
