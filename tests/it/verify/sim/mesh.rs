//! What follows from the state of all clusters: what istiods know, where proxies send, who answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cluster::{Cluster, address};

/// All clusters.
#[derive(Clone)]
pub struct Mesh {
    clusters: Vec<Cluster>,
}

/// A gateway of a network, as an istiod knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    pub network: String,
    pub cluster: String,
    pub address: String,
}

/// An endpoint of the sample's service as a client's proxy has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub address: String,
    pub port: u16,
    pub weight: usize,
    /// The pods behind it: cluster, version, name.
    pub servers: Vec<(String, String, String)>,
    /// Why a connection does not come about.
    pub fault: Option<Fault>,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody answers.
    Silence,
    /// Nobody listens.
    Refused,
    /// One side does not trust the other.
    Untrusted,
}

const PORT: u16 = 15443;

impl Mesh {
    pub fn new(clusters: Vec<Cluster>) -> Self {
        Self { clusters }
    }

    /// The same, sharing nothing with what it was cloned from.
    pub fn alone(mut self) -> Self {
        for cluster in &mut self.clusters {
            cluster.breaks = Arc::default();
        }
        self
    }

    pub fn all(&self) -> &[Cluster] {
        &self.clusters
    }

    pub fn cluster_mut(&mut self, name: &str) -> &mut Cluster {
        self.clusters.iter_mut().find(|cluster| cluster.name == name).expect("a cluster")
    }

    /// What the istiods of a cluster say of the clusters that they read: its own first.
    pub fn clusters_of(&self, own: &Cluster) -> Value {
        let mut all = vec![json!({"id": own.name, "secretName": "", "syncStatus": "synced"})];
        for other in &self.clusters {
            let name = format!("istio-remote-secret-{}", other.name);
            let at = address("v1", "secrets", "istio-system", &name);
            let Some(secret) = own.objects.get(&at) else { continue };
            let status = if reads(own, other, secret) { "synced" } else { "timeout" };
            all.push(json!({
                "id": other.name, "secretName": format!("istio-system/{name}"), "syncStatus": status,
            }));
        }
        Value::Array(all)
    }

    fn read_by<'a>(&'a self, own: &'a Cluster) -> impl Iterator<Item = &'a Cluster> {
        self.clusters.iter().filter(move |other| {
            let name = format!("istio-remote-secret-{}", other.name);
            let at = address("v1", "secrets", "istio-system", &name);
            let secret = own.objects.get(&at);
            other.name == own.name || secret.is_some_and(|secret| reads(own, other, secret))
        })
    }

    /// The gateways that the istiods of a cluster know.
    pub fn gateways_of(&self, own: &Cluster) -> Vec<Gateway> {
        let mut all = Vec::new();
        let remembered = self.clusters.iter().filter(|other| own.remembered.contains(&other.name));
        for other in self.read_by(own).chain(remembered) {
            for service in other.all("services", None) {
                let label = &service["metadata"]["labels"]["topology.istio.io/network"];
                let Some(network) = label.as_str() else { continue };
                let ingress = service.pointer("/status/loadBalancer/ingress");
                for at in ingress.and_then(Value::as_array).into_iter().flatten() {
                    all.push(Gateway {
                        network: network.to_owned(),
                        cluster: other.name.clone(),
                        address: at["ip"].as_str().unwrap_or_default().to_owned(),
                    });
                }
            }
        }
        all
    }

    /// `/debug/networkz`.
    pub fn networks_of(&self, own: &Cluster) -> Value {
        let gateways = self.gateways_of(own).into_iter().map(|gateway| {
            json!({
                "Network": gateway.network, "Cluster": gateway.cluster, "Addr": gateway.address,
                "Port": PORT, "HBONEPort": 0, "ServiceAccount": {"Namespace": "", "Name": ""},
            })
        });
        gateways.collect()
    }

    /// Where the proxy of a cluster's client sends requests to the sample's service.
    pub fn hosts_of(&self, own: &Cluster) -> Vec<Host> {
        let gateways = self.gateways_of(own);
        let mut hosts: Vec<Host> = Vec::new();
        for other in self.read_by(own) {
            let of_network: Vec<&Gateway> =
                gateways.iter().filter(|gateway| gateway.network == network(other)).collect();
            let is_near = network(other) == network(own) || of_network.is_empty();
            for pod in servers(other) {
                let server = (
                    other.name.clone(),
                    text(pod, "/metadata/labels/version"),
                    text(pod, "/metadata/name"),
                );
                if is_near {
                    let fault = (other.network != own.network).then_some(Fault::Silence);
                    let fault = fault.or_else(|| untrusted(own, other));
                    let address = text(pod, "/status/podIP");
                    hosts.push(Host {
                        address,
                        port: 5000,
                        weight: 1,
                        servers: vec![server],
                        fault,
                    });
                    continue;
                }
                // across networks only what takes mutual TLS
                if pod.pointer("/metadata/labels/security.istio.io~1tlsMode").is_none() {
                    continue;
                }
                for gateway in &of_network {
                    let known = hosts.iter_mut().find(|host| host.address == gateway.address);
                    match known {
                        Some(host) => {
                            host.weight += 1;
                            host.servers.push(server.clone());
                        }
                        None => hosts.push(Host {
                            address: gateway.address.clone(),
                            port: PORT,
                            weight: 1,
                            servers: vec![server.clone()],
                            fault: self
                                .answers(own, &gateway.address)
                                .filter(|_| !own.pooled)
                                .or_else(|| untrusted(own, other)),
                        }),
                    }
                }
            }
        }
        hosts
    }

    /// What stands between a cluster and 15443 of a gateway's address; nothing if it answers.
    pub fn answers(&self, from: &Cluster, address: &str) -> Option<Fault> {
        let owner = self.clusters.iter().find(|cluster| {
            let services = cluster.all("services", None);
            services.into_iter().any(|service| {
                service.pointer("/status/loadBalancer/ingress/0/ip") == Some(&json!(address))
            })
        });
        let Some(owner) = owner else { return Some(Fault::Silence) };
        if owner.blocked && owner.name != from.name {
            return Some(Fault::Silence);
        }
        let exposes = owner.all("gateways", None).next().is_some();
        (!exposes).then_some(Fault::Refused)
    }

    /// Who answers so many requests of a cluster's client, one after the other; `None` is an answer
    /// of its own proxy, that there is nobody. Envoy tries another endpoint where there is no
    /// connection.
    pub fn requests(&self, own: &Cluster, count: usize) -> Vec<Option<(String, String, String)>> {
        let hosts = self.hosts_of(own);
        let well = hosts.iter().filter(|host| host.fault.is_none());
        // each as often as it weighs
        let turns: Vec<&(String, String, String)> =
            well.flat_map(|host| host.servers.iter()).collect();
        let sticky = own
            .all("destinationrules", Some("sample"))
            .any(|rule| rule.pointer("/spec/trafficPolicy/loadBalancer/consistentHash").is_some());
        let turn = |at: usize| if sticky { 0 } else { at % turns.len().max(1) };
        (0..count).map(|at| turns.get(turn(at)).map(|who| (*who).clone())).collect()
    }
}

/// Whether an istiod reads a cluster. Watches that stand outlive their token.
fn reads(own: &Cluster, other: &Cluster, secret: &Value) -> bool {
    let kubeconfig = secret["data"][other.name.as_str()].as_str().unwrap_or_default();
    let kubeconfig = STANDARD.decode(kubeconfig).unwrap_or_default();
    let is_taken = String::from_utf8_lossy(&kubeconfig).contains(&other.token);
    (is_taken && !other.dead) || !own.restarted
}

fn untrusted(own: &Cluster, other: &Cluster) -> Option<Fault> {
    (own.proxies.root != other.proxies.root).then_some(Fault::Untrusted)
}

/// The network that istiods take a cluster to be of.
fn network(cluster: &Cluster) -> &str {
    let at = address("v1", "namespaces", "", "istio-system");
    let label = &cluster.objects[&at]["metadata"]["labels"]["topology.istio.io/network"];
    label.as_str().unwrap_or_default()
}

/// The ready pods of the sample's service.
fn servers(cluster: &Cluster) -> impl Iterator<Item = &Value> {
    cluster.all("pods", Some("sample")).filter(|pod| {
        pod["metadata"]["labels"]["app"] == "helloworld"
            && pod["status"]["conditions"][0]["status"] == "True"
    })
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
