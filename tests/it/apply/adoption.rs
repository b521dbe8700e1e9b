//! A mesh that istioctl put there becomes meshgen's.

use std::process::Command;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use super::live::Addresses;
use super::reference::a_second_apply_writes_nothing;
use super::{Bed, Nodes, live, writes};
use crate::testbed::{ControlPlane, in_namespace, shared};
use crate::tool;

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/istio-system/deployments/istiod";

/// What `istioctl install` would leave: what istioctl makes of the cluster's `IstioOperator`, each
/// object with its label, by server-side apply as `istio-operator`; istiod's Deployment with what
/// another release had. `None` where istioctl cannot be had.
fn install(bed: &Bed<'_>, plane: &ControlPlane) -> Option<()> {
    let istioctl = tool::path("istioctl")?;
    let charts = tool::istio_module("1.24")?.join("manifests");
    let operator = bed.project.tree().file(&format!("{}/istio-operator.yaml", plane.name));
    let mut command = Command::new(istioctl);
    command.args(["manifest", "generate", "-d"]).arg(charts).arg("-f").arg(operator);
    let text = tool::run(&mut command, "");
    let addresses = Addresses::of(plane);
    let client = plane.client();
    client.post("/api/v1/namespaces", &json!({"metadata": {"name": "istio-system"}}));
    for mut object in yaml::documents(&text, Schema::Go).expect("istioctl prints YAML") {
        if object.is_null() {
            continue;
        }
        object["metadata"]["labels"]["operator.istio.io/managed"] = json!("Reconcile");
        if object["kind"] == "Deployment" && object["metadata"]["name"] == "istiod" {
            object["metadata"]["annotations"]["example.com/old"] = json!("of another release");
            object["spec"]["template"]["spec"]["containers"][0]["image"] =
                json!("docker.io/istio/pilot:1.23.0");
            let env = json!({"name": "OLD_SETTING", "value": "true"});
            let list = &mut object["spec"]["template"]["spec"]["containers"][0]["env"];
            list.as_array_mut().unwrap().push(env);
        }
        let path = format!("{}?force=true", addresses.path(&object));
        client.apply(&path, "istio-operator", &object).ok();
    }
    Some(())
}

/// The managers that have fields of an object itself.
fn managers(object: &Value) -> Vec<String> {
    let rows = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let own = rows.filter(|row| row["subresource"].is_null());
    own.map(|row| row["manager"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_installed_mesh_is_adopted() {
    if !in_namespace("apply::adoption::an_installed_mesh_is_adopted") {
        return;
    }
    let Some(planes) = shared(1) else { return };
    let Some(bed) = Bed::istio(&planes, "", &[super::ownership::ROW]) else { return };
    let (plane, client) = (&planes[0], planes[0].client());
    let nodes = Nodes::start(&planes);
    let Some(()) = install(&bed, plane) else { return };
    // an autoscaler is at work: its replicas are no installer's
    super::ownership::scale(&client, 3, "kube-controller-manager");

    bed.forget_audits();
    let plan = bed.expect(2, &["plan", "--pin"]);
    plan.must_have("Deployment/istio-system/istiod").must_have("managed by ");
    plan.must_have("istio-operator").must_have("docker.io/istio/pilot:1.23.0");
    let refused = bed.expect(2, &["apply", "--yes", "--pin"]);
    refused.must_have("Deployment/istio-system/istiod").must_have("--adopt");
    refused.must_have("it is there already").must_not_have("Service/istio-system/istiod:");
    bed.wrote_nothing();

    let asked = bed.expect(2, &["apply", "--adopt", "--pin"]);
    asked.must_have("this needs a yes").must_have("adopt ").must_have(" objects in `c1`");
    bed.wrote_nothing();
    bed.expect(0, &["apply", "--adopt", "--yes", "--pin"]);
    live::equals_tree(&bed, plane);
    let addresses = Addresses::of(plane);
    for (_, object) in live::rows(&bed, "c1") {
        let found = addresses.get(&object).expect("it is there");
        assert!(!managers(&found).contains(&"istio-operator".to_owned()), "{found}");
        let mark = &found["metadata"]["labels"]["operator.istio.io/managed"];
        assert!(mark.is_null(), "istioctl would take it for its own: {found}");
    }
    let found = client.get(DEPLOYMENT).unwrap();
    assert!(found["metadata"]["annotations"]["example.com/old"].is_null(), "{found}");
    assert!(!found.to_string().contains("OLD_SETTING"), "{found}");
    assert_eq!(found["spec"]["replicas"], 3, "as the autoscaler had it");
    a_second_apply_writes_nothing(&bed);

    removals_work(&bed);
    bed.keeps_secrets();
    drop(nodes);
}

/// A label that istio-operator had set too goes when the tree drops it: of what was adopted because it
/// differed, and of what was equal.
fn removals_work(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/\
                istio-validator-istio-system";
    assert_eq!(client.get(path).unwrap()["metadata"]["labels"]["team"], "blue");
    bed.edit(
        "{path: metadata.labels.team, value: blue}",
        "{path: metadata.labels.other, value: blue}",
    );
    bed.forget_audits();
    bed.expect(1, &["plan"]).must_have("1 to change");
    bed.expect(0, &["apply"]);
    let (objects, _) = writes(&bed.planes[0]);
    assert!(!objects.is_empty());
    let labels = &client.get(path).unwrap()["metadata"]["labels"];
    assert_eq!((&labels["team"], &labels["other"]), (&Value::Null, &json!("blue")), "{labels}");
    a_second_apply_writes_nothing(bed);
}
