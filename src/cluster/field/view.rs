//! Parts of a live object: what another is compared with.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::set::{FieldSet, Node};

/// Metadata that servers write by themselves.
const SERVERS: &[&str] =
    &["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// What identifies an item of a list, in the order in which they are tried: see [`project`].
const KEYS: &[&str] = &[
    "name",
    "port",
    "containerPort",
    "mountPath",
    "devicePath",
    "ip",
    "type",
    "topologyKey",
    "uid",
    "kind",
    "key",
];

/// An object without `status` and without the metadata that a server writes by itself.
///
/// An object and the answer to a dry run of an apply have one normal form if the apply changes
/// nothing that anybody would see. `metadata.deletionTimestamp` stays: it changes what an apply
/// means.
pub fn normal(live: &Value) -> Value {
    let mut object = live.clone();
    if let Value::Object(map) = &mut object {
        map.shift_remove("status");
        if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
            for key in SERVERS {
                metadata.shift_remove(*key);
            }
        }
    }
    object
}

/// A live object reduced to the fields of another, in its order, to show how they differ.
///
/// Items of two lists are one item if the first key that all items of both have, and that tells
/// them apart, is equal: `name`, `port`, `containerPort`, `mountPath` and so on. Such a list may
/// hold items of others, which are left out, as are the finalizers of others. Any other list is
/// owned as a whole: its items are compared by place, and those beyond stay. What is absent live is
/// absent in the result.
pub fn project(desired: &Value, live: &Value) -> Value {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => {
            let mut map = Map::new();
            for (key, desired) in desired {
                let Some(live) = live.get(key) else {
                    continue;
                };
                let part = match (key.as_str(), desired, live) {
                    ("finalizers", Value::Array(desired), Value::Array(live)) => {
                        live.iter().filter(|item| desired.contains(item)).cloned().collect()
                    }
                    _ => project(desired, live),
                };
                map.insert(key.clone(), part);
            }
            Value::Object(map)
        }
        (Value::Array(desired), Value::Array(live)) => Value::Array(project_list(desired, live)),
        _ => live.clone(),
    }
}

fn project_list(desired: &[Value], live: &[Value]) -> Vec<Value> {
    if let Some(key) = KEYS.iter().find(|key| tells_apart(key, desired) && tells_apart(key, live)) {
        // in the order of `live`: it may differ, and then it shows
        let pairs = live.iter().filter_map(|live| {
            let desired = desired.iter().find(|desired| desired.get(key) == live.get(key))?;
            Some(project(desired, live))
        });
        return pairs.collect();
    }
    let part = |(index, live): (usize, &Value)| match desired.get(index) {
        Some(desired) => project(desired, live),
        None => live.clone(),
    };
    live.iter().enumerate().map(part).collect()
}

/// Whether every item has the key, and no two share its value. An empty list has no say.
fn tells_apart(key: &str, items: &[Value]) -> bool {
    let values: Option<BTreeSet<String>> = items
        .iter()
        .map(|item| {
            let value = item.get(key)?;
            (value.is_string() || value.is_number()).then(|| value.to_string())
        })
        .collect();
    values.is_some_and(|values| values.len() == items.len())
}

/// A live object reduced to what a set holds; lists keep the items that the set names.
///
/// `apiVersion`, `kind` and the name are in no set, so they are not in the result either; nor is
/// the key of an item unless its owner has it.
pub fn owned(live: &Value, set: &FieldSet) -> Value {
    match live {
        Value::Object(map) => {
            let part = |(key, value): (&String, &Value)| {
                Some((key.clone(), owned_at(value, set.field(key)?)?))
            };
            Value::Object(map.iter().filter_map(part).collect())
        }
        Value::Array(items) => {
            let part = |(index, item): (usize, &Value)| owned_at(item, set.item(item, index)?);
            Value::Array(items.iter().enumerate().filter_map(part).collect())
        }
        _ => live.clone(),
    }
}

/// `None` where the set holds paths below alone, and none of them is live.
fn owned_at(value: &Value, node: &Node) -> Option<Value> {
    if node.is_leaf() {
        return Some(value.clone());
    }
    let part = owned(value, &node.below);
    (node.itself || !super::equal::is_empty(&part)).then_some(part)
}

/// A live object with the fields of another put in: what an apply would give, as far as that can be
/// told without the server. Lists are replaced as a whole.
pub fn overlay(live: &Value, desired: &Value) -> Value {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => {
            let mut map = live.clone();
            for (key, value) in desired {
                let value = overlay(live.get(key).unwrap_or(&Value::Null), value);
                map.insert(key.clone(), value);
            }
            Value::Object(map)
        }
        _ => desired.clone(),
    }
}

/// An object without the fields of one set that neither another set nor the wanted object has: what
/// stays when their owner gives them up.
pub fn drop_fields(object: &Value, gone: &FieldSet, kept: &FieldSet, wanted: &Value) -> Value {
    match object {
        Value::Object(map) => {
            let part = |(key, value): (&String, &Value)| {
                let kept = kept.field(key);
                let part = drop_at(value, gone.field(key), kept, wanted.get(key))?;
                Some((key.clone(), part))
            };
            Value::Object(map.iter().filter_map(part).collect())
        }
        Value::Array(items) => {
            let part = |(index, item): (usize, &Value)| {
                let gone = gone.item(item, index);
                let name = item.get("name");
                let same = |wanted: &&Value| {
                    *wanted == item || (name.is_some() && wanted.get("name") == name)
                };
                let wanted = wanted.as_array().and_then(|wanted| wanted.iter().find(same));
                drop_at(item, gone, kept.item(item, index), wanted)
            };
            Value::Array(items.iter().enumerate().filter_map(part).collect())
        }
        _ => object.clone(),
    }
}

fn drop_at(
    value: &Value,
    gone: Option<&Node>,
    kept: Option<&Node>,
    wanted: Option<&Value>,
) -> Option<Value> {
    let Some(gone) = gone else { return Some(value.clone()) };
    if gone.is_leaf() {
        return (kept.is_some() || wanted.is_some()).then(|| value.clone());
    }
    let nothing = FieldSet::default();
    let below = kept.map_or(&nothing, |kept| &kept.below);
    let part = drop_fields(value, &gone.below, below, wanted.unwrap_or(&Value::Null));
    let is_kept = kept.is_some() || wanted.is_some() || !super::equal::is_empty(&part);
    is_kept.then_some(part)
}
