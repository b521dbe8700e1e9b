//! What a segment of an overlay's path selects in a list.

use regex::Regex;

use super::node::Node;
use crate::istio::path::{brackets, integer, split_escaped};

/// The index of `[N]`; -1 and what is beyond the end append.
pub(super) fn index(segment: &str) -> Option<i64> {
    integer(brackets(segment)?).filter(|index| *index >= -1)
}

/// Key and value of `[key:value]`.
pub(super) fn key_value(segment: &str) -> Option<(&str, &str)> {
    let parts = split_escaped(brackets(segment)?, ':');
    let [key, value] = parts[..] else { return None };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let fits = !key.is_empty() && !value.is_empty() && key.chars().all(is_plain);
    fits.then_some((key, value))
}

/// The pattern of `[:pattern]` or `[pattern]`.
fn pattern(segment: &str) -> Option<&str> {
    let inner = brackets(segment)?;
    match inner.strip_prefix(':') {
        Some(pattern) if !pattern.is_empty() => Some(pattern),
        _ => Some(inner).filter(|inner| !inner.is_empty()),
    }
}

/// The item of a list that a segment selects.
///
/// # Errors
/// When the segment does not fit an item that is looked at on the way, or no item fits.
pub(super) fn select(items: &[Node], segment: &str) -> Result<usize, String> {
    for (at, item) in items.iter().enumerate() {
        let fits = if matches!(item, Node::Map(..)) {
            let (key, value) = key_value(segment)
                .ok_or_else(|| format!("`{segment}` is not of the form [key:value]"))?;
            item.get(key).map_or_else(|| "<nil>".to_owned(), Node::display) == value
        } else {
            let pattern = pattern(segment)
                .ok_or_else(|| format!("`{segment}` is not of the form [:value]"))?;
            Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&item.display()))
        };
        if fits {
            return Ok(at);
        }
    }
    Err(format!("no element is {segment}"))
}
