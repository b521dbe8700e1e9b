//! Fields of others: what istiod, autoscalers, servers and people put beside ours, or over it.

use serde_json::{Value, json};

use super::{Bed, Nodes, live, writes};
use crate::testbed::{Client, ControlPlane, Istiod, in_namespace, shared};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/istio-system/deployments/istiod";
const VALIDATOR: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/\
                         istio-validator-istio-system";

/// istiod's replicas stand in the tree, and its webhook has a label that a test can change.
pub const ROW: &str = "c1: {istio: {components: {pilot: {k8s: {overlays: [\
    {kind: Deployment, name: istiod, patches: [{path: spec.replicas, value: 1}]}, \
    {kind: ValidatingWebhookConfiguration, name: istio-validator-istio-system, patches: [\
    {path: metadata.labels.team, value: blue}]}]}}, \
    egressGateways: [{name: istio-egressgateway, enabled: true, k8s: {overlays: [\
    {kind: Deployment, name: istio-egressgateway, patches: [{path: spec.replicas, value: 1}]}]}}]}}}";

#[test]
fn fields_of_others_are_left_to_them() {
    if !in_namespace("apply::ownership::fields_of_others_are_left_to_them") {
        return;
    }
    let Some(planes) = shared(1) else { return };
    let Some(bed) = Bed::istio(&planes, "", &[ROW]) else { return };
    let nodes = Nodes::start(&planes);
    bed.expect(0, &["apply", "--yes", "--pin"]);
    live::equals_tree(&bed, &planes[0]);

    istiod_keeps_its_webhooks(&bed);
    an_autoscaler_keeps_its_replicas(&bed);
    what_others_add_is_no_drift(&bed);
    a_conflict_names_the_other(&bed);
    drift_is_mended(&bed);
    dead_webhooks_do_not_stop_what_mends_istiod(&bed, &nodes.istiods[0]);
    bed.keeps_secrets();
}

fn istiod_keeps_its_webhooks(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    let before = client.get(VALIDATOR).unwrap();
    for webhook in before["webhooks"].as_array().unwrap() {
        assert_eq!(webhook["failurePolicy"], "Fail", "the stand-in has set it");
    }
    let file = "c1/30-istiod/validatingwebhookconfiguration_istio-validator-istio-system.yaml";
    let rendered = bed.project.tree().object(file);
    assert_eq!(rendered["webhooks"][0]["failurePolicy"], "Ignore", "another than istiod's");
    bed.expect(0, &["plan"]);

    bed.edit("value: blue", "value: green");
    bed.forget_audits();
    let plan = bed.expect(1, &["plan"]);
    plan.must_have("1 to change").must_not_have("failurePolicy").must_not_have("caBundle");
    bed.expect(0, &["apply"]);
    assert_eq!(objects(&bed.planes[0]), ["istio-validator-istio-system"]);
    let mut after = client.get(VALIDATOR).unwrap();
    assert_eq!(after["metadata"]["labels"]["team"], "green");
    assert_eq!(after["webhooks"], before["webhooks"], "istiod's fields are as istiod left them");
    bed.expect(0, &["plan"]);

    // a new istiod with another CA
    after["webhooks"][0]["clientConfig"]["caBundle"] = json!("bmV3");
    client.put(&format!("{VALIDATOR}?fieldManager=pilot-discovery"), &after);
    bed.expect(0, &["plan"]);
}

/// What meshgen wrote to the mesh's objects.
fn objects(plane: &ControlPlane) -> Vec<String> {
    let (objects, _) = writes(plane);
    objects.into_iter().map(|write| write.name).collect()
}

pub fn scale(client: &Client, replicas: u32, manager: &str) {
    let path = format!("{DEPLOYMENT}/scale");
    let mut scale = client.get(&path).unwrap();
    scale["spec"]["replicas"] = json!(replicas);
    client.put(&format!("{path}?fieldManager={manager}"), &scale);
}

fn an_autoscaler_keeps_its_replicas(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    let rows = live::rows(bed, "c1");
    let kinds = ["Deployment", "HorizontalPodAutoscaler"];
    for kind in kinds {
        let is_it =
            |object: &Value| object["kind"] == kind && object["metadata"]["name"] == "istiod";
        assert!(rows.iter().any(|(_, object)| is_it(object)), "{kind}");
    }
    scale(&client, 3, "kube-controller-manager");
    let plan = bed.expect(0, &["plan"]);
    plan.must_have("nothing to do");
    bed.forget_audits();
    bed.expect(0, &["apply"]);
    bed.wrote_nothing();
    // another change of the Deployment leaves them too
    bed.edit(
        "{path: spec.replicas, value: 1}",
        "{path: spec.replicas, value: 1}, \
        {path: metadata.labels.team, value: blue}",
    );
    bed.expect(1, &["plan"]).must_not_have("replicas");
    bed.expect(0, &["apply"]);
    let found = client.get(DEPLOYMENT).unwrap();
    assert_eq!(
        (&found["spec"]["replicas"], &found["metadata"]["labels"]["team"]),
        (&json!(3), &json!("blue"))
    );
    bed.expect(0, &["plan"]);
}

/// Labels and annotations that the tree says nothing about, and what the server fills in.
fn what_others_add_is_no_drift(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    let patch = json!({"metadata": {"annotations": {"example.com/seen": "yes"}}, "spec": {"template": {
        "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}},
    }}});
    let kind = "application/merge-patch+json";
    client.patch(&format!("{DEPLOYMENT}?fieldManager=kubectl-rollout"), kind, &patch);
    bed.expect(0, &["plan"]).must_have("nothing to do");
    bed.forget_audits();
    bed.expect(0, &["apply"]);
    bed.wrote_nothing();
}

fn a_conflict_names_the_other(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    let patch = json!({"metadata": {"labels": {"team": "red"}}});
    let kind = "application/merge-patch+json";
    client.patch(&format!("{DEPLOYMENT}?fieldManager=kubectl-edit"), kind, &patch);
    bed.forget_audits();
    for command in [&["plan"][..], &["apply"], &["apply", "--yes"]] {
        let said = bed.expect(2, command);
        said.must_have("kubectl-edit").must_have("Deployment/istio-system/istiod");
        said.must_have(".metadata.labels.team").must_have("--force-conflicts");
    }
    // of another object
    let another = ["apply", "--force-conflicts", "Deployment/istio-system/other"];
    bed.expect(2, &another).must_have("kubectl-edit");
    bed.wrote_nothing();
    bed.expect(0, &["apply", "--force-conflicts", "Deployment/istio-system/istiod"]);
    assert_eq!(objects(&bed.planes[0]), ["istiod"]);
    let found = client.get(DEPLOYMENT).unwrap();
    assert_eq!(found["metadata"]["labels"]["team"], "blue");
    assert_eq!(found["spec"]["replicas"], 3, "force takes no handed-over field");
    bed.expect(0, &["plan"]);
}

/// An object that somebody deleted comes back; a field that somebody took away does too.
fn drift_is_mended(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    client.delete("/api/v1/namespaces/istio-system/serviceaccounts/istiod");
    let patch = json!([{"op": "remove", "path": "/metadata/labels/team"}]);
    let path = format!("{DEPLOYMENT}?fieldManager=kubectl-label");
    client.patch(&path, "application/json-patch+json", &patch);
    let plan = bed.expect(1, &["plan"]);
    plan.must_have("1 to create, 1 to change");
    bed.expect(0, &["apply"]);
    live::equals_tree(bed, &bed.planes[0]);
    bed.expect(0, &["plan"]);
}

fn dead_webhooks_do_not_stop_what_mends_istiod(bed: &Bed<'_>, istiod: &Istiod) {
    istiod.kill();
    let client = bed.planes[0].client();
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "probe"},
        "spec": {"servers": []},
    });
    let path = "/apis/networking.istio.io/v1/namespaces/istio-system/gateways?dryRun=All";
    let answer = client.request("POST", path, Some(("application/json", &gateway)));
    assert_eq!(answer.status, 500, "the webhook is dead, and fails: {}", answer.body);
    bed.expect(0, &["plan"]);

    // a Gateway of the tree, changed by hand and back: its own dry run is not to be had
    bed.edit(
        "{path: metadata.labels.team, value: blue}",
        "{path: metadata.labels.team, value: pink}",
    );
    bed.expect(1, &["plan"]).must_have("1 to change");
    bed.expect(0, &["apply"]);
    assert_eq!(client.get(DEPLOYMENT).unwrap()["metadata"]["labels"]["team"], "pink");
    bed.expect(0, &["plan"]);
}
