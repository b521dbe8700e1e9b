//! Merging maps in place, as the library `mergo` that sprig uses does.

use crate::gotmpl::{Failure, Map, Meter, Value, is_true};

/// Merges a map into another, in place.
///
/// Without `overwrite`, the destination keeps what is not empty. With it, the source wins, its zeros and nulls
/// included. A map that the destination does not have is taken over by reference: both then share it.
///
/// # Errors
/// When the maps hold themselves.
pub fn merge(meter: &Meter, into: &Map, from: &Map, overwrite: bool) -> Result<(), Failure> {
    merge_at(meter, into, from, overwrite, 0)
}

fn merge_at(
    meter: &Meter,
    into: &Map,
    from: &Map,
    overwrite: bool,
    depth: usize,
) -> Result<(), Failure> {
    meter.nesting(depth)?;
    if into.is_same(from) {
        return Ok(());
    }
    for (key, new) in from.to_vec() {
        meter.step(1)?;
        let old = into.get(&key);
        if new.is_nil() {
            if overwrite {
                into.set(key, Value::Nil)?;
            }
            continue;
        }
        let keeps = old.as_ref().is_some_and(|old| !is_empty(old));
        match (&new, &old) {
            (Value::Map(new), Some(Value::Map(old))) => {
                if !old.is_nil() {
                    merge_at(meter, old, new, overwrite, depth + 1)?;
                }
                // An empty map that was filled here stays a map of its own.
                if !old.is_empty() {
                    continue;
                }
            }
            (Value::List(_) | Value::Bytes(_), _) if keeps => {
                if overwrite {
                    into.set(key, new)?;
                }
                continue;
            }
            _ => {}
        }
        if overwrite || !keeps {
            into.set(key, new)?;
        }
    }
    Ok(())
}

/// Reports what sprig and mergo call empty: nil, zero, no length.
pub fn is_empty(value: &Value) -> bool {
    !is_true(value)
}
