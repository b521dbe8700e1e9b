//! A node, as far as an API server asks its kubelet: port-forwards into pods.

use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::{Bytes, Message, WebSocket};

use super::client::Client;
use super::control_plane::{ControlPlane, PATIENCE};
use super::tls::{self, Listener, ServerStream};

const MERGE: &str = "application/merge-patch+json";

/// What is behind the ports of pods: of a pod, a port and a path the status and the body; `None`
/// where nothing listens.
type Listening = dyn Fn(&str, u16, &str) -> Option<(u16, String)> + Send + Sync;

/// A node of a cluster with pods that do not run, but whose ports answer; all of it is gone on drop.
///
/// A port-forward goes the whole way: over a WebSocket to the API server, from there to this
/// server, which speaks the kubelet's side of `v4.channel.k8s.io`. One request a connection.
pub struct Node {
    client: Client,
    name: String,
    pods: Vec<String>,
    _listener: Listener,
}

impl Drop for Node {
    fn drop(&mut self) {
        // nobody ends pods of a node that is gone, and the control plane is another test's soon
        for path in &self.pods {
            let _ =
                self.client.try_request("DELETE", &format!("{path}?gracePeriodSeconds=0"), None);
        }
        let path = format!("/api/v1/nodes/{}", self.name);
        let _ = self.client.try_request("DELETE", &path, None);
    }
}

impl Node {
    /// Starts one.
    pub fn start(
        plane: &ControlPlane,
        listening: impl Fn(&str, u16, &str) -> Option<(u16, String)> + Send + Sync + 'static,
    ) -> Self {
        let listening: Arc<Listening> = Arc::new(listening);
        let tls = tls::server(&plane.server_identity(), None);
        let listener = Listener::start("127.0.0.1", tls, move |stream| {
            // whoever asked may hang up
            let _ = serve(stream, &*listening);
        });
        let (client, name) = (plane.client_named("testbed-node"), format!("{}-node", plane.name));
        client.post("/api/v1/nodes", &json!({"metadata": {"name": name}}));
        let path = format!("/api/v1/nodes/{name}");
        client.patch(&path, MERGE, &json!({"spec": {"taints": null}}));
        let status = json!({"status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": listener.address.port()}},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        }});
        client.patch(&format!("{path}/status"), MERGE, &status);
        Self { client, name, pods: Vec::new(), _listener: listener }
    }

    /// Puts a pod of istiod's on it, which runs and is ready.
    pub fn add_istiod(&mut self, name: &str) {
        let pods = "/api/v1/namespaces/istio-system/pods";
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": "istiod"}},
            "spec": {
                "nodeName": self.name,
                "containers": [{"name": "discovery", "image": "istiod"}],
            },
        });
        // pods are refused before there is an account for them
        let started = Instant::now();
        while self.client.request("POST", pods, Some(("application/json", &pod))).status != 201 {
            assert!(started.elapsed() < PATIENCE, "no pod {name}");
            thread::sleep(Duration::from_millis(20));
        }
        let path = format!("{pods}/{name}");
        let status: Value = json!({"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
        }});
        self.client.patch(&format!("{path}/status"), MERGE, &status);
        self.pods.push(path);
    }
}

type Socket = WebSocket<StreamOwned<ServerConnection, TcpStream>>;

/// One port-forward: `/portForward/NAMESPACE/POD?port=N`.
#[expect(clippy::result_large_err, reason = "the errors are the library's")]
fn serve(stream: ServerStream, listening: &Listening) -> tungstenite::Result<()> {
    let mut asked = None;
    let agree = |request: &Request, mut response: Response| {
        let pod = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let query = request.uri().query().unwrap_or_default();
        let port = query.split('&').find_map(|pair| pair.split_once('=')?.1.parse::<u16>().ok());
        asked = port.map(|port| (pod, port));
        let protocol = HeaderValue::from_static("v4.channel.k8s.io");
        response.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        Ok(response)
    };
    let Ok(mut socket) = tungstenite::accept_hdr(stream.into_inner(), agree) else { return Ok(()) };
    let Some((pod, port)) = asked else { return Ok(()) };
    // each channel begins with its port
    let [low, high] = port.to_le_bytes();
    for channel in [0, 1] {
        send(&mut socket, vec![channel, low, high])?;
    }
    let mut request = Vec::new();
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        match socket.read()? {
            Message::Binary(bytes) if bytes.first() == Some(&0) => {
                request.extend_from_slice(&bytes[1..]);
            }
            Message::Close(_) => return Ok(()),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split(' ').nth(1).unwrap_or_default();
    let (channel, text) = match listening(&pod, port, path) {
        Some((status, body)) => {
            let length = body.len();
            (0, format!("HTTP/1.0 {status} answer\r\nContent-Length: {length}\r\n\r\n{body}"))
        }
        None => (1, format!("failed to connect to localhost:{port} inside the namespace of {pod}")),
    };
    send(&mut socket, [&[channel], text.as_bytes()].concat())?;
    socket.close(None)?;
    while socket.read().is_ok() {}
    Ok(())
}

fn send(socket: &mut Socket, bytes: Vec<u8>) -> tungstenite::Result<()> {
    socket.send(Message::Binary(Bytes::from(bytes)))
}
