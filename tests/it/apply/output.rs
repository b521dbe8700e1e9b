//! What `-o json` prints is what docs/apply-json.md says.

use std::fs;

use serde_json::{Value, json};

use super::handmade::{Handmade, deployment};
use super::rare::furnished;
use super::{Bed, json_of};
use crate::page;
use crate::testbed::{Kubelet, PATIENCE, shared};

/// A Service that istiod takes for the gateway of a network.
fn gateway(network: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "gateway",
            "namespace": "istio-system",
            "labels": {"topology.istio.io/network": network},
        },
        "spec": {"ports": [{"name": "tls", "port": 15443}], "selector": {"app": "gateway"}},
    })
}

#[test]
fn json_is_as_the_page_has_it() {
    let Some(planes) = shared(2) else { return };
    let kubelets: Vec<Kubelet> = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let (mut plans, mut applies, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    let json = |code: i32, arguments: &[&str]| -> Value {
        json_of(&bed.expect(code, &[arguments, &["-o", "json"]].concat()).out)
    };

    let client = planes[0].client();
    // somebody else's, and different: a refusal
    client.post("/api/v1/namespaces", &json!({"metadata": {"name": "sample"}}));
    let account = json!({"metadata": {"name": "sleep", "labels": {"app": "theirs"}}});
    client.post("/api/v1/namespaces/sample/serviceaccounts", &account);
    let service = json!({"metadata": {"name": "sleep"}, "spec": {"ports": [{"port": 81}]}});
    client.post("/api/v1/namespaces/sample/services", &service);
    let plan = json(2, &["plan"]);
    assert_eq!(
        (&plan["kind"], &plan["apiVersion"]),
        (&json!("Plan"), &json!("meshgen.dev/v1alpha1"))
    );
    assert_eq!(plan["clusters"][0]["firstContact"], true);
    plans.push(plan);
    client.delete("/api/v1/namespaces/sample/services/sleep");

    // a remote secret is held back, and a cluster not begun
    planes[1]
        .client()
        .delete("/api/v1/namespaces/istio-system/serviceaccounts/istio-reader-service-account");
    let held = json(3, &["apply", "--yes", "--timeout", "3s"]);
    assert_eq!(held["clusters"][0]["outcome"], "done");
    assert_eq!(
        held["clusters"][0]["held"][0]["object"],
        "Secret/istio-system/istio-remote-secret-c2"
    );
    applies.push(held);
    let account = json!({"metadata": {"name": "istio-reader-service-account"}});
    planes[1].client().post("/api/v1/namespaces/istio-system/serviceaccounts", &account);
    bed.expect(0, &["apply", "--yes"]);
    let done = json(0, &["apply"]);
    assert_eq!(done["clusters"][1]["outcome"], "unchanged");
    applies.push(done);

    let tree = Handmade::of(&bed);
    for name in ["c1", "c2"] {
        tree.put(name, "40-gateways", &deployment("gateway", "proxy"));
        tree.put(name, "40-gateways", &gateway("elsewhere"));
    }
    kubelets[0].hold_pods(true);
    let failed = json(3, &["apply", tree.name(), "--yes", "--wave", "c1", "--timeout", "3s"]);
    assert_eq!(failed["clusters"][0]["outcome"], "failed");
    assert_eq!(failed["clusters"][1]["outcome"], "notBegun");
    applies.push(failed);
    statuses.push(json(1, &["status"]));
    // pods that went, and do not come back
    assert!(client.delete("/api/v1/namespaces/sample/pods"));
    let started = std::time::Instant::now();
    let status = loop {
        let status = json(1, &["status"]);
        if status["clusters"][0]["notReady"] != json!([]) {
            break status;
        }
        assert!(started.elapsed() < PATIENCE, "{status}");
    };
    statuses.push(status);
    kubelets[0].hold_pods(false);
    bed.expect(0, &["apply", "--yes"]);

    // drift, what is kept, a change
    let patch = json!({"metadata": {"labels": {"app": "other"}}});
    let path = "/api/v1/namespaces/sample/services/helloworld?fieldManager=kubectl-edit";
    client.patch(path, "application/merge-patch+json", &patch);
    statuses.push(json(1, &["status"]));
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    plans.push(json(2, &["plan"]));
    plans.push(json(1, &["plan", "--allow-prune"]));

    // a remote secret that waits for facts
    let facts = bed.project.path().join("facts/c2.json");
    let good = fs::read_to_string(&facts).unwrap();
    fs::remove_file(&facts).unwrap();
    bed.expect(0, &["render", "-q"]);
    plans.push(json(1, &["plan", "--allow-prune"]));
    fs::write(&facts, good).unwrap();
    bed.expect(0, &["render", "-q"]);

    // without rights, and without a server
    bed.kubeconfig(&[super::rare::reader(&planes[0])]);
    plans.push(json(3, &["plan"]));
    statuses.push(json(3, &["status"]));
    for (what, values) in [("plan", &plans), ("status", &statuses)] {
        assert!(values.iter().all(Value::is_object), "{what}");
    }
    page::agree("apply-json.md", "## `meshgen plan -o json`", &plans, &["changes"]);
    page::agree("apply-json.md", "## `meshgen apply -o json`", &applies, &[]);
    page::agree("apply-json.md", "## `meshgen status -o json`", &statuses, &["drift"]);
}
