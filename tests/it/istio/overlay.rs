//! Overlays: every form of a path.

use serde_json::{Value, json};

use super::{faults, find, run, warnings};

fn spec(patches: &str) -> String {
    format!(
        "components:\n  pilot:\n    k8s:\n      overlays:\n      - kind: Deployment\n        name: istiod\n        patches: {patches}\n"
    )
}

fn overlaid(patches: &str) -> Value {
    let generated = run(&spec(patches), &[]).unwrap_or_else(|errors| panic!("{patches}: {errors}"));
    find(&generated, "Deployment", "istiod").clone()
}

#[test]
fn paths_lead_to_what_they_name() {
    let container = "/spec/template/spec/containers/0";
    let cases = [
        ("path: spec.replicas, value: 5", "/spec/replicas".to_owned(), json!(5)),
        (
            "path: 'metadata.labels.a\\.b/c', value: d",
            "/metadata/labels/a.b~1c".to_owned(),
            json!("d"),
        ),
        (
            "path: 'spec.template.spec.containers.[name:discovery].image', value: x",
            format!("{container}/image"),
            json!("x"),
        ),
        (
            "path: 'spec.template.spec.containers[0].args[0]', value: x",
            format!("{container}/args/0"),
            json!("x"),
        ),
        (
            "path: 'spec.template.spec.containers[0].args.[:^--dom]', value: x",
            format!("{container}/args/1"),
            json!("x"),
        ),
        (
            "path: 'spec.template.spec.containers[0].args.[cluster]', value: x",
            format!("{container}/args/2"),
            json!("x"),
        ),
        (
            "path: 'spec.template.spec.containers[0].args.[-1]', value: x",
            format!("{container}/args/3"),
            json!("x"),
        ),
        (
            "path: 'spec.template.spec.containers[0].args.[99]', value: x",
            format!("{container}/args/3"),
            json!("x"),
        ),
        (
            "path: 'spec.template.spec.containers[0].env.[name:B]'",
            format!("{container}/env/1/name"),
            json!("C"),
        ),
        ("path: 'spec.new.deep', value: {a: [1]}", "/spec/new/deep".to_owned(), json!({"a": [1]})),
        (
            "path: spec.strategy, value: 'type: Recreate'",
            "/spec/strategy".to_owned(),
            json!({"type": "Recreate"}),
        ),
        ("path: spec.text, value: '{\"a\": 1}'", "/spec/text".to_owned(), json!("{\"a\": 1}")),
        ("path: 'spec.none[0]', value: x", "/spec/none/[0]".to_owned(), json!("x")),
    ];
    for (patch, pointer, expected) in cases {
        let object = overlaid(&format!("[{{{patch}}}]"));
        assert_eq!(object.pointer(&pointer), Some(&expected), "{patch}");
    }
}

#[test]
fn what_is_left_out_is_deleted() {
    let object = overlaid("[{path: spec.strategy}, {path: spec.not.there}]");
    assert_eq!(object["spec"].get("strategy"), None);
    assert_eq!(object["spec"]["not"], json!({}), "what leads there is made all the same");
}

#[test]
fn lists_that_were_given_grow_by_what_is_written_onto_them() {
    let object = overlaid("[{path: spec.mine, value: {l: [1]}}, {path: spec.mine.l, value: 2}]");
    assert_eq!(object["spec"]["mine"]["l"], json!([1, 2]));
}

#[test]
fn a_path_that_leads_nowhere_is_a_warning() {
    for path in [
        "spec.template.spec.containers.[name:other].image",
        "spec.strategy.rollingUpdate.maxSurge.x",
        "spec.template.spec.containers.name",
        "",
    ] {
        let said = warnings(&spec(&format!("[{{path: '{path}', value: x}}]")), &[]);
        let start = "components.pilot.k8s.overlays[0].patches[0]: ";
        assert!(said.iter().any(|line| line.starts_with(start)), "{path}: {said:?}");
    }
    let said = warnings(&spec("[{path: spec.a, value: 'k: v'}]"), &[]);
    assert!(said.iter().any(|line| line.contains("becomes one")), "{said:?}");
}

#[test]
fn an_object_without_kind_is_refused() {
    assert!(faults(&spec("[{path: kind}]"), &[]).contains("overlays[0]"));
    let beyond = spec("[{path: 'spec.template.spec.containers[5]'}]");
    assert!(faults(&beyond, &[]).contains("beyond the end"));
}
