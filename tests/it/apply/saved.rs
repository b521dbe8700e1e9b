//! A saved plan is carried out as it was seen, or not at all.

use std::fs;

use serde_json::json;

use super::{Bed, installed, live};
use crate::testbed::{Kubelet, shared};
use crate::tool;

const SLEEP: &str = "templates/samples/sleep.yaml";

/// Renders the sample client with another number of replicas.
fn replicas(bed: &Bed<'_>, count: u32) {
    let template = fs::read_to_string(tool::root().join(SLEEP)).unwrap();
    bed.project.write(SLEEP, &template.replace("replicas: 1", &format!("replicas: {count}")));
    bed.expect(0, &["render", "-q"]);
}

#[test]
fn a_saved_plan_holds_while_nothing_moves() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    planes.iter().for_each(installed);
    let client = planes[0].client();
    let plan = bed.file("plan.json");

    bed.expect(1, &["plan", "--out", &plan]);
    let apply = ["apply", "--plan", &plan, "--yes"];
    bed.forget_audits();
    bed.expect(2, &apply[..3]).must_have("this needs a yes");
    // what was to be created is there by now
    client.post("/api/v1/namespaces", &json!({"metadata": {"name": "sample"}}));
    let moved = bed.expect(2, &apply);
    moved.must_have("the plan does not hold any more").must_have("Namespace").must_have("sample");
    bed.wrote_nothing();
    bed.expect(1, &["plan", "--out", &plan]);
    bed.expect(0, &apply);
    for plane in planes.iter() {
        live::equals_tree(&bed, plane);
    }

    // an object of the plan that somebody changed, and one that is not in it
    replicas(&bed, 2);
    bed.expect(1, &["plan", "--out", &plan]);
    let annotated = json!({"metadata": {"annotations": {"example.com/a": "b"}}});
    let merge = "application/merge-patch+json";
    client.patch("/api/v1/namespaces/sample/services/sleep", merge, &annotated);
    let deployment = "/apis/apps/v1/namespaces/sample/deployments/sleep";
    client.patch(deployment, merge, &annotated);
    bed.forget_audits();
    let moved = bed.expect(2, &apply);
    moved.must_have("moved since the plan").must_have("sleep").must_not_have("Service");
    // another cluster behind the context, and one cluster less
    let swapped = ["--context", "c1=c2", "--context", "c2=c1"];
    bed.expect(2, &[&apply[..], &swapped].concat());
    bed.expect(2, &[&apply[..], &["--only", "c1"]].concat()).must_have("c2");
    bed.wrote_nothing();

    // the plan's own tree, whatever is rendered and collected since
    bed.expect(1, &["plan", "--out", &plan]);
    for count in 3..6 {
        replicas(&bed, count);
    }
    bed.expect(0, &["gc", "--keep", "1"]);
    bed.expect(0, &apply);
    assert_eq!(client.get(deployment).unwrap()["spec"]["replicas"], 2);
    bed.expect(1, &["plan"]).must_have("1 to change");

    // a plan is no place for secrets, nor is it what somebody made up
    let text = fs::read_to_string(&plan).unwrap();
    bed.project.write("other.json", &text.replace("\"mesh\": \"light\"", "\"mesh\": \"other\""));
    let other = bed.project.path().join("other.json").to_string_lossy().into_owned();
    bed.expect(2, &["apply", "--plan", &other]).must_have("is a plan of mesh `other`");
    bed.project.write("other.json", "{}");
    bed.expect(2, &["apply", "--plan", &other]).must_have("is no plan");
    bed.keeps_secrets();
}

#[test]
fn a_plan_that_would_be_refused_is_not_saved() {
    let Some(planes) = shared(1) else { return };
    let bed = Bed::light(&planes, "");
    let plan = bed.file("plan.json");
    let said = bed.expect(2, &["plan", "--out", &plan]);
    said.must_have("a plan that could not be carried out is not saved");
    assert!(fs::metadata(&plan).is_err());
}
