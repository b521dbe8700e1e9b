//! Whether what is live is what the tree says, by the files and the API server alone.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Bed;
use crate::testbed::{Client, ControlPlane};

/// The addresses of objects, by what the server itself says of its kinds.
pub struct Addresses {
    client: Client,
    lists: Mutex<BTreeMap<String, Value>>,
}

impl Addresses {
    pub fn of(plane: &ControlPlane) -> Self {
        Self { client: plane.client(), lists: Mutex::default() }
    }

    /// The path of an object.
    pub fn path(&self, object: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = text(&object["apiVersion"]);
        let root = if version.contains('/') { "/apis" } else { "/api" };
        let base = format!("{root}/{version}");
        let mut lists = self.lists.lock().unwrap();
        let list = lists.entry(base.clone()).or_insert_with(|| {
            self.client.get(&base).unwrap_or_else(|| panic!("the server has no {base}"))
        });
        let rows = list["resources"].as_array().expect("resources");
        let is_it = |row: &&Value| {
            row["kind"] == object["kind"] && !row["name"].as_str().unwrap().contains('/')
        };
        let row = rows.iter().find(is_it);
        let row = row.unwrap_or_else(|| panic!("{base} has no {}", object["kind"]));
        let (plural, name) = (text(&row["name"]), text(&object["metadata"]["name"]));
        if row["namespaced"] == true {
            let namespace = text(&object["metadata"]["namespace"]);
            format!("{base}/namespaces/{namespace}/{plural}/{name}")
        } else {
            format!("{base}/{plural}/{name}")
        }
    }

    /// The object as it is live.
    pub fn get(&self, object: &Value) -> Option<Value> {
        self.client.get(&self.path(object))
    }
}

/// The rows of the tree that reach a cluster, with their objects.
pub fn rows(bed: &Bed<'_>, cluster: &str) -> Vec<(Value, Value)> {
    let tree = bed.project.tree();
    let reaches = |row: &Value| match &row["targets"] {
        Value::Array(names) => names.iter().any(|name| name == cluster),
        Value::Object(map) => {
            let except = map["except"].as_array().expect("names");
            !except.iter().any(|name| name == cluster)
        }
        _ => false,
    };
    let mut rows = tree.rows(|_| true);
    rows.retain(reaches);
    rows.into_iter()
        .map(|row| {
            let object = tree.object(row["path"].as_str().expect("a path"));
            (row, object)
        })
        .collect()
}

/// Panics unless every field of every file that reaches a cluster is live, with an equal value; gives
/// how many objects there are. Handed-over fields, and what is put in, are others' to judge.
#[track_caller]
pub fn equals_tree(bed: &Bed<'_>, plane: &ControlPlane) -> usize {
    let addresses = Addresses::of(plane);
    let rows = rows(bed, &plane.name);
    let mut wrong = Vec::new();
    for (row, object) in &rows {
        let Some(live) = addresses.get(object) else {
            wrong.push(format!("{}: it is not there", row["path"]));
            continue;
        };
        let mut found = Vec::new();
        differences(&as_sent(row, object), &live, "", &mut found);
        let handed = row["handover"].as_array().cloned().unwrap_or_default();
        found.retain(|(pointer, _)| {
            !handed.iter().any(|rule| fits(rule.as_str().unwrap(), pointer))
        });
        wrong.extend(found.iter().map(|(at, what)| format!("{}: {at}: {what}", row["path"])));
    }
    assert!(wrong.is_empty(), "{}:\n{}", plane.name, wrong.join("\n"));
    rows.len()
}

/// An object of a file as it is sent, without what is sealed or bound in it.
fn as_sent(row: &Value, object: &Value) -> Value {
    let mut object = object.clone();
    let taken = |key: &str| -> Vec<String> {
        let rows = row[key].as_array().cloned().unwrap_or_default();
        let text = |row: &Value| row["field"].as_str().or(row.as_str()).unwrap().to_owned();
        rows.iter().map(text).collect()
    };
    let hidden: Vec<String> = [taken("sealed"), taken("bindings")].concat();
    let map = object.as_object_mut().expect("an object");
    map.remove("sops");
    if let Some(Value::Object(texts)) = map.remove("stringData") {
        for (key, text) in texts {
            if !hidden.contains(&format!("/stringData/{key}")) {
                let text = STANDARD.encode(text.as_str().expect("text"));
                object["data"][key] = Value::from(text);
            }
        }
    }
    object
}

/// Whether a pointer is one that a rule with `*` means.
fn fits(rule: &str, pointer: &str) -> bool {
    let (rule, pointer): (Vec<&str>, Vec<&str>) =
        (rule.split('/').collect(), pointer.split('/').collect());
    rule.len() == pointer.len()
        && rule.iter().zip(&pointer).all(|(rule, step)| *rule == "*" || rule == step)
}

/// Fields of `ours` that are not in `live`, or not equal there. Null and empty ones may be absent.
pub fn differences(ours: &Value, live: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match (ours, live) {
        (ours, live) if is_empty(ours) && (live.is_null() || is_empty(live)) => {}
        (Value::Null, _) => {}
        (Value::Object(ours), Value::Object(_)) => {
            for (key, value) in ours {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                differences(value, &live[key], &format!("{at}/{escaped}"), found);
            }
        }
        (Value::Array(ours), Value::Array(items)) if ours.len() == items.len() => {
            for (index, (ours, live)) in ours.iter().zip(items).enumerate() {
                differences(ours, live, &format!("{at}/{index}"), found);
            }
        }
        (ours, live) if ours == live => {}
        // what JSON leaves out
        (Value::String(ours), Value::Null) if ours.is_empty() => {}
        (Value::String(ours), Value::String(live)) if at.contains("/resources/") => {
            let (a, b) = (quantity(ours), quantity(live));
            if a.is_none() || a != b {
                found.push((at.to_owned(), format!("{ours} is {live}")));
            }
        }
        _ => found.push((at.to_owned(), format!("{ours} is {live}"))),
    }
}

/// `2048Mi` as 2147483648000: a thousandth is the least.
fn quantity(text: &str) -> Option<u128> {
    let units = [("m", 1), ("Ki", 1000 << 10), ("Mi", 1000 << 20), ("Gi", 1000 << 30)];
    let unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = unit.unwrap_or((text, 1000));
    Some(number.parse::<u128>().ok()? * factor)
}
