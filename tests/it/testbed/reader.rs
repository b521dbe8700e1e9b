//! What an istiod does with remote secrets, and what it says of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use super::client::Client;
use super::control_plane::ControlPlane;
use super::node::Node;
use super::tls;

/// A stand-in for an istiod that reads other clusters: a pod whose ports 8080 and 15014 answer; ends
/// on drop.
///
/// As Istio's own it takes remote secrets, counts what it is told of, skips an unchanged kubeconfig,
/// says `syncing` until the API server that the kubeconfig names has taken its token, and from then
/// on `synced`, whatever becomes of that token. It goes on asking with each token, and remembers when
/// one was refused that had been taken: that is when a real one loses sight of a cluster.
pub struct Reader {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
    _node: Node,
}

struct State {
    name: String,
    client: Client,
    ended: AtomicBool,
    deaf: AtomicBool,
    mute: AtomicBool,
    added: AtomicUsize,
    changed: AtomicUsize,
    remote: Mutex<BTreeMap<String, Remote>>,
    outages: Mutex<Vec<String>>,
    had: Mutex<Vec<(String, String)>>,
}

struct Remote {
    secret: String,
    kubeconfig: String,
    client: Client,
    token: String,
    synced: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Reader {
    /// Starts one in a cluster that has the namespace istio-system.
    pub fn start(plane: &ControlPlane) -> Self {
        let state = Arc::new(State {
            name: plane.name.clone(),
            client: plane.client_named("testbed-istiod"),
            ended: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            mute: AtomicBool::new(false),
            added: AtomicUsize::new(0),
            changed: AtomicUsize::new(0),
            remote: Mutex::default(),
            outages: Mutex::default(),
            had: Mutex::default(),
        });
        let seen = state.clone();
        let mut node = Node::start(plane, move |_, port, path| seen.answer(port, path));
        node.add_istiod("istiod-of-others");
        let seen = state.clone();
        let thread = thread::spawn(move || {
            while !seen.ended.load(Ordering::SeqCst) {
                seen.hear();
                seen.look();
                thread::sleep(Duration::from_millis(50));
            }
        });
        Self { state, thread: Some(thread), _node: node }
    }

    /// With `true`, it hears of no change of a remote secret, as when its watch broke.
    pub fn deaf(&self, deaf: bool) {
        self.state.deaf.store(deaf, Ordering::SeqCst);
    }

    /// With `true`, its ports are closed.
    pub fn mute(&self, mute: bool) {
        self.state.mute.store(mute, Ordering::SeqCst);
    }

    /// The token that it reads a cluster with, once that was taken.
    pub fn token(&self, of: &str) -> Option<String> {
        let remote = lock(&self.state.remote);
        remote.get(of).filter(|remote| remote.synced).map(|remote| remote.token.clone())
    }

    /// All tokens of a cluster that it ever had, in order.
    pub fn tokens(&self, of: &str) -> Vec<String> {
        let had = lock(&self.state.had);
        had.iter().filter(|(one, _)| one == of).map(|(_, token)| token.clone()).collect()
    }

    /// How many changes of remote secrets it was told of.
    pub fn changes(&self) -> usize {
        self.state.changed.load(Ordering::SeqCst)
    }

    /// Tokens that were refused after they had been taken: whose, and by whom.
    pub fn outages(&self) -> Vec<String> {
        lock(&self.state.outages).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Takes remote secrets as they are now.
    fn hear(&self) {
        if self.deaf.load(Ordering::SeqCst) {
            return;
        }
        let path =
            "/api/v1/namespaces/istio-system/secrets?labelSelector=istio%2FmultiCluster%3Dtrue";
        // a dead API server is part of some tests
        let Ok(list) = self.client.try_request("GET", path, None) else { return };
        let mut there = Vec::new();
        for secret in list.body["items"].as_array().into_iter().flatten() {
            let name = secret["metadata"]["name"].as_str().unwrap_or_default();
            for (of, data) in secret["data"].as_object().into_iter().flatten() {
                let text = STANDARD.decode(data.as_str().unwrap_or_default()).unwrap_or_default();
                let text = String::from_utf8(text).unwrap_or_default();
                there.push(of.clone());
                self.take(of, name, &text);
            }
        }
        lock(&self.remote).retain(|of, _| there.contains(of));
    }

    fn take(&self, of: &str, secret: &str, kubeconfig: &str) {
        let mut remote = lock(&self.remote);
        let known = remote.get(of);
        if known.is_some_and(|known| known.kubeconfig == kubeconfig) {
            return;
        }
        let counter = if known.is_some() { &self.changed } else { &self.added };
        let value = yaml::document(kubeconfig, Schema::Strict).unwrap_or_default();
        let text =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let ca = text("/clusters/0/cluster/certificate-authority-data");
        let ca = String::from_utf8(STANDARD.decode(ca).unwrap_or_default()).unwrap_or_default();
        let server = text("/clusters/0/cluster/server").trim_start_matches("https://");
        let Ok(address) = server.parse() else { return };
        let token = text("/users/0/user/token").to_owned();
        let client = Client::new(address, tls::client(&ca, None), "testbed-istiod");
        let (secret, kubeconfig) = (secret.to_owned(), kubeconfig.to_owned());
        let client = client.with_token(&token);
        lock(&self.had).push((of.to_owned(), token.clone()));
        let new = Remote { secret, kubeconfig, client, token, synced: false };
        // counted before it acts
        counter.fetch_add(1, Ordering::SeqCst);
        remote.insert(of.to_owned(), new);
    }

    /// Reads the clusters.
    fn look(&self) {
        let mut remote = lock(&self.remote);
        for (of, one) in remote.iter_mut() {
            let path = "/api/v1/services?limit=1";
            let Ok(answer) = one.client.try_request("GET", path, None) else { continue };
            // what it may read is another matter
            let is_taken = answer.status == 200 || answer.status == 403;
            if answer.status == 401 && one.synced {
                lock(&self.outages).push(format!("{} is refused by {of}", self.name));
            }
            one.synced |= is_taken;
        }
    }

    fn answer(&self, port: u16, path: &str) -> Option<(u16, String)> {
        if self.mute.load(Ordering::SeqCst) {
            return None;
        }
        match (port, path) {
            (8080, "/debug/clusterz") => {
                let mut all =
                    vec![json!({"id": self.name, "secretName": "", "syncStatus": "synced"})];
                for (of, one) in lock(&self.remote).iter() {
                    all.push(json!({
                        "id": of,
                        "secretName": format!("istio-system/{}", one.secret),
                        "syncStatus": if one.synced { "synced" } else { "syncing" },
                    }));
                }
                Some((200, Value::from(all).to_string()))
            }
            (15014, "/metrics") => {
                let rows =
                    [("add", &self.added), ("update", &self.changed)].map(|(event, count)| {
                        let count = count.load(Ordering::SeqCst);
                        if count == 0 {
                            return String::new();
                        }
                        format!("remote_cluster_secret_events_total{{event=\"{event}\"}} {count}\n")
                    });
                Some((200, format!("# TYPE a counter\na{{b=\"c\"}} 1\n{}", rows.concat())))
            }
            (8080 | 15014, _) => Some((404, "not found".to_owned())),
            _ => None,
        }
    }
}
