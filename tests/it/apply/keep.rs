//! What stays though the tree has it no more.

use std::fmt::Write as _;

use super::rare::furnished;
use super::{Bed, writes};
use crate::testbed::shared;

const MAPS: &str = "/api/v1/namespaces/sample/configmaps";

/// The sample `sleep` and three `ConfigMap`s, two of which are marked.
fn template(with_maps: bool) -> String {
    let mut text =
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sleep, namespace: sample}\n"
            .to_owned();
    let marks = [
        ("labelled", ", labels: {meshgen.dev/keep: \"true\"}"),
        ("annotated", ", annotations: {meshgen.dev/keep: \"true\"}"),
        ("unmarked", ", labels: {meshgen.dev/keep: \"false\"}"),
    ];
    for (name, mark) in marks.iter().filter(|_| with_maps) {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\n\
             metadata: {{name: {name}, namespace: sample{mark}}}\ndata: {{a: b}}\n"
        );
    }
    text
}

#[test]
fn what_is_marked_and_namespaces_are_kept() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let client = planes[0].client();
    let is_there = |path: &str| client.get(path).is_some();
    bed.project.write("templates/samples/sleep.yaml", &template(true));
    bed.expect(0, &["render", "-q"]);
    bed.expect(0, &["apply", "--yes", "--pin"]);

    bed.project.write("templates/samples/sleep.yaml", &template(false));
    bed.expect(0, &["render", "-q"]);
    let plan = bed.expect(1, &["plan"]);
    plan.must_have("1 to prune")
        .must_have("ConfigMap/sample/labelled")
        .must_have("meshgen.dev/keep");
    plan.must_have("ConfigMap/sample/annotated");
    bed.forget_audits();
    bed.expect(2, &["apply"]).must_have("prune 1 objects in `c1` (ConfigMap/sample/unmarked)");
    bed.wrote_nothing();
    bed.expect(0, &["apply", "--yes"]);
    assert!(is_there(&format!("{MAPS}/labelled")) && is_there(&format!("{MAPS}/annotated")));
    assert!(!is_there(&format!("{MAPS}/unmarked")));
    // they are still known, and said again
    bed.forget_audits();
    bed.expect(0, &["apply"]);
    bed.wrote_nothing();
    bed.expect(0, &["plan"]).must_have("ConfigMap/sample/labelled");
    bed.expect(0, &["status"]);

    // by name, one goes; the other stays
    let prune = ["--prune", "ConfigMap/sample/labelled"];
    bed.expect(2, &[&["apply"][..], &prune].concat()).must_have("prune 1 objects");
    bed.expect(0, &[&["apply", "--yes"][..], &prune].concat());
    assert!(is_there(&format!("{MAPS}/annotated")) && !is_there(&format!("{MAPS}/labelled")));
    let (objects, _) = writes(&planes[0]);
    assert_eq!(objects.len(), 1, "{objects:#?}");
    // it is meshgen's no more when somebody made it anew
    client.delete(&format!("{MAPS}/annotated"));
    let map = serde_json::json!({"metadata": {"name": "annotated"}});
    client.post(MAPS, &map);
    let prune = ["apply", "--yes", "--prune", "ConfigMap/sample/annotated"];
    bed.expect(0, &prune);
    assert!(is_there(&format!("{MAPS}/annotated")), "another's");

    a_namespace_stays_until_it_is_named(&bed);
}

fn a_namespace_stays_until_it_is_named(bed: &Bed<'_>) {
    let client = bed.planes[0].client();
    let is_there = || client.get("/api/v1/namespaces/sample").is_some();
    bed.edit("name: light", "name: light\nsamples: {enabled: false}");
    let plan = bed.expect(1, &["plan", "--allow-prune"]);
    plan.must_have("Namespace/sample").must_have("--prune Namespace/sample");
    bed.expect(0, &["apply", "--yes", "--allow-prune"]);
    assert!(is_there());
    assert!(client.get("/api/v1/namespaces/sample/services/helloworld").is_none());
    bed.forget_audits();
    bed.expect(0, &["apply"]);
    bed.wrote_nothing();
    bed.expect(0, &["plan"]).must_have("--prune Namespace/sample");
    bed.expect(2, &["apply", "--prune", "Namespace/sample"]).must_have("this needs a yes");
    bed.expect(0, &["apply", "--yes", "--prune", "Namespace/sample"]);
    assert!(!is_there());
    bed.expect(0, &["plan"]).must_not_have("Namespace/sample");
    // istio-system holds the records
    let prune = ["apply", "--yes", "--prune", "Namespace/istio-system"];
    bed.expect(2, &prune).must_have("meshgen's own records lie in it");
    assert!(client.get("/api/v1/namespaces/istio-system").is_some());
    // and its labels may be taken back, as the hint of a conflict says
    bed.expect(0, &["plan", "--force-conflicts", "Namespace/istio-system"]);
}
