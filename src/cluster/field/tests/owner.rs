//! Sets, and whose they are.

use serde_json::json;

use super::super::{
    FieldSet, PathElement, adopt_managed_fields, entries, foreign_in, managed, other_owners,
};
use super::{Case, WE, cases, entry, set, with_entries};

#[test]
fn sets_are_written_as_they_are_read() {
    for Case { live, .. } in cases() {
        for entry in entries(&live) {
            let fields = entry.fields.unwrap();
            assert_eq!(set(&set(fields).to_value()), set(fields));
            let mut sorted = fields.clone();
            sorted.sort_all_objects();
            assert_eq!(set(fields).to_value(), sorted);
        }
    }
    assert_eq!(FieldSet::parse(&json!({"x:y": {}})), None);
    assert_eq!(FieldSet::parse(&json!({"i:-1": {}})), None);
    assert_eq!(FieldSet::parse(&json!({"k:x": {}})), None);
    assert_eq!(FieldSet::parse(&json!({"f:a": 1})), None);
}

#[test]
fn paths_are_readable() {
    let fields = json!({"f:spec": {"f:ports": {"k:{\"protocol\":\"TCP\",\"port\":80}": {".": {}, "f:name": {}}},
            "f:list": {"i:0": {}}},
        "f:metadata": {"f:finalizers": {"v:\"x\"": {}}, "f:annotations": {"f:a.b/c": {}}}});
    assert_eq!(
        set(&fields).paths(),
        [
            "metadata.annotations[\"a.b/c\"]",
            "metadata.finalizers[=x]",
            "spec.list[0]",
            "spec.ports[port=80,protocol=TCP]",
            "spec.ports[port=80,protocol=TCP].name",
        ]
    );
}

#[test]
fn sets_are_united_and_asked() {
    let one = set(&json!({"f:spec": {"f:a": {}, "f:b": {".": {}, "f:c": {}}}}));
    let other = set(&json!({"f:spec": {"f:b": {"f:d": {}}, "f:e": {}}}));
    let united = one.union(&other);
    assert_eq!(
        united.to_value(),
        json!({"f:spec": {"f:a": {}, "f:b": {".": {}, "f:c": {}, "f:d": {}}, "f:e": {}}})
    );
    assert_eq!(united, other.union(&one));
    let path = |names: &[&str]| -> Vec<PathElement> {
        names.iter().map(|name| PathElement::field(name)).collect()
    };
    assert!(one.contains(&path(&["spec", "a"])));
    assert!(one.contains(&path(&["spec", "a", "below"])), "it is owned as a whole");
    assert!(one.contains(&path(&["spec", "b"])));
    assert!(!one.contains(&path(&["spec", "b", "d"])));
    assert!(!one.contains(&path(&["spec"])));
    assert!(!one.contains(&[]));
}

#[test]
fn others_are_told_apart() {
    let mut scale = entry("hpa", "Update", "v1", json!({"f:spec": {"f:replicas": {}}}));
    scale["subresource"] = json!("scale");
    let mut status = entry("kcm", "Update", "v1", json!({"f:status": {}}));
    status["subresource"] = json!("status");
    let live = with_entries(
        json!({}),
        vec![
            entry(WE, "Apply", "v1", json!({"f:data": {}})),
            entry(WE, "Update", "v1", json!({"f:data": {}})),
            entry("helm", "Update", "v1", json!({"f:data": {}})),
            entry("helm", "Apply", "v1", json!({"f:data": {}})),
            scale,
            status,
        ],
    );
    let names: Vec<String> = other_owners(&live, WE).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["meshgen (update)", "helm", "helm", "hpa"]);
    assert_eq!(foreign_in(&live, &|name| name != WE), ["helm"]);
    assert_eq!(managed(&live, WE), Some(set(&json!({"f:data": {}}))));
    assert_eq!(managed(&live, "hpa"), None);
}

#[test]
fn the_fields_of_other_tools_are_adopted() {
    let mut old =
        entry("kubectl-client-side-apply", "Update", "apps/v1", json!({"f:spec": {"f:a": {}}}));
    old["time"] = json!("2025-01-01T00:00:00Z");
    let helm =
        entry("helm", "Apply", "apps/v1beta2", json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}}));
    let mut status = entry("helm", "Update", "apps/v1", json!({"f:status": {}}));
    status["subresource"] = json!("status");
    let other = entry("pilot-discovery", "Update", "apps/v1", json!({"f:spec": {"f:z": {}}}));
    let fits = |name: &str| ["helm", "kubectl-client-side-apply"].contains(&name);
    let live =
        with_entries(json!({}), vec![other.clone(), old.clone(), status.clone(), helm.clone()]);
    let united = json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}});
    assert_eq!(
        adopt_managed_fields(&live, &fits, WE),
        Some(json!([other, entry(WE, "Apply", "apps/v1beta2", united), status]))
    );
    let ours = entry(WE, "Apply", "apps/v1", json!({"f:spec": {"f:d": {}}}));
    let live = with_entries(json!({}), vec![helm, ours.clone()]);
    let united = json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}, "f:d": {}}});
    let adopted = adopt_managed_fields(&live, &fits, WE).unwrap();
    assert_eq!(adopted, json!([entry(WE, "Apply", "apps/v1", united)]));
    let live = with_entries(json!({}), adopted.as_array().unwrap().clone());
    assert_eq!(adopt_managed_fields(&live, &fits, WE), None);
    assert_eq!(adopt_managed_fields(&live, &|_| true, WE), None);
    assert_eq!(adopt_managed_fields(&json!({}), &fits, WE), None);
}
