//! Parts of live objects.

use serde_json::json;

use super::super::{managed, normal, other_owners, owned, project};
use super::{Case, WE, service, webhook};

#[test]
fn drift_is_seen_in_what_is_desired() {
    let Case { desired, mut live, .. } = service();
    assert_eq!(project(&desired, &live), desired);
    live["spec"]["ports"][2]["protocol"] = json!("TCP");
    live["spec"]["ports"].as_array_mut().unwrap().remove(0);
    live["metadata"]["labels"] = json!({});
    let seen = project(&desired, &live);
    assert_eq!(seen["metadata"]["labels"], json!({}));
    assert_eq!(
        seen["spec"]["ports"],
        json!([{"name": "dns", "port": 53}, {"name": "dns-udp", "port": 53, "protocol": "TCP"}])
    );
}

#[test]
fn lists_without_keys_are_seen_whole() {
    let desired = json!({"args": ["a", "b"], "finalizers": ["ours"], "rules": [{"verbs": ["get"]}],
        "env": [{"name": "A", "value": "1"}]});
    let live = json!({"args": ["a", "x", "c"], "finalizers": ["theirs", "ours"],
        "rules": [{"verbs": ["get"], "x": 1}, {"verbs": ["*"]}],
        "env": [{"name": "INJECTED", "value": "2"}, {"name": "A", "value": "1"}]});
    assert_eq!(
        project(&desired, &live),
        json!({"args": ["a", "x", "c"], "finalizers": ["ours"],
            "rules": [{"verbs": ["get"]}, {"verbs": ["*"]}],
            "env": [{"name": "A", "value": "1"}]})
    );
}

#[test]
fn what_a_set_holds_is_cut_out() {
    let Case { live, .. } = webhook();
    let (_, theirs) = other_owners(&live, WE).remove(0);
    assert_eq!(
        owned(&live, &theirs),
        json!({"webhooks": [{"clientConfig": {"caBundle": "LS0tLS1CRUdJTg=="}}]})
    );
    let Case { mut desired, live, .. } = service();
    let ours = owned(&live, &managed(&live, WE).unwrap());
    for key in ["apiVersion", "kind"] {
        desired.as_object_mut().unwrap().shift_remove(key);
    }
    for key in ["name", "namespace"] {
        desired["metadata"].as_object_mut().unwrap().shift_remove(key);
    }
    assert_eq!(ours, desired);
}

#[test]
fn what_servers_write_is_not_normal() {
    let Case { live, .. } = service();
    let normal = normal(&live);
    assert_eq!(normal.get("status"), None);
    let keys: Vec<&String> = normal["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["name", "namespace", "labels"]);
    assert_eq!(normal["spec"], live["spec"]);
}
