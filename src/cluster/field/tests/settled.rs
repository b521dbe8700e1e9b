//! When an apply is known to change nothing.

use serde_json::{Value, json};

use super::super::{normal, settled};
use super::{Case, WE, cases, deployment, entry, with_entries};

/// Calls with a copy of the value for each way to change one thing in it.
fn mutate(value: &Value, path: &str, visit: &mut dyn FnMut(&str, Value)) {
    match value {
        Value::Object(map) => {
            let mut more = map.clone();
            more.insert("gained".to_owned(), json!("x"));
            visit(&format!("{path}/gained"), Value::Object(more));
            for (key, below) in map {
                let at = format!("{path}/{key}");
                let mut less = map.clone();
                less.shift_remove(key);
                visit(&format!("{at} lost"), Value::Object(less));
                mutate(below, &at, &mut |at, below| {
                    let mut map = map.clone();
                    map.insert(key.clone(), below);
                    visit(at, Value::Object(map));
                });
            }
        }
        Value::Array(items) => {
            let mut more = items.clone();
            more.push(json!("gained"));
            visit(&format!("{path}/gained"), Value::Array(more));
            for (index, below) in items.iter().enumerate() {
                let at = format!("{path}/{index}");
                let mut less = items.clone();
                less.remove(index);
                visit(&format!("{at} lost"), Value::Array(less));
                mutate(below, &at, &mut |at, below| {
                    let mut items = items.clone();
                    items[index] = below;
                    visit(at, Value::Array(items));
                });
            }
        }
        Value::Number(_) => visit(&format!("{path} changed"), json!(77)),
        _ => visit(&format!("{path} changed"), json!("changed")),
    }
}

#[test]
fn what_was_applied_is_settled() {
    for Case { name, desired, live } in cases() {
        assert!(settled(&desired, &live, WE), "{name}");
        assert!(!settled(&desired, &live, "another"), "{name}");
        assert!(!settled(&desired, &normal(&live), WE), "{name}");
    }
}

#[test]
fn nothing_is_settled_once_a_leaf_is_gained_lost_or_changed() {
    for Case { name, desired, live } in cases() {
        let mut count = 0;
        mutate(&desired, "", &mut |at, mutant| {
            // no set holds them, and no request goes without them
            if ["/metadata lost", "/metadata/name lost", "/metadata/namespace lost", "/kind lost"]
                .contains(&at)
            {
                return;
            }
            count += 1;
            assert!(!settled(&mutant, &live, WE), "{name}: {at}");
        });
        assert!(count > 30, "{name}: {count}");
    }
}

#[test]
fn nothing_is_settled_once_a_leaf_is_changed_live() {
    for Case { name, desired, live } in cases() {
        let reference = normal(&live);
        mutate(&desired, "", &mut |at, mutant| {
            if at.ends_with("changed") {
                // `desired` is what is live with one leaf that another has changed
                let mut live = live.clone();
                overlay(&mut live, &mutant);
                if normal(&live) != reference {
                    assert!(!settled(&desired, &live, WE), "{name}: {at}");
                }
            }
        });
    }
}

fn overlay(live: &mut Value, with: &Value) {
    match (live, with) {
        (Value::Object(live), Value::Object(with)) => {
            for (key, with) in with {
                overlay(live.entry(key.clone()).or_insert(Value::Null), with);
            }
        }
        (Value::Array(live), Value::Array(with)) if live.len() == with.len() => {
            live.iter_mut().zip(with).for_each(|(live, with)| overlay(live, with));
        }
        (live, with) => *live = with.clone(),
    }
}

#[test]
fn an_entry_of_another_version_settles_nothing() {
    let Case { desired, mut live, .. } = deployment();
    live["metadata"]["managedFields"][0]["apiVersion"] = json!("apps/v1beta1");
    assert!(!settled(&desired, &live, WE));
}

#[test]
fn what_is_said_empty_may_be_absent() {
    let desired = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "x", "creationTimestamp": null}, "data": {}});
    let live = |data: Value| {
        let fields = json!({"f:data": {}});
        with_entries(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
                "metadata": {"name": "x", "creationTimestamp": "2026-01-02T03:04:05Z"}}),
            vec![entry(WE, "Apply", "v1", fields)],
        )
    };
    assert!(settled(&desired, &live(Value::Null), WE));
    assert!(settled(&desired, &live(json!({})), WE));
    assert!(!settled(&desired, &live(json!({"a": "b"})), WE));
}

#[test]
fn what_was_empty_and_another_filled_is_not_ours() {
    let desired = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
        "data": {"a": "b"}});
    let entries = vec![
        entry(WE, "Apply", "v1", json!({"f:data": {}})),
        entry("kubectl-edit", "Update", "v1", json!({"f:data": {"f:a": {}}})),
    ];
    assert!(!settled(&desired, &with_entries(desired.clone(), entries), WE));
}

#[test]
fn whole_numbers_equal_their_floats() {
    let object = |number: Value| json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": number});
    let live =
        with_entries(object(json!(1)), vec![entry(WE, "Apply", "v1", json!({"f:spec": {}}))]);
    assert!(settled(&object(json!(1.0)), &live, WE));
    assert!(!settled(&object(json!(2)), &live, WE));
    assert!(!settled(&object(json!("1")), &live, WE));
}
