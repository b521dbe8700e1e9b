//! Whole clusters, simulated: what `meshgen verify` asks, answered as a real mesh would.
//!
//! [`World::new`] renders a mesh of so many clusters, puts into each what an apply of that tree and
//! a living cluster leave there, and serves them all on one port of loopback, a path each
//! (`http://127.0.0.1:PORT/c17`). What istiods, proxies and requests say follows from the state:
//! [`World::change`] breaks something in a cluster as a hand or a fault would, and nobody is told.
//!
//! The shapes of the answers are those that a mesh of istiod 1.31 and Envoy 1.40 gave.

mod api;
mod cluster;
mod mesh;
mod pod;
mod project;
mod server;

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, RwLock};

use meshgen::cluster::{Client, Proxies, Stop, connect, kubeconfig};
use meshgen::verify::Report;

pub use self::cluster::Cluster;
pub use self::mesh::Mesh;
use self::project::Folder;
use self::server::Server;
use crate::testbed::Exec;

/// A mesh and its clusters.
pub struct World {
    folder: Arc<Folder>,
    kubeconfig: String,
    mesh: Arc<RwLock<Mesh>>,
    server: Server,
}

/// What a run of meshgen said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl World {
    /// So many clusters, `c1`, `c2` and so on, each in a network of its own, in which all is well.
    ///
    /// The project of so many clusters is made once for all tests: nothing in it changes but what
    /// is kept of the last verification.
    pub fn new(count: usize) -> Self {
        static MADE: Mutex<BTreeMap<usize, (Arc<Folder>, Mesh)>> = Mutex::new(BTreeMap::new());
        let (folder, mesh) = {
            let mut made = MADE.lock().expect("no holder panics");
            let make = || {
                let folder = Folder::new(count);
                let mesh = folder.mesh();
                (Arc::new(folder), mesh)
            };
            made.entry(count).or_insert_with(make).clone()
        };
        let mesh = Arc::new(RwLock::new(mesh.alone()));
        let server = Server::start(mesh.clone());
        let kubeconfig = folder.kubeconfig(server.port);
        Self { folder, kubeconfig, mesh, server }
    }

    /// Changes one cluster.
    pub fn change(&self, cluster: &str, how: impl FnOnce(&mut Cluster)) {
        let mut mesh = self.mesh.write().expect("no holder panics");
        how(mesh.cluster_mut(cluster));
    }

    /// Requests that were answered since the last call, by cluster.
    pub fn requests(&self) -> Vec<usize> {
        self.server.requests.iter().map(|count| count.swap(0, Ordering::Relaxed)).collect()
    }

    /// How often the client of a cluster was asked to send requests to the sample's service.
    pub fn looked(&self, cluster: &str) -> usize {
        let mesh = self.mesh.read().expect("no holder panics");
        let place = mesh.all().iter().position(|one| one.name == cluster).expect("a cluster");
        self.server.traffic[place].load(Ordering::Relaxed)
    }

    /// Writes that were answered: what changed an object.
    pub fn writes(&self) -> usize {
        self.server.writes.load(Ordering::Relaxed)
    }

    /// Runs `meshgen verify` with these arguments.
    pub fn verify(&self, arguments: &[&str]) -> Said {
        let arguments = [&["verify", "--kubeconfig", &self.kubeconfig], arguments].concat();
        let output = self.folder.project.output(&arguments);
        Said::of(&output)
    }

    /// Runs it and reads the report.
    pub fn report(&self, arguments: &[&str]) -> (i32, Report) {
        let said = self.verify(&[arguments, &["-o", "json"]].concat());
        let report = serde_json::from_str(&said.out);
        (said.code, report.unwrap_or_else(|error| panic!("{error}: {said:?}")))
    }

    /// A client of a cluster, as meshgen has it.
    pub async fn client(&self, cluster: &str) -> Client {
        let config = kubeconfig(Some(&self.kubeconfig.clone().into())).expect("a kubeconfig");
        let stop = Stop::default();
        let made = connect(&config, cluster, &Proxies::default(), false, stop).await;
        made.expect("a connection").client
    }

    /// Has a command in the client's pod of a cluster answered so, whatever it is.
    pub fn answer(&self, cluster: &str, output: Exec) {
        self.change(cluster, |cluster| cluster.says = Some(output));
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().expect("it ends by itself"),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}
