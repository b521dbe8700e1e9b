//! The rare cases: status, history, saved plans, retire, forget, recover, pinned identities.

use std::fs;

use serde_json::{Value, json};

use super::{Bed, installed, json_of, writes};
use crate::testbed::{self, Kubelet};

const SECRETS: &str = "/api/v1/namespaces/istio-system/secrets";
const MAPS: &str = "/api/v1/namespaces/istio-system/configmaps";

/// Clusters with a ready istiod of somebody else's.
pub(super) fn furnished(planes: &[testbed::ControlPlane]) -> Vec<Kubelet> {
    planes.iter().for_each(installed);
    let kubelets = planes.iter().map(Kubelet::start).collect();
    for plane in planes {
        let path = "/apis/apps/v1/namespaces/istio-system/deployments/istiod";
        let started = std::time::Instant::now();
        while plane.client().get(path).unwrap()["status"]["readyReplicas"] != 1 {
            assert!(started.elapsed() < testbed::PATIENCE, "{}: no istiod", plane.name);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    kubelets
}

/// A light mesh on so many clusters, applied.
pub(super) fn applied(planes: &testbed::Shared) -> (Bed<'_>, Vec<Kubelet>) {
    let kubelets = furnished(planes);
    let bed = Bed::light(planes, "");
    bed.expect(0, &["apply", "--yes"]);
    (bed, kubelets)
}

#[test]
fn status_tells_what_is_applied_and_what_drifted() {
    let Some(planes) = testbed::shared(2) else { return };
    let (bed, _kubelets) = applied(&planes);
    let index = fs::read(bed.project.tree().file("index.json")).unwrap();
    let tree = meshgen::store::Digest::of(index).to_string();
    let status = bed.expect(0, &["status"]);
    status.must_have(&tree[..19]).must_have("(generation 1)").must_have("equal to out/ here");
    status.must_have("no drift");

    // somebody edits a field of ours, and deletes an object
    let client = planes[1].client();
    let service = "/api/v1/namespaces/sample/services/sleep";
    let patch = json!({"metadata": {"labels": {"app": "other"}}});
    client.patch(
        &format!("{service}?fieldManager=kubectl-edit"),
        "application/merge-patch+json",
        &patch,
    );
    client.delete("/api/v1/namespaces/sample/services/helloworld");
    let status = bed.expect(1, &["status"]);
    status.must_have("2 objects drifted").must_have("kubectl-edit");
    let value = json_of(&bed.expect(1, &["status", "-o", "json"]).out);
    assert_eq!(value["clusters"][0]["drift"], json!([]));
    assert_eq!(value["clusters"][0]["generation"], 1);
    assert_eq!(value["clusters"][1]["drift"].as_array().unwrap().len(), 2);
    bed.expect(1, &["diff", "--live"]).must_have("Service/sample/helloworld");

    // read rights suffice, and what cannot be read is said
    let reader = reader(&planes[1]);
    bed.kubeconfig(&[planes[0].admin_kubeconfig("c1"), reader]);
    let status = bed.expect(3, &["status"]);
    status.must_have("could not be read").must_have("Secret/istio-system/cacerts");
}

/// A kubeconfig of a user who may read all but Secrets.
pub(super) fn reader(plane: &testbed::ControlPlane) -> String {
    let client = plane.client();
    let role = json!({"metadata": {"name": "reader"}, "rules": [
        {"apiGroups": ["*"], "resources": ["configmaps", "namespaces", "services", "serviceaccounts",
            "deployments", "gateways"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
    ]});
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    client.post(&format!("{rbac}/clusterroles"), &role);
    let binding = json!({
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
        "subjects": [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}],
    });
    client.post(&format!("{rbac}/clusterrolebindings"), &binding);
    plane.user("ann", &[])
}

#[test]
fn a_saved_plan_is_carried_out_only_if_nothing_moved() {
    let Some(planes) = testbed::shared(2) else { return };
    let (bed, _kubelets) = applied(&planes);
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    let plan = bed.file("plan.json");
    let prune = ["plan", "--allow-prune", "--out", plan.as_str()];
    bed.expect(1, &prune);
    // another tree is in out/ by now, and older generations are collected: the plan keeps its own
    bed.edit("samples: {enabled: false}", "samples: {enabled: true}");
    bed.expect(0, &["gc", "--keep", "1"]);
    let service = "/api/v1/namespaces/sample/services/sleep";
    let patch = json!({"metadata": {"annotations": {"note": "mine"}}});
    planes[0].client().patch(service, "application/merge-patch+json", &patch);
    bed.forget_audits();
    let said = bed.expect(2, &["apply", "--yes", "--plan", &plan]);
    said.must_have("Service/sample/sleep").must_have("c1").must_not_have("helloworld");
    bed.wrote_nothing();

    let undo = json!({"metadata": {"annotations": {"note": null}}});
    planes[0].client().patch(service, "application/merge-patch+json", &undo);
    bed.expect(0, &["apply", "--yes", "--plan", &plan]);
    assert!(planes[0].client().get(service).is_none(), "the plan's tree has no samples");
    let said = bed.expect(2, &["apply", "--yes", "--plan", &plan]);
    said.must_have("does not hold any more");
}

#[test]
fn an_older_generation_comes_back_and_history_tells() {
    let Some(planes) = testbed::shared(2) else { return };
    let (bed, _kubelets) = applied(&planes);
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    bed.expect(2, &["apply", "--yes"]).must_have("--allow-prune");
    bed.expect(0, &["apply", "--yes", "--allow-prune"]);
    assert!(planes[0].client().get("/api/v1/namespaces/sample/services/sleep").is_none());
    bed.expect(0, &["apply", "gen:1", "--yes"]);
    assert!(planes[0].client().get("/api/v1/namespaces/sample/services/sleep").is_some());
    let status = bed.expect(0, &["status"]);
    status.must_have("(generation 1)").must_have("out/ is another tree here");
    let history = planes[0].client().get(&format!("{MAPS}/meshgen-history")).unwrap();
    let lines: Vec<Value> =
        history["data"]["applies"].as_str().unwrap().lines().map(json_of).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["result"] == "done"), "{lines:?}");
    assert_eq!(lines[0]["tree"], lines[2]["tree"]);
}

#[test]
fn a_retired_cluster_leaves_its_peers_and_is_emptied() {
    let Some(planes) = testbed::shared(3) else { return };
    let (bed, _kubelets) = applied(&planes);
    let remote = |plane: usize, of: &str| {
        planes[plane].client().get(&format!("{SECRETS}/istio-remote-secret-{of}")).is_some()
    };
    assert!(remote(0, "c3") && remote(1, "c3") && remote(2, "c1"));

    // out of the tree: nothing is touched, and the peers keep its remote secret
    bed.edit("  c3: {network: n}\n", "");
    let said = bed.expect(0, &["apply", "--yes", "--context", "c1=c1"]);
    said.must_have("unchanged");
    assert!(remote(0, "c3") && remote(1, "c3"), "it waits for `retire`");
    bed.expect(0, &["plan", "--context", "c1=c1"]).must_have("meshgen retire c3");

    let said = bed.expect(2, &["retire", "c3"]);
    said.must_have("this needs a yes");
    let said = bed.expect(0, &["retire", "c3", "--yes"]);
    said.must_have("tokens of c1, c2");
    assert!(!remote(0, "c3") && !remote(1, "c3") && !remote(2, "c1") && !remote(2, "c2"));
    assert!(remote(0, "c2") && remote(1, "c1"), "the others stay joined");
    let client = planes[2].client();
    assert!(client.get(&format!("{SECRETS}/cacerts")).is_none());
    assert!(client.get("/api/v1/namespaces/sample/services/sleep").is_none());
    assert!(client.get("/api/v1/namespaces/istio-system").is_some(), "Namespaces stay");
    assert!(client.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod").is_some());
    bed.forget_audits();
    bed.expect(0, &["retire", "c3", "--yes"]).must_have("nothing of `c3` is left");
    bed.expect(0, &["apply", "--yes", "--context", "c1=c1"]);
    bed.wrote_nothing();

    // one that is in the tree is uninstalled; one that is gone is not asked
    planes[1].stop_apiserver();
    bed.expect(2, &["retire", "c2", "--yes"]);
    assert!(remote(0, "c2"));
    bed.expect(0, &["retire", "c2", "--gone", "--yes"]);
    assert!(!remote(0, "c2"));
    planes[1].restart();
    bed.expect(0, &["apply", "--yes", "--context", "c1=c1"]);
    assert!(remote(0, "c2") && remote(1, "c1"));
}

#[test]
fn what_is_forgotten_is_left_alone() {
    let Some(planes) = testbed::shared(2) else { return };
    let (bed, _kubelets) = applied(&planes);
    bed.expect(2, &["forget", "Service/sample/nothing"]).must_have("no inventory holds");
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    bed.expect(0, &["forget", "service/sample/sleep", "--only", "c1"]).must_have("is forgotten");
    bed.expect(0, &["apply", "--yes", "--allow-prune"]);
    let sleep = "/api/v1/namespaces/sample/services/sleep";
    assert!(planes[0].client().get(sleep).is_some(), "c1 forgot it");
    assert!(planes[1].client().get(sleep).is_none(), "c2 pruned it");
}

#[test]
fn a_lost_inventory_is_made_anew() {
    let Some(planes) = testbed::shared(2) else { return };
    let (bed, _kubelets) = applied(&planes);
    let client = planes[0].client();
    client.delete(&format!("{MAPS}/meshgen-inventory"));
    // an object that the next tree has no more would stay for ever
    bed.expect(2, &["recover"]).must_have("Service/sample/sleep").must_have("needs a yes");
    bed.expect(0, &["recover", "--yes"]);
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    bed.expect(0, &["apply", "--yes", "--allow-prune"]);
    assert!(client.get("/api/v1/namespaces/sample/services/sleep").is_none());
    assert!(client.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod").is_some());
    bed.forget_audits();
    bed.expect(0, &["apply", "--yes"]);
    bed.wrote_nothing();
}

#[test]
fn a_pinned_identity_is_held_against_the_context() {
    let Some(planes) = testbed::shared(2) else { return };
    planes.iter().for_each(installed);
    let bed = Bed::light(&planes, "");
    let swapped = ["facts", "pin", "--context", "c1=c2", "--context", "c2=c1"];
    bed.expect(2, &swapped).must_have("another cluster");
    bed.expect(2, &["facts", "pin", "--context", "c2=c1", "--force"]).must_have("same cluster");
    bed.expect(0, &["facts", "pin"]);
    bed.expect(0, &["render", "-q"]);
    let uid = planes[0].client().get("/api/v1/namespaces/kube-system").unwrap()["metadata"]["uid"]
        .clone();
    let index = fs::read_to_string(bed.project.path().join("out/index.json")).unwrap();
    assert!(index.contains(uid.as_str().unwrap()));
    let said = bed.expect(2, &["apply", "--yes", "--context", "c1=c2", "--context", "c2=c1"]);
    said.must_have("leads to another cluster").must_have("pinned is");
    bed.wrote_nothing();
}

#[test]
fn only_bindings_leaves_the_rest_alone() {
    let Some(planes) = testbed::shared(2) else { return };
    let (bed, _kubelets) = applied(&planes);
    let client = planes[0].client();
    client.delete(&format!("{SECRETS}/istio-remote-secret-c2"));
    client.delete("/api/v1/namespaces/sample/services/sleep");
    bed.forget_audits();
    bed.expect(0, &["apply", "--yes", "--only-bindings"]);
    let (objects, _) = writes(&planes[0]);
    assert_eq!(objects.len(), 1, "{objects:#?}");
    assert!(client.get(&format!("{SECRETS}/istio-remote-secret-c2")).is_some());
    assert!(client.get("/api/v1/namespaces/sample/services/sleep").is_none());
    bed.expect(0, &["apply", "--yes"]);
    assert!(client.get("/api/v1/namespaces/sample/services/sleep").is_some());
}
