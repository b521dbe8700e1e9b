//! Real Flux brings a cluster to what `meshgen apply` makes of it: `just flux`.
//!
//! source-controller and kustomize-controller run as they are, against real API servers; nodes and istiod
//! are the stand-ins of the other tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use super::live::{self, Addresses};
use super::{Bed, Nodes};
use crate::registry::Registry;
use crate::testbed::{ControlPlane, Server, in_namespace, shared};
use crate::tool;

const SYSTEM: &str = "/api/v1/namespaces/flux-system";
const KUSTOMIZATIONS: &str =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const REPOSITORIES: &str =
    "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories";
/// All stages, one after the other, on a machine that is busy elsewhere too.
const PATIENCE: Duration = Duration::from_secs(600);

#[test]
#[ignore = "Flux is a recipe of its own: `just flux`"]
fn flux_brings_what_apply_brings() {
    if !in_namespace("apply::flux::flux_brings_what_apply_brings") {
        return;
    }
    let (Some(flux), Some(registry)) = (tool::flux(), Registry::start()) else { return };
    let Some(planes) = shared(2) else { return };
    let Some(bed) = Bed::istio(&planes, "", &["c1: {}", "c2: {}"]) else { return };

    let nodes = Nodes::start(&planes);
    bed.expect(0, &["apply", "--yes"]);
    let applied: Vec<Objects> = planes.iter().map(|plane| objects(&bed, plane)).collect();
    drop(nodes);
    for plane in planes.iter() {
        plane.reset();
    }

    let _nodes = Nodes::start(&planes);
    let fleet = bed.file("fleet");
    pushed(&bed, &registry, &fleet);
    let started = Instant::now();
    let engines: Vec<Engine<'_>> = planes.iter().map(|plane| Engine::start(&flux, plane)).collect();
    for engine in &engines {
        engine.take(&Path::new(&fleet).join(&engine.plane.name).join("bed.yaml"));
    }
    for engine in &engines {
        engine.ready("the first time");
    }
    super::reference::measured("two clusters, from empty to what Flux brings", started);
    // what needs a live token
    for plane in planes.iter() {
        let secrets = plane.client().list("/api/v1/namespaces/istio-system/secrets");
        let names: Vec<&str> =
            secrets.iter().filter_map(|one| one["metadata"]["name"].as_str()).collect();
        assert_eq!(names, ["cacerts"], "{}", plane.name);
    }
    bed.expect(0, &["apply", "--yes", "--only-bindings"]);

    for (plane, applied) in planes.iter().zip(&applied) {
        let count = live::equals_tree(&bed, plane);
        let brought = objects(&bed, plane);
        assert_eq!(brought.len(), count);
        assert_eq!(applied.len(), count);
        for (path, object) in applied {
            assert_eq!(brought.get(path), Some(object), "{}: {path}", plane.name);
        }
        tool::announce(&format!(
            "measured: {}: {count} objects are field by field those of apply",
            plane.name
        ));
    }
    for engine in &engines {
        forces_nothing_back(engine);
    }
    for (plane, applied) in planes.iter().zip(&applied) {
        assert_eq!(objects(&bed, plane), *applied, "{}, a second time", plane.name);
    }
    mends_a_drift(&engines[0]);
    for engine in &engines {
        keeps_secrets(&bed, engine);
    }
    bed.keeps_secrets();
    // last, for it breaks what was applied
    without_patches_it_would(&engines[0]);
}

/// The bundle with Flux's artifacts in a registry, and what points Flux at them below `fleet`.
fn pushed(bed: &Bed<'_>, registry: &Registry, fleet: &str) {
    let file = bed.file("bed.tar");
    let repository = format!("oci://{}/mesh/bed", registry.address);
    bed.expect(0, &["bundle", "create", "--out", &file]);
    // Flux asks nobody who signed what: meshgen does
    let push = ["bundle", "push", &file, &repository, "--flux", "--key"];
    let data = tool::root().join("tests/data/sign");
    let [key, public] = ["cosign.key", "cosign.pub"].map(|name| data.join(name));
    let [key, public] = [&key, &public].map(|path| path.to_str().expect("a path"));
    bed.expect(2, &[&push[..], &[public]].concat()).must_have("it is not signed");
    let password = bed.file("password");
    fs::write(&password, "no secret: a test's").unwrap();
    bed.expect(0, &["bundle", "sign", "--key", key, "--password-file", &password, &file]);
    let said = bed.expect(0, &[&push[..], &[public]].concat());
    bed.expect(0, &["gitops", "flux", "--source", &repository, "--plain-http", "--out", fleet]);
    for name in ["c1", "c2"] {
        let text = fs::read_to_string(Path::new(fleet).join(name).join("bed.yaml")).unwrap();
        let (_, rest) = text.split_once("digest: \"").expect("a digest");
        let digest = rest.split('"').next().expect("it ends");
        // the fleet names what was pushed
        said.must_have(digest);
    }
}

/// Flux of one cluster.
struct Engine<'a> {
    plane: &'a ControlPlane,
    folder: tempfile::TempDir,
    _source: Server,
    _kustomize: Server,
}

impl<'a> Engine<'a> {
    /// Installs its definitions and starts its controllers; not what it shall do.
    fn start(flux: &[(PathBuf, PathBuf); 2], plane: &'a ControlPlane) -> Self {
        let client = plane.client();
        for (_, module) in flux {
            let mut files: Vec<PathBuf> = fs::read_dir(module.join("config/crd/bases"))
                .expect("definitions")
                .map(|entry| entry.expect("an entry").path())
                .collect();
            files.sort();
            for file in files {
                let text = fs::read_to_string(&file).expect("text");
                let object = yaml::document(&text, Schema::Go).expect("a definition");
                let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
                let all = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
                client.post(all, &object);
                let path = format!("{all}/{name}");
                until(&format!("{name} is established"), || {
                    let live = client.get(&path).unwrap_or_default();
                    condition(&live, "Established").is_some_and(|one| one["status"] == "True")
                });
            }
        }
        client.post("/api/v1/namespaces", &json!({"metadata": {"name": "flux-system"}}));
        let identity = fs::read_to_string(super::example_identity()).expect("an identity");
        let secret =
            json!({"metadata": {"name": "sops-age"}, "stringData": {"age.agekey": identity}});
        client.post(&format!("{SYSTEM}/secrets"), &secret);

        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("kubeconfig"), plane.admin_kubeconfig(&plane.name)).expect("written");
        fs::create_dir(path("storage")).expect("a folder");
        let storage = format!("127.0.0.1:{}", free_port());
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let start = |(program, _): &(PathBuf, PathBuf), own: &[String]| {
            let mut command = vec![
                format!("KUBECONFIG={}", text(path("kubeconfig"))),
                "RUNTIME_NAMESPACE=flux-system".to_owned(),
                format!("TMPDIR={}", text(path(""))),
                text(program.clone()),
                format!("--metrics-addr=127.0.0.1:{}", free_port()),
                format!("--health-addr=127.0.0.1:{}", free_port()),
                "--requeue-dependency=1s".to_owned(),
                "--log-level=debug".to_owned(),
            ];
            command.extend_from_slice(own);
            let log = path(&program.file_name().expect("a name").to_string_lossy());
            Server::start(Path::new("/usr/bin/env"), &command, &log)
        };
        let own = [
            format!("--storage-path={}", text(path("storage"))),
            format!("--storage-addr={storage}"),
            format!("--storage-adv-addr={storage}"),
        ];
        let source = start(&flux[0], &own);
        let kustomize = start(&flux[1], &[]);
        Self { plane, folder, _source: source, _kustomize: kustomize }
    }

    /// Gives it what `gitops flux` wrote, as its own Kustomization of a fleet's repository would.
    fn take(&self, file: &Path) {
        let text = fs::read_to_string(file).expect("written");
        let addresses = Addresses::of(self.plane);
        for object in yaml::documents(&text, Schema::Go).expect("YAML") {
            let answer = self.plane.client().apply(&addresses.path(&object), "fleet", &object).ok();
            // the API server knows every field
            assert_eq!(answer["spec"], merged(&answer["spec"], &object["spec"]));
        }
    }

    fn kustomizations(&self) -> Vec<Value> {
        self.plane.client().list(KUSTOMIZATIONS)
    }

    /// Waits until every Kustomization is ready.
    fn ready(&self, when: &str) {
        let started = Instant::now();
        loop {
            let all = self.kustomizations();
            let is_ready = |one: &Value| {
                let ready = condition(one, "Ready");
                ready.is_some_and(|ready| {
                    ready["status"] == "True"
                        && ready["observedGeneration"] == one["metadata"]["generation"]
                })
            };
            if !all.is_empty() && all.iter().all(is_ready) {
                return;
            }
            if started.elapsed() > PATIENCE {
                let status: Vec<String> = all
                    .iter()
                    .chain(&self.plane.client().list(REPOSITORIES))
                    .map(|one| format!("{}: {}", one["metadata"]["name"], one["status"]))
                    .collect();
                panic!("{} {when}:\n{}\n{}", self.plane.name, status.join("\n"), self.logs());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Makes it look at everything again, and waits until it has.
    fn reconcile(&self, mark: &str) {
        let (client, merge) = (self.plane.client(), "application/merge-patch+json");
        let note = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": mark}}});
        let paths: Vec<String> = self
            .kustomizations()
            .iter()
            .map(|one| format!("{KUSTOMIZATIONS}/{}", one["metadata"]["name"].as_str().unwrap()))
            .collect();
        for path in &paths {
            client.patch(path, merge, &note);
        }
        until(&format!("{} looked again: {mark}", self.plane.name), || {
            let all = self.kustomizations();
            all.iter().all(|one| one["status"]["lastHandledReconcileAt"] == mark)
        });
        self.ready(mark);
    }

    fn logs(&self) -> String {
        let log = |name: &str| {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        format!("{}\n{}", log("source-controller"), log("kustomize-controller"))
    }
}

/// `wanted` laid over `live`: equal to `live` if it holds all of `wanted`.
fn merged(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let mut all = live.clone();
            for (key, value) in wanted {
                all.insert(key.clone(), merged(live.get(key).unwrap_or(&Value::Null), value));
            }
            Value::Object(all)
        }
        (_, wanted) => wanted.clone(),
    }
}

fn condition<'v>(object: &'v Value, kind: &str) -> Option<&'v Value> {
    object["status"]["conditions"].as_array()?.iter().find(|one| one["type"] == kind)
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address").port()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Path → object, without what is the server's, a controller's or istiod's to say.
type Objects = BTreeMap<String, Value>;

/// The objects of the tree as they are live in a cluster.
fn objects(bed: &Bed<'_>, plane: &ControlPlane) -> Objects {
    let addresses = Addresses::of(plane);
    let mut all = Objects::new();
    for (row, object) in live::rows(bed, &plane.name) {
        let path = addresses.path(&object);
        let live = addresses.get(&object).unwrap_or_else(|| panic!("{}: no {path}", plane.name));
        all.insert(path, normal(&row, live));
    }
    all
}

fn normal(row: &Value, mut live: Value) -> Value {
    live["status"].take();
    let metadata = live["metadata"].as_object_mut().expect("metadata");
    for key in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
        metadata.remove(key);
    }
    for map in ["labels", "annotations"] {
        let Some(Value::Object(map)) = metadata.get_mut(map) else { continue };
        map.retain(|key, _| {
            // whose it is; what controllers of Kubernetes note
            !key.starts_with("kustomize.toolkit.fluxcd.io/")
                && key != "deployment.kubernetes.io/revision"
                && key != "deprecated.daemonset.template.generation"
                && key != "kubernetes.io/service-account.uid"
                && key != "kubernetes.io/legacy-token-last-used"
        });
    }
    for map in ["labels", "annotations"] {
        if metadata
            .get(map)
            .is_some_and(|map| map.as_object().is_some_and(serde_json::Map::is_empty))
        {
            metadata.remove(map);
        }
    }
    let spec = &mut live["spec"];
    if spec.is_object() {
        // of a Service, from a pool
        for key in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
            spec.as_object_mut().expect("a spec").remove(key);
        }
        for port in spec["ports"].as_array_mut().into_iter().flatten() {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
        if spec["ports"].is_null() {
            spec.as_object_mut().expect("a spec").remove("ports");
        }
    }
    // istiod's stand-in is another each time, and so is its CA
    if row["handover"].is_array() {
        for webhook in live["webhooks"].as_array_mut().into_iter().flatten() {
            assert!(webhook["clientConfig"]["caBundle"].is_string(), "istiod was here: {webhook}");
            webhook["clientConfig"]["caBundle"].take();
        }
    }
    // tokens are made anew
    if live["type"] == "kubernetes.io/service-account-token" || row["bindings"].is_array() {
        live["data"].take();
    }
    live
}

/// Fields that istiod and an autoscaler were handed: another look of Flux leaves them alone.
fn forces_nothing_back(engine: &Engine<'_>) {
    let client = engine.plane.client();
    let hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let istiod = "/apis/apps/v1/namespaces/istio-system/deployments/istiod";
    let merge = "application/merge-patch+json";
    let scale = json!({"spec": {"replicas": 3}});
    client.patch(&format!("{istiod}?fieldManager=autoscaler"), merge, &scale);
    let seen = || {
        let hooks = client
            .list(hooks)
            .into_iter()
            .chain(client.list(&hooks.replace("validating", "mutating")));
        let hooks: Vec<Value> =
            hooks.map(|one| one["metadata"]["resourceVersion"].clone()).collect();
        (hooks, client.get(istiod).expect("istiod")["spec"]["replicas"].clone())
    };
    let before = seen();
    assert!(!before.0.is_empty());
    for mark in ["once", "twice"] {
        engine.reconcile(mark);
        assert_eq!(seen(), before, "{}: {mark}", engine.plane.name);
    }
    let of_istiod = client.list(hooks);
    let policies: Vec<&Value> = of_istiod
        .iter()
        .flat_map(|one| one["webhooks"].as_array().expect("webhooks"))
        .map(|webhook| &webhook["failurePolicy"])
        .collect();
    assert!(policies.iter().all(|policy| **policy == "Fail"), "{policies:?}");
    client.patch(
        &format!("{istiod}?fieldManager=autoscaler"),
        merge,
        &json!({"spec": {"replicas": 1}}),
    );
}

/// That it is the patches which leave istiod its fields: without them, Flux writes.
fn without_patches_it_would(engine: &Engine<'_>) {
    let client = engine.plane.client();
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let versions = || -> Vec<Value> {
        client.list(path).iter().map(|one| one["metadata"]["resourceVersion"].clone()).collect()
    };
    let before = versions();
    let none = json!({"spec": {"patches": null}});
    let stage = format!("{KUSTOMIZATIONS}/bed-30-istiod");
    client.patch(&stage, "application/merge-patch+json", &none);
    until("Flux forces failurePolicy back", || versions() != before);
}

/// What is Flux's, it puts right.
fn mends_a_drift(engine: &Engine<'_>) {
    let client = engine.plane.client();
    let path = "/api/v1/namespaces/sample/services/sleep";
    client.delete(path);
    engine.reconcile("mended");
    assert!(client.get(path).is_some());
}

/// Neither the objects nor the logs of Flux hold an opened key or a token.
fn keeps_secrets(bed: &Bed<'_>, engine: &Engine<'_>) {
    let canaries = bed.canaries();
    assert!(canaries.len() > 4);
    for entry in walkdir::WalkDir::new(engine.folder.path()) {
        let entry = entry.expect("an entry");
        if entry.file_type().is_file() && entry.file_name() != "kubeconfig" {
            let text =
                String::from_utf8_lossy(&fs::read(entry.path()).expect("reads")).into_owned();
            for canary in &canaries {
                assert!(!text.contains(canary.as_str()), "{}", entry.path().display());
            }
        }
    }
}
