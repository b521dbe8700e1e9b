//! What the API server of a simulated cluster answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use meshgen::cluster::field::overlay;
use serde_json::{Value, json};

use super::cluster::{Address, Cluster, address, inject};

/// A request to one cluster.
pub struct Request {
    pub method: String,
    pub path: String,
    /// In the order in which they came; a name may stand several times.
    pub query: Vec<(String, String)>,
    pub body: Value,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Request {
    pub fn new(method: &str, target: &str, body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self {
            method: method.to_owned(),
            path: decode(path),
            query: pairs.collect(),
            // what is no JSON is YAML, of which JSON is a part
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
        }
    }

    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether nothing is to be changed.
    pub fn is_dry(&self) -> bool {
        let reviews = ["tokenreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"];
        self.parameter("dryRun") == Some("All")
            || reviews.iter().any(|end| self.path.ends_with(end))
    }
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// A refusal as Kubernetes writes it.
    pub fn refused(status: u16, reason: &str, message: &str) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": status,
        });
        Self { status, body }
    }

    fn absent(path: &str) -> Self {
        Self::refused(404, "NotFound", &format!("there is nothing at {path}"))
    }
}

/// `%2F` and `+` as what they stand for.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).expect("an escaped byte")
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).expect("text")
}

/// Where a path leads.
enum Place {
    /// All of a kind, of one namespace or of all.
    Collection(String, String, Option<String>),
    Object(Address),
    Else,
}

fn place(path: &str) -> Place {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let (version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ((*version).to_owned(), rest),
        ["apis", group, version, rest @ ..] => {
            // Istio serves what is stored as v1 at the versions before it too
            let version = if group.ends_with(".istio.io") { "v1" } else { version };
            (format!("{group}/{version}"), rest)
        }
        _ => return Place::Else,
    };
    let text = |part: &str| part.to_owned();
    match rest {
        ["namespaces", namespace, plural] => {
            Place::Collection(version, text(plural), Some(text(namespace)))
        }
        ["namespaces", namespace, plural, name] => {
            Place::Object(address(&version, plural, namespace, name))
        }
        [plural] => Place::Collection(version, text(plural), None),
        [plural, name] => Place::Object(address(&version, plural, "", name)),
        _ => Place::Else,
    }
}

/// Answers what changes nothing.
pub fn look(cluster: &Cluster, request: &Request) -> Answer {
    let Request { method, path, body, .. } = request;
    match (method.as_str(), path.as_str()) {
        ("GET", "/version") => {
            return Answer::ok(json!({"major": "1", "minor": "33", "gitVersion": "v1.33.1"}));
        }
        ("GET", "/apis/networking.istio.io/v1") => return Answer::ok(istio_kinds()),
        ("POST", path) if path.ends_with("/tokenreviews") => {
            let is_taken = body["spec"]["token"] == json!(cluster.token);
            let status = if is_taken {
                json!({"authenticated": true, "user": {"username": "reader"}})
            } else {
                json!({"user": {}, "error": "[invalid bearer token, Token has been invalidated]"})
            };
            return Answer { status: 201, body: json!({"kind": "TokenReview", "status": status}) };
        }
        ("POST", path) if path.ends_with("reviews") => {
            return Answer { status: 201, body: json!({"status": {"allowed": true}}) };
        }
        _ => {}
    }
    match (method.as_str(), place(path)) {
        ("GET", Place::Object(at)) => match cluster.objects.get(&at) {
            Some(live) => Answer::ok(live.clone()),
            None => Answer::absent(path),
        },
        ("GET", Place::Collection(version, plural, namespace)) => {
            let selector = request.parameter("labelSelector").unwrap_or_default();
            let of = cluster.objects.iter().filter(|(at, live)| {
                at.version == version
                    && at.plural == plural
                    && (namespace.is_none() || at.namespace == namespace)
                    && selects(selector, live)
            });
            let items: Vec<&Value> = of.map(|(_, live)| live).collect();
            // as a server has it: items of a list do not say what they are, the list does
            let kind = items.first().map_or("", |live| live["kind"].as_str().unwrap_or_default());
            let kind = format!("{kind}List");
            Answer::ok(json!({"kind": kind, "apiVersion": version, "metadata": {}, "items": items}))
        }
        ("POST", Place::Collection(_, plural, Some(namespace))) if plural == "pods" => {
            made(cluster, &namespace, body)
        }
        ("PATCH", Place::Object(at)) => {
            let live = cluster.objects.get(&at).cloned().unwrap_or(Value::Null);
            Answer::ok(overlay(&live, body))
        }
        _ => Answer::absent(path),
    }
}

/// What a pod comes to that is to be made.
fn made(cluster: &Cluster, namespace: &str, pod: &Value) -> Answer {
    let mut pod = pod.clone();
    let asks = pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "true";
    if cluster.injects(namespace) || asks {
        if !cluster.has_istiod() {
            return Answer::refused(
                500,
                "InternalError",
                "Internal error occurred: failed calling webhook \
                 \"namespace.sidecar-injector.istio.io\": failed to call webhook: Post \
                 \"https://istiod.istio-system.svc:443/inject?timeout=10s\": no endpoints \
                 available for service \"istiod\"",
            );
        }
        inject(&mut pod);
    }
    Answer { status: 201, body: pod }
}

/// Answers what changes an object.
pub fn write(cluster: &mut Cluster, request: &Request, writes: &AtomicUsize) -> Answer {
    writes.fetch_add(1, Ordering::Relaxed);
    let Place::Object(at) = place(&request.path) else { return Answer::absent(&request.path) };
    match request.method.as_str() {
        // its Deployment makes another one
        "DELETE" if at.plural == "pods" => {
            let Some(pod) = cluster.objects.get(&at) else { return Answer::absent(&request.path) };
            let of = pod["metadata"]["labels"]["of"].as_str().unwrap_or_default().to_owned();
            let namespace = at.namespace.clone().unwrap_or_default();
            cluster.roll_out(&address("apps/v1", "deployments", &namespace, &of));
            if of == "sleep" {
                // its proxy begins without connections
                (cluster.pooled, cluster.uptime) = (false, 3);
            }
            Answer::ok(json!({"kind": "Status", "status": "Success"}))
        }
        _ => Answer::refused(405, "MethodNotAllowed", "this server is looked at"),
    }
}

fn istio_kinds() -> Value {
    let kinds = [("gateways", "Gateway"), ("destinationrules", "DestinationRule")];
    let kind =
        |(name, kind): &(&str, &str)| json!({"name": name, "kind": kind, "namespaced": true});
    json!({
        "kind": "APIResourceList", "groupVersion": "networking.istio.io/v1",
        "resources": kinds.iter().map(kind).collect::<Vec<_>>(),
    })
}

/// Whether a selector takes an object: `a=b`, `a`, `a in (b,c)`, any of them separated by commas.
fn selects(selector: &str, live: &Value) -> bool {
    let labels: BTreeMap<&str, &str> = live["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let mut depth = 0;
    let terms = selector.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    terms.filter(|term| !term.is_empty()).all(|term| {
        if let Some((name, values)) = term.split_once(" in (") {
            let mut values = values.trim_end_matches(')').split(',');
            return labels.get(name).is_some_and(|own| values.any(|value| value.trim() == *own));
        }
        match term.split_once('=') {
            Some((name, value)) => labels.get(name) == Some(&value),
            None => labels.contains_key(term),
        }
    })
}
