//! One control plane: etcd, kube-apiserver, kube-controller-manager.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{process, thread};

use rustls::ClientConfig;

use super::client::Client;
use super::keys::{self, Authority, Identity};
use super::process::Server;
use super::{audit, tls};
use crate::tool;

/// How long a server may take before a test fails. It takes a tenth of it on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A cluster without nodes; gone on drop.
pub struct ControlPlane {
    /// Its name, which is also that of its context.
    pub name: String,
    /// Counts from 1 in the order of starting: addresses are made of it.
    pub number: usize,
    address: SocketAddr,
    etcd: [SocketAddr; 2],
    folder: PathBuf,
    authority: Authority,
    admin: Identity,
    tools: Tools,
    servers: Mutex<Servers>,
    pub(super) audited: Mutex<u64>,
    /// How much of it there was at the last reset: what came since may have made something.
    pub(super) clean: Mutex<u64>,
}

#[derive(Clone)]
struct Tools {
    etcd: PathBuf,
    apiserver: PathBuf,
    manager: PathBuf,
}

#[derive(Default)]
struct Servers {
    // in the order in which they are killed
    manager: Option<Server>,
    apiserver: Option<Server>,
    etcd: Option<Server>,
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        *self.servers() = Servers::default();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts control planes of these names at the same time. `None` where a tool cannot be had, as with
/// [`tool::path`].
pub fn start_many(names: &[&str]) -> Option<Vec<ControlPlane>> {
    let tools = Tools::find()?;
    Some(thread::scope(|scope| {
        let threads: Vec<_> =
            names.iter().map(|name| ControlPlane::prepare(name, &tools)).collect();
        let threads: Vec<_> =
            threads.into_iter().map(|plane| scope.spawn(move || plane.started())).collect();
        threads.into_iter().map(|thread| thread.join().expect("a control plane starts")).collect()
    }))
}

impl Tools {
    fn find() -> Option<Self> {
        Some(Self {
            etcd: tool::path("etcd")?,
            apiserver: tool::path("kube-apiserver")?,
            manager: tool::path("kube-controller-manager")?,
        })
    }
}

impl ControlPlane {
    /// Starts one and waits until it is ready. `None` where a tool cannot be had.
    pub fn start(name: &str) -> Option<Self> {
        start_many(&[name])?.pop()
    }

    /// `https://127.0.0.1:PORT`.
    pub fn server_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where the API server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its CA.
    pub fn ca_pem(&self) -> &str {
        &self.authority.identity.certificate
    }

    /// A kubeconfig of an administrator (group `system:masters`), with one context.
    pub fn admin_kubeconfig(&self, context: &str) -> String {
        keys::kubeconfig(context, &self.server_url(), self.ca_pem(), &self.admin)
    }

    /// A kubeconfig for someone, by way of another URL, with another CA; the context is the name of
    /// the cluster.
    pub fn kubeconfig_for(&self, who: &Identity, server: &str, ca: &str) -> String {
        keys::kubeconfig(&self.name, server, ca, who)
    }

    /// A kubeconfig for a new user in these groups (two at most); the context is the name of the
    /// cluster. He may do what RBAC lets him.
    pub fn user(&self, name: &str, groups: &[&str]) -> String {
        let who = self.identity(name, groups);
        self.kubeconfig_for(&who, &self.server_url(), self.ca_pem())
    }

    /// A client certificate for a user in these groups (two at most).
    pub fn identity(&self, name: &str, groups: &[&str]) -> Identity {
        self.authority.client(name, groups)
    }

    /// A server certificate of its CA for 127.0.0.1.
    pub fn server_identity(&self) -> Identity {
        self.authority.server(&["127.0.0.1", "localhost", "kubernetes.default.svc"])
    }

    /// A client of an administrator.
    pub fn client(&self) -> Client {
        Client::new(self.address, self.admin_tls(), "testbed")
    }

    /// The same with another user agent: who is counted depends on it.
    pub fn client_named(&self, agent: &str) -> Client {
        Client::new(self.address, self.admin_tls(), agent)
    }

    /// TLS as an administrator.
    pub fn admin_tls(&self) -> Arc<ClientConfig> {
        tls::client(self.ca_pem(), Some(&self.admin))
    }

    /// A file or folder of its own, gone with it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The process ids of its servers.
    pub fn processes(&self) -> Vec<u32> {
        let servers = self.servers();
        let all = [&servers.manager, &servers.apiserver, &servers.etcd];
        all.into_iter().flatten().map(Server::id).collect()
    }

    /// Kills the API server: connections are refused from now on.
    pub fn stop_apiserver(&self) {
        self.servers().apiserver = None;
    }

    /// Starts the API server again, with what it knew, and waits until it is ready. Nothing happens
    /// where it runs.
    pub fn restart(&self) {
        if self.servers().apiserver.is_none() {
            // the manager may have given up in the meantime, and would end the wait
            self.servers().manager = None;
            self.start_apiserver();
            self.wait_ready();
            self.start_manager();
        }
    }

    /// Stops all, forgets everything and starts again; the address and the keys stay. Slower than
    /// [`ControlPlane::reset`], and sure.
    pub fn wipe(&self) {
        *self.servers() = Servers::default();
        fs::remove_dir_all(self.path("etcd")).expect("the data can be removed");
        self.start_servers();
    }

    fn servers(&self) -> std::sync::MutexGuard<'_, Servers> {
        self.servers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Keys and files, without a server.
    fn prepare(name: &str, tools: &Tools) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(1);
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let authority = Authority::new(&format!("{name}-ca"));
        let admin = authority.client("kubernetes-admin", &["system:masters"]);
        let plane = Self {
            name: name.to_owned(),
            number,
            address: free_port(),
            etcd: [free_port(), free_port()],
            folder: folder(number),
            authority,
            admin,
            tools: tools.clone(),
            servers: Mutex::default(),
            audited: Mutex::new(0),
            clean: Mutex::new(0),
        };
        plane.write_files();
        plane
    }

    fn write_files(&self) {
        let server = self.server_identity();
        let manager = self.identity("system:kube-controller-manager", &[]);
        let accounts = keys::account_key();
        let files = [
            ("ca.pem", self.ca_pem()),
            ("ca.key", &self.authority.identity.key),
            ("server.pem", &server.certificate),
            ("server.key", &server.key),
            ("accounts.key", &accounts.serialize_pem()),
            ("accounts.pub", &accounts.public_key_pem()),
            ("audit.yaml", audit::POLICY),
            ("admin.kubeconfig", &self.admin_kubeconfig(&self.name)),
            (
                "manager.kubeconfig",
                &self.kubeconfig_for(&manager, &self.server_url(), self.ca_pem()),
            ),
        ];
        for (name, text) in files {
            fs::write(self.path(name), text).expect("a file");
        }
    }

    fn started(self) -> Self {
        self.start_servers();
        self
    }

    fn start_manager(&self) {
        let manager = &self.tools.manager;
        let manager = self.start_server(manager, "manager", &self.manager_arguments());
        self.servers().manager = Some(manager);
    }

    fn start_servers(&self) {
        let etcd = self.start_server(&self.tools.etcd, "etcd", &self.etcd_arguments());
        self.servers().etcd = Some(etcd);
        self.start_apiserver();
        // the manager gives up where it waits longer than ten seconds for it
        self.wait_ready();
        self.start_manager();
        // pods are refused before there is an account for them
        let client = self.client();
        self.wait("the default account", || {
            let path = "/api/v1/namespaces/default/serviceaccounts/default";
            client.try_request("GET", path, None).is_ok_and(|answer| answer.status == 200)
        });
    }

    fn start_apiserver(&self) {
        let arguments = self.apiserver_arguments();
        let server = self.start_server(&self.tools.apiserver, "apiserver", &arguments);
        self.servers().apiserver = Some(server);
    }

    fn start_server(&self, program: &Path, name: &str, arguments: &[String]) -> Server {
        Server::start(program, arguments, &self.path(&format!("{name}.log")))
    }

    fn wait_ready(&self) {
        let client = self.client();
        self.wait("readiness", || {
            client.try_request("GET", "/readyz", None).is_ok_and(|answer| answer.status == 200)
        });
    }

    fn wait(&self, what: &str, mut there: impl FnMut() -> bool) {
        let started = Instant::now();
        while !there() {
            {
                let mut servers = self.servers();
                let Servers { manager, apiserver, etcd } = &mut *servers;
                for server in [manager, apiserver, etcd].into_iter().flatten() {
                    if let Some(status) = server.ended() {
                        panic!("{} ended with {status}:\n{}", self.name, server.last_words());
                    }
                }
            }
            assert!(started.elapsed() < PATIENCE, "{}: no {what}", self.name);
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn etcd_arguments(&self) -> Vec<String> {
        let [client, peer] = self.etcd.map(|address| format!("http://{address}"));
        vec![
            format!("--data-dir={}", self.path("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=error".to_owned(),
        ]
    }

    fn apiserver_arguments(&self) -> Vec<String> {
        let file = |name: &str| self.path(name).display().to_string();
        vec![
            format!("--etcd-servers=http://{}", self.etcd[0]),
            format!("--secure-port={}", self.address.port()),
            format!("--bind-address={}", self.address.ip()),
            format!("--tls-cert-file={}", file("server.pem")),
            format!("--tls-private-key-file={}", file("server.key")),
            format!("--client-ca-file={}", file("ca.pem")),
            format!("--service-account-key-file={}", file("accounts.pub")),
            format!("--service-account-signing-key-file={}", file("accounts.key")),
            format!("--audit-policy-file={}", file("audit.yaml")),
            format!("--audit-log-path={}", file("audit.log")),
            format!("--cert-dir={}", file("certificates")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--allow-privileged=true".to_owned(),
            // webhooks are called at the addresses in EndpointSlices
            "--enable-aggregator-routing=true".to_owned(),
            // nobody asks for it, but a machine without a default route has none to guess
            "--advertise-address=192.0.2.10".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--profiling=false".to_owned(),
        ]
    }

    fn manager_arguments(&self) -> Vec<String> {
        let file = |name: &str| self.path(name).display().to_string();
        vec![
            format!("--kubeconfig={}", file("manager.kubeconfig")),
            format!("--service-account-private-key-file={}", file("accounts.key")),
            format!("--root-ca-file={}", file("ca.pem")),
            format!("--cluster-signing-cert-file={}", file("ca.pem")),
            format!("--cluster-signing-key-file={}", file("ca.key")),
            format!("--cert-dir={}", file("certificates")),
            "--use-service-account-credentials=true".to_owned(),
            "--secure-port=0".to_owned(),
            "--leader-elect=false".to_owned(),
            // a node of ours sends no heartbeat
            "--controllers=*,-node-lifecycle-controller".to_owned(),
            "--kube-api-qps=500".to_owned(),
            "--kube-api-burst=1000".to_owned(),
            "--profiling=false".to_owned(),
        ]
    }
}

/// A free port that no other control plane of this process gets, below those that the system gives to
/// whoever asks: a server that comes back finds it free.
fn free_port() -> SocketAddr {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let process = process::id() as usize * 31;
    loop {
        let port = 12_000 + (process + NEXT.fetch_add(1, Ordering::SeqCst)) % 20_000;
        let port = u16::try_from(port).expect("below 32000");
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().expect("an address");
        }
    }
}

/// A folder for a control plane. Control planes that a whole run shares are not dropped at its end:
/// folders of processes that are gone are removed by the next.
fn folder(number: usize) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("testbed");
    for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let folder = all.join(format!("{}-{number}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}
