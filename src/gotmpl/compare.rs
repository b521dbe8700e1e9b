//! Go's truth, equality and order.

use std::cmp::Ordering;

use super::value::Value;

/// Reports whether a value is true: not zero, not empty, not nil.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Missing | Value::Nil => false,
        Value::Bool(value) => *value,
        Value::Int(value, _) => *value != 0,
        Value::Uint(value, _) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Str(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::Object(object) => object.is_true(),
    }
}

/// What `eq` and `lt` can compare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Uint,
    Float,
    Str,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(..) => Kind::Int,
        Value::Uint(..) => Kind::Uint,
        Value::Float(_) => Kind::Float,
        Value::Str(_) => Kind::Str,
        _ => Kind::Other,
    }
}

/// Compares as `eq` does with one argument.
///
/// # Errors
/// When the types cannot be compared; nil can be compared with everything.
#[expect(clippy::float_cmp, reason = "what Go does")]
pub fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Str(left), Value::Str(right)) => Ok(left == right),
        (Value::Int(..) | Value::Uint(..), Value::Int(..) | Value::Uint(..)) => {
            Ok(integer_order(left, right) == Some(Ordering::Equal))
        }
        _ if kind(left) == Kind::Other && kind(right) == Kind::Other => equal_others(left, right),
        _ if left.is_nil() || right.is_nil() => Ok(false),
        _ => Err(incompatible(left, right)),
    }
}

/// Compares what is neither boolean, number nor string: equal only where one is nil.
fn equal_others(left: &Value, right: &Value) -> Result<bool, String> {
    if !left.is_nil() && !right.is_nil() && left.kind_name() != right.kind_name() {
        return Err(format!("non-comparable types: {}, {}", left.type_name(), right.type_name()));
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    Err(format!("non-comparable type: {}", right.type_name()))
}

/// Reports whether a value is nil, or a nil of its type.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::Missing | Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

/// Reports whether the left value comes before the right, as `lt` does.
///
/// # Errors
/// When the types have no order.
pub fn less(left: &Value, right: &Value) -> Result<bool, String> {
    const BAD: &str = "invalid type for comparison";
    if kind(left) == Kind::Other || kind(right) == Kind::Other {
        return Err(BAD.into());
    }
    match (left, right) {
        (Value::Bool(_), Value::Bool(_)) => Err(BAD.into()),
        (Value::Float(left), Value::Float(right)) => Ok(left < right),
        (Value::Str(left), Value::Str(right)) => Ok(left < right),
        (Value::Int(..) | Value::Uint(..), Value::Int(..) | Value::Uint(..)) => {
            Ok(integer_order(left, right) == Some(Ordering::Less))
        }
        _ => Err(incompatible(left, right)),
    }
}

fn integer_order(left: &Value, right: &Value) -> Option<Ordering> {
    Some(integer(left)?.cmp(&integer(right)?))
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Int(value, _) => Some(i128::from(*value)),
        Value::Uint(value, _) => Some(i128::from(*value)),
        _ => None,
    }
}

fn incompatible(left: &Value, right: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name())
}
