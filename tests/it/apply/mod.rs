//! `meshgen plan` and `meshgen apply` against real API servers.

mod adoption;
mod bench;
mod bundle;
mod control_plane;
mod flux;
mod guard;
mod handmade;
mod keep;
mod lease;
mod leftover;
mod live;
mod nightly;
mod order;
mod output;
mod ownership;
mod permission;
mod plugin;
mod rare;
mod readme;
mod recreate;
mod reference;
mod rotation;
mod saved;
mod sealed;
mod stranger;
mod tampered;
mod three;
mod token;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use crate::project::{Project, files};
use crate::testbed::{AuditEvent, ControlPlane, Istiod, Kubelet};
use crate::tool;

/// A project, the clusters that it is applied to, and all that was said about it.
struct Bed<'a> {
    project: Project,
    planes: &'a [ControlPlane],
    /// Holds what is not part of the project: the kubeconfig, saved plans.
    folder: tempfile::TempDir,
    said: Mutex<Vec<(String, String)>>,
}

/// What stands in for nodes and for istiod, in every cluster.
struct Nodes {
    _kubelets: Vec<Kubelet>,
    istiods: Vec<Istiod>,
}

impl Nodes {
    /// Starts them; inside a network namespace only.
    fn start(planes: &[ControlPlane]) -> Self {
        Self {
            _kubelets: planes.iter().map(Kubelet::start).collect(),
            istiods: planes.iter().map(Istiod::start).collect(),
        }
    }
}

/// What a command printed.
struct Said {
    out: String,
    err: String,
}

impl Said {
    /// Whether either stream holds a text.
    fn has(&self, text: &str) -> bool {
        self.out.contains(text) || self.err.contains(text)
    }

    /// Panics unless either stream holds the text.
    #[track_caller]
    fn must_have(&self, text: &str) -> &Self {
        assert!(self.has(text), "nothing says {text:?}:\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn must_not_have(&self, text: &str) -> &Self {
        assert!(!self.has(text), "something says {text:?}:\n{}\n{}", self.out, self.err);
        self
    }
}

fn example_identity() -> PathBuf {
    tool::root().join("tests/example-identity.txt")
}

/// The recipient of the example identity.
const PKI: &str =
    "pki: {recipients: [age1y6rzs78lvu2h57nz3awgjqak7fvt6rx33jfnkgwn6u2p2j3e4y2qvnudyp]}\n";
/// Servers of tests are on loopback.
const ALLOW: &str = "allow:\n- {code: MG0502, reason: the test servers are on loopback}\n";

impl<'a> Bed<'a> {
    /// The project of the reference job, with what only the infrastructure knows: made-up OCIDs, and
    /// the addresses and CAs of these clusters; rendered.
    fn reference(planes: &'a [ControlPlane]) -> Option<Self> {
        let project = crate::control_plane::reference("1.24")?;
        let bed = Self::new(project, planes);
        let text = fs::read_to_string(bed.project.path().join("mesh.yaml")).unwrap();
        bed.project.write("mesh.yaml", &format!("{text}\n{ALLOW}"));
        let of = |name: &str| {
            let value = json!({"c1": format!("ocid1.{name}.c1"), "c2": format!("ocid1.{name}.c2")});
            json!({"sensitive": false, "type": "string", "value": value})
        };
        let names = ["int_lb_nsg_id", "int_lb_subnet_id", "pub_lb_nsg_id", "pub_lb_subnet_id"];
        let outputs: serde_json::Map<String, Value> =
            names.into_iter().map(|name| (name.to_owned(), of(name))).collect();
        let file = bed.folder.path().join("outputs.json");
        fs::write(&file, Value::Object(outputs).to_string()).unwrap();
        bed.import(&[&file.to_string_lossy()]);
        bed.expect(0, &["render", "-q"]);
        Some(bed)
    }

    /// A mesh of Istio 1.24 with a cluster a control plane, each in a network of its own, rendered.
    /// `rows` are the clusters' rows in mesh.yaml: `c1: {}`.
    fn istio(planes: &'a [ControlPlane], settings: &str, rows: &[&str]) -> Option<Self> {
        let rows: String = rows.iter().map(|row| format!("  {row}\n")).collect();
        let mesh = format!(
            "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: bed\nprofile: kubernetes\n\
             kubernetes: {{version: v1.30.1}}\n\
             istio:\n  version: 1.24.0\n  charts: stable\n  hub: docker.io/istio\n  tag: 1.24.0\n\
             {settings}clusters:\n{rows}{PKI}{ALLOW}"
        );
        let manifests = tool::istio_module("1.24")?.join("manifests");
        let project = Project::new(&mesh);
        project.run(&["lock", "-q", &format!("stable={}", manifests.display())]);
        project.make_keyring();
        let bed = Self::new(project, planes);
        bed.import(&[]);
        bed.expect(0, &["render", "-q"]);
        Some(bed)
    }

    /// A mesh without charts, whose clusters share a network: a handful of objects, applied in
    /// a second where somebody else's istiod is there, see [`installed`].
    fn light(planes: &'a [ControlPlane], settings: &str) -> Self {
        let rows: String =
            planes.iter().map(|plane| format!("  {}: {{network: n}}\n", plane.name)).collect();
        let mesh = format!(
            "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: light\nprofile: kubernetes\n\
             kubernetes: {{version: v1.30.1}}\nistio: {{version: 1.24.0}}\n\
             gateways: {{ingress: {{enabled: false}}, egress: {{enabled: false}}}}\n\
             {settings}clusters:\n{rows}{PKI}{ALLOW}"
        );
        let project = Project::new(&mesh);
        project.make_keyring();
        let bed = Self::new(project, planes);
        bed.import(&[]);
        bed.expect(0, &["render", "-q"]);
        bed
    }

    fn new(project: Project, planes: &'a [ControlPlane]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bed = Self { project, planes, folder, said: Mutex::default() };
        let configs: Vec<String> =
            planes.iter().map(|plane| plane.admin_kubeconfig(&plane.name)).collect();
        bed.kubeconfig(&configs);
        bed
    }

    /// Replaces the kubeconfig by these, merged.
    fn kubeconfig(&self, configs: &[String]) {
        let mut all = json!({"apiVersion": "v1", "kind": "Config"});
        for text in configs {
            let one = yaml::document(text, Schema::Strict).expect("a kubeconfig");
            for part in ["clusters", "users", "contexts"] {
                let mut rows = all[part].as_array().cloned().unwrap_or_default();
                rows.extend(one[part].as_array().cloned().unwrap_or_default());
                all[part] = Value::Array(rows);
            }
        }
        fs::write(self.file("kubeconfig"), all.to_string()).unwrap();
    }

    /// A file beside the project.
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn contexts(&self) -> Vec<String> {
        let context =
            |plane: &ControlPlane| ["--context".to_owned(), format!("{0}={0}", plane.name)];
        self.planes.iter().flat_map(context).collect()
    }

    fn import(&self, arguments: &[&str]) {
        let contexts = self.contexts();
        let kubeconfig = self.file("kubeconfig");
        let mut all = vec!["facts", "import"];
        all.extend(arguments);
        all.extend(["--kubeconfig", &kubeconfig]);
        all.extend(contexts.iter().map(String::as_str));
        self.expect(0, &all);
    }

    /// Changes mesh.yaml and renders.
    #[track_caller]
    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.project.path().join("mesh.yaml")).unwrap();
        assert!(text.contains(from), "mesh.yaml has no {from:?}");
        self.project.write("mesh.yaml", &text.replacen(from, to, 1));
        self.expect(0, &["render", "-q"]);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.arg("-C").arg(self.project.path()).args(arguments);
        let asks_clusters = ["plan", "apply", "status", "report", "retire", "forget", "recover"];
        if asks_clusters.contains(&arguments[0])
            || arguments.contains(&"--live")
            || arguments.starts_with(&["facts", "pin"])
            || arguments.starts_with(&["pki", "rotate-tokens"])
        {
            command.args(["--kubeconfig", &self.file("kubeconfig")]);
            if !arguments.contains(&"--context") {
                command.args(self.contexts());
            }
        }
        if arguments[0] == "apply" && !arguments.contains(&"--timeout") {
            command.args(["--timeout", "3m"]);
        }
        command.env_remove("SOPS_AGE_KEY").env_remove("KUBECONFIG");
        command.env("SOPS_AGE_KEY_FILE", example_identity());
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.run(&mut self.command(arguments), arguments)
    }

    fn run(&self, command: &mut Command, arguments: &[&str]) -> Output {
        let output = tool::output(command, "");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
        self.said.lock().unwrap().push((arguments.join(" "), said));
        output
    }

    /// Runs meshgen, and panics with all that it said unless it ends with this code.
    #[track_caller]
    fn expect(&self, code: i32, arguments: &[&str]) -> Said {
        self.judge(code, arguments, self.output(arguments))
    }

    /// The same with this identity, or none.
    #[track_caller]
    fn expect_opened(&self, code: i32, identity: Option<&str>, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        match identity {
            Some(file) => command.env("SOPS_AGE_KEY_FILE", file),
            None => command.env_remove("SOPS_AGE_KEY_FILE"),
        };
        self.judge(code, arguments, self.run(&mut command, arguments))
    }

    #[track_caller]
    #[expect(clippy::unused_self, reason = "the end of a run in this bed")]
    fn judge(&self, code: i32, arguments: &[&str], output: Output) -> Said {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let said = Said { out: text(output.stdout), err: text(output.stderr) };
        let ended = output.status.code();
        assert_eq!(ended, Some(code), "{arguments:?}:\n{}\n{}", said.out, said.err);
        said
    }

    /// Later counts of writes begin here.
    fn forget_audits(&self) {
        self.planes.iter().for_each(ControlPlane::forget_audit);
    }

    /// Panics if meshgen wrote anything anywhere since [`Bed::forget_audits`].
    #[track_caller]
    fn wrote_nothing(&self) {
        for plane in self.planes {
            let writes = plane.writes();
            assert!(writes.is_empty(), "{}: {writes:#?}", plane.name);
        }
    }

    /// What must be found nowhere: the identity, the keys of the CAs, the tokens of the readers.
    fn canaries(&self) -> Vec<String> {
        let identity = fs::read_to_string(example_identity()).unwrap();
        let secret = |line: &&str| line.starts_with("AGE-SECRET");
        let mut all: Vec<String> = identity.lines().filter(secret).map(str::to_owned).collect();
        for plane in self.planes {
            let secrets = "/api/v1/namespaces/istio-system/secrets";
            for secret in plane.client().list(secrets) {
                let data = |key: &str| secret["data"][key].as_str().map(str::to_owned);
                if let Some(key) = data("ca-key.pem") {
                    let pem = String::from_utf8(STANDARD.decode(&key).unwrap()).unwrap();
                    let lines = pem.lines().filter(|line| !line.starts_with('-'));
                    all.extend(lines.filter(|line| line.len() > 20).map(str::to_owned));
                    all.push(key[..200].to_owned());
                }
                if let Some(token) = data("token") {
                    let clear = String::from_utf8(STANDARD.decode(&token).unwrap()).unwrap();
                    all.extend([token, clear]);
                }
            }
        }
        all
    }

    /// Panics if a secret stands in anything that was said, recorded, saved or written to disk.
    #[track_caller]
    fn keeps_secrets(&self) {
        let canaries = self.canaries();
        assert!(canaries.len() > 3 * self.planes.len(), "{} canaries", canaries.len());
        self.keeps(&canaries);
    }

    /// The same for these.
    #[track_caller]
    fn keeps(&self, canaries: &[String]) {
        let mut texts: Vec<(String, String)> = self.said.lock().unwrap().clone();
        for plane in self.planes {
            for map in plane.client().list("/api/v1/namespaces/istio-system/configmaps") {
                texts
                    .push((format!("{} {}", plane.name, map["metadata"]["name"]), map.to_string()));
            }
        }
        for (path, bytes) in files(self.project.path()) {
            texts.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
        for (path, bytes) in files(self.folder.path()) {
            texts.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
        for (place, text) in texts {
            for canary in canaries {
                assert!(!text.contains(canary.as_str()), "a secret stands in: {place}");
            }
        }
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether a write is to meshgen's own records.
fn is_record(write: &AuditEvent) -> bool {
    // a creation does not name its object
    let is_map = write.name.starts_with("meshgen-") || write.verb == "create";
    write.namespace == "istio-system"
        && (write.resource == "leases" || (write.resource == "configmaps" && is_map))
}

/// The writes of meshgen to the mesh's objects, and how many there were to its records.
fn writes(plane: &ControlPlane) -> (Vec<AuditEvent>, usize) {
    let (records, objects): (Vec<_>, Vec<_>) = plane.writes().into_iter().partition(is_record);
    (objects, records.len())
}

/// What a tree without charts needs of others: a ready istiod, and the account whose token peers get.
fn installed(plane: &ControlPlane) {
    let client = plane.client();
    let create = |collection: &str, object: &Value| {
        let name = object["metadata"]["name"].as_str().unwrap();
        if client.get(&format!("{collection}/{name}")).is_none() {
            client.post(collection, object);
        }
    };
    create("/api/v1/namespaces", &json!({"metadata": {"name": "istio-system"}}));
    let account = json!({"metadata": {"name": "istio-reader-service-account"}});
    create("/api/v1/namespaces/istio-system/serviceaccounts", &account);
    let deployment = json!({
        "metadata": {"name": "istiod", "labels": {"app": "istiod"}},
        "spec": {
            // without `app: istiod`: its pods are on no node, and nobody could ask them
            "selector": {"matchLabels": {"istio": "pilot"}},
            "template": {
                "metadata": {"labels": {"istio": "pilot"}},
                "spec": {"containers": [{"name": "discovery", "image": "istiod"}]},
            },
        },
    });
    create("/apis/apps/v1/namespaces/istio-system/deployments", &deployment);
}
