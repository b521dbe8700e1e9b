//! Handed-over fields: sent when an object is created, and then left to another manager.

use serde_json::Value;

use super::equal::is_empty;
use super::other_owners;
use super::set::{FieldSet, Node};

/// An object without the handed-over fields that another manager owns live.
///
/// `pointers` are JSON pointers (RFC 6901) in which `*` stands for every item of a list, such as
/// `/webhooks/*/clientConfig/caBundle`. A field is another's if his set holds its path, or
/// something around it as a whole; of a mapping or list, what is below it and his goes alone.
/// Items are found by [`PathElement::fits`](super::PathElement::fits), so that an autoscaler's
/// `spec.replicas`, or the `caBundle` that istiod has patched in, stays as it is live. Nothing is
/// taken out where nothing is live: somebody must give the field its first value.
pub fn hand_over(
    desired: &Value,
    live: Option<&Value>,
    pointers: &[String],
    manager: &str,
) -> Value {
    let mut rest = desired.clone();
    let owners = live.map(|live| other_owners(live, manager)).unwrap_or_default();
    for (_, set) in &owners {
        for pointer in pointers {
            release(&mut rest, &steps(pointer), set);
        }
    }
    rest
}

/// A value without its handed-over fields, whoever owns them: what two values are compared by.
///
/// `pointers` as for [`hand_over`].
pub fn without_handed_over(value: &Value, pointers: &[String]) -> Value {
    let mut rest = value.clone();
    for pointer in pointers {
        remove(&mut rest, &steps(pointer));
    }
    rest
}

fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// The items of a list that a step means.
fn meant<'a>(
    items: &'a mut [Value],
    step: &'a str,
) -> impl DoubleEndedIterator<Item = (usize, &'a mut Value)> {
    let place: Option<usize> = step.parse().ok();
    items.iter_mut().enumerate().filter(move |(index, _)| step == "*" || place == Some(*index))
}

fn remove(value: &mut Value, steps: &[String]) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    match value {
        Value::Object(map) if rest.is_empty() => {
            map.shift_remove(step);
        }
        Value::Object(map) => {
            if let Some(value) = map.get_mut(step) {
                remove(value, rest);
            }
        }
        Value::Array(items) if rest.is_empty() => {
            let gone: Vec<usize> = meant(items, step).map(|(index, _)| index).collect();
            take_out(items, &gone);
        }
        Value::Array(items) => meant(items, step).for_each(|(_, item)| remove(item, rest)),
        _ => {}
    }
}

/// Removes what the steps mean and the set holds.
fn release(value: &mut Value, steps: &[String], set: &FieldSet) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    match value {
        Value::Object(map) => {
            let (Some(node), Some(value)) = (set.field(step), map.get_mut(step)) else {
                return;
            };
            if release_at(value, rest, node) {
                map.shift_remove(step);
            }
        }
        Value::Array(items) => {
            let mut gone = Vec::new();
            for (index, item) in meant(items, step) {
                if let Some(node) = set.item(item, index)
                    && release_at(item, rest, node)
                {
                    gone.push(index);
                }
            }
            take_out(items, &gone);
        }
        _ => {}
    }
}

/// Whether the value is to go as a whole.
fn release_at(value: &mut Value, rest: &[String], node: &Node) -> bool {
    match (rest.is_empty(), node.is_leaf()) {
        (true, true) => return true,
        (true, false) => return release_all(value, &node.below),
        (false, true) => remove(value, rest),
        (false, false) => release(value, rest, &node.below),
    }
    false
}

/// Removes all that the set holds; whether nothing is left.
fn release_all(value: &mut Value, set: &FieldSet) -> bool {
    match value {
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            for key in keys {
                if let (Some(node), Some(value)) = (set.field(&key), map.get_mut(&key))
                    && release_at(value, &[], node)
                {
                    map.shift_remove(&key);
                }
            }
        }
        Value::Array(items) => {
            let mut gone = Vec::new();
            for (index, item) in items.iter_mut().enumerate() {
                if let Some(node) = set.item(item, index)
                    && release_at(item, &[], node)
                {
                    gone.push(index);
                }
            }
            take_out(items, &gone);
        }
        _ => return false,
    }
    is_empty(value)
}

fn take_out(items: &mut Vec<Value>, gone: &[usize]) {
    for index in gone.iter().rev() {
        items.remove(*index);
    }
}
