//! What a tree wants of the clusters, read from `out/` by the test's own eyes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::project::Tree;

/// Objects that trees have beside those of every tree: a template of the project makes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Extra {
    pub kind: &'static str,
    pub name: String,
    pub value: String,
}

/// Kinds of extra objects: at every rank of a stage, none of which anybody waits for.
pub const KINDS: [&str; 5] = ["ConfigMap", "ServiceAccount", "Role", "NetworkPolicy", "Service"];

impl Extra {
    pub fn new(number: usize, value: &str) -> Self {
        Self {
            kind: KINDS[number % KINDS.len()],
            name: format!("extra-{number}"),
            value: value.to_owned(),
        }
    }

    fn text(&self) -> String {
        let Self { kind, name, value } = self;
        let api = match *kind {
            "Role" => "rbac.authorization.k8s.io/v1",
            "NetworkPolicy" => "networking.k8s.io/v1",
            _ => "v1",
        };
        let body = match *kind {
            "ConfigMap" => format!("data:\n  value: \"{value}\"\n"),
            "Role" => {
                "rules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get]\n".to_owned()
            }
            "NetworkPolicy" => "spec:\n  podSelector: {}\n  policyTypes: [Ingress]\n".to_owned(),
            "Service" => "spec:\n  ports:\n  - name: http\n    port: 80\n".to_owned(),
            _ => String::new(),
        };
        format!(
            "---\napiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n  \
             namespace: {{{{ namespace }}}}\n  labels:\n    value: \"{value}\"\n{body}"
        )
    }
}

/// `templates/samples/sleep.yaml` of the project.
pub fn template(extras: &[Extra]) -> String {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: sleep\n  \
                   namespace: {{ namespace }}\n";
    extras.iter().fold(account.to_owned(), |text, extra| text + &extra.text())
}

/// `Kind/namespace/name`, or `Kind/name`: as meshgen prints it, and unique among these objects.
pub type Name = String;

/// An object that a tree wants in a cluster.
#[derive(Clone, Debug)]
pub struct Want {
    /// Its address at an API server.
    pub path: String,
    pub object: Value,
}

/// What a tree wants: for each of the clusters, in their order.
#[derive(Clone, Debug)]
pub struct Wants(pub Vec<BTreeMap<Name, Want>>);

impl Wants {
    /// Reads the rendered tree.
    pub fn of(tree: &Tree) -> Self {
        let clusters = tree.clusters();
        let mut all = vec![BTreeMap::new(); clusters.len()];
        for row in tree.rows(|_| true) {
            let identity = &row["object"];
            if row["stage"].is_null() || identity.is_null() {
                continue;
            }
            let object = tree.object(row["path"].as_str().unwrap());
            for (at, cluster) in clusters.iter().enumerate() {
                let named = |list: &Value| {
                    list.as_array()
                        .is_some_and(|list| list.iter().any(|one| one == cluster.as_str()))
                };
                let targets = &row["targets"];
                let is_ours =
                    named(targets) || (targets["except"].is_array() && !named(&targets["except"]));
                if is_ours {
                    let want = Want { path: path(identity), object: object.clone() };
                    all[at].insert(name(identity), want);
                }
            }
        }
        Self(all)
    }

    pub fn names(&self, at: usize) -> BTreeSet<Name> {
        self.0[at].keys().cloned().collect()
    }
}

/// As meshgen calls an object.
pub fn name(identity: &Value) -> Name {
    let text = |key: &str| identity[key].as_str().unwrap_or_default();
    match text("namespace") {
        "" => format!("{}/{}", text("kind"), text("name")),
        namespace => format!("{}/{namespace}/{}", text("kind"), text("name")),
    }
}

/// The plural of a kind of these tests.
pub fn plural(kind: &str) -> String {
    match kind {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    }
}

fn path(identity: &Value) -> String {
    let text = |key: &str| identity[key].as_str().unwrap_or_default();
    let root = if text("apiVersion").contains('/') { "/apis" } else { "/api" };
    let place = match text("namespace") {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    format!("{root}/{}{place}/{}/{}", text("apiVersion"), plural(text("kind")), text("name"))
}

/// Whether everything that is wanted is there; more may be.
pub fn holds(want: &Value, live: &Value) -> bool {
    match (want, live) {
        (Value::Object(want), Value::Object(live)) => want.iter().all(|(key, want)| {
            // sealed, bound, or moved by the server
            let opaque = ["stringData", "sops"].contains(&key.as_str());
            opaque || live.get(key).is_some_and(|live| holds(want, live))
        }),
        (Value::Array(want), Value::Array(live)) => {
            want.len() == live.len() && want.iter().zip(live).all(|(want, live)| holds(want, live))
        }
        _ => want == live,
    }
}
