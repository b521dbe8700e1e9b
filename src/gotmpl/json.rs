//! Plain data from and to JSON values.

use serde_json::{Number, Value as Json};

use super::function::Failure;
use super::list::{Elem, List};
use super::map::{Map, MapKind};
use super::meter::Meter;
use super::value::Value;

impl Value {
    /// Turns a JSON value into what Go's decoders make of it: every number a `float64`.
    ///
    /// The value must not nest deeper than the stack allows, which readers of files see to.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::INFINITY)),
            Json::String(text) => Self::str(text.as_str()),
            Json::Array(items) => {
                Self::List(List::new(Elem::Any, items.iter().map(Self::from_json).collect()))
            }
            Json::Object(entries) => Self::Map(Map::new(
                MapKind::Any,
                entries
                    .iter()
                    .map(|(key, value)| (key.as_str().into(), Self::from_json(value)))
                    .collect(),
            )),
        }
    }

    /// Turns the value into JSON as Go's encoder does: bytes in base 64, text with U+FFFD for what is not UTF-8.
    ///
    /// # Errors
    /// When a number is not finite, or the value holds itself.
    pub fn to_json(&self, meter: &Meter) -> Result<Json, Failure> {
        to_json(self, meter, 0)
    }
}

fn to_json(value: &Value, meter: &Meter, depth: usize) -> Result<Json, Failure> {
    Ok(match value {
        Value::Missing | Value::Nil => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value, _) => Json::Number((*value).into()),
        Value::Uint(value, _) => Json::Number((*value).into()),
        Value::Float(value) => Json::Number(Number::from_f64(*value).ok_or_else(|| {
            format!("json: unsupported value: {}", super::float::display_float(*value))
        })?),
        Value::Str(text) => {
            meter.string(text.len())?;
            Json::String(text.to_str().into_owned())
        }
        Value::Bytes(bytes) => {
            meter.string(bytes.len().saturating_mul(2))?;
            Json::String(base64(bytes))
        }
        Value::List(list) if list.is_nil() => Json::Null,
        Value::List(list) => {
            meter.nesting(depth)?;
            meter.items(list.len())?;
            Json::Array(
                list.items()
                    .iter()
                    .map(|item| to_json(item, meter, depth + 1))
                    .collect::<Result<_, _>>()?,
            )
        }
        Value::Map(map) if map.is_nil() => Json::Null,
        Value::Map(map) => {
            meter.nesting(depth)?;
            meter.items(map.len())?;
            let entries = map.entries();
            let entries = entries.iter().map(|(key, value)| {
                to_json(value, meter, depth + 1).map(|value| (key.to_str().into_owned(), value))
            });
            Json::Object(entries.collect::<Result<_, _>>()?)
        }
        Value::Object(object) => {
            meter.nesting(depth)?;
            to_json(&object.data(), meter, depth + 1)?
        }
    })
}

/// Writes bytes in standard base 64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let block =
            [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let bits = u32::from(block[0]) << 16 | u32::from(block[1]) << 8 | u32::from(block[2]);
        for index in 0..4 {
            if index <= chunk.len() {
                out.push(char::from(DIGITS[(bits >> (18 - 6 * index) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}
