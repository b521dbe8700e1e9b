//! The reference job: from two empty clusters to a mesh, and what a second apply does.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::pki::{Certificate, PrivateKey};
use serde_json::{Value, json};

use super::{Bed, Nodes, live, writes};
use crate::testbed::{ControlPlane, Istiod, PATIENCE, in_namespace, shared};
use crate::tool;

#[test]
fn two_empty_clusters_become_a_mesh() {
    if !in_namespace("apply::reference::two_empty_clusters_become_a_mesh") {
        return;
    }
    let Some(planes) = shared(2) else { return };
    let Some(bed) = Bed::reference(&planes) else { return };
    let nodes = Nodes::start(&planes);

    nothing_is_written_before_a_yes(&bed);
    let started = Instant::now();
    bed.expect(0, &["apply", "--yes", "-v"]);
    measured("the reference job, from empty clusters to applied", started);

    for plane in planes.iter() {
        let count = live::equals_tree(&bed, plane);
        assert!(count > 60, "{}: {count} objects", plane.name);
        opens(plane);
    }
    reads_pods_of(&bed, &planes[1], &planes[0]);
    reads_pods_of(&bed, &planes[0], &planes[1]);

    a_second_apply_writes_nothing(&bed);
    a_page_of_both_writes_nothing(&bed);
    one_changed_field_is_one_write(&bed);
    a_dead_istiod_is_mended(&bed, &nodes.istiods[0]);
    every_format_keeps_secrets(&bed);
}

pub fn measured(what: &str, started: Instant) {
    tool::announce(&format!("measured: {what}: {:.1} s", started.elapsed().as_secs_f64()));
}

/// The page says what `status` says, and where the gateways are.
fn a_page_of_both_writes_nothing(bed: &Bed<'_>) {
    bed.forget_audits();
    let page = bed.expect(0, &["report"]).out;
    bed.wrote_nothing();
    for text in ["no drift", "2 of 2 clusters have this tree", "65 of 65"] {
        assert!(page.contains(text), "{text}:\n{page}");
    }
    let json: Value = serde_json::from_str(&bed.expect(0, &["report", "-o", "json"]).out).unwrap();
    for cluster in json["clusters"].as_array().expect("clusters") {
        let gateway = &cluster["state"]["gateways"][0];
        assert_eq!(gateway["object"], "Service/istio-system/istio-eastwestgateway", "{cluster:#}");
        let address = gateway["addresses"][0].as_str().expect("an address");
        assert!(page.contains(&format!(">gateway {address}<")), "{address}:\n{page}");
    }
    // whoever cannot be reached is on the page too
    let said = bed.output(&["report", "--context", "c1=nowhere", "--context", "c2=c2"]);
    let page = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.status.code(), Some(3));
    assert!(page.contains("1 cluster not reached") && page.contains("</html>"), "{page}");
}

fn nothing_is_written_before_a_yes(bed: &Bed<'_>) {
    bed.forget_audits();
    let plan = bed.expect(1, &["plan", "--brief"]);
    plan.must_have("first contact");
    let refused = bed.expect(2, &["apply"]);
    refused.must_have("first contact with `c1` (context `c1`)").must_have("--yes");
    bed.wrote_nothing();
    for plane in bed.planes {
        assert!(plane.client().get("/api/v1/namespaces/istio-system").is_none());
    }
}

/// `cacerts` holds a key that fits its certificate.
fn opens(plane: &ControlPlane) {
    let secret = plane.client().get("/api/v1/namespaces/istio-system/secrets/cacerts").unwrap();
    let data = secret["data"].as_object().expect("data");
    let keys: BTreeSet<&str> = data.keys().map(String::as_str).collect();
    let names = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];
    assert_eq!(keys, BTreeSet::from(names), "{}", plane.name);
    let text = |key: &str| {
        String::from_utf8(STANDARD.decode(data[key].as_str().unwrap()).unwrap()).unwrap()
    };
    let certificate = Certificate::one(&text("ca-cert.pem")).expect("a certificate");
    let key = PrivateKey::from_pem(&text("ca-key.pem")).expect("a key");
    assert!(key.fits(&certificate), "{}: another key", plane.name);
}

/// The remote secret of a cluster, in a peer, lets that peer list the cluster's pods.
pub fn reads_pods_of(bed: &Bed<'_>, peer: &ControlPlane, cluster: &ControlPlane) {
    let name = &cluster.name;
    let path = format!("/api/v1/namespaces/istio-system/secrets/istio-remote-secret-{name}");
    let secret = peer.client().get(&path).unwrap_or_else(|| panic!("{}: no {path}", peer.name));
    assert_eq!(secret["metadata"]["labels"]["istio/multiCluster"], "true");
    let data = secret["data"].as_object().expect("data");
    assert_eq!(data.keys().collect::<Vec<_>>(), [name]);
    let text = STANDARD.decode(data[name].as_str().unwrap()).unwrap();
    let Some(kubectl) = tool::path("kubectl") else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let mut command = Command::new(kubectl);
    command.arg("--kubeconfig").arg(file.path()).env("HOME", bed.folder.path());
    command.args(["get", "pods", "-A", "-o", "json"]);
    let pods: Value = serde_json::from_str(&tool::run(&mut command, "")).expect("JSON");
    let uids = |pods: Vec<Value>| -> BTreeSet<String> {
        pods.iter().map(|pod| pod["metadata"]["uid"].to_string()).collect()
    };
    let seen = uids(pods["items"].as_array().expect("pods").clone());
    assert_eq!(seen, uids(cluster.client().list("/api/v1/pods")), "pods of {name}");
    assert!(!seen.is_empty(), "{name} has pods");
}

pub fn a_second_apply_writes_nothing(bed: &Bed<'_>) {
    bed.forget_audits();
    let started = Instant::now();
    let said = bed.expect(0, &["apply"]);
    measured("an apply of what is applied", started);
    for plane in bed.planes {
        said.must_have(&format!("{}  unchanged", plane.name));
    }
    bed.expect(0, &["plan"]);
    bed.wrote_nothing();
}

fn one_changed_field_is_one_write(bed: &Bed<'_>) {
    let more = "  c1:\n    gateways: {egress: {annotations: {example.com/team: mesh}}}\n";
    bed.edit("  c1:\n", more);
    bed.forget_audits();
    let plan = bed.expect(1, &["plan"]);
    plan.must_have("1 to change").must_have("example.com/team");
    bed.expect(0, &["apply"]);
    let (objects, records) = writes(&bed.planes[0]);
    let names: Vec<&str> = objects.iter().map(|write| write.name.as_str()).collect();
    assert_eq!(names, ["istio-egressgateway"], "{objects:#?}");
    assert!(records <= 8, "{records} writes to records");
    assert_eq!(writes(&bed.planes[1]), (Vec::new(), 0), "nothing differs there");
    live::equals_tree(bed, &bed.planes[0]);
    let path = "/api/v1/namespaces/istio-system/configmaps/meshgen-history";
    let history = bed.planes[0].client().get(path).expect("a history");
    let lines = history["data"]["applies"].as_str().expect("lines").lines().count();
    assert_eq!(lines, 2, "{history}");
}

/// istiod is down, and its webhooks refuse what they cannot see: a new Deployment still goes out, and
/// with it the Gateway that the webhook validates, once the new istiod is there.
fn a_dead_istiod_is_mended(bed: &Bed<'_>, istiod: &Istiod) {
    istiod.kill();
    let (plane, client) = (&bed.planes[0], bed.planes[0].client());
    let file = "templates/expose/expose-services.yaml";
    let template = fs::read_to_string(tool::root().join(file)).unwrap();
    bed.project.write(
        file,
        &template.replace("    - \"*.local\"", "    - \"*.local\"\n    - \"*.example\""),
    );
    let overlay = "  c1:\n    istio: {components: {pilot: {k8s: {overlays: [{kind: Deployment, name: istiod, \
        patches: [{path: metadata.labels.mended, value: \"yes\"}]}]}}}}\n";
    bed.edit("  c1:\n", overlay);
    let plan = bed.expect(1, &["plan", "--only", "c1"]);
    plan.must_have("2 to change").must_have("mended").must_have("*.example");
    plan.must_have(
        "Gateway/istio-system/cross-network-gateway was compared by the fields that we own",
    );
    plan.must_have("failed calling webhook");

    let started = Instant::now();
    let apply = || bed.expect(0, &["apply", "--only", "c1"]);
    let _new = thread::scope(|scope| {
        let applied = scope.spawn(apply);
        let path = "/apis/apps/v1/namespaces/istio-system/deployments/istiod";
        while client.get(path).unwrap()["metadata"]["labels"]["mended"] != "yes" {
            assert!(!applied.is_finished(), "the apply ended before it mended istiod");
            assert!(started.elapsed() < PATIENCE, "nobody mends istiod");
            thread::sleep(Duration::from_millis(100));
        }
        let new = Istiod::start(plane);
        applied.join().expect("it is applied");
        new
    });
    live::equals_tree(bed, plane);
    bed.expect(0, &["plan", "--only", "c1"]);
}

/// Whatever a plan of secrets is printed as: a token and a key are in none of it.
fn every_format_keeps_secrets(bed: &Bed<'_>) {
    let client = bed.planes[1].client();
    // all that is secret differs, so that all of it is in the plan
    for secret in ["cacerts", "istio-remote-secret-c1"] {
        let path = format!("/api/v1/namespaces/istio-system/secrets/{secret}");
        let mut live = client.get(&path).unwrap();
        let canaries = bed.canaries();
        assert!(canaries.len() > 8);
        live["metadata"]["managedFields"] = json!([{}]);
        live["metadata"]["labels"] = json!({"istio/multiCluster": "other"});
        client.put(&path, &live);
    }
    let plan = bed.file("plan.json");
    let commands: [&[&str]; 9] = [
        &["plan"],
        &["plan", "-v"],
        &["plan", "-o", "json"],
        &["plan", "-o", "markdown"],
        &["plan", "-o", "html"],
        &["plan", "--out", &plan, "--force-conflicts"],
        &["apply", "-v", "-o", "json"],
        &["report"],
        &["report", "-o", "json"],
    ];
    for command in commands {
        bed.output(command);
    }
    bed.output(&["apply", "--plan", &plan, "--yes", "-v"]);
    bed.keeps_secrets();
}
