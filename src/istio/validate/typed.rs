//! Values against Go structs, as Go's JSON decoder takes them when it refuses unknown fields.

use serde_json::Value;

use super::fault::{Fault, Path};
use crate::istio::quantity::Quantity;
use crate::istio::schema::{self, Field, Type};

/// How values are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Unknown fields are refused.
    Strict,
    /// Unknown fields are let pass.
    Lenient,
    /// Unknown fields are refused, and what should be a string may be a number or a boolean: YAML on its way to a type.
    Yaml,
}

/// Finds what does not fit a type. Null fits every type.
pub(super) fn check(value: &Value, kind: Type, mode: Mode, path: &Path, faults: &mut Vec<Fault>) {
    if value.is_null() {
        return;
    }
    let expected = match (kind, value) {
        (Type::Any, _)
        | (Type::Bool, Value::Bool(_))
        | (Type::Text | Type::IntOrString, Value::String(_))
        | (Type::Float, Value::Number(_)) => return,
        (Type::Text, Value::Number(_) | Value::Bool(_)) if mode == Mode::Yaml => return,
        (Type::List(item), Value::Array(items)) => {
            for (index, value) in items.iter().enumerate() {
                check(value, *item, mode, &path.index(index), faults);
            }
            return;
        }
        (Type::Map(item), Value::Object(map)) => {
            for (key, value) in map {
                check(value, *item, mode, &path.key(key), faults);
            }
            return;
        }
        (Type::Struct(name), Value::Object(map)) => {
            let fields = schema::fields(name).unwrap_or_default();
            for (key, value) in map {
                let path = path.key(key);
                match schema::find(fields, key) {
                    Some(field) => check(value, field.kind, mode, &path, faults),
                    None if mode == Mode::Lenient => {}
                    None => faults.push(path.fault(unknown(key, fields))),
                }
            }
            return;
        }
        (Type::Integer(min, max), Value::Number(number)) => {
            if integer(number).is_some_and(|number| (min..=max).contains(&number)) {
                return;
            }
            "a whole number in the range of its type"
        }
        (Type::IntOrString, Value::Number(number)) => {
            if integer(number).is_some_and(|number| i32::try_from(number).is_ok()) {
                return;
            }
            "a whole number of 32 bits, or a string"
        }
        (Type::Quantity, value) => {
            if Quantity::of(value).is_some() {
                return;
            }
            "a quantity such as `500m` or `1Gi`"
        }
        (Type::Bool, _) => "true or false",
        (Type::Text, _) => "a string: put it in quotes",
        (Type::Integer(..) | Type::Float, _) => "a number",
        (Type::IntOrString, _) => "a number or a string",
        (Type::List(_), _) => "a list",
        (Type::Map(_) | Type::Struct(_), _) => "a map",
    };
    faults.push(path.fault(format!("it must be {expected}")));
}

/// A number that Go writes without a point.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub(super) fn integer(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9.2e18).then_some(float as i64)
    })
}

fn unknown(key: &str, fields: &[Field]) -> String {
    unknown_key(key, fields.iter().map(|field| field.name))
}

/// What is said of a key that nothing knows: the nearest known one, or all of a few.
pub(super) fn unknown_key<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = |name: &&&str| {
        let same = name.chars().zip(key.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
        let same = same.count();
        same >= 3 && same * 2 >= key.len().max(name.len())
    };
    match known.iter().find(near) {
        Some(name) => format!("unknown field; did you mean `{name}`?"),
        None if known.len() <= 8 && !known.is_empty() => {
            format!("unknown field; there are `{}`", known.join("`, `"))
        }
        None => "unknown field".to_owned(),
    }
}
