//! Objects as their controllers leave them on the way.

use serde_json::{Value, json};

use super::*;

fn waits_for(object: &Value) -> String {
    match readiness(object) {
        Waiting(reason) => reason,
        other => panic!("{other:?}: {object}"),
    }
}

fn fails_for(object: &Value) -> String {
    match readiness(object) {
        Failed(reason) => reason,
        other => panic!("{other:?}: {object}"),
    }
}

fn object(api_version: &str, kind: &str, spec: Value, status: Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "generation": 2}});
    object["spec"] = spec;
    object["status"] = status;
    object
}

fn condition_of(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}

#[test]
fn a_deployment_waits_for_each_step_of_its_rollout() {
    let at = |status: Value| object("apps/v1", "Deployment", json!({"replicas": 2}), status);
    let status = |updated: u8, replicas: u8, available: u8| json!({"observedGeneration": 2, "updatedReplicas": updated, "replicas": replicas, "availableReplicas": available});
    assert_eq!(waits_for(&at(json!({}))), "its controller has not seen the change yet");
    assert_eq!(
        waits_for(&at(
            json!({"observedGeneration": 1, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2})
        )),
        "its controller has not seen the change yet"
    );
    assert_eq!(waits_for(&at(json!({"observedGeneration": 2}))), "0 of 2 replicas updated");
    assert_eq!(waits_for(&at(status(1, 3, 3))), "1 of 2 replicas updated");
    assert_eq!(waits_for(&at(status(2, 3, 3))), "1 old replica to be terminated");
    assert_eq!(waits_for(&at(status(2, 2, 1))), "1 of 2 replicas available");
    assert_eq!(readiness(&at(status(2, 2, 2))), Ready);
    let mut stuck = at(status(1, 3, 2));
    stuck["status"]["conditions"] = json!([condition_of(
        "Progressing",
        "False",
        "ProgressDeadlineExceeded",
        "ReplicaSet \"istiod-5d\" has timed out progressing."
    )]);
    assert_eq!(fails_for(&stuck), "ReplicaSet \"istiod-5d\" has timed out progressing.");
    let mut denied = at(json!({"observedGeneration": 2}));
    denied["status"]["conditions"] =
        json!([condition_of("ReplicaFailure", "True", "FailedCreate", "exceeded quota")]);
    assert_eq!(waits_for(&denied), "0 of 2 replicas updated: exceeded quota");
    let none =
        object("apps/v1", "Deployment", json!({"replicas": 0}), json!({"observedGeneration": 2}));
    assert_eq!(readiness(&none), Ready);
}

#[test]
fn other_workloads_wait_for_their_pods() {
    let set = |status| object("apps/v1", "StatefulSet", json!({"replicas": 2}), status);
    assert_eq!(
        waits_for(&set(json!({"observedGeneration": 2, "readyReplicas": 1}))),
        "1 of 2 replicas ready"
    );
    let rolling = json!({"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 1,
        "currentRevision": "a", "updateRevision": "b"});
    assert_eq!(waits_for(&set(rolling)), "1 of 2 replicas updated");
    let done = json!({"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2,
        "currentRevision": "b", "updateRevision": "b"});
    assert_eq!(readiness(&set(done)), Ready);

    let daemons = |status| object("apps/v1", "DaemonSet", json!({}), status);
    assert_eq!(
        waits_for(&daemons(json!({"observedGeneration": 2}))),
        "its controller has not counted the nodes yet"
    );
    let counts = |updated: u8, available: u8| {
        json!({"observedGeneration": 2, "desiredNumberScheduled": 3,
            "updatedNumberScheduled": updated, "numberAvailable": available})
    };
    assert_eq!(waits_for(&daemons(counts(1, 3))), "updated on 1 of 3 nodes");
    assert_eq!(waits_for(&daemons(counts(3, 2))), "available on 2 of 3 nodes");
    assert_eq!(readiness(&daemons(counts(3, 3))), Ready);
    assert_eq!(
        readiness(&daemons(json!({"observedGeneration": 2, "desiredNumberScheduled": 0}))),
        Ready
    );

    let replicas = |status| object("apps/v1", "ReplicaSet", json!({"replicas": 1}), status);
    assert_eq!(waits_for(&replicas(json!({"observedGeneration": 2}))), "0 of 1 replicas available");
    assert_eq!(
        readiness(&replicas(
            json!({"observedGeneration": 2, "replicas": 1, "availableReplicas": 1})
        )),
        Ready
    );
}

#[test]
fn a_job_ends_one_way_or_the_other() {
    let job = |status| object("batch/v1", "Job", json!({"completions": 2}), status);
    assert_eq!(waits_for(&job(json!({"succeeded": 1}))), "1 of 2 pods succeeded");
    let ended =
        |kind| json!({"conditions": [condition_of(kind, "True", "BackoffLimitExceeded", "")]});
    assert_eq!(readiness(&job(ended("Complete"))), Ready);
    assert_eq!(fails_for(&job(ended("Failed"))), "BackoffLimitExceeded");
}

#[test]
fn definitions_and_api_services_tell_by_their_conditions() {
    let version = "apiextensions.k8s.io/v1";
    let definition = |conditions: Value| {
        object(version, "CustomResourceDefinition", json!({}), json!({"conditions": conditions}))
    };
    assert_eq!(waits_for(&definition(json!([]))), "is not established yet");
    assert_eq!(
        waits_for(&definition(json!([condition_of(
            "Established",
            "False",
            "Installing",
            "the initial names have been accepted"
        )]))),
        "the initial names have been accepted"
    );
    assert_eq!(
        fails_for(&definition(json!([condition_of(
            "NamesAccepted",
            "False",
            "PluralConflict",
            "\"gateways\" is already in use"
        )]))),
        "\"gateways\" is already in use"
    );
    let accepted = condition_of("NamesAccepted", "True", "NoConflicts", "");
    assert_eq!(
        readiness(&definition(json!([accepted, condition_of("Established", "True", "", "")]))),
        Ready
    );
    let service = |status: &str| {
        object(
            "apiregistration.k8s.io/v1",
            "APIService",
            json!({}),
            json!({"conditions": [condition_of("Available", status, "MissingEndpoints", "")]}),
        )
    };
    assert_eq!(waits_for(&service("False")), "MissingEndpoints");
    assert_eq!(readiness(&service("True")), Ready);
}

#[test]
fn namespaces_and_claims_have_phases() {
    let at = |kind, phase| object("v1", kind, json!({}), json!({"phase": phase}));
    assert_eq!(readiness(&at("Namespace", "Active")), Ready);
    assert_eq!(waits_for(&at("Namespace", "Terminating")), "is terminating");
    assert_eq!(readiness(&at("PersistentVolumeClaim", "Bound")), Ready);
    assert_eq!(waits_for(&at("PersistentVolumeClaim", "Pending")), "no volume is bound to it yet");
    let mut leaving = at("Namespace", "Active");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    assert_eq!(waits_for(&leaving), "is being deleted");
}

#[test]
fn what_is_not_known_is_ready() {
    for (version, kind) in [
        ("v1", "ConfigMap"),
        ("networking.istio.io/v1", "Gateway"),
        ("serving.knative.dev/v1", "Service"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
    ] {
        assert_eq!(
            readiness(&object(version, kind, json!({"type": "LoadBalancer"}), json!({}))),
            Ready
        );
    }
    assert_eq!(readiness(&json!({})), Ready);
    assert_eq!(readiness(&json!([])), Ready);
}

#[test]
fn webhooks_wait_for_istiods_ca() {
    let webhooks = |bundles: &[&str]| {
        let webhook = |(index, bundle): (usize, &&str)| json!({"name": format!("w{index}"), "clientConfig": {"url": "https://x/", "caBundle": bundle}});
        let webhooks: Vec<Value> = bundles.iter().enumerate().map(webhook).collect();
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "x"}, "webhooks": webhooks})
    };
    assert_eq!(readiness(&webhooks(&["LS0t", "LS0t"])), Ready);
    assert_eq!(waits_for(&webhooks(&["LS0t", ""])), "webhook `w1` has no CA bundle yet");
    assert_eq!(waits_for(&webhooks(&["", ""])), "webhook `w0` and 1 more have no CA bundle yet");
}

#[test]
fn a_pod_tells_its_trouble() {
    let pod = |status| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "status": status});
    let pulled = pod(
        json!({"phase": "Pending", "containerStatuses": [{"name": "discovery", "state": {"waiting":
        {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"pilot:1.99\""}}}]}),
    );
    let trouble = "container `discovery`: ImagePullBackOff: Back-off pulling image \"pilot:1.99\"";
    assert_eq!(pod_trouble(&pulled).as_deref(), Some(trouble));
    assert_eq!(waits_for(&pulled), trouble);
    let looping = pod(json!({"phase": "Running", "containerStatuses": [
        {"name": "ok", "state": {"running": {}}},
        {"name": "discovery", "lastState": {"terminated": {"exitCode": 255, "reason": "Error"}},
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}));
    assert_eq!(
        pod_trouble(&looping).as_deref(),
        Some("container `discovery`: CrashLoopBackOff (it last ended with exit code 255)")
    );
    let killed = pod(json!({"phase": "Failed", "initContainerStatuses": [{"name": "init",
        "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}));
    assert_eq!(fails_for(&killed), "container `init` ended with exit code 137: OOMKilled");
    let homeless = pod(json!({"phase": "Pending", "conditions": [
        condition_of("PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.")]}));
    assert_eq!(
        pod_trouble(&homeless).as_deref(),
        Some("0/3 nodes are available: 3 Insufficient cpu.")
    );
    let evicted = pod(
        json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}),
    );
    assert_eq!(fails_for(&evicted), "Evicted: The node was low on memory.");
    let starting = pod(json!({"phase": "Pending", "containerStatuses": [
        {"name": "x", "state": {"waiting": {"reason": "ContainerCreating"}}}]}));
    assert_eq!(pod_trouble(&starting), None);
    assert_eq!(waits_for(&starting), "has not started yet");
    assert_eq!(pod_trouble(&pod(json!({"phase": "Pending"}))), None);
    assert_eq!(readiness(&pod(json!({"phase": "Succeeded"}))), Ready);
    let ready = json!({"phase": "Running", "conditions": [condition_of("Ready", "True", "", "")]});
    assert_eq!(readiness(&pod(ready)), Ready);
    assert_eq!(waits_for(&pod(json!({"phase": "Running"}))), "is not ready yet");
}

#[test]
fn a_gateway_has_the_addresses_that_istiod_takes() {
    let mut gateway =
        object("v1", "Service", json!({"type": "LoadBalancer"}), json!({"loadBalancer": {}}));
    assert_eq!(waits_for(&gateway), "its load balancer has no address yet");
    gateway["status"]["loadBalancer"]["ingress"] = json!([{"ip": "203.0.113.7"}, {"hostname": "lb.example.com"}, {"ip": "", "hostname": "b.example.com"}]);
    assert_eq!(gateway_addresses(&gateway), ["203.0.113.7", "lb.example.com", "b.example.com"]);
    assert_eq!(readiness(&gateway), Ready);
    gateway["spec"]["externalIPs"] = json!(["198.51.100.1", "203.0.113.7"]);
    gateway["status"] = json!({});
    assert_eq!(gateway_addresses(&gateway), ["198.51.100.1", "203.0.113.7"]);
    assert_eq!(readiness(&gateway), Ready);
    gateway["metadata"]["annotations"] = json!({"traffic.istio.io/nodeSelector": "{}"});
    assert_eq!(node_selector(&gateway), None);
    gateway["spec"]["type"] = json!("NodePort");
    assert_eq!(node_selector(&gateway).as_deref(), Some("{}"));
    assert!(gateway_addresses(&gateway).is_empty());
    assert_eq!(readiness(&gateway), Ready);
    assert_eq!(readiness(&object("v1", "Service", json!({}), json!({}))), Ready);
}
