//! What is refused unless it is meant.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::handmade::Handmade;
use super::rare::furnished;
use super::{Bed, writes};
use crate::testbed::shared;
use crate::tool;

/// A Service that istiod takes for a gateway of network `n`.
fn gateway() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "gateway", "namespace": "istio-system",
            "labels": {"topology.istio.io/network": "n"},
        },
        "spec": {"type": "LoadBalancer", "ports": [{"name": "tls", "port": 15443}]},
    })
}

#[test]
fn the_last_gateway_of_a_network_stays() {
    let Some(planes) = shared(2) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let path = "/api/v1/namespaces/istio-system/services/gateway";
    let (first, second) = (Handmade::of(&bed), Handmade::of(&bed));
    first.put("c1", "40-gateways", &gateway());
    second.put("c2", "40-gateways", &gateway());
    bed.expect(0, &["apply", first.name(), "--yes"]);
    bed.forget_audits();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = bed.expect(2, command);
        said.must_have("Service/istio-system/gateway: it is the last gateway of network `n`");
    }
    // also where the other cluster is not looked at
    let said = bed.expect(2, &["apply", "--yes", "--only", "c1"]);
    said.must_have("it is the last gateway of network `n`");
    bed.wrote_nothing();
    // another takes its place, in the same apply
    bed.expect(0, &["apply", second.name(), "--yes"]);
    assert!(planes[0].client().get(path).is_none());
    assert!(planes[1].client().get(path).is_some());
}

#[test]
fn an_empty_tree_needs_to_be_meant() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    bed.expect(0, &["apply", "--yes", "--pin"]);
    let tree = Handmade::of(&bed);
    tree.retain(|_| false);
    bed.forget_audits();
    for flags in [&[][..], &["--allow-prune"], &["--allow-empty"]] {
        let said = bed.expect(2, &[&["apply", tree.name(), "--yes"][..], flags].concat());
        assert_eq!(
            said.has("the tree holds nothing for this cluster"),
            !flags.contains(&"--allow-empty")
        );
        assert_eq!(said.has("objects would be pruned"), !flags.contains(&"--allow-prune"));
    }
    bed.wrote_nothing();
    bed.expect(0, &["apply", tree.name(), "--yes", "--allow-empty", "--allow-prune"]);
    let client = planes[0].client();
    assert!(client.get("/api/v1/namespaces/istio-system/secrets/cacerts").is_none());
    assert!(client.get("/api/v1/namespaces/sample").is_some());
    assert!(client.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod").is_some());
    bed.forget_audits();
    bed.expect(0, &["apply", tree.name(), "--yes"]);
    bed.wrote_nothing();
    // and back
    bed.expect(0, &["apply", "--yes"]);
    bed.expect(0, &["plan"]);
}

#[test]
fn a_definition_keeps_the_versions_that_objects_are_stored_in() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let client = planes[0].client();
    let bed = Bed::light(&planes, "");
    let tree = Handmade::of(&bed);
    let with = |versions: &[&str]| {
        let versions: Vec<Value> = versions
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let schema = json!({"openAPIV3Schema": {"type": "object"}});
                json!({"name": name, "served": true, "storage": at == 0, "schema": schema})
            })
            .collect();
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced", "versions": versions,
                "names": {"kind": "Thing", "plural": "things", "singular": "thing",
                    "listKind": "ThingList"},
            },
        });
        tree.put("c1", "20-base", &definition);
    };
    with(&["v1alpha1"]);
    // an object of it comes with its definition, in one apply
    let thing = |version: &str| {
        json!({
            "apiVersion": format!("example.com/{version}"), "kind": "Thing",
            "metadata": {"name": "one", "namespace": "sample"},
        })
    };
    tree.put("c1", "70-samples", &thing("v1alpha1"));
    bed.expect(0, &["apply", tree.name(), "--yes", "--pin"]);
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com";
    let before = client.get(path).unwrap();

    with(&["v1"]);
    bed.forget_audits();
    let plan = bed.expect(0, &["plan", tree.name()]);
    plan.must_have("CustomResourceDefinition/things.example.com is left as it is");
    plan.must_have("stored as `v1alpha1`");
    bed.expect(0, &["apply", tree.name()]);
    bed.wrote_nothing();
    assert_eq!(client.get(path).unwrap()["spec"], before["spec"]);

    // both are fine, and the object moves to the new one
    with(&["v1", "v1alpha1"]);
    tree.put("c1", "70-samples", &thing("v1"));
    bed.expect(0, &["apply", tree.name()]);
    let moved = "/apis/example.com/v1/namespaces/sample/things/one";
    assert!(client.get(moved).is_some());
    bed.expect(0, &["plan", tree.name()]);

    // without the object's row, it goes; its definition stays
    tree.retain(|row| row["stage"] != "70-samples" || row["object"]["kind"] != "Thing");
    bed.expect(0, &["apply", tree.name(), "--yes"]);
    assert!(client.get(moved).is_none());
    tree.retain(|row| row["stage"] != "20-base");
    bed.expect(0, &["plan", tree.name()]).must_have("--prune CustomResourceDefinition/things");
    bed.expect(
        0,
        &["apply", tree.name(), "--yes", "--prune", "CustomResourceDefinition/things.example.com"],
    );
    assert!(client.get(path).is_none());
}

#[test]
fn what_another_made_is_adopted_and_recreated_in_one() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let client = planes[0].client();
    let bed = Bed::light(&planes, "");
    client.post("/api/v1/namespaces", &json!({"metadata": {"name": "sample"}}));
    let mut other = super::handmade::deployment("other", "other");
    other["metadata"] = json!({"name": "sleep"});
    client.post("/apis/apps/v1/namespaces/sample/deployments", &other);
    let path = "/apis/apps/v1/namespaces/sample/deployments/sleep";
    let before = client.get(path).unwrap()["metadata"]["uid"].clone();
    let name = "Deployment/sample/sleep";
    bed.forget_audits();
    for flags in [&[][..], &["--recreate", name]] {
        let said = bed.expect(2, &[&["apply", "--yes", "--pin"][..], flags].concat());
        said.must_have("meshgen does not own it").must_have("spec.selector");
        said.must_have(&format!("--adopt {name} --recreate {name}"));
    }
    let said = bed.expect(2, &["apply", "--yes", "--pin", "--adopt"]);
    said.must_have("`spec.selector` cannot change").must_have(&format!("--recreate {name}"));
    bed.wrote_nothing();
    bed.expect(0, &["apply", "--yes", "--pin", "--adopt", name, "--recreate", name]);
    let after = client.get(path).unwrap();
    assert_ne!(after["metadata"]["uid"], before);
    assert_eq!(after["spec"]["selector"]["matchLabels"]["app"], "sleep");
    bed.expect(0, &["plan"]);
    bed.forget_audits();
    bed.expect(0, &["apply"]);
    bed.wrote_nothing();
}

#[test]
fn a_pinned_cluster_and_no_other() {
    let Some(planes) = shared(2) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes[..1], "");
    bed.expect(0, &["facts", "pin", "c1"]);
    bed.expect(0, &["render", "-q"]);
    let facts = fs::read_to_string(bed.project.path().join("facts/c1.json")).unwrap();
    let uid = planes[0].client().get("/api/v1/namespaces/kube-system").unwrap()["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(facts.contains(&uid), "{facts}");
    // the same name, another cluster, and it is empty
    bed.kubeconfig(&[planes[1].admin_kubeconfig("c1")]);
    bed.forget_audits();
    for flags in [&[][..], &["--pin"]] {
        let said = bed.expect(2, &[&["apply", "--yes"][..], flags].concat());
        said.must_have("its context leads to another cluster").must_have(&uid);
        said.must_have("meshgen facts pin c1");
    }
    assert!(planes[1].writes().is_empty());
    bed.kubeconfig(&[planes[0].admin_kubeconfig("c1")]);
    bed.expect(0, &["apply", "--yes"]);

    // a commit is a tree too
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(bed.project.path());
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        tool::run(&mut command, "")
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "first"]);
    bed.forget_audits();
    bed.expect(0, &["apply", "git:HEAD"]).must_have("unchanged");
    bed.wrote_nothing();
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    bed.expect(0, &["apply", "--yes", "--allow-prune"]);
    bed.expect(0, &["apply", "git:HEAD"]);
    assert!(planes[0].client().get("/api/v1/namespaces/sample/services/sleep").is_some());
    let (objects, _) = writes(&planes[0]);
    assert!(!objects.is_empty());
    bed.expect(2, &["apply", "git:nothing"]);
}
