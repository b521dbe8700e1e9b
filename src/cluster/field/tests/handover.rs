//! Fields that are left to others.

use serde_json::{Value, json};

use super::super::{hand_over, settled, without_handed_over};
use super::{Case, WE, deployment, entry, service, webhook, with_entries};

fn pointers(pointers: &[&str]) -> Vec<String> {
    pointers.iter().map(|pointer| (*pointer).to_owned()).collect()
}

#[test]
fn replicas_are_left_to_an_autoscaler() {
    let Case { desired, mut live, .. } = deployment();
    let replicas = pointers(&["/spec/replicas"]);
    assert_eq!(hand_over(&desired, Some(&live), &replicas, WE), desired);
    assert_eq!(hand_over(&desired, None, &replicas, WE), desired);
    let mut scale = entry(
        "kube-controller-manager",
        "Update",
        "apps/v1",
        json!({"f:spec": {"f:replicas": {}}}),
    );
    scale["subresource"] = json!("scale");
    live["metadata"]["managedFields"].as_array_mut().unwrap().push(scale);
    live["spec"]["replicas"] = json!(3);
    let rest = hand_over(&desired, Some(&live), &replicas, WE);
    assert_eq!(rest.pointer("/spec/replicas"), None);
    assert_eq!(rest, without_handed_over(&desired, &replicas));
    // our entry still has the field: the next apply gives it away
    assert!(!settled(&rest, &live, WE));
    live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
        .as_object_mut()
        .unwrap()
        .shift_remove("f:replicas");
    assert!(settled(&rest, &live, WE));
}

#[test]
fn bundles_are_left_to_istiod() {
    let Case { mut desired, live, .. } = webhook();
    let given = pointers(&["/webhooks/*/clientConfig/caBundle", "/webhooks/*/failurePolicy"]);
    desired["webhooks"][0]["clientConfig"]["caBundle"] = json!("");
    let rest = hand_over(&desired, Some(&live), &given, WE);
    assert_eq!(rest.pointer("/webhooks/0/clientConfig/caBundle"), None);
    assert_eq!(rest.pointer("/webhooks/0/failurePolicy"), Some(&json!("Fail")), "it is still ours");
    assert!(settled(&rest, &live, WE));
    let cut = without_handed_over(&live, &given);
    assert_eq!(cut.pointer("/webhooks/0/clientConfig/caBundle"), None);
    assert_eq!(cut.pointer("/webhooks/0/failurePolicy"), None);
}

#[test]
fn items_are_handed_over_by_their_keys() {
    let owner =
        |fields: Value| with_entries(json!({}), vec![entry("cloud", "Update", "v1", fields)]);
    let Case { desired, .. } = service();
    let nodes = pointers(&["/spec/ports/*/name"]);
    let live = owner(
        json!({"f:spec": {"f:ports": {"k:{\"port\":53,\"protocol\":\"UDP\"}": {"f:name": {}}}}}),
    );
    let rest = hand_over(&desired, Some(&live), &nodes, WE);
    assert_eq!(rest["spec"]["ports"][2], json!({"port": 53, "protocol": "UDP"}));
    assert_eq!(rest["spec"]["ports"][1], desired["spec"]["ports"][1]);
    // a parent that is owned as a whole
    let live = owner(json!({"f:spec": {"f:ports": {}}}));
    let rest = hand_over(&desired, Some(&live), &nodes, WE);
    assert_eq!(rest["spec"]["ports"][0], json!({"port": 15443, "targetPort": 15443}));
    // of a mapping, what is his alone
    let labels = pointers(&["/metadata/labels"]);
    let mut two = desired.clone();
    two["metadata"]["labels"]["his"] = json!("x");
    let live = owner(json!({"f:metadata": {"f:labels": {".": {}, "f:his": {}}}}));
    assert_eq!(hand_over(&two, Some(&live), &labels, WE), desired);
    let escaped = pointers(&["/metadata/labels/topology.istio.io~1network"]);
    assert_eq!(without_handed_over(&desired, &escaped)["metadata"]["labels"], json!({}));
}
