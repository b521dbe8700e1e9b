//! Strategic merge patches, held against apimachinery, and the settings that are made into them.

use std::process::Command;

use meshgen::istio::strategic_merge;
use serde_json::{Value, json};

use super::{find, run};
use crate::tool;

#[test]
fn apimachinery_merges_alike() {
    let Some(schema) = tool::path("schema") else { return };
    let text =
        std::fs::read_to_string(tool::root().join("tests/data/strategic-merges.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list");
    let answers = tool::run(Command::new(schema).arg("patch"), &text);
    let answers: Vec<Value> = serde_json::from_str(&answers).expect("a list");
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(answers) {
        let mut merged = case["Object"].clone();
        let ours = strategic_merge(case["Kind"].as_str().unwrap(), &mut merged, &case["Patch"]);
        let ours = ours.map_or(Value::Null, |()| merged);
        assert_eq!(ours, answer, "{case}");
    }
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
