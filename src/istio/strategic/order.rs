//! The order of merged lists.

use serde_json::Value;

use super::{DIRECTIVE, Result, fail};

pub(super) fn key_of<'a>(item: &'a Value, merge_key: &str) -> Result<&'a Value> {
    match item.get(merge_key) {
        Some(value) => Ok(value),
        None => fail(format!("map: {item} does not contain declared merge key: {merge_key}")),
    }
}

/// The object's list as it is once apimachinery has merged into it: items are taken out and added in its own memory, so
/// that its order, which is looked at once more, is that of what happens to lie there.
pub(super) fn reused(mut list: Vec<Value>, patch: Option<&[Value]>, merge_key: &str) -> Vec<Value> {
    let Some(patch) = patch.filter(|_| !merge_key.is_empty()) else { return list };
    let before = list.clone();
    let mut len = list.len();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_some_and(|word| word == "delete"))
    {
        while let Some(at) = list[..len].iter().position(|other| same(item, other, merge_key)) {
            list[at..len].rotate_left(1);
            // what is moved up leaves a copy of itself at the end
            len -= 1;
            if at < len {
                list[len] = list[len - 1].clone();
            }
        }
    }
    if patch.iter().any(|item| item.get(DIRECTIVE).is_some_and(|word| word == "replace")) {
        return list;
    }
    let is_new = |item: &&Value| {
        item.get(DIRECTIVE).is_none() && !before.iter().any(|other| same(item, other, merge_key))
    };
    for (place, item) in list[len..].iter_mut().zip(patch.iter().filter(is_new)) {
        *place = item.clone();
    }
    list
}

/// The items of a patch must stand in the order that it asks for.
pub(super) fn check_order(patch: &[Value], order: &[Value], merge_key: &str) -> Result<()> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut wanted = order.iter();
    let is_special = |item: &&Value| item.get(DIRECTIVE).is_none();
    for item in patch.iter().filter(is_special) {
        if !wanted.any(|other| same(item, other, merge_key)) {
            return fail("the order in the patch's list is not that of its $setElementOrder list");
        }
    }
    Ok(())
}

/// Splits a merged list into what another list has, and the rest.
pub(super) fn partition(
    merged: Vec<Value>,
    by: &[Value],
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>)> {
    if !merge_key.is_empty() {
        merged.iter().try_for_each(|item| key_of(item, merge_key).map(drop))?;
    }
    Ok(merged.into_iter().partition(|item| by.iter().any(|other| same(item, other, merge_key))))
}

pub(super) fn same(a: &Value, b: &Value, merge_key: &str) -> bool {
    if merge_key.is_empty() {
        return a == b;
    }
    a.get(merge_key).is_some_and(|key| b.get(merge_key) == Some(key))
}

/// Brings both parts together: the patch's items in its order, the others in the object's. Of two heads the object's
/// goes first only where the object had both, and it earlier.
pub(super) fn arrange(
    mut patch: Vec<Value>,
    mut rest: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    merge_key: &str,
) -> Vec<Value> {
    let index =
        |list: &[Value], item: &Value| list.iter().position(|other| same(other, item, merge_key));
    patch.sort_by_key(|item| index(patch_order, item));
    rest.sort_by_key(|item| index(server_order, item));
    let mut merged = Vec::with_capacity(patch.len() + rest.len());
    let (mut patch, mut rest) = (patch.into_iter().peekable(), rest.into_iter().peekable());
    loop {
        let takes_rest = match (rest.peek(), patch.peek()) {
            (Some(own), Some(new)) => {
                let places = (index(server_order, own), index(server_order, new));
                matches!(places, (Some(own), Some(new)) if own < new)
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return merged,
        };
        merged.extend(if takes_rest { rest.next() } else { patch.next() });
    }
}
