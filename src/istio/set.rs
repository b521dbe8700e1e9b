//! `--set path=value`, with all that is peculiar to istioctl's own grammar.
//!
//! Source of the rules: `operator/pkg/values/map.go`. Where istioctl panics, this refuses.

use serde_json::Value;

use super::error::IstioError;
use super::path::{self, Step};
use super::tree::Tree;
use super::value;
use super::warning::Warning;

/// Paths whose values are strings whatever they look like; prefixes, as in istioctl.
const ALWAYS_TEXT: [&str; 6] = [
    "spec.values.compatibilityVersion",
    "spec.tag",
    "spec.values.global.tag",
    "spec.meshConfig.defaultConfig.proxyMetadata.",
    "spec.values.meshConfig.defaultConfig.proxyMetadata.",
    "spec.compatibilityVersion",
];

/// What a setting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The value is there.
    Written,
    /// A null stood in the way: istioctl writes into a map that nothing holds.
    Lost,
}

/// Carries out one `--set` below `spec`.
///
/// # Errors
/// When the path does not fit what is there, or the value is no finite number.
pub(super) fn set_flag(
    tree: &mut Tree,
    flag: &str,
    warnings: &mut Vec<Warning>,
) -> Result<(), IstioError> {
    let refused = |reason: String| IstioError::Set { flag: flag.to_owned(), reason };
    if !flag.contains('=') {
        warnings.push(Warning::SetWithoutValue { flag: flag.to_owned() });
    }
    let outcome = set_spec(tree, flag).map_err(refused)?;
    if outcome == Outcome::Lost {
        warnings.push(Warning::SetLost { flag: flag.to_owned() });
    }
    Ok(())
}

/// Carries out `path=value` below `spec`.
pub(super) fn set_spec(tree: &mut Tree, flag: &str) -> Result<Outcome, String> {
    let flag = format!("spec.{flag}");
    let (path, text) = match flag.split_once('=') {
        Some((path, text)) => (path.trim(), text.trim()),
        None => (flag.as_str(), ""),
    };
    let is_text = ALWAYS_TEXT.iter().any(|prefix| path.starts_with(prefix));
    let typed = if is_text { Some(text.into()) } else { value::typed(text) };
    let typed = typed.ok_or_else(|| format!("JSON has no number `{text}`"))?;
    set(tree, path, typed)
}

/// Writes a value at a path, making the maps and lists on the way.
pub(super) fn set(tree: &mut Tree, path: &str, value: Value) -> Result<Outcome, String> {
    set_at(tree, &path::split(path), value)
}

fn set_at(tree: &mut Tree, path: &[String], value: Value) -> Result<Outcome, String> {
    let Some((key, rest)) = path.split_first() else {
        return Err(
            "a map cannot be replaced by its place in a list: name a field of it".to_owned()
        );
    };
    if let Some(next) = rest.first().filter(|next| next.starts_with('[')) {
        return set_in_list(tree, key, next, &rest[1..], value);
    }
    if rest.is_empty() {
        tree.insert(key.clone(), value);
        return Ok(Outcome::Written);
    }
    match tree.entry(key.clone()).or_insert_with(|| Value::Object(Tree::new())) {
        Value::Object(inner) => set_at(inner, rest, value),
        Value::Null => set_at(&mut Tree::new(), rest, value).map(|_| Outcome::Lost),
        other => Err(format!("`{key}` is {}, and has no fields", kind(other))),
    }
}

fn set_in_list(
    tree: &mut Tree,
    key: &str,
    segment: &str,
    rest: &[String],
    value: Value,
) -> Result<Outcome, String> {
    let list = tree.entry(key.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else {
        return Err(format!("`{key}` is {}, and no list", kind(list)));
    };
    let index = match Step::of(segment) {
        Step::Index(index) => usize::try_from(index).ok(),
        Step::Item(field, wanted) => {
            let is_it = |item: &Value| item.get(field).is_some_and(|own| own == wanted);
            Some(
                list.iter()
                    .position(is_it)
                    .ok_or_else(|| format!("element {segment} not found"))?,
            )
        }
        Step::Key(_) => return Err(format!("unknown segment {segment}")),
    };
    let Some(item) = index.and_then(|index| list.get_mut(index)) else {
        // an index beyond the end, or below zero, appends
        let mut new = Tree::new();
        let outcome =
            if rest.is_empty() { Outcome::Written } else { set_at(&mut new, rest, value.clone())? };
        list.push(if rest.is_empty() { value } else { Value::Object(new) });
        return Ok(outcome);
    };
    if item.is_null() {
        *item = Value::Object(Tree::new());
    }
    match item {
        Value::Object(inner) => set_at(inner, rest, value),
        other => Err(format!("{key}{segment} is {}, and has no fields", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
