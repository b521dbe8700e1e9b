//! What the pods of a simulated cluster answer: istiod at its ports, commands in the client's pod.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::api;
use super::api::Request;
use super::cluster::{Cluster, Trust, address};
use super::mesh::{Fault, Host, Mesh};
use crate::testbed::{Connection, End, Exec, Upgrade, exec, port_forward};

/// What goes back through a stream.
pub enum Answer {
    /// A command's output.
    Exec(Exec),
    /// HTTP at a port: the body of a path, by the path.
    Http(u16, Vec<(&'static str, Value)>),
    /// TLS at a port.
    Tls(u16, Trust),
    /// Nobody listens at a port.
    Closed(u16),
    /// The connection to a port breaks in the middle of an answer.
    Broken(u16),
}

impl Answer {
    /// Sends it.
    pub fn send(&self, stream: &TcpStream, upgrade: &Upgrade) -> io::Result<()> {
        match self {
            Answer::Exec(output) => exec(stream, upgrade, output),
            Answer::Http(port, paths) => {
                let mut work = |connection: &mut dyn Connection| http(connection, paths);
                port_forward(stream, upgrade, *port, Ok(&mut work))
            }
            Answer::Tls(port, trust) => {
                let mut work = |mut connection: &mut dyn Connection| {
                    let mut session =
                        rustls::ServerConnection::new(tls(trust)).map_err(io::Error::other)?;
                    session.complete_io(&mut connection)?;
                    Ok(())
                };
                port_forward(stream, upgrade, *port, Ok(&mut work))
            }
            Answer::Broken(port) => {
                let mut work = |connection: &mut dyn Connection| {
                    connection.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n[{\"id\"")
                };
                port_forward(stream, upgrade, *port, Ok(&mut work))
            }
            Answer::Closed(port) => {
                let why = format!(
                    "failed to connect to localhost:{port} inside namespace: connection refused"
                );
                port_forward(stream, upgrade, *port, Err(why))
            }
        }
    }
}

fn tls(trust: &Trust) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(trust.chain.as_bytes());
    let chain: Result<Vec<_>, _> = chain.collect();
    let key = PrivateKeyDer::from_pem_slice(trust.key.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.expect("certificates"), key)
        .expect("a key that fits");
    Arc::new(config)
}

fn http(connection: &mut dyn Connection, paths: &[(&'static str, Value)]) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if connection.read(&mut byte)? == 0 {
            return Ok(());
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match paths.iter().find(|(known, _)| *known == path) {
        Some((_, body)) => ("200 OK", body.to_string()),
        None => ("404 Not Found", "404 page not found\n".to_owned()),
    };
    let head = format!("HTTP/1.0 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    connection.write_all((head + &body).as_bytes())
}

/// Answers `exec` and `portforward`, or says that there is no such pod or container.
pub fn answer(mesh: &Mesh, cluster: &Cluster, request: &Request) -> Result<Answer, api::Answer> {
    let parts: Vec<&str> = request.path.split('/').skip(1).collect();
    let ["api", "v1", "namespaces", namespace, "pods", name, how] = parts[..] else {
        return Err(api::Answer::refused(404, "NotFound", "no such address"));
    };
    let Some(pod) = cluster.objects.get(&address("v1", "pods", namespace, name)) else {
        let message = format!("pods \"{name}\" not found");
        return Err(api::Answer::refused(404, "NotFound", &message));
    };
    if how == "portforward" {
        let port = request.parameter("ports").and_then(|port| port.parse().ok()).unwrap_or(0);
        let is_istiod = pod["metadata"]["labels"]["app"] == "istiod";
        let breaks = |left: usize| left.checked_sub(1);
        let relaxed = Ordering::Relaxed;
        return Ok(match port {
            _ if cluster.breaks.fetch_update(relaxed, relaxed, breaks).is_ok() => {
                Answer::Broken(port)
            }
            8080 if is_istiod => Answer::Http(
                port,
                vec![
                    ("/debug/clusterz", mesh.clusters_of(cluster)),
                    ("/debug/networkz", mesh.networks_of(cluster)),
                ],
            ),
            15012 if is_istiod => Answer::Tls(port, cluster.trust.clone()),
            _ => Answer::Closed(port),
        });
    }
    let container = request.parameter("container").unwrap_or_default();
    let mut containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    if !containers.any(|one| one["name"] == container) {
        let message = format!("container {container} is not valid for pod {name}");
        return Err(api::Answer::refused(400, "BadRequest", &message));
    }
    let words = request.query.iter().filter(|(name, _)| name == "command");
    let words: Vec<&str> = words.map(|(_, word)| word.as_str()).collect();
    Ok(Answer::Exec(command(mesh, cluster, &words)))
}

/// A command in the client's pod.
fn command(mesh: &Mesh, cluster: &Cluster, words: &[&str]) -> Exec {
    if let Some(output) = &cluster.says {
        return output.clone();
    }
    let output = match words {
        ["pilot-agent", "request", "GET", path] => {
            // as a real one: stderr is never empty
            let stderr = "INFO\tGOMEMLIMIT is already set, skipping\n".as_bytes().to_vec();
            let stdout = admin(mesh, cluster, path).to_string().into_bytes();
            return Exec { stdout, stderr, end: End::Done };
        }
        ["sh", "-c", script, "sh", url, count, ..] if script.contains("%{http_code}") => {
            let count = count.parse().expect("a number");
            assert!(url.ends_with("/hello"), "{url}");
            requests(mesh, cluster, count)
        }
        ["sh", "-c", script, "sh", name, targets @ ..] if script.contains("%{remote_ip}") => {
            assert!(name.starts_with("outbound_.5000_._.helloworld.sample."), "{name}");
            targets.chunks(2).map(|target| port(mesh, cluster, target[0], target[1])).collect()
        }
        _ => {
            return Exec {
                end: End::NotBegun(format!("exec: {:?}: not found in $PATH", words.first())),
                ..Exec::default()
            };
        }
    };
    Exec { stdout: output.into_bytes(), ..Exec::default() }
}

/// What curl prints for requests one after the other, in the words of `look/traffic.rs`.
fn requests(mesh: &Mesh, cluster: &Cluster, count: usize) -> String {
    let mut out = String::new();
    for who in mesh.requests(cluster, count) {
        match who {
            Some((_, version, pod)) => {
                out.push_str(&format!("Hello version: {version}, instance: {pod}\n\n@ 200 0\n"));
            }
            None => out.push_str("no healthy upstream\n@ 503 0\n"),
        }
    }
    out
}

/// What curl prints of a gateway's port, in the words of `look/port.rs`.
fn port(mesh: &Mesh, cluster: &Cluster, address: &str, port: &str) -> String {
    let at = format!("{address} port {port}");
    let (code, said, ip) = match mesh.answers(cluster, address) {
        None | Some(Fault::Untrusted) => {
            (35, "Recv failure: Connection reset by peer".to_owned(), address)
        }
        Some(Fault::Refused) => {
            (7, format!("Failed to connect to {at} after 0 ms: Couldn't connect to server"), "")
        }
        Some(Fault::Silence) => {
            (28, format!("Failed to connect to {at} after 5001 ms: Timeout was reached"), "")
        }
    };
    format!("@ {address} {port} {code} curl: ({code}) {said} ip={ip};\n")
}

/// What a proxy's admin port answers.
fn admin(mesh: &Mesh, cluster: &Cluster, path: &str) -> Value {
    match path {
        "clusters?format=json" => {
            let hosts: Vec<Value> = mesh.hosts_of(cluster).iter().map(host).collect();
            json!({"cluster_statuses": [
                {"name": "sds-grpc", "host_statuses": []},
                {
                    "name": "outbound|5000||helloworld.sample.svc.cluster.local",
                    "added_via_api": true,
                    "host_statuses": hosts,
                },
            ]})
        }
        "server_info" => json!({
            "state": "LIVE",
            "uptime_current_epoch": format!("{}s", cluster.uptime),
            "uptime_all_epochs": format!("{}s", cluster.uptime),
        }),
        "config_dump?resource=dynamic_active_secrets" => secrets(cluster),
        _ => json!({"configs": []}),
    }
}

fn host(host: &Host) -> Value {
    let failed = if host.fault.is_some() { "3" } else { "0" };
    json!({
        "address": {"socket_address": {"address": host.address, "port_value": host.port}},
        // a counter of 0 has no value
        "stats": [
            {"name": "cx_connect_fail", "value": failed},
            {"name": "cx_total", "value": "2"},
            {"name": "rq_error"},
            {"name": "rq_success", "value": "3"},
            {"name": "rq_total", "value": "3"},
            {"type": "GAUGE", "name": "cx_active", "value": "2"},
        ],
        "health_status": {"eds_health_status": "HEALTHY"},
        "weight": host.weight,
        "locality": {},
    })
}

fn secrets(cluster: &Cluster) -> Value {
    let Trust { chain, root, .. } = &cluster.proxies;
    let secret = |name: &str, held: Value| {
        let mut secret = json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
            "name": name,
        });
        for (key, value) in held.as_object().expect("a map") {
            secret[key] = value.clone();
        }
        json!({
            "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret",
            "name": name,
            "version_info": "2026-11-30T18:56:14Z/1",
            "last_updated": "2026-11-30T18:56:14.452Z",
            "secret": secret,
        })
    };
    let bytes = |text: &str| json!({"inline_bytes": STANDARD.encode(text)});
    json!({"configs": [
        secret("default", json!({"tls_certificate": {
            "certificate_chain": bytes(chain), "private_key": bytes("[redacted]"),
        }})),
        secret("ROOTCA", json!({"validation_context": {
            "trusted_ca": bytes(root), "crl": bytes(""),
        }})),
    ]})
}
