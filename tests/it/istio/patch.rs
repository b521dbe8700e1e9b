//! Strategic merge patches: what they give, and that apimachinery gives the same.

use std::process::Command;

use meshgen::istio::strategic_merge;
use serde_json::{Value, json};

use super::{find, run};
use crate::tool;

/// A deployment's pod with this in its only container.
fn pod(container: Value) -> Value {
    let mut own = json!({"name": "c"});
    own.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    json!({"spec": {"template": {"spec": {"containers": [own]}}}})
}

fn env(names: &[&str]) -> Value {
    let items: Vec<Value> = names.iter().map(|name| json!({"name": name, "value": "v"})).collect();
    json!(items)
}

fn ports(ports: &[i64]) -> Value {
    let items: Vec<Value> =
        ports.iter().map(|port| json!({"port": port, "name": format!("p{port}")})).collect();
    json!(items)
}

/// Kind, object, patch.
fn cases() -> Vec<(&'static str, Value, Value)> {
    let service = |spec: Value| json!({"kind": "Service", "spec": spec});
    let mut cases = vec![
        (
            "Deployment",
            pod(json!({"env": env(&["A", "B", "C"])})),
            pod(json!({"env": env(&["N", "C", "A"])})),
        ),
        (
            "Deployment",
            pod(json!({"env": env(&["A"])})),
            pod(
                json!({"env": [{"name": "A", "value": null, "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}),
            ),
        ),
        (
            "Deployment",
            pod(json!({"env": env(&["A", "B"])})),
            pod(json!({"env": [{"name": "A", "$patch": "delete"}]})),
        ),
        (
            "Deployment",
            pod(json!({"env": env(&["A", "B"])})),
            pod(json!({"env": [{"$patch": "replace"}, {"name": "Z"}]})),
        ),
        ("Deployment", pod(json!({"env": env(&["A", "B"])})), pod(json!({"env": null}))),
        ("Deployment", pod(json!({})), pod(json!({"env": [{"name": "A", "value": null}]}))),
        (
            "Deployment",
            pod(json!({"env": env(&["A"])})),
            pod(json!({"env": [{"value": "no name"}]})),
        ),
        ("Deployment", pod(json!({"args": ["a", "b"]})), pod(json!({"args": ["c"]}))),
        (
            "Deployment",
            pod(json!({"ports": [{"containerPort": 1}, {"containerPort": 2}]})),
            pod(json!({"ports": [{"containerPort": 2, "name": "two"}, {"containerPort": 3}]})),
        ),
        (
            "Deployment",
            pod(json!({"readinessProbe": {"httpGet": {"path": "/", "port": 1}}})),
            pod(json!({"readinessProbe": {"tcpSocket": {"port": 2}}})),
        ),
        (
            "Deployment",
            pod(json!({"readinessProbe": {"httpGet": {"port": 1}}})),
            pod(json!({"readinessProbe": {"$patch": "delete"}})),
        ),
        (
            "Deployment",
            pod(json!({"volumeMounts": [{"mountPath": "/a", "name": "x"}]})),
            pod(
                json!({"volumeMounts": [{"mountPath": "/a", "name": "y"}, {"mountPath": "/b", "name": "z"}]}),
            ),
        ),
        (
            "Deployment",
            json!({"spec": {"template": {"spec": {"tolerations": [{"key": "a"}]}}}}),
            json!({"spec": {"template": {"spec": {"tolerations": [{"key": "b"}]}}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
            json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"strategy": {"type": "RollingUpdate"}}}),
            json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}),
            json!({"spec": {"template": {"metadata": {"annotations": {"$patch": "replace", "c": "d"}}}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"template": {"metadata": {"finalizers": ["a", "b"]}}}}),
            json!({"spec": {"template": {"metadata": {"finalizers": ["c", "a"]}}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"template": {"metadata": {"finalizers": ["a", "b", "c"]}}}}),
            json!({"spec": {"template": {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"]}}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"replicas": 1}}),
            json!({"spec": {"replicas": null, "none": null}}),
        ),
        (
            "Deployment",
            json!({"spec": {}}),
            json!({"spec": {"made": {"a": null, "b": {"$patch": "delete"}, "c": [{"d": null}, {"$patch": "delete"}]}}}),
        ),
        (
            "Deployment",
            json!({"spec": {"unknown": {"a": 1}}}),
            json!({"spec": {"unknown": {"b": 2}}}),
        ),
        ("Deployment", json!({"spec": {"replicas": 1}}), json!({"spec": {"replicas": {"a": 1}}})),
        (
            "HorizontalPodAutoscaler",
            json!({"spec": {"maxReplicas": 5, "metrics": [{"type": "Resource"}]}}),
            json!({"spec": {"minReplicas": 2, "metrics": []}}),
        ),
        (
            "PodDisruptionBudget",
            json!({"spec": {"minAvailable": 1}}),
            json!({"spec": {"maxUnavailable": "10%"}}),
        ),
        ("DaemonSet", pod(json!({"env": env(&["A"])})), pod(json!({"env": env(&["B"])}))),
        ("Service", service(json!({"ports": ports(&[1, 2])})), service(json!({"ports": []}))),
        ("Service", service(json!({"ports": ports(&[1])})), service(json!({"ports": "x"}))),
        (
            "Service",
            service(
                json!({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}),
            ),
            service(json!({"ports": [{"port": 53, "nodePort": 7}]})),
        ),
        (
            "Service",
            service(json!({"ports": ports(&[1, 2, 3, 4])})),
            service(
                json!({"ports": [{"port": 1, "$patch": "delete"}, {"port": 9}, {"port": 8}], "$setElementOrder/ports": [{"port": 9}, {"port": 8}, {"port": 4}]}),
            ),
        ),
        (
            "Service",
            service(json!({"ports": ports(&[1, 2, 3])})),
            service(json!({"ports": [{"port": 9}], "$setElementOrder/ports": [{"port": 8}]})),
        ),
        (
            "Service",
            service(json!({"ports": ports(&[1, 2, 3])})),
            service(json!({"$setElementOrder/ports": [{"port": 3}, {"port": 1}], "ports": []})),
        ),
    ];
    // orders: every list of a few ports over every other
    let lists: [&[i64]; 7] = [&[], &[1], &[1, 2, 3], &[3, 1], &[4, 2], &[2, 9, 1], &[5, 6, 3]];
    for old in lists {
        for new in lists {
            cases.push((
                "Service",
                service(json!({"ports": ports(old)})),
                service(json!({"ports": ports(new)})),
            ));
        }
    }
    cases
}

#[test]
fn apimachinery_merges_alike() {
    let Some(schema) = tool::path("schema") else { return };
    let cases = cases();
    let asked: Vec<Value> = cases
        .iter()
        .map(|(kind, object, patch)| json!({"Kind": kind, "Object": object, "Patch": patch}))
        .collect();
    let answers = tool::run(Command::new(schema).arg("patch"), &json!(asked).to_string());
    let answers: Vec<Value> = serde_json::from_str(&answers).expect("a list");
    assert_eq!(answers.len(), cases.len());
    for ((kind, object, patch), answer) in cases.iter().zip(answers) {
        let mut merged = object.clone();
        let ours = match strategic_merge(kind, &mut merged, patch) {
            Ok(()) => merged,
            Err(_) => Value::Null,
        };
        assert_eq!(ours, answer, "{kind}\n{object}\n{patch}");
    }
}

#[test]
fn new_items_stand_where_the_patch_has_them() {
    let mut object = pod(json!({"env": env(&["A", "B", "C"])}));
    strategic_merge("Deployment", &mut object, &pod(json!({"env": env(&["N", "C"])}))).unwrap();
    let names: Vec<&Value> = object["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["N", "A", "B", "C"]);
}

#[test]
fn settings_of_k8s_reach_their_objects() {
    let spec = "\
revision: canary
components:
  pilot:
    k8s:
      replicaCount: 3
      env: [{name: NEW, value: x}, {name: B, value: z}]
      nodeSelector: {disk: ssd}
      tolerations: [{key: new}]
      podDisruptionBudget: {maxUnavailable: 1}
      serviceAnnotations: {s: t}
      resources: {requests: {cpu: 1}}
";
    let generated = run(spec, &[]).unwrap();
    let deployment = find(&generated, "Deployment", "istiod-canary");
    assert_eq!(deployment["spec"]["replicas"], 3);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["nodeSelector"], json!({"disk": "ssd"}));
    assert_eq!(pod["tolerations"], json!([{"key": "new"}]));
    let env = pod["containers"][0]["env"].as_array().unwrap();
    assert_eq!(env[0]["name"], "NEW");
    assert_eq!(env[2]["value"], "z");
    assert!(env[2].get("valueFrom").is_some(), "fields of an item are merged");
    let budget = find(&generated, "PodDisruptionBudget", "istiod-canary");
    assert_eq!(budget["spec"], json!({"maxUnavailable": 1, "minAvailable": null}));
    let service = find(&generated, "Service", "istiod-canary");
    assert_eq!(service["metadata"]["annotations"], json!({"s": "t"}));
    assert_eq!(super::values(&generated)["pilot"]["replicaCount"], 3);
    assert_eq!(super::values(&generated)["pilot"]["resources"]["requests"]["cpu"], "1");
}
