//! Facts: what only the infrastructure knows.

mod import;
mod kubeconfig;
mod terraform;
mod value;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

pub use import::{Change, DropReason, Dropped, FactChange, Import, Plan, write};

use crate::diag::{Diagnostic, Diagnostics, Sources, facts_rules as rules};
use crate::spec::model::API_VERSION;
use crate::yaml::{self, Schema};

/// A fact that meshgen knows by name.
#[derive(Debug, Clone, Copy)]
pub struct KnownFact {
    /// Its name: dots separate the levels of the file.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Terraform outputs that hold it, the best first: the name, and keys inside of its value.
    pub outputs: &'static [&'static str],
}

/// The table of facts. Outputs of Terraform that are not in it are never kept: `terraform output
/// -json` holds sensitive values too.
pub const KNOWN: [KnownFact; 8] = [
    KnownFact {
        name: "server",
        meaning: "URL of the API server as peers reach it: https://10.1.0.5:6443",
        outputs: &[
            "apiserver_private_endpoint",
            "cluster_endpoints.private_endpoint",
            "apiserver_private_host",
            "cluster_private_endpoint",
            "cluster_endpoint",
            "cluster_endpoints.public_endpoint",
        ],
    },
    KnownFact {
        name: "certificateAuthority",
        meaning: "CA of the API server, PEM (or base64 of it)",
        outputs: &[
            "cluster_ca_cert",
            "cluster_ca_certificate",
            "cluster_certificate_authority_data",
        ],
    },
    KnownFact {
        name: "clusterId",
        meaning: "the provider's identifier of the cluster: an OCID, an ARN",
        outputs: &["cluster_id", "cluster_ids", "cluster_ocid", "cluster_arn"],
    },
    KnownFact {
        name: "publicLoadBalancer.networkSecurityGroup",
        meaning: "NSG of the public ingress gateway's load balancer",
        outputs: &["pub_lb_nsg_id", "public_lb_nsg_id"],
    },
    KnownFact {
        name: "publicLoadBalancer.subnet",
        meaning: "subnet of the public ingress gateway's load balancer",
        outputs: &["pub_lb_subnet_id", "public_lb_subnet_id"],
    },
    KnownFact {
        name: "internalLoadBalancer.networkSecurityGroup",
        meaning: "NSG of the east-west gateway's load balancer",
        outputs: &["int_lb_nsg_id", "internal_lb_nsg_id"],
    },
    KnownFact {
        name: "internalLoadBalancer.subnet",
        meaning: "subnet of the east-west gateway's load balancer",
        outputs: &["int_lb_subnet_id", "internal_lb_subnet_id"],
    },
    KnownFact {
        name: "uid",
        meaning: "UID of the namespace kube-system: the cluster's identity",
        outputs: &[],
    },
];

/// Whether a name is a fact: one of the table, or `other.<name>` for facts of one's own.
pub fn is_fact(name: &str) -> bool {
    KNOWN.iter().any(|known| known.name == name)
        || name.strip_prefix("other.").is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
}

/// The facts of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Made up, to show how it looks: renders, and is never applied.
    pub example: bool,
    /// Values by dotted name.
    pub values: BTreeMap<String, String>,
}

/// The facts of a cluster as they lie in the project, if they read.
pub fn of_cluster(
    disk: &crate::file::Disk,
    project: &std::path::Path,
    cluster: &str,
) -> Option<Facts> {
    const MAX: u64 = 1 << 20;
    let name = format!("facts/{cluster}.json");
    let bytes = disk.read_input(project, std::path::Path::new(&name), MAX).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Facts::parse(&name, &text, &mut Sources::new(), &mut Diagnostics::new())
}

impl Facts {
    /// A fact by its dotted name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The identity of the cluster, if it is pinned.
    pub fn uid(&self) -> Option<&str> {
        self.get("uid")
    }

    /// Reads a facts file; what is wrong with it becomes diagnostics.
    pub fn parse(
        file: &str,
        text: &str,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let fault = |message: String| {
            Diagnostic::new(&rules::MALFORMED, message)
                .hint("`meshgen facts import` writes the file anew")
        };
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                diagnostics.push(fault(format!("this is no JSON: {error}")).in_file(file));
                return None;
            }
        };
        let mut facts = Self::default();
        let mut faults: Vec<(Vec<String>, String)> = Vec::new();
        facts.read(&value, &mut faults);
        if faults.is_empty() {
            return Some(facts);
        }
        // the places are wanted only now
        let source = sources.add(file, text);
        let node = yaml::parse(source, text, Schema::Strict).ok();
        for (path, message) in faults {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let place = node.as_ref().and_then(|node| node.at_keys(&path)).map(|node| node.span);
            diagnostics.push(fault(message).in_file(file).at_maybe(place, ""));
        }
        None
    }

    fn read(&mut self, value: &Value, faults: &mut Vec<(Vec<String>, String)>) {
        let Some(map) = value.as_object() else {
            faults.push((Vec::new(), "facts are a mapping".to_owned()));
            return;
        };
        for (key, value) in map {
            let path = vec![key.clone()];
            match (key.as_str(), value) {
                ("apiVersion", Value::String(version)) if version == API_VERSION => {}
                ("kind", Value::String(kind)) if kind == "Facts" => {}
                ("example", Value::Bool(example)) => self.example = *example,
                ("facts", Value::Object(facts)) => self.flatten("", facts, &path, faults),
                ("apiVersion" | "kind" | "example" | "facts", _) => {
                    faults.push((path, format!("`{key}` does not belong here with this value")));
                }
                _ => faults.push((path, format!("unknown key `{key}`"))),
            }
        }
    }

    fn flatten(
        &mut self,
        prefix: &str,
        map: &Map<String, Value>,
        path: &[String],
        faults: &mut Vec<(Vec<String>, String)>,
    ) {
        for (key, value) in map {
            let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            let path: Vec<String> = path.iter().chain([key]).cloned().collect();
            match value {
                Value::Object(inner) if prefix.is_empty() => {
                    self.flatten(&name, inner, &path, faults);
                }
                Value::String(text) if is_fact(&name) => {
                    self.values.insert(name, text.clone());
                }
                Value::String(_) => faults.push((path, format!("there is no fact `{name}`"))),
                _ => faults.push((path, format!("the fact `{name}` must be a string"))),
            }
        }
    }

    /// The text of a facts file: JSON, two spaces, the table's order.
    pub fn to_text(&self) -> String {
        let mut facts = Map::new();
        let known = KNOWN.iter().map(|known| known.name);
        let others =
            self.values.keys().map(String::as_str).filter(|name| name.starts_with("other."));
        for name in known.chain(others) {
            let Some(value) = self.get(name) else {
                continue;
            };
            match name.split_once('.') {
                None => {
                    facts.insert(name.to_owned(), json!(value));
                }
                Some((group, name)) => {
                    let group = facts.entry(group).or_insert_with(|| json!({}));
                    group[name] = json!(value);
                }
            }
        }
        let mut file = Map::new();
        file.insert("apiVersion".to_owned(), json!(API_VERSION));
        file.insert("kind".to_owned(), json!("Facts"));
        if self.example {
            file.insert("example".to_owned(), json!(true));
        }
        file.insert("facts".to_owned(), Value::Object(facts));
        format!("{:#}\n", Value::Object(file))
    }
}

/// What is wrong with an API server address, if anything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFault {
    /// Not `https://HOST[:PORT]`.
    NotAUrl,
    /// Leads back to whoever dials it.
    Loopback,
}

/// Checks an API server address as peers will dial it.
pub fn check_server(url: &str) -> Result<(), ServerFault> {
    let rest = url.strip_prefix("https://").ok_or(ServerFault::NotAUrl)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if rest.is_empty() || !rest.bytes().all(clean) {
        return Err(ServerFault::NotAUrl);
    }
    let host = match rest.strip_prefix('[') {
        Some(six) => {
            let (host, port) = six.split_once(']').ok_or(ServerFault::NotAUrl)?;
            check_port(port.strip_prefix(':').or_else(|| port.is_empty().then_some("443")))?;
            host
        }
        None => match rest.split_once(':') {
            Some((host, port)) => {
                check_port(Some(port))?;
                host
            }
            None => rest,
        },
    };
    if host.is_empty() {
        return Err(ServerFault::NotAUrl);
    }
    if is_local(host) { Err(ServerFault::Loopback) } else { Ok(()) }
}

fn check_port(port: Option<&str>) -> Result<(), ServerFault> {
    let valid = port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    if valid { Ok(()) } else { Err(ServerFault::NotAUrl) }
}

fn is_local(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_unspecified() || address.is_link_local()
        }
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped();
            let link_local = address.segments()[0] & 0xffc0 == 0xfe80;
            address.is_loopback()
                || address.is_unspecified()
                || link_local
                || mapped.is_some_and(|four| four.is_loopback() || four.is_unspecified())
        }
        Err(_) => false,
    }
}
