//! Rights that are missing are listed before the first write.

use serde_json::{Value, json};

use super::{Bed, installed};
use crate::testbed::{ControlPlane, Kubelet, shared};

/// Lets a group do everything but change Deployments, and lets it delete nothing.
fn limited(plane: &ControlPlane, group: &str, verbs: &[&str]) {
    let client = plane.client();
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let all = ["get", "list", "create", "update", "patch"];
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
    let rules: Vec<Value> = vec![
        rule(
            &[""],
            &[
                "namespaces",
                "secrets",
                "configmaps",
                "services",
                "serviceaccounts",
                "pods",
                "events",
            ],
            &all,
        ),
        rule(&["coordination.k8s.io"], &["leases"], &all),
        rule(&["apps"], &["deployments"], verbs),
        json!({"nonResourceURLs": ["*"], "verbs": ["get"]}),
    ];
    client.post(
        &format!("{rbac}/clusterroles"),
        &json!({"metadata": {"name": group}, "rules": rules}),
    );
    let binding = json!({
        "metadata": {"name": group}, "subjects": [{"kind": "Group", "name": group}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": group},
    });
    client.post(&format!("{rbac}/clusterrolebindings"), &binding);
}

#[test]
fn missing_rights_are_listed_before_the_first_write() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let bed = Bed::light(&planes, "");
    let _kubelet = Kubelet::start(plane);
    installed(plane);
    limited(plane, "readers", &["get", "list"]);
    bed.kubeconfig(&[plane.user("jane", &["readers"])]);
    bed.forget_audits();
    let said = bed.expect(2, &["apply", "--yes", "--pin"]);
    said.must_have("nothing was changed");
    said.must_have("the right to create deployments.apps in sample is missing");
    said.must_have("the right to patch deployments.apps in sample is missing");
    said.must_not_have("the right to patch services");
    bed.wrote_nothing();
    // a plan can be read all the same
    bed.expect(1, &["plan", "--pin"]).must_have("to create");

    // an apply by an administrator, then a change that takes things away
    bed.kubeconfig(&[plane.admin_kubeconfig("c1")]);
    bed.expect(0, &["apply", "--yes", "--pin"]);
    bed.kubeconfig(&[plane.user("jane", &["readers"])]);
    bed.expect(0, &["plan"]).must_have("nothing to do");
    bed.expect(0, &["apply"]).must_have("unchanged");
    let text = std::fs::read_to_string(bed.project.path().join("mesh.yaml")).unwrap();
    bed.project
        .write("mesh.yaml", &text.replace("clusters:\n", "samples: {enabled: false}\nclusters:\n"));
    bed.expect(0, &["render", "-q"]);
    bed.forget_audits();
    let said = bed.expect(2, &["apply", "--yes", "--allow-prune"]);
    said.must_have("the right to delete deployments.apps in sample is missing");
    said.must_have("the right to delete services in sample is missing");
    bed.wrote_nothing();
}

#[test]
fn what_cannot_be_read_is_said() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let bed = Bed::light(&planes, "");
    let _kubelet = Kubelet::start(plane);
    installed(plane);
    bed.expect(0, &["apply", "--yes", "--pin"]);
    // rights to nothing at all, and then to all but Deployments
    bed.kubeconfig(&[plane.user("joe", &["nobodies"])]);
    bed.expect(3, &["plan"]).must_have("forbidden");
    limited(plane, "nobodies", &["watch"]);
    bed.forget_audits();
    let plan = bed.expect(3, &["plan"]);
    plan.must_have("Deployment/sample/sleep could not be read");
    bed.wrote_nothing();
}
