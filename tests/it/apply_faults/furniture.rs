//! What is in a cluster before meshgen comes.

use serde_json::{Value, json};

use super::bed::wait;
use crate::testbed::Client;

/// Nobody may touch these.
pub const BYSTANDERS: [&str; 4] = [
    "/api/v1/namespaces/istio-system/configmaps/bystander",
    "/api/v1/namespaces/istio-system/secrets/bystander",
    "/api/v1/namespaces/sample/configmaps/bystander",
    "/api/v1/namespaces/sample/secrets/bystander",
];

/// What `istioctl install` would put there, and bystanders.
pub fn furnish(client: &Client, number: usize) {
    for name in ["istio-system", "sample"] {
        client.post("/api/v1/namespaces", &json!({"metadata": {"name": name}}));
    }
    for path in BYSTANDERS {
        let (collection, name) = path.rsplit_once('/').unwrap();
        client.post(collection, &json!({"metadata": {"name": name}, "data": {"a": "Yg=="}}));
    }
    let system = "/api/v1/namespaces/istio-system";
    let account = json!({"metadata": {"name": "istio-reader-service-account"}});
    client.post(&format!("{system}/serviceaccounts"), &account);
    let labels = json!({"topology.istio.io/network": format!("n{number}")});
    let gateway = json!({
        "metadata": {"name": "istio-eastwestgateway", "labels": labels},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 15443}]},
    });
    client.post(&format!("{system}/services"), &gateway);
    client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition());
    let istiod = json!({
        "metadata": {"name": "istiod", "labels": {"app": "istiod"}},
        "spec": {
            "selector": {"matchLabels": {"app": "istiod"}},
            "template": {
                "metadata": {"labels": {"app": "istiod"}},
                "spec": {"containers": [{"name": "discovery", "image": "pilot"}]},
            },
        },
    });
    let deployments = "/apis/apps/v1/namespaces/istio-system/deployments";
    client.post(deployments, &istiod);
    wait("istiod", || {
        let found = client.get(&format!("{deployments}/istiod")).unwrap();
        (found["status"]["readyReplicas"] == 1).then_some(())
    });
    wait("kind Gateway", || client.get("/apis/networking.istio.io/v1"));
}

fn definition() -> Value {
    let version = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": true,
        }},
    });
    json!({
        "metadata": {"name": "gateways.networking.istio.io"},
        "spec": {
            "group": "networking.istio.io", "scope": "Namespaced", "versions": [version],
            "names": {"kind": "Gateway", "plural": "gateways"},
        },
    })
}
