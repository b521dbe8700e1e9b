//! What `istioctl install` left beside what the tree has.

use serde_json::{Value, json};

use super::handmade::{Handmade, deployment};
use super::rare::furnished;
use super::{Bed, writes};
use crate::testbed::{Client, shared};

const SYSTEM: &str = "/namespaces/istio-system";

/// An object as `istioctl install` leaves it.
fn install(client: &Client, path: &str, mut object: Value) {
    object["metadata"]["labels"]["operator.istio.io/managed"] = json!("Reconcile");
    // the selector of one that stands there cannot change
    if path.contains("/deployments/") && client.get(path).is_some() {
        client.delete(path);
    }
    client.apply(&format!("{path}?force=true"), "istio-operator", &object).ok();
}

fn map(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "istio-system"}, "data": {"a": "b"},
    })
}

/// A webhook of another revision that nobody calls.
fn tag() -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-revision-tag-default"}, "webhooks": [],
    })
}

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/istio-system/deployments";
const TAG: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-revision-tag-default";

#[test]
fn leftovers_are_pruned_on_demand() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let client = planes[0].client();
    let bed = Bed::light(&planes, "");
    // a tree with a control plane, as far as one is needed here
    let tree = Handmade::of(&bed);
    tree.put("c1", "30-istiod", &deployment("istiod", "istiod:2"));
    install(&client, &format!("{DEPLOYMENT}/istiod"), deployment("istiod", "istiod"));
    let old = format!("{DEPLOYMENT}/istio-ingressgateway");
    install(&client, &old, deployment("istio-ingressgateway", "old"));
    let maps = format!("/api/v1{SYSTEM}/configmaps");
    install(&client, &format!("{maps}/istio-old"), map("istio-old"));
    client.apply(TAG, "istio-operator", &tag()).ok();
    // another's, though it was made by istioctl's manager: it bears no label
    client.apply(&format!("{maps}/bystander"), "istio-operator", &map("bystander")).ok();
    let leftovers = [old, format!("{maps}/istio-old"), TAG.to_owned()];
    let there = || leftovers.iter().filter(|path| client.get(path).is_some()).count();

    let said = bed.expect(2, &["plan", tree.name(), "--pin"]);
    said.must_have("`istioctl install` left ").must_have("--adopt-leftovers");
    said.must_have("Deployment/istio-system/istio-ingressgateway").must_have("istio-old");
    said.must_have("istio-revision-tag-default").must_not_have("bystander");
    let said = bed.expect(1, &["plan", tree.name(), "--pin", "--adopt"]);
    said.must_have("--adopt-leftovers").must_not_have("to prune");

    // without the flag they stay
    let bystander = client.get(&format!("{maps}/bystander"));
    bed.expect(0, &["apply", tree.name(), "--pin", "--adopt", "--yes"]);
    assert_eq!(there(), 3);
    // with it, alone or with an adoption, they go, and nothing else does
    bed.forget_audits();
    let prune = ["apply", tree.name(), "--adopt-leftovers"];
    let said = bed.expect(2, &prune);
    said.must_have("this needs a yes").must_have("prune 3 objects in `c1`");
    bed.wrote_nothing();
    bed.expect(0, &[&prune[..], &["--yes"]].concat());
    let (objects, _) = writes(&planes[0]);
    let names: Vec<&str> = objects.iter().map(|write| write.name.as_str()).collect();
    let order = ["istio-revision-tag-default", "istio-ingressgateway", "istio-old"];
    assert_eq!(names, order, "webhooks first");
    assert!(objects.iter().all(|write| write.verb == "delete"), "{objects:#?}");
    assert_eq!(there(), 0);
    assert_eq!(client.get(&format!("{maps}/bystander")), bystander);
    bed.forget_audits();
    bed.expect(0, &["apply", tree.name(), "--adopt-leftovers"]);
    bed.wrote_nothing();
}

#[test]
fn leftovers_go_after_everything_is_ready() {
    let Some(planes) = shared(1) else { return };
    let kubelets = furnished(&planes);
    let client = planes[0].client();
    let bed = Bed::light(&planes, "");
    let tree = Handmade::of(&bed);
    tree.put("c1", "30-istiod", &deployment("istiod", "istiod:2"));
    install(&client, &format!("{DEPLOYMENT}/istiod"), deployment("istiod", "istiod"));
    client.apply(TAG, "istio-operator", &tag()).ok();
    kubelets[0].hold_pods(true);
    let adopt = ["apply", tree.name(), "--pin", "--adopt", "--adopt-leftovers", "--yes"];
    let said = bed.expect(3, &[&adopt[..], &["--timeout", "3s"]].concat());
    said.must_have("Deployment/istio-system/istiod");
    assert!(client.get(TAG).is_some(), "the new istiod does not answer yet");
    kubelets[0].hold_pods(false);
    bed.expect(0, &adopt);
    assert!(client.get(TAG).is_none());
    bed.expect(0, &["plan", tree.name()]);
}

/// Where the tree has no charts, everything that istioctl put there is the mesh.
#[test]
fn an_installed_control_plane_is_no_leftover() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let client = planes[0].client();
    let bed = Bed::light(&planes, "");
    install(&client, &format!("{DEPLOYMENT}/istiod"), deployment("istiod", "istiod"));
    client.apply(TAG, "istio-operator", &tag()).ok();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}});
    install(&client, "/api/v1/namespaces/istio-system", namespace);
    bed.expect(1, &["plan", "--pin"]).must_not_have("left ");
    let flags = ["--pin", "--adopt", "--adopt-leftovers"];
    bed.expect(1, &[&["plan"][..], &flags].concat()).must_not_have("prune");
    bed.expect(0, &[&["apply", "--yes"][..], &flags].concat());
    assert!(client.get(&format!("{DEPLOYMENT}/istiod")).is_some());
    assert!(client.get(TAG).is_some());
}
