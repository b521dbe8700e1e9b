//! Objects as servers show them, and what is told from their managed fields.

mod handover;
mod owner;
mod settled;
mod view;

use serde_json::{Value, json};

use super::FieldSet;

const WE: &str = "meshgen";

fn set(fields: &Value) -> FieldSet {
    FieldSet::parse(fields).expect("it is written as fieldsV1")
}

fn entry(manager: &str, operation: &str, api_version: &str, fields: Value) -> Value {
    let mut entry = json!({"manager": manager, "operation": operation, "apiVersion": api_version,
        "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1"});
    entry["fieldsV1"] = fields;
    entry
}

fn with_entries(mut live: Value, entries: Vec<Value>) -> Value {
    live["metadata"]["managedFields"] = Value::Array(entries);
    live
}

/// An object and the same as a server would show it after our apply.
struct Case {
    name: &'static str,
    desired: Value,
    live: Value,
}

fn service() -> Case {
    let desired = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-eastwestgateway", "namespace": "istio-system",
            "labels": {"topology.istio.io/network": "network1"}},
        "spec": {"type": "LoadBalancer", "selector": {"app": "istio-eastwestgateway"},
            "ports": [{"name": "tls", "port": 15443, "targetPort": 15443},
                {"name": "dns", "port": 53}, {"name": "dns-udp", "port": 53, "protocol": "UDP"}]}});
    let live = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-eastwestgateway", "namespace": "istio-system",
            "uid": "0b9c", "resourceVersion": "812", "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"topology.istio.io/network": "network1"}},
        "spec": {"type": "LoadBalancer", "clusterIP": "10.96.3.4", "sessionAffinity": "None",
            "selector": {"app": "istio-eastwestgateway"},
            "ports": [
                {"name": "tls", "port": 15443, "targetPort": 15443, "protocol": "TCP", "nodePort": 30001},
                {"name": "dns", "port": 53, "targetPort": 53, "protocol": "TCP", "nodePort": 30002},
                {"name": "dns-udp", "port": 53, "targetPort": 53, "protocol": "UDP", "nodePort": 30003}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}});
    let ours = json!({"f:metadata": {"f:labels": {"f:topology.istio.io/network": {}}},
        "f:spec": {"f:type": {}, "f:selector": {}, "f:ports": {
            "k:{\"port\":15443,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}, "f:port": {}, "f:targetPort": {}},
            "k:{\"port\":53,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}, "f:port": {}},
            "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}}}}});
    let live = with_entries(live, vec![entry(WE, "Apply", "v1", ours)]);
    Case { name: "a Service with ports keyed by port and protocol", desired, live }
}

fn deployment() -> Case {
    let desired = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"},
            "finalizers": ["example.com/guard"]},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"istio": "pilot"}},
            "template": {"metadata": {"labels": {"istio": "pilot"}},
                "spec": {"imagePullSecrets": [{"name": "mirror"}],
                    "containers": [{"name": "discovery", "image": "pilot:1.27",
                    "args": ["discovery", "--domain", "cluster.local"],
                    "resources": {},
                    "env": [{"name": "REVISION", "value": "default"},
                        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}],
                    "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]}}}});
    let live = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"},
            "annotations": {"deployment.kubernetes.io/revision": "1"}, "generation": 1,
            "finalizers": ["example.com/guard"]},
        "spec": {"replicas": 1, "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"istio": "pilot"}},
            "template": {"metadata": {"creationTimestamp": null, "labels": {"istio": "pilot"}},
                "spec": {"restartPolicy": "Always", "imagePullSecrets": [{"name": "mirror"}],
                    "containers": [{"name": "discovery", "image": "pilot:1.27",
                    "imagePullPolicy": "IfNotPresent", "resources": {},
                    "args": ["discovery", "--domain", "cluster.local"],
                    "env": [{"name": "REVISION", "value": "default"},
                        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}]}],
                    "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]}}}});
    let ours = json!({"f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {"v:\"example.com/guard\"": {}}},
        "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {
            "f:metadata": {"f:labels": {"f:istio": {}}},
            "f:spec": {"f:imagePullSecrets": {"k:{\"name\":\"mirror\"}": {}},
                "f:containers": {"k:{\"name\":\"discovery\"}": {".": {}, "f:name": {}, "f:image": {},
                "f:args": {}, "f:resources": {}, "f:env": {
                    "k:{\"name\":\"REVISION\"}": {".": {}, "f:name": {}, "f:value": {}},
                    "k:{\"name\":\"POD_NAME\"}": {".": {}, "f:name": {}, "f:valueFrom": {"f:fieldRef": {}}}}}},
                "f:volumes": {"k:{\"name\":\"tmp\"}": {".": {}, "f:name": {}, "f:emptyDir": {"f:medium": {}}}}}}}});
    let theirs = json!({"f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}},
        "f:status": {"f:replicas": {}}});
    let mut status = entry("kube-controller-manager", "Update", "apps/v1", theirs);
    status["subresource"] = json!("status");
    let live = with_entries(live, vec![entry(WE, "Apply", "apps/v1", ours), status]);
    Case { name: "a Deployment", desired, live }
}

fn webhook() -> Case {
    let rule = json!({"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]});
    let mut live_rule = rule.clone();
    live_rule["scope"] = json!("*");
    let version = "admissionregistration.k8s.io/v1";
    let desired = json!({"apiVersion": version, "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector"},
        "webhooks": [{"name": "rev.namespace.sidecar-injector.istio.io",
            "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system", "path": "/inject", "port": 443}},
            "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "DoesNotExist"}]},
            "rules": [rule]}]});
    let live = json!({"apiVersion": version, "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector", "generation": 2},
        "webhooks": [{"name": "rev.namespace.sidecar-injector.istio.io",
            "clientConfig": {"caBundle": "LS0tLS1CRUdJTg==",
                "service": {"name": "istiod", "namespace": "istio-system", "path": "/inject", "port": 443}},
            "failurePolicy": "Fail", "matchPolicy": "Equivalent", "reinvocationPolicy": "Never",
            "sideEffects": "None", "timeoutSeconds": 10, "admissionReviewVersions": ["v1"], "objectSelector": {},
            "namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "DoesNotExist"}]},
            "rules": [live_rule]}]});
    let ours = json!({"f:webhooks": {"k:{\"name\":\"rev.namespace.sidecar-injector.istio.io\"}": {".": {},
        "f:name": {}, "f:failurePolicy": {}, "f:sideEffects": {}, "f:admissionReviewVersions": {},
        "f:namespaceSelector": {}, "f:rules": {},
        "f:clientConfig": {"f:service": {"f:name": {}, "f:namespace": {}, "f:path": {}, "f:port": {}}}}}});
    let theirs = json!({"f:webhooks": {"k:{\"name\":\"rev.namespace.sidecar-injector.istio.io\"}": {
        "f:clientConfig": {"f:caBundle": {}}}}});
    let live = with_entries(
        live,
        vec![
            entry("pilot-discovery", "Update", version, theirs),
            entry(WE, "Apply", version, ours),
        ],
    );
    Case { name: "a webhook that istiod has patched", desired, live }
}

fn cases() -> Vec<Case> {
    vec![service(), deployment(), webhook()]
}
