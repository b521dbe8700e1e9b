//! Values: reading, merging, and what null means.
//!
//! Source of the rules: Helm 4's package `chart/common/util`, file `coalesce.go`.

use serde_json::{Map, Value};

use super::chart::Chart;
use super::error::ChartError;
use crate::yaml;

/// The key whose values go to all subcharts.
const GLOBAL: &str = "global";

/// Reads a values file; several documents are merged in their order. All numbers are floats, as Go's decoder makes them.
///
/// # Errors
/// When a document is no YAML, or no map.
pub fn read(text: &str) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    for document in documents(text) {
        match yaml::go_document(document).map_err(|error| error.with_position(document))? {
            Value::Object(mut map) => {
                map.values_mut().for_each(to_floats);
                overlay(&mut values, map);
            }
            Value::Null => {}
            _ => return Err("the values are no map".into()),
        }
    }
    Ok(values)
}

/// Turns all numbers into floats, as Go's JSON decoder does.
pub fn to_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().and_then(serde_json::Number::from_f64);
            *number = float.unwrap_or_else(|| number.clone());
        }
        Value::Array(items) => items.iter_mut().for_each(to_floats),
        Value::Object(map) => map.values_mut().for_each(to_floats),
        _ => {}
    }
}

/// Splits at lines that start with `---`.
fn documents(text: &str) -> Vec<&str> {
    let mut documents = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices("\n---") {
        documents.push(&text[start..=at]);
        // The rest of the separator's line stays with the next document, which begins after the dashes.
        start = at + "\n---".len();
    }
    documents.push(&text[start..]);
    documents
}

/// Puts values over others: maps are merged, everything else is replaced.
pub fn overlay(values: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => overlay(old, new),
            (_, value) => drop(values.insert(key, value)),
        }
    }
}

/// Puts the values of a user over the defaults of a chart and its subcharts.
///
/// A null of the user takes a default away. With `keeps_null` nulls stay, for steps after which this is done again.
///
/// # Errors
/// When the value for a subchart is no map.
pub fn coalesce(
    chart: &Chart,
    values: &Map<String, Value>,
    keeps_null: bool,
) -> Result<Map<String, Value>, ChartError> {
    let mut values = values.clone();
    coalesce_chart(chart, &mut values, keeps_null)?;
    Ok(values)
}

fn coalesce_chart(
    chart: &Chart,
    values: &mut Map<String, Value>,
    keeps_null: bool,
) -> Result<(), ChartError> {
    add_defaults(chart, values, keeps_null);
    for dependency in &chart.dependencies {
        let name = &dependency.metadata.name;
        let global = values.get(GLOBAL).cloned();
        let own = values.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(own) = own else {
            return Err(ChartError::Values {
                chart: chart.metadata.name.clone(),
                reason: format!("`{name}` is for the subchart of that name, and must be a map"),
            });
        };
        add_globals(own, global.as_ref());
        coalesce_chart(dependency, own, keeps_null)?;
    }
    Ok(())
}

fn add_globals(values: &mut Map<String, Value>, outer: Option<&Value>) {
    let mut own = match values.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Object(own)) => own.clone(),
        Some(_) => return,
    };
    let empty = Map::new();
    let outer = match outer {
        None => &empty,
        Some(Value::Object(outer)) => outer,
        Some(_) => return,
    };
    for (key, value) in outer {
        match (value, own.get(key)) {
            (Value::Object(table), Some(Value::Object(inner))) => {
                let mut table = table.clone();
                merge_tables(&mut table, inner.clone(), true);
                own.insert(key.clone(), Value::Object(table));
            }
            // A map does not go over what is no map, nor the other way round.
            (Value::Object(_), Some(_)) | (_, Some(Value::Object(_))) => {}
            _ => drop(own.insert(key.clone(), value.clone())),
        }
    }
    values.insert(GLOBAL.into(), Value::Object(own));
}

fn add_defaults(chart: &Chart, values: &mut Map<String, Value>, keeps_null: bool) {
    for (key, default) in chart.values.iter() {
        match values.get_mut(key) {
            Some(Value::Null) if !keeps_null => drop(values.shift_remove(key)),
            Some(Value::Object(given)) => {
                let Value::Object(default) = default else { continue };
                let is_subchart =
                    chart.dependencies.iter().any(|dependency| dependency.metadata.name == *key);
                let keeps_null = keeps_null || is_subchart;
                let mut default = default.clone();
                if !keeps_null {
                    remove_nulls(&mut default);
                }
                merge_tables(given, default, keeps_null);
            }
            Some(_) => {}
            None => {
                let mut default = default.clone();
                if !keeps_null {
                    if default.is_null() {
                        continue;
                    }
                    if let Value::Object(map) = &mut default {
                        remove_nulls(map);
                    }
                }
                values.insert(key.clone(), default);
            }
        }
    }
}

/// Adds what the first map does not have. A null in it takes the other's value away, unless nulls are kept.
pub fn merge_tables(into: &mut Map<String, Value>, from: Map<String, Value>, keeps_null: bool) {
    for (key, value) in from {
        match into.get_mut(&key) {
            None => drop(into.insert(key, value)),
            Some(Value::Null) if !keeps_null && !value.is_null() => drop(into.shift_remove(&key)),
            Some(Value::Object(old)) => {
                if let Value::Object(new) = value {
                    merge_tables(old, new, keeps_null);
                }
            }
            Some(_) => {}
        }
    }
}

/// Takes nulls out of a map and the maps in it.
pub fn remove_nulls(map: &mut Map<String, Value>) {
    map.retain(|_, value| {
        if let Value::Object(inner) = value {
            remove_nulls(inner);
        }
        !value.is_null()
    });
}

/// Follows a path of keys with dots between them; every step is a map.
pub fn table<'a>(values: &'a Map<String, Value>, path: &str) -> Option<&'a Map<String, Value>> {
    path.split('.').try_fold(values, |table, key| table.get(key)?.as_object())
}

/// Returns the value at a path of keys with dots between them, unless it is a map.
pub fn path_value<'a>(values: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (table, key) = match path.rsplit_once('.') {
        Some((path, key)) => (table(values, path)?, key),
        None => (values, path),
    };
    table.get(key).filter(|value| !value.is_object())
}
