//! Istio's own istiod, as a plain process beside a control plane.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::control_plane::{ControlPlane, PATIENCE};
use super::node::Node;
use super::process::Server;

/// A pilot-discovery that serves a cluster by its API server, and whose ports 8080 and 15014 are
/// those of a pod; gone on drop.
pub struct Pilot {
    debug: SocketAddr,
    _node: Node,
    _server: Server,
}

impl Pilot {
    /// Starts the program for a control plane, and waits until it is ready.
    pub fn start(program: &Path, plane: &ControlPlane) -> Self {
        let folder = plane.path("pilot");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("kubeconfig"), plane.admin_kubeconfig(&plane.name)).expect("a file");
        fs::write(folder.join("mesh"), "trustDomain: cluster.local\n").expect("a file");
        // as kubelet would mount it
        let path = "/api/v1/namespaces/istio-system/secrets/cacerts";
        let secret = plane.client().get(path).expect("cacerts");
        fs::create_dir_all(folder.join("etc/cacerts")).expect("a folder");
        for (name, data) in secret["data"].as_object().expect("data") {
            let bytes = STANDARD.decode(data.as_str().expect("text")).expect("base64");
            fs::write(folder.join("etc/cacerts").join(name), bytes).expect("a file");
        }
        let ports: [SocketAddr; 5] = std::array::from_fn(|_| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.local_addr().expect("an address")
        });
        let [debug, metrics, grpc, secure, webhook] = ports;
        let file = |name: &str| folder.join(name).display().to_string();
        let arguments = [
            // its paths are relative
            "sh".to_owned(),
            "-c".to_owned(),
            "cd \"$0\" && exec \"$@\"".to_owned(),
            folder.display().to_string(),
            program.display().to_string(),
            "discovery".to_owned(),
            format!("--kubeconfig={}", file("kubeconfig")),
            format!("--meshConfig={}", file("mesh")),
            format!("--clusterID={}", plane.name),
            format!("--httpAddr={debug}"),
            format!("--monitoringAddr={metrics}"),
            format!("--grpcAddr={grpc}"),
            format!("--secureGRPCAddr={secure}"),
            format!("--httpsAddr={webhook}"),
            "--ctrlz_port=0".to_owned(),
        ];
        let variables = [
            format!("POD_NAME=istiod-{}", plane.name),
            "POD_NAMESPACE=istio-system".to_owned(),
            "INJECTION_WEBHOOK_CONFIG_NAME=".to_owned(),
            "VALIDATION_WEBHOOK_CONFIG_NAME=".to_owned(),
        ];
        let arguments: Vec<String> = variables.into_iter().chain(arguments).collect();
        let log = folder.join("log");
        let mut server = Server::start(Path::new("/usr/bin/env"), &arguments, &log);
        let started = Instant::now();
        while !get(debug, "/ready").is_ok_and(|(status, _)| status == 200) {
            if let Some(status) = server.ended() {
                panic!("istiod of {} ended with {status}:\n{}", plane.name, server.last_words());
            }
            assert!(started.elapsed() < PATIENCE, "{}: {}", plane.name, server.last_words());
            thread::sleep(Duration::from_millis(100));
        }
        let mut node = Node::start(plane, move |_, port, path| match port {
            8080 => get(debug, path).ok(),
            15014 => get(metrics, path).ok(),
            _ => None,
        });
        node.add_istiod("istiod-of-istio");
        Self { debug, _node: node, _server: server }
    }

    /// What it says of a cluster that it reads: `synced`, `syncing`, ….
    pub fn says_of(&self, cluster: &str) -> Option<String> {
        let (_, body) = get(self.debug, "/debug/clusterz").ok()?;
        let all: Vec<Value> = serde_json::from_str(&body).ok()?;
        let found = all.into_iter().find(|one| one["id"] == cluster)?;
        found["syncStatus"].as_str().map(str::to_owned)
    }
}

fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body.to_owned()))
}
