//! What was seen of a mesh: plain data, from which a verdict follows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::{Key, Pod, RemoteCluster, RequestError, Surveyed};
use crate::pki::Certificate;

/// What a look gave, or why there was none.
pub type Look<T> = Result<T, String>;

/// What stands for what nobody asked for.
pub fn unseen<T>() -> Look<T> {
    Err("it was not asked for".to_owned())
}

/// All that was seen.
#[derive(Default)]
pub struct Seen {
    /// The clusters, in the order of the tree.
    pub clusters: Vec<ClusterSeen>,
    /// Clusters of the tree that were not to be looked at.
    pub left_out: BTreeSet<String>,
    /// What became of the token that a cluster has of another, by the two names.
    pub tokens: BTreeMap<(String, String), TokenSeen>,
}

/// What a cluster's server says of a token that a peer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSeen {
    /// It takes it.
    Taken,
    /// It does not, and why.
    Refused(String),
    /// It could not be asked.
    NotLooked(String),
}

/// What was seen of one cluster.
pub struct ClusterSeen {
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: String,
    /// Why nothing could be seen of it: no connection, or another cluster.
    pub lost: Option<Lost>,
    /// Identity, records, objects, and what an apply would do.
    pub surveyed: Option<Surveyed>,
    /// The fields that differ, by object: a line each.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Objects that wait for facts.
    pub pending: BTreeSet<Key>,
    /// The Services that are gateways of a network.
    pub gateways: Look<Vec<GatewayService>>,
    /// Gateways with a TLS server in mode `AUTO_PASSTHROUGH`, whatever tree they are of.
    pub exposures: Look<Vec<Exposure>>,
    /// The Deployments of istiod.
    pub deployments: Look<Vec<Value>>,
    /// The pods of istiod.
    pub istiods: Look<Vec<IstiodSeen>>,
    /// Whether istiod keeps a root of its own making in `istio-ca-secret`.
    pub own_root: Look<bool>,
    /// What the injector makes of a pod; nothing where there is no injector to be asked.
    pub injection: Option<Result<Injection, RequestError>>,
    /// The webhooks that call an istiod.
    pub webhooks: Look<Vec<Webhook>>,
    /// Pods with a proxy, in all namespaces.
    pub proxies: Look<Vec<ProxyPod>>,
    /// The sample; nothing where the tree has none.
    pub sample: Option<SampleSeen>,
}

impl ClusterSeen {
    /// A cluster of which nothing was seen yet.
    pub fn new(name: &str, network: &str) -> Self {
        Self {
            name: name.to_owned(),
            network: network.to_owned(),
            lost: None,
            surveyed: None,
            fields: BTreeMap::new(),
            pending: BTreeSet::new(),
            gateways: unseen(),
            exposures: unseen(),
            deployments: unseen(),
            istiods: unseen(),
            own_root: unseen(),
            injection: None,
            webhooks: unseen(),
            proxies: unseen(),
            sample: None,
        }
    }
}

impl ClusterSeen {
    /// Why an object could not be read, if it could not.
    pub fn unreadable(&self, key: &Key) -> Option<&str> {
        self.surveyed.as_ref()?.live.unreadable.get(key).map(String::as_str)
    }
}

/// Why a cluster was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The reason.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether it answered, and is another one.
    pub stranger: bool,
}

/// A Service that is the gateway of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayService {
    /// `namespace/name`.
    pub name: String,
    /// The network.
    pub network: String,
    /// Where other networks reach it.
    pub addresses: Vec<String>,
    /// The port there.
    pub port: u16,
    /// Whether istiod takes the addresses of nodes.
    pub by_nodes: bool,
    /// What its pods bear.
    pub selector: BTreeMap<String, String>,
}

/// A Gateway that lets other networks through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exposure {
    /// `namespace/name`.
    pub name: String,
    /// The pods that it is for.
    pub selector: BTreeMap<String, String>,
    /// The ports of its servers in mode `AUTO_PASSTHROUGH`.
    pub ports: Vec<u16>,
}

/// What one pod of istiod says.
pub struct IstiodSeen {
    /// Which.
    pub pod: Pod,
    /// Whether it is ready.
    pub ready: bool,
    /// Its image.
    pub image: String,
    /// The clusters that it reads, its own first.
    pub clusters: Look<Vec<RemoteCluster>>,
    /// The gateways that it knows.
    pub networks: Look<Vec<NetworkGateway>>,
    /// The chain that it serves on 15012, leaf first.
    pub chain: Look<Vec<Certificate>>,
}

/// A gateway as istiod knows it.
///
/// Source: `NetworkGateway` of Istio's `pilot/pkg/model`, which has no JSON names of its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkGateway {
    /// The network.
    pub network: String,
    /// The cluster where it stands.
    #[serde(default)]
    pub cluster: String,
    /// Its address.
    pub addr: String,
    /// Its port.
    pub port: u32,
}

/// What came back for a pod that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The namespace that it was for.
    pub namespace: String,
    /// The image of its proxy; nothing if it came back without one.
    pub image: Option<String>,
}

/// A webhook that calls istiod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `ValidatingWebhookConfiguration/istiod-default-validator`.
    pub object: String,
    /// The webhook in it.
    pub name: String,
    /// The CA that the server trusts it by, PEM.
    pub ca_bundle: Option<String>,
}

/// A pod with a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyPod {
    /// Which.
    pub pod: Pod,
    /// What it is made by: `Deployment/sample/sleep`, as far as its name tells.
    pub owner: String,
    /// The image of its proxy.
    pub image: String,
}

/// Settings that send requests elsewhere than chance would.
#[derive(Debug, Clone)]
pub struct Steered {
    /// Which: `DestinationRule sample/hello`.
    pub by: String,
    /// Whether a client keeps to one endpoint (`consistentHash`), so that it need not see the others.
    pub sticky: bool,
}

/// The sample in one cluster.
pub struct SampleSeen {
    /// Its namespace.
    pub namespace: String,
    /// Versions that the tree puts here.
    pub versions: BTreeSet<String>,
    /// Its pods.
    pub pods: Look<Vec<SamplePod>>,
    /// The endpoints of the service that run in this cluster.
    pub endpoints: Look<Vec<Endpoint>>,
    /// The client's proxy.
    pub proxy: Look<ClientProxy>,
    /// What answers at the gateways of other networks.
    pub ports: Look<BTreeMap<(String, u16), PortAnswer>>,
    /// What sends requests for the service elsewhere than chance would.
    pub steered: Option<Steered>,
    /// What was counted; nothing if no traffic was sent.
    pub traffic: Option<Look<Counted>>,
    /// What the client's own lookup of the service's name gave, if a request failed by it.
    pub lookup: Option<String>,
}

/// A pod of the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamplePod {
    /// Which.
    pub pod: Pod,
    /// Its label `app`.
    pub app: String,
    /// Its label `version`.
    pub version: Option<String>,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it has a proxy.
    pub has_proxy: bool,
    /// Why it does not start.
    pub trouble: Option<String>,
}

/// An endpoint of the sample's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The pod.
    pub pod: String,
    /// Its address.
    pub address: String,
    /// Whether it takes requests.
    pub ready: bool,
}

/// What the proxy of a client says.
#[derive(Debug, Clone)]
pub struct ClientProxy {
    /// The client's pod.
    pub pod: String,
    /// Seconds since the proxy started.
    pub uptime: Option<u64>,
    /// The endpoints of the service that it has.
    pub hosts: Look<Vec<Host>>,
    /// Its certificate and what it trusts.
    pub secrets: Look<ProxySecrets>,
}

/// An endpoint as a proxy has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// The address, or the gateway's.
    pub address: String,
    /// The port.
    pub port: u16,
    /// Whether Envoy uses it.
    pub healthy: bool,
    /// 0 is used first.
    pub priority: u32,
    /// Its share.
    pub weight: u32,
    /// Connections that were opened to it.
    pub opened: u64,
    /// Connections that failed.
    pub failed: u64,
}

/// The certificates of a proxy.
#[derive(Debug, Clone, Default)]
pub struct ProxySecrets {
    /// Its own, leaf first.
    pub chain: Vec<Certificate>,
    /// What it trusts.
    pub roots: Vec<Certificate>,
}

/// What a port answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortAnswer {
    /// Whether a TCP connection came about.
    pub connected: bool,
    /// What curl said.
    pub said: String,
    /// Where it was asked from: the container.
    pub container: String,
}

/// What a client counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Requests that were sent.
    pub sent: u32,
    /// Answers by version and instance.
    pub answers: BTreeMap<(String, String), u32>,
    /// What went wrong, and how often.
    pub failures: BTreeMap<String, u32>,
    /// Whether a name did not resolve.
    pub unresolved: bool,
    /// Connections to the service that were opened meanwhile.
    pub opened: Option<u64>,
}

/// A text in a value.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// The items of a list in a value.
pub fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The texts of a map in a value.
pub fn texts(value: &Value, pointer: &str) -> BTreeMap<String, String> {
    let map = value.pointer(pointer).and_then(Value::as_object);
    let pairs = map.into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
