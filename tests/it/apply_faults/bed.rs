//! The bed of these tests: clusters, proxies, a project, and what a good end looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::{Value, json};

use super::furniture::{BYSTANDERS, furnish};
use super::tree::{self, Extra, Name, Wants, holds};
use crate::project::Project;
use crate::testbed::{self, Client, Kubelet, PATIENCE, Proxy, Shared, When};
use crate::tool;

const MERGE: &str = "application/merge-patch+json";
const MESH: &str = "\
apiVersion: meshgen.dev/v1alpha1
kind: Mesh
name: faults
profile: kubernetes
kubernetes: {version: v1.33.1}
istio: {version: 1.30.0}
clusters:
  c1: {network: n1, vcn: 10.1.0.0/16, pods: 10.201.0.0/16, services: 10.101.0.0/16}
  c2: {network: n2, vcn: 10.2.0.0/16, pods: 10.202.0.0/16, services: 10.102.0.0/16}
allow: [{code: MG0502, reason: loopback}]
pki: {recipients: [age1y6rzs78lvu2h57nz3awgjqak7fvt6rx33jfnkgwn6u2p2j3e4y2qvnudyp]}
";
/// Records, in the order in which they are forgotten.
const RECORDS: [&str; 3] = [
    "/api/v1/namespaces/istio-system/configmaps/meshgen-inventory",
    "/api/v1/namespaces/istio-system/configmaps/meshgen-history",
    "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshgen",
];

/// Two clusters behind proxies, and a project for them.
pub struct Bed {
    // ended before the control planes are another test's
    _kubelets: Vec<Kubelet>,
    pub proxies: Vec<Arc<Proxy>>,
    pub clients: Vec<Client>,
    pub project: Project,
    bystanders: Vec<Vec<Value>>,
    pub planes: Shared,
}

/// A meshgen that runs.
#[derive(Clone)]
pub struct Running {
    child: Arc<Mutex<Child>>,
    out: PathBuf,
}

/// How a meshgen ended.
#[derive(Debug)]
pub struct Ended {
    /// Nothing where a signal ended it.
    pub code: Option<i32>,
    /// What it printed on both streams.
    pub text: String,
}

impl Ended {
    /// Panics, with what it printed, unless it ended with this code.
    pub fn expect(&self, code: i32, what: &str) -> &Self {
        assert_eq!(self.code, Some(code), "{what}: {}", self.text);
        self
    }

    /// Panics unless it said this.
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no `{text}`: {}", self.text);
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), text: text(&output.stdout) + &text(&output.stderr) }
    }
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// `kill -9`.
    pub fn kill(&self) {
        // it may have ended
        let _ = self.child.lock().unwrap().kill();
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let id = i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _ = rustix::process::kill_process(id.unwrap(), rustix::process::Signal::INT);
    }

    pub fn wait(&self) -> Ended {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > PATIENCE {
                self.kill();
                panic!("it does not end: {}", fs::read_to_string(&self.out).unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(5));
        };
        Ended { code: status.code(), text: fs::read_to_string(&self.out).unwrap_or_default() }
    }
}

impl Bed {
    /// Empty clusters, furnished; `None` where the tools cannot be had.
    pub fn start() -> Option<Self> {
        let planes = testbed::shared(2)?;
        let clients: Vec<Client> = planes.iter().map(testbed::ControlPlane::client).collect();
        let kubelets = planes.iter().map(Kubelet::start).collect();
        let proxies: Vec<Arc<Proxy>> =
            planes.iter().map(|plane| Arc::new(Proxy::start(plane))).collect();
        let project = Project::new(MESH);
        for (at, name) in ["c1", "c2"].into_iter().enumerate() {
            project.write(name, &proxies[at].kubeconfig(name));
            let facts = json!({
                "apiVersion": "meshgen.dev/v1alpha1", "kind": "Facts", "facts": {
                    "server": proxies[at].server_url(),
                    "certificateAuthority": planes[at].ca_pem(),
                },
            });
            project.write(&format!("facts/{name}.json"), &facts.to_string());
        }
        project.make_keyring();
        thread::scope(|scope| {
            for (at, client) in clients.iter().enumerate() {
                scope.spawn(move || furnish(client, at + 1));
            }
        });
        let bystanders = clients
            .iter()
            .map(|client| BYSTANDERS.iter().map(|path| client.get(path).unwrap()).collect())
            .collect();
        Some(Self { _kubelets: kubelets, proxies, clients, project, bystanders, planes })
    }

    /// Renders a tree with these extra objects.
    pub fn render(&self, extras: &[Extra]) -> Wants {
        self.project.write("templates/samples/sleep.yaml", &tree::template(extras));
        self.project.run(&["render", "-q"]);
        Wants::of(&self.project.tree())
    }

    /// Starts a command.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = RUNS.fetch_add(1, Ordering::SeqCst);
        let out = self.project.path().join(format!("said-{number}"));
        let file = File::create(&out).unwrap();
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = Arc::new(Mutex::new(command.spawn().unwrap()));
        Running { child, out }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let folder = self.project.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        let configs = env::join_paths([folder.join("c1"), folder.join("c2")]).unwrap();
        command.env("KUBECONFIG", configs);
        command.env("SOPS_AGE_KEY_FILE", tool::root().join("tests/example-identity.txt"));
        command.arg("-C").arg(folder).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.spawn(arguments).wait()
    }

    /// Runs a command and kills it at the n-th write to a cluster. Panics if it ends before.
    pub fn killed(&self, arguments: &[&str], at: usize, n: usize, when: When) {
        assert!(self.killed_or_done(arguments, at, n, when).is_none(), "write {n} never came");
    }

    /// The same; gives how it ended, if it did before.
    pub fn killed_or_done(
        &self,
        arguments: &[&str],
        at: usize,
        n: usize,
        when: When,
    ) -> Option<Ended> {
        for proxy in &self.proxies {
            proxy.reset();
        }
        let victim: Arc<Mutex<Option<Running>>> = Arc::default();
        let fired = Arc::new(AtomicBool::new(false));
        let (seen, told) = (victim.clone(), fired.clone());
        let kill = move || {
            told.store(true, Ordering::SeqCst);
            seen.lock().unwrap().as_ref().unwrap().kill();
        };
        self.proxies[at].on_write(n, when, Box::new(kill));
        let mut held = victim.lock().unwrap();
        let running = self.spawn(arguments);
        *held = Some(running.clone());
        drop(held);
        let ended = running.wait();
        for proxy in &self.proxies {
            proxy.reset();
        }
        (!fired.load(Ordering::SeqCst)).then_some(ended)
    }

    /// Applies, and asserts that it was done.
    pub fn apply(&self, arguments: &[&str], what: &str) -> Ended {
        let ended = self.run(arguments);
        ended.expect(0, what);
        ended
    }

    /// Asserts that a command writes nothing to any cluster, and ends with this code.
    pub fn writes_nothing(&self, arguments: &[&str], code: i32, what: &str) -> Ended {
        for proxy in &self.proxies {
            proxy.reset();
        }
        let ended = self.run(arguments);
        ended.expect(code, what);
        for proxy in &self.proxies {
            let writes: Vec<_> = proxy.log().into_iter().filter(|row| row.0 != "GET").collect();
            assert_eq!(proxy.writes(), 0, "{what} writes: {writes:?}\n{}", ended.text);
        }
        ended
    }

    /// Makes both clusters as they were before the first apply: nothing of meshgen's is there.
    pub fn empty(&self, wants: &Wants) {
        thread::scope(|scope| {
            for (client, wants) in self.clients.iter().zip(&wants.0) {
                scope.spawn(move || {
                    for (name, want) in wants {
                        if name.starts_with("Namespace/") {
                            // what only we manage goes
                            let bare = json!({
                                "apiVersion": "v1", "kind": "Namespace",
                                "metadata": {"name": name.trim_start_matches("Namespace/")},
                            });
                            let path = format!("{}?force=true", want.path);
                            client.apply(&path, "meshgen", &bare).ok();
                        } else {
                            client.delete(&want.path);
                        }
                    }
                    for path in RECORDS {
                        client.delete(path);
                    }
                });
            }
        });
        self.forget();
    }

    /// Counts and audits from here.
    pub fn forget(&self) {
        for (plane, proxy) in self.planes.iter().zip(&self.proxies) {
            plane.forget_audit();
            proxy.reset();
        }
    }

    /// What meshgen deleted in a cluster since [`Bed::forget`].
    pub fn deleted(&self, at: usize) -> BTreeSet<Name> {
        let writes = self.planes[at].writes();
        let deletes = writes.iter().filter(|write| write.verb.starts_with("delete"));
        let name = |write: &testbed::AuditEvent| {
            assert_eq!(write.verb, "delete", "{write:?}");
            let kinds = ["Namespace", "Secret", "Deployment", "Gateway", "Lease"];
            let kind = tree::KINDS.iter().chain(&kinds);
            let kind = kind.copied().find(|kind| tree::plural(kind) == write.resource);
            let kind = kind.unwrap_or_else(|| panic!("{write:?}"));
            tree::name(&json!({"kind": kind, "namespace": write.namespace, "name": write.name}))
        };
        deletes.map(name).collect()
    }

    /// Asserts that meshgen deleted nothing else than these since [`Bed::forget`].
    pub fn deleted_only(&self, expected: &[BTreeSet<Name>], what: &str) {
        for (at, expected) in expected.iter().enumerate() {
            let deleted = self.deleted(at);
            let wrong: Vec<&Name> = deleted.difference(expected).collect();
            assert!(wrong.is_empty(), "{what}: c{} lost {wrong:?}", at + 1);
        }
    }

    /// The names in a cluster's inventory with their UIDs; asserts that no apply is unfinished.
    pub fn inventory(&self, at: usize, what: &str) -> BTreeMap<Name, Option<String>> {
        let (head, lines) = self.records(at);
        assert_eq!(head["unfinished"], false, "{what}: c{}: {head}", at + 1);
        lines
    }

    /// Head and lines of a cluster's inventory, whatever they say.
    pub fn records(&self, at: usize) -> (Value, BTreeMap<Name, Option<String>>) {
        let Some(map) = self.clients[at].get(RECORDS[0]) else {
            return (Value::Null, BTreeMap::new());
        };
        let head = serde_json::from_str(map["data"]["inventory"].as_str().unwrap()).unwrap();
        let lines = map["data"]["objects"].as_str().unwrap().lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (tree::name(&line), line["uid"].as_str().map(str::to_owned))
        });
        (head, lines.collect())
    }

    /// Asserts a good end: every object of the tree is there as it wants it, the inventory holds
    /// those and no other, and nobody else's objects were touched.
    pub fn is_applied(&self, wants: &Wants, what: &str) {
        for at in 0..wants.0.len() {
            self.is_applied_to(at, wants, what);
        }
    }

    /// The same for one cluster.
    pub fn is_applied_to(&self, at: usize, wants: &Wants, what: &str) {
        let inventory = self.inventory(at, what);
        let names: BTreeSet<Name> = inventory.keys().cloned().collect();
        assert_eq!(names, wants.names(at), "{what}: the inventory of c{}", at + 1);
        for (name, want) in &wants.0[at] {
            let live = self.clients[at].get(&want.path);
            let live = live.unwrap_or_else(|| panic!("{what}: c{}: no {name}", at + 1));
            assert_eq!(
                inventory[name].as_deref(),
                live["metadata"]["uid"].as_str(),
                "{what}: c{}: {name}",
                at + 1
            );
            let want = &want.object;
            assert!(holds(want, &live), "{what}: c{}: {name}\n{want}\n{live}", at + 1);
        }
        self.intact(at, what);
    }

    /// Asserts that nobody else's objects were touched.
    pub fn intact(&self, at: usize, what: &str) {
        for (path, before) in BYSTANDERS.iter().zip(&self.bystanders[at]) {
            assert_eq!(self.clients[at].get(path).as_ref(), Some(before), "{what}: c{}", at + 1);
        }
    }

    /// Asserts that no Lease is held.
    pub fn lease_is_free(&self, at: usize, what: &str) {
        if let Some(lease) = self.clients[at].get(RECORDS[2]) {
            let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
            assert_eq!(holder, "", "{what}: c{}", at + 1);
        }
    }
}

/// Waits for something, and gives it.
pub fn wait<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "no {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Changes an object as somebody else would.
pub fn edit(client: &Client, path: &str, patch: &Value) {
    client.patch(&format!("{path}?fieldManager=kubectl-edit"), MERGE, patch);
}
