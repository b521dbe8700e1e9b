//! What istiod does to a cluster that others notice: its webhooks.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client::Client;
use super::control_plane::ControlPlane;
use super::http::{self, Head};
use super::keys::Authority;
use super::namespace;
use super::tls::{self, Listener, ServerStream};

const CONFIGURATIONS: [&str; 2] =
    ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];

/// A stand-in for istiod, of every revision in a cluster; stops on drop.
///
/// It serves `/inject` and `/validate`, keeps its CA and `failurePolicy: Fail` in every webhook
/// whose Service's name begins with `istiod` (by PUT, as manager `pilot-discovery`), and keeps an
/// `EndpointSlice` with its address for each of these Services. It runs only where
/// [`in_namespace`](super::in_namespace) is true: API servers call no loopback addresses.
pub struct Istiod {
    state: Arc<State>,
    listener: Mutex<Option<Listener>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    client: Client,
    ended: AtomicBool,
    bundle: String,
    ip: String,
    port: u16,
}

impl Drop for Istiod {
    fn drop(&mut self) {
        self.kill();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Istiod {
    /// Starts one for a control plane.
    pub fn start(plane: &ControlPlane) -> Self {
        let authority = Authority::new("istiod-ca");
        let identity = authority.server(&["*.istio-system.svc", "istiod.istio-system.svc"]);
        let ip = namespace::address(plane.number);
        let namespaces = plane.client_named("testbed-istiod");
        let listener = Listener::start(&ip, tls::server(&identity, None), move |mut stream| {
            // the API server may hang up whenever it likes
            let _ = serve(&mut stream, &namespaces);
        });
        let state = Arc::new(State {
            client: plane.client_named("pilot-discovery/testbed"),
            ended: AtomicBool::new(false),
            bundle: STANDARD.encode(&authority.identity.certificate),
            port: listener.address.port(),
            ip,
        });
        let seen = state.clone();
        let thread = thread::spawn(move || {
            while !seen.ended.load(Ordering::SeqCst) {
                // a dead API server is part of some tests
                let _ = seen.round();
                thread::sleep(Duration::from_millis(200));
            }
        });
        Self { state, listener: Mutex::new(Some(listener)), thread: Some(thread) }
    }

    /// Stops serving and writing; what it wrote stays, so its webhooks fail from now on.
    pub fn kill(&self) {
        self.state.ended.store(true, Ordering::SeqCst);
        *self.listener.lock().expect("no thread panics here") = None;
    }
}

impl State {
    fn round(&self) -> io::Result<()> {
        for kind in CONFIGURATIONS {
            let base = format!("/apis/admissionregistration.k8s.io/v1/{kind}");
            let list = self.client.try_request("GET", &base, None)?;
            for found in list.body["items"].as_array().into_iter().flatten() {
                let mut wanted = found.clone();
                for webhook in wanted["webhooks"].as_array_mut().into_iter().flatten() {
                    let service = webhook["clientConfig"]["service"].clone();
                    if service["name"].as_str().is_some_and(|name| name.starts_with("istiod")) {
                        self.endpoint(&service)?;
                        webhook["clientConfig"]["caBundle"] = json!(self.bundle);
                        webhook["failurePolicy"] = json!("Fail");
                    }
                }
                if wanted != *found && !self.ended.load(Ordering::SeqCst) {
                    let name = found["metadata"]["name"].as_str().unwrap_or_default();
                    let path = format!("{base}/{name}?fieldManager=pilot-discovery");
                    let body = ("application/json", &wanted);
                    self.client.try_request("PUT", &path, Some(body))?;
                }
            }
        }
        Ok(())
    }

    /// Keeps the address of this server behind a Service, where there is such a Service.
    fn endpoint(&self, service: &Value) -> io::Result<()> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&service["namespace"]), text(&service["name"]));
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
        let found = self.client.try_request("GET", &path, None)?.body;
        let wanted = service["port"].as_u64().unwrap_or(443);
        let ports = found["spec"]["ports"].as_array().into_iter().flatten();
        let Some(port) = ports.into_iter().find(|port| port["port"] == wanted) else {
            return Ok(());
        };
        let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        let slice = format!("{slices}/{name}-testbed");
        let found = self.client.try_request("GET", &slice, None)?;
        if found.body["ports"][0]["port"] == self.port {
            return Ok(());
        }
        let object = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {
                "name": format!("{name}-testbed"),
                "labels": {
                    "kubernetes.io/service-name": name,
                    "endpointslice.kubernetes.io/managed-by": "testbed",
                },
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [self.ip], "conditions": {"ready": true}}],
            "ports": [{"name": port["name"], "port": self.port, "protocol": "TCP"}],
        });
        self.client.apply(&format!("{slice}?force=true"), "testbed", &object);
        Ok(())
    }
}

/// Answers the API server until it hangs up.
fn serve(stream: &mut ServerStream, namespaces: &Client) -> io::Result<()> {
    while let Some(head) = Head::read(stream)? {
        let (_, body) = http::whole_body(stream, head.request_framing())?;
        let review: Value = serde_json::from_slice(&body).unwrap_or_default();
        let request = &review["request"];
        let mut response = json!({"uid": request["uid"], "allowed": true});
        if head.words().get(1).is_some_and(|path| path.starts_with("/inject")) {
            let patch = injection(request, namespaces);
            if patch != json!([]) {
                response["patchType"] = json!("JSONPatch");
                response["patch"] = json!(STANDARD.encode(patch.to_string()));
            }
        }
        let answer = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
        });
        let answer = answer.to_string();
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.get_mut().write_all(text.as_bytes())?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

/// The JSON patch for a pod: a sidecar, or the image of a gateway's own container.
fn injection(request: &Value, namespaces: &Client) -> Value {
    const IMAGE: &str = "docker.io/istio/proxyv2:testbed";
    let pod = &request["object"];
    let wish = pod["metadata"]["labels"]["sidecar.istio.io/inject"].as_str();
    let wanted = if let Some(wish) = wish {
        wish == "true"
    } else {
        let namespace = request["namespace"].as_str().unwrap_or_default();
        let found = namespaces.get(&format!("/api/v1/namespaces/{namespace}"));
        let labels = found.map(|found| found["metadata"]["labels"].clone()).unwrap_or_default();
        labels["istio-injection"] == "enabled" || labels["istio.io/rev"].is_string()
    };
    if !wanted {
        return json!([]);
    }
    let mut containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    match containers.position(|container| container["name"] == "istio-proxy") {
        Some(index) => json!([
            {"op": "replace", "path": format!("/spec/containers/{index}/image"), "value": IMAGE},
        ]),
        None => json!([
            {"op": "add", "path": "/spec/containers/-",
             "value": {"name": "istio-proxy", "image": IMAGE, "args": ["proxy", "sidecar"]}},
        ]),
    }
}
