//! Values as a tree of maps: merging, looking up, and how Go's numbers come and go.

use serde_json::{Map, Number, Value};

use super::path;

/// A map of values.
pub(super) type Tree = Map<String, Value>;

/// Puts a map over another: maps are merged, all else is replaced, lists and nulls included.
pub(super) fn merge(into: &mut Tree, from: &Tree) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            _ => drop(into.insert(key.clone(), value.clone())),
        }
    }
}

/// The value at keys with dots between them, through maps alone.
pub(super) fn at<'a>(tree: &'a Tree, keys: &str) -> Option<&'a Value> {
    let mut keys = keys.split('.');
    let mut found = tree.get(keys.next()?)?;
    for key in keys {
        found = found.as_object()?.get(key)?;
    }
    Some(found)
}

/// The map at keys with dots between them.
pub(super) fn map_at<'a>(tree: &'a Tree, keys: &str) -> Option<&'a Tree> {
    at(tree, keys)?.as_object()
}

/// The string at a path, or an empty one.
pub(super) fn text_at<'a>(tree: &'a Tree, keys: &str) -> &'a str {
    at(tree, keys).and_then(Value::as_str).unwrap_or_default()
}

/// The boolean at a path; false where there is none.
pub(super) fn flag_at(tree: &Tree, keys: &str) -> bool {
    at(tree, keys).and_then(Value::as_bool).unwrap_or_default()
}

/// The value at a path in istioctl's grammar: also `[0]` and `[name:x]`.
pub(super) fn find<'a>(tree: &'a Tree, text: &str) -> Option<&'a Value> {
    let mut segments = path::split(text).into_iter();
    let mut found = tree.get(&segments.next()?)?;
    for segment in segments {
        found = match path::Step::of(&segment) {
            path::Step::Index(index) => found.as_array()?.get(usize::try_from(index).ok()?)?,
            path::Step::Item(key, value) => found
                .as_array()?
                .iter()
                .find(|item| item.get(key).is_some_and(|own| own == value))?,
            path::Step::Key(key) => found.as_object()?.get(key)?,
        };
    }
    Some(found)
}

/// Turns all numbers into floats, as a copy through Go's JSON does.
pub(super) fn to_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().and_then(Number::from_f64);
            *number = float.unwrap_or_else(|| number.clone());
        }
        Value::Array(items) => items.iter_mut().for_each(to_floats),
        Value::Object(map) => map.values_mut().for_each(to_floats),
        _ => {}
    }
}

/// Turns whole numbers into integers, as they are once Go has written them as JSON and Kubernetes has read that.
pub(super) fn to_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
                *number = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(to_integers),
        Value::Object(map) => map.values_mut().for_each(to_integers),
        _ => {}
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(float: f64) -> Option<i64> {
    let fits = float.fract() == 0.0 && float.abs() < 9.223_372_036_854_775e18;
    fits.then_some(float as i64)
}
