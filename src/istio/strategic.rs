//! Strategic merge patches for the kinds that `components.*.k8s` reaches.
//!
//! Source of the rules: `k8s.io/apimachinery/pkg/util/strategicpatch`, with the merge keys of Kubernetes' types.

mod order;

use serde_json::{Map, Value};

use super::schema::{self, Type};
use order::{arrange, check_order, key_of, partition, reused};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Why a patch cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatchError(String);

type Result<T> = std::result::Result<T, PatchError>;
type Object = Map<String, Value>;

fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(PatchError(message.into()))
}

/// Applies a strategic merge patch to an object of a kind: `Deployment`, `DaemonSet`, `Service`,
/// `HorizontalPodAutoscaler` or `PodDisruptionBudget`.
///
/// Lists with a merge key are merged by it; what only the object has keeps its place as far as the patch lets it. The
/// directives `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…` are honoured. A null takes
/// a key away.
///
/// # Errors
/// When the kind is another, an item lacks its merge key, or a directive is wrong.
pub fn strategic_merge(kind: &str, object: &mut Value, patch: &Value) -> Result<()> {
    if schema::fields(kind).is_none() {
        return fail(format!("no merge keys are known for the kind `{kind}`"));
    }
    let (Value::Object(original), Value::Object(patch)) = (&mut *object, patch) else {
        return fail("object and patch must be mappings");
    };
    let merged = merge_map(std::mem::take(original), patch.clone(), Type::Struct(leak_free(kind)))?;
    *original = merged;
    Ok(())
}

/// The table's own copy of a name.
fn leak_free(kind: &str) -> &'static str {
    const KINDS: [&str; 5] =
        ["Deployment", "DaemonSet", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"];
    KINDS.into_iter().find(|known| *known == kind).unwrap_or("Deployment")
}

/// What the schema says of a key in a value of a type.
struct Meta {
    kind: Type,
    merges: bool,
    merge_key: &'static str,
}

fn lookup(kind: Type, key: &str) -> Result<Meta> {
    let Type::Struct(name) = kind else {
        return fail(format!("a map stands at `{key}`, where the type has none"));
    };
    let fields = schema::fields(name).unwrap_or_default();
    let Some(field) = schema::find(fields, key) else {
        return fail(format!("{name} has no field `{key}`"));
    };
    Ok(Meta { kind: field.kind, merges: field.merges, merge_key: field.merge_key })
}

fn lookup_list(kind: Type, key: &str) -> Result<Meta> {
    let meta = lookup(kind, key)?;
    match meta.kind {
        Type::List(item) => Ok(Meta { kind: *item, ..meta }),
        _ => fail(format!("a list stands at `{key}`, where the type has none")),
    }
}

fn merge_map(mut original: Object, mut patch: Object, kind: Type) -> Result<Object> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Map::new()),
            _ => fail(format!("unknown patch type {directive}")),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    apply_orders(&mut original, &mut patch, kind)?;
    for (key, value) in patch {
        merge_entry(&mut original, key, value, kind)?;
    }
    Ok(original)
}

fn merge_entry(original: &mut Object, key: String, value: Value, kind: Type) -> Result<()> {
    let (key, deletes) = match key.strip_prefix(DELETE_FROM) {
        Some(list) => (list.to_owned(), true),
        None => (key, false),
    };
    if value.is_null() {
        original.remove(&key);
        return Ok(());
    }
    let Some(old) = original.get_mut(&key) else {
        if !deletes {
            put(original, key, value);
        }
        return Ok(());
    };
    match (old, value) {
        (Value::Object(old), Value::Object(new)) => {
            // a map field merges, unless its own strategy is to replace; no field here has that
            let meta = lookup(kind, &key)?;
            *old = merge_map(std::mem::take(old), new, meta.kind)?;
        }
        (Value::Array(old), Value::Array(new)) => {
            let meta = lookup_list(kind, &key)?;
            if meta.merges || deletes {
                *old = merge_list(std::mem::take(old), new, &meta, deletes)?;
            } else {
                *old = new;
            }
        }
        (_, value) if !deletes => put(original, key, value),
        _ => {}
    }
    Ok(())
}

/// Takes a value of the patch where the object has none, or one of another type.
fn put(original: &mut Object, key: String, mut value: Value) {
    discard_nulls(&mut value);
    match without_directives(value) {
        Some(value) => drop(original.insert(key, value)),
        None => drop(original.remove(&key)),
    }
}

/// Takes nulls out of maps, also of those in lists.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let kept =
                map.into_iter().filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => {
            Some(Value::Array(items.into_iter().filter_map(without_directives).collect()))
        }
        other => Some(other),
    }
}

fn retain_keys(original: &mut Object, patch: &mut Object) -> Result<()> {
    const BAD: &str = "the $retainKeys list must name every field of the patch";
    let Some(list) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(list) = list else { return fail(BAD) };
    let has = |key: &str| list.iter().any(|kept| kept == key);
    let is_order = |key: &str| key.starts_with(DELETE_FROM) || key.starts_with(ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !is_order(key) && !has(key)) {
        return fail(BAD);
    }
    original.retain(|key, _| has(key));
    Ok(())
}

/// Merges the lists that a `$setElementOrder/…` names, and puts them in its order.
fn apply_orders(original: &mut Object, patch: &mut Object, kind: Type) -> Result<()> {
    const BAD: &str = "the $setElementOrder list must be a list, and so must what it orders";
    let keys: Vec<String> = patch.keys().filter(|key| key.starts_with(ORDER)).cloned().collect();
    for directive in keys {
        let Some(Value::Array(order)) = patch.shift_remove(&directive) else { return fail(BAD) };
        let key = &directive[ORDER.len()..];
        let old = match original.get(key) {
            Some(Value::Array(list)) => Some(list.clone()),
            Some(_) => return fail(BAD),
            None => None,
        };
        let new = match patch.get(key) {
            Some(Value::Array(list)) => Some(list.clone()),
            Some(_) => return fail(BAD),
            None => None,
        };
        let meta = lookup_list(kind, key)?;
        let patch_list = new.clone();
        check_order(new.as_deref().unwrap_or_default(), &order, meta.merge_key)?;
        let merged = match (&old, new) {
            (Some(old), None) => old.clone(),
            (None, Some(new)) => new.into_iter().filter_map(without_directives).collect(),
            (Some(old), Some(new)) if meta.merges => merge_list(old.clone(), new, &meta, false)?,
            (Some(_), Some(new)) => new,
            (None, None) => continue,
        };
        let (in_order, rest) = partition(merged, &order, meta.merge_key)?;
        let old = reused(old.unwrap_or_default(), patch_list.as_deref(), meta.merge_key);
        original.insert(
            key.to_owned(),
            Value::Array(arrange(in_order, rest, &order, &old, meta.merge_key)),
        );
        patch.shift_remove(key);
    }
    Ok(())
}

fn merge_list(
    original: Vec<Value>,
    patch: Vec<Value>,
    meta: &Meta,
    deletes: bool,
) -> Result<Vec<Value>> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    check_items(original.iter().chain(&patch))?;
    let is_map = original.iter().chain(&patch).next().is_some_and(Value::is_object);
    if !is_map {
        if deletes {
            return Ok(original.into_iter().filter(|item| !patch.contains(item)).collect());
        }
        let merged = without_duplicates(original.iter().chain(&patch).cloned().collect());
        let (in_patch, rest) = partition(merged, &patch, "")?;
        return Ok(arrange(in_patch, rest, &patch, &original, ""));
    }
    if meta.merge_key.is_empty() {
        return fail("lists of maps without a merge key cannot be merged");
    }
    let (original, patch) = apply_item_directives(original, patch, meta.merge_key)?;
    let merged = merge_items(original.clone(), &patch, meta)?;
    let (in_patch, rest) = partition(merged, &patch, meta.merge_key)?;
    Ok(arrange(in_patch, rest, &patch, &original, meta.merge_key))
}

fn check_items<'a>(items: impl Iterator<Item = &'a Value>) -> Result<()> {
    let mut first = None;
    for item in items {
        if item.is_array() {
            return fail("lists of lists are not supported");
        }
        let kind = std::mem::discriminant(item);
        if *first.get_or_insert(kind) != kind {
            return fail("the items of a list are of several types");
        }
    }
    Ok(())
}

/// Drops later copies as apimachinery does: the last item takes the place of a copy.
fn without_duplicates(mut items: Vec<Value>) -> Vec<Value> {
    let mut at = 0;
    while at < items.len() {
        let mut other = at + 1;
        while other < items.len() {
            if items[other] == items[at] {
                items.swap_remove(other);
            } else {
                other += 1;
            }
        }
        at += 1;
    }
    items
}

/// Carries out `$patch` in items: `delete` takes the item out, `replace` replaces the list.
fn apply_item_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>)> {
    let mut plain = Vec::new();
    let mut replaces = false;
    for item in patch {
        match item.get(DIRECTIVE).map(|directive| (directive, directive.as_str())) {
            None => plain.push(item),
            Some((_, Some("delete"))) => {
                let key = key_of(&item, merge_key)?;
                original.retain(|old| old.get(merge_key) != Some(key));
            }
            Some((_, Some("replace"))) => replaces = true,
            Some((directive, _)) => {
                return fail(format!("unknown patch type {directive} in a list"));
            }
        }
    }
    Ok(if replaces { (plain, Vec::new()) } else { (original, plain) })
}

fn merge_items(mut items: Vec<Value>, patch: &[Value], meta: &Meta) -> Result<Vec<Value>> {
    for item in patch {
        let key = key_of(item, meta.merge_key)?;
        let found = items.iter_mut().find(|old| old.get(meta.merge_key) == Some(key));
        match (found, item) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                *old = merge_map(std::mem::take(old), new.clone(), meta.kind)?;
            }
            _ => items.push(item.clone()),
        }
    }
    Ok(items)
}
