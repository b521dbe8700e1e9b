//! The state of one simulated cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::cluster::{Desired, Entry, Inventory, Key, MANAGER, Owner, Wanted};
use meshgen::store::Digest;
use rcgen::{CertificateParams, Issuer, KeyPair};
use serde_json::{Map, Value, json};

use super::project::token;
use crate::testbed::{Authority, Exec, key};

/// Which object: group and version, plural, namespace, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// `v1`, `apps/v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// Its namespace, if it has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// What signs in a cluster, and what it has signed.
#[derive(Clone)]
pub struct Trust {
    /// The root that istiod hands out and proxies trust.
    pub root: String,
    /// The chain of what istiod serves, leaf first, with the root.
    pub chain: String,
    /// The key of the leaf.
    pub key: String,
}

/// A cluster.
#[derive(Clone)]
pub struct Cluster {
    pub name: String,
    /// The network that it is wired to, whatever its objects say.
    pub network: String,
    uid: String,
    number: usize,
    pub objects: BTreeMap<Address, Value>,
    /// What istiod uses.
    pub trust: Trust,
    /// What its proxies use.
    pub proxies: Trust,
    /// The token that its API server takes.
    pub token: String,
    /// Nothing answers.
    pub dead: bool,
    /// Packets to its gateways' 15443 are dropped.
    pub blocked: bool,
    /// Its clients hold connections that were made before whatever broke.
    pub pooled: bool,
    /// istiod was started anew after whatever broke.
    pub restarted: bool,
    /// Clusters whose gateways istiod still knows, though it reads them no more.
    pub remembered: BTreeSet<String>,
    /// Seconds since the proxies started.
    pub uptime: u64,
    /// How many port-forwards break in the middle of an answer.
    pub breaks: Arc<AtomicUsize>,
    /// What any command answers, whatever it is.
    pub says: Option<Exec>,
    /// The pods that were made, so that each gets another name and address.
    made: usize,
}

impl Cluster {
    /// One without objects.
    pub fn new(number: usize, name: &str, network: &str, uid: &str) -> Self {
        let trust = Trust { root: String::new(), chain: String::new(), key: String::new() };
        Self {
            name: name.to_owned(),
            network: network.to_owned(),
            uid: uid.to_owned(),
            number,
            objects: BTreeMap::new(),
            proxies: trust.clone(),
            trust,
            token: token(name),
            dead: false,
            blocked: false,
            pooled: false,
            restarted: false,
            remembered: BTreeSet::new(),
            uptime: 7_500,
            breaks: Arc::default(),
            says: None,
            made: 0,
        }
    }

    /// Puts in what meshgen sent, with its managed fields.
    pub fn applied(&mut self, desired: &Desired, sent: &Value) {
        let mut live = sent.clone();
        let entry = json!([{
            "manager": MANAGER,
            "operation": "Apply",
            "apiVersion": desired.identity.api_version,
            "time": "2026-11-30T18:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": fields(sent, ""),
        }]);
        live["metadata"]["managedFields"] = entry;
        let plural = plural(&desired.key.kind);
        self.put(&desired.identity.api_version, &plural, live);
    }

    /// Puts in an object, with what a server adds to any.
    pub fn put(&mut self, version: &str, plural: &str, mut object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let address = Address {
            version: version.to_owned(),
            plural: plural.to_owned(),
            namespace: text("/metadata/namespace").map(str::to_owned),
            name: text("/metadata/name").expect("a name").to_owned(),
        };
        let number = self.objects.len() + 1;
        let metadata = &mut object["metadata"];
        if metadata.get("uid").is_none() {
            metadata["uid"] = json!(format!("{:08x}-0000-4000-8000-{number:012}", self.number));
        }
        metadata["resourceVersion"] = json!((1000 + number).to_string());
        metadata["generation"] = json!(1);
        metadata["creationTimestamp"] = json!("2026-11-30T18:00:00Z");
        self.objects.insert(address, object);
    }

    /// An object; panics without one.
    #[track_caller]
    pub fn object(
        &mut self,
        version: &str,
        plural: &str,
        namespace: &str,
        name: &str,
    ) -> &mut Value {
        let address = address(version, plural, namespace, name);
        self.objects.get_mut(&address).unwrap_or_else(|| panic!("no {address:?}"))
    }

    /// Takes an object out; panics without one.
    #[track_caller]
    pub fn remove(&mut self, version: &str, plural: &str, namespace: &str, name: &str) -> Value {
        let address = address(version, plural, namespace, name);
        self.objects.remove(&address).unwrap_or_else(|| panic!("no {address:?}"))
    }

    /// The objects of a kind in a namespace; in all without one.
    pub fn all<'a>(
        &'a self,
        plural: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Value> {
        let of = move |address: &Address| {
            address.plural == plural
                && namespace.is_none_or(|namespace| address.namespace.as_deref() == Some(namespace))
        };
        self.objects.iter().filter(move |(address, _)| of(address)).map(|(_, live)| live)
    }

    /// Brings what was applied to life: what controllers, istiod and the cloud do, and the records
    /// of the apply.
    pub fn live(&mut self, authority: &str, mesh: &str, tree: Digest, wanted: &Wanted) {
        self.put(
            "v1",
            "namespaces",
            json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "kube-system", "uid": self.uid}, "status": {"phase": "Active"},
            }),
        );
        self.trust = self.signed();
        self.proxies = self.trust.clone();
        self.hands_out();
        let bundle = STANDARD.encode(&self.trust.root);
        let address = format!("172.31.{}.1", self.number);
        let reader = STANDARD.encode(&self.token);
        let mut deployments = Vec::new();
        for (at, live) in &mut self.objects {
            match at.plural.as_str() {
                "namespaces" => live["status"] = json!({"phase": "Active"}),
                "customresourcedefinitions" => {
                    live["status"] = json!({
                        "conditions": [{"type": "Established", "status": "True"}],
                        "acceptedNames": live["spec"]["names"],
                    });
                }
                "services" if live["spec"]["type"] == "LoadBalancer" => {
                    live["status"] = json!({"loadBalancer": {"ingress": [{"ip": address}]}});
                }
                "secrets" if live["type"] == "kubernetes.io/service-account-token" => {
                    live["data"] = json!({"token": reader, "ca.crt": STANDARD.encode(authority)});
                }
                "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => {
                    for webhook in live["webhooks"].as_array_mut().into_iter().flatten() {
                        webhook["clientConfig"]["caBundle"] = json!(bundle);
                    }
                }
                "deployments" => deployments.push(at.clone()),
                _ => {}
            }
        }
        for at in deployments {
            self.roll_out(&at);
        }
        self.record(mesh, tree, wanted);
    }

    /// Makes the pods of a Deployment anew, as many as it wants.
    pub fn roll_out(&mut self, at: &Address) {
        let deployment = self.objects[at].clone();
        let namespace = at.namespace.clone().unwrap_or_default();
        self.objects.retain(|pod, live| {
            pod.plural != "pods"
                || pod.namespace != at.namespace
                || live["metadata"]["labels"]["of"] != json!(at.name)
        });
        let replicas = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
        for _ in 0..replicas {
            self.make_pod(&deployment, &namespace, &at.name);
        }
        let status = json!({
            "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [{"type": "Available", "status": if replicas > 0 { "True" } else { "False" }}],
        });
        self.objects.get_mut(at).expect("it is there")["status"] = status;
        self.slice();
    }

    /// Makes the pods of a Deployment anew, by its name.
    pub fn roll(&mut self, namespace: &str, name: &str) {
        self.roll_out(&address("apps/v1", "deployments", namespace, name));
    }

    fn make_pod(&mut self, deployment: &Value, namespace: &str, of: &str) {
        self.made += 1;
        let (number, made) = (self.number, self.made);
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod"});
        pod["metadata"] = deployment["spec"]["template"]["metadata"].clone();
        pod["spec"] = deployment["spec"]["template"]["spec"].clone();
        pod["metadata"]["name"] = json!(format!("{of}-5d4b8c-{made:05}"));
        pod["metadata"]["namespace"] = json!(namespace);
        pod["metadata"]["labels"]["of"] = json!(of);
        pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{of}-5d4b8c")}]);
        let is_gateway = pod["spec"]["containers"][0]["image"] == "auto";
        if self.injects(namespace) || is_gateway {
            inject(&mut pod);
        }
        pod["status"] = json!({
            "phase": "Running",
            "podIP": format!("10.{number}.0.{made}"),
            "conditions": [{"type": "Ready", "status": "True"}],
        });
        self.put("v1", "pods", pod);
    }

    /// The `EndpointSlice` of the sample's service, as its pods are.
    pub fn slice(&mut self) {
        let endpoints: Vec<Value> = self
            .all("pods", Some("sample"))
            .filter(|pod| pod["metadata"]["labels"]["app"] == "helloworld")
            .map(|pod| {
                let is_ready = pod["status"]["conditions"][0]["status"] == "True";
                json!({
                    "addresses": [pod["status"]["podIP"]],
                    "conditions": {"ready": is_ready},
                    "targetRef": {"kind": "Pod", "namespace": "sample", "name": pod["metadata"]["name"]},
                })
            })
            .collect();
        self.put("discovery.k8s.io/v1", "endpointslices", json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {
                "name": "helloworld-1", "namespace": "sample",
                "labels": {"kubernetes.io/service-name": "helloworld"},
            },
            "addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": 5000}],
        }));
    }

    /// Whether pods of a namespace get a proxy.
    pub fn injects(&self, namespace: &str) -> bool {
        let at = address("v1", "namespaces", "", namespace);
        let live = self.objects.get(&at);
        live.is_some_and(|live| live["metadata"]["labels"]["istio-injection"] == "enabled")
    }

    /// Whether any istiod is ready.
    pub fn has_istiod(&self) -> bool {
        self.all("pods", Some("istio-system"))
            .any(|pod| pod["metadata"]["labels"]["app"] == "istiod")
    }

    /// What istiod signs with `cacerts`.
    fn signed(&self) -> Trust {
        let at = address("v1", "secrets", "istio-system", "cacerts");
        let text = |name: &str| {
            let text = self.objects[&at]["data"][name].as_str().expect("it is in cacerts");
            String::from_utf8(STANDARD.decode(text).expect("base64")).expect("PEM")
        };
        let issuer = KeyPair::from_pem(&text("ca-key.pem")).expect("a key");
        let issuer = Issuer::from_ca_cert_pem(&text("ca-cert.pem"), issuer).expect("a CA");
        let leaf = key();
        let names = vec!["istiod.istio-system.svc".to_owned()];
        let certificate = CertificateParams::new(names).expect("a name");
        let certificate = certificate.signed_by(&leaf, &issuer).expect("the CA signs");
        let root = text("root-cert.pem");
        Trust {
            chain: format!("{}{}{root}", certificate.pem(), text("ca-cert.pem")),
            key: leaf.serialize_pem(),
            root,
        }
    }

    /// istiod starts without `cacerts`: it makes a root of its own, hands it out, and proxies that
    /// connect take it.
    pub fn with_own_root(&mut self) {
        let own = Authority::new("cluster.local");
        let leaf = own.server(&["istiod.istio-system.svc"]);
        self.trust = Trust {
            chain: format!("{}{}", leaf.certificate, own.identity.certificate),
            key: leaf.key,
            root: own.identity.certificate,
        };
        self.proxies = self.trust.clone();
        self.put(
            "v1",
            "secrets",
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "istio.io/ca-root",
                "metadata": {"name": "istio-ca-secret", "namespace": "istio-system"}, "data": {},
            }),
        );
        self.hands_out();
        let bundle = STANDARD.encode(&self.trust.root);
        for (at, live) in &mut self.objects {
            if at.plural.ends_with("webhookconfigurations") {
                for webhook in live["webhooks"].as_array_mut().into_iter().flatten() {
                    webhook["clientConfig"]["caBundle"] = json!(bundle);
                }
            }
        }
    }

    fn hands_out(&mut self) {
        let root = self.trust.root.clone();
        self.put(
            "v1",
            "configmaps",
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "istio-ca-root-cert", "namespace": "istio-system"},
                "data": {"root-cert.pem": root},
            }),
        );
    }

    /// The inventory that an apply leaves.
    fn record(&mut self, mesh: &str, tree: Digest, wanted: &Wanted) {
        let owner =
            Owner { mesh: mesh.to_owned(), cluster: self.name.clone(), uid: self.uid.clone() };
        let mut inventory = Inventory::new(owner);
        inventory.tree = Some(tree);
        for desired in &wanted.objects {
            let Key { kind, namespace, name, .. } = &desired.key;
            let version = &desired.identity.api_version;
            let namespace = namespace.as_deref().unwrap_or_default();
            let live = self.object(version, &plural(kind), namespace, name);
            let uid = live["metadata"]["uid"].as_str().map(str::to_owned);
            let entry = Entry {
                api_version: version.clone(),
                stage: desired.stage.clone(),
                cluster: desired.bindings.first().map(|binding| binding.from.cluster.clone()),
                digest: Some(desired.digest),
                uid,
                joined: false,
            };
            inventory.entries.insert(desired.key.clone(), entry);
        }
        for part in inventory.to_parts() {
            self.put("v1", "configmaps", part);
        }
    }
}

/// The address of an object; without a namespace where that is empty.
pub fn address(version: &str, plural: &str, namespace: &str, name: &str) -> Address {
    Address {
        version: version.to_owned(),
        plural: plural.to_owned(),
        namespace: Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
        name: name.to_owned(),
    }
}

/// `NetworkPolicy` as `networkpolicies`.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{kind}s"),
    }
}

/// What the injector makes of a pod.
pub fn inject(pod: &mut Value) {
    const PROXY: &str = "docker.io/istio/proxyv2:1.30.0";
    let containers = pod["spec"]["containers"].as_array_mut().expect("containers");
    if containers[0]["image"] == "auto" {
        containers[0]["image"] = json!(PROXY);
    } else {
        containers.push(json!({"name": "istio-proxy", "image": PROXY}));
    }
    let app = pod["metadata"]["labels"]["app"].clone();
    pod["metadata"]["labels"]["security.istio.io/tlsMode"] = json!("istio");
    pod["metadata"]["labels"]["service.istio.io/canonical-name"] = app;
}

/// Mappings that are owned as a whole.
const ATOMIC: [&str; 6] = [
    "selector",
    "scaleTargetRef",
    "namespaceSelector",
    "objectSelector",
    "roleRef",
    "nodeSelector",
];

/// The fields of what was sent, as managed fields have them; items of lists by their place.
fn fields(value: &Value, name: &str) -> Value {
    let mut set = Map::new();
    match value {
        Value::Object(map) if !ATOMIC.contains(&name) => {
            for (key, value) in map {
                let is_identity =
                    ["apiVersion", "kind", "name", "namespace"].contains(&key.as_str());
                // the identity of the object itself is in no set
                if !(is_identity && (name.is_empty() || name == "metadata")) {
                    set.insert(format!("f:{key}"), fields(value, key));
                }
            }
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            for (at, item) in items.iter().enumerate() {
                let mut below = fields(item, "item");
                below["."] = json!({});
                set.insert(format!("i:{at}"), below);
            }
        }
        _ => {}
    }
    Value::Object(set)
}
