//! Loose conversions between values, as the library `cast` that sprig uses makes them.

use crate::gotmpl::{Failure, Int, Meter, Text, Value, display, parse_float, parse_int};

/// Turns a value into an integer; what is no number becomes 0.
pub fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(_, Int::Duration) => 0,
        Value::Int(number, _) => *number,
        #[expect(clippy::cast_possible_wrap, reason = "Go wraps too")]
        Value::Uint(number, _) => *number as i64,
        Value::Float(number) => float_to_int(*number),
        Value::Bool(flag) => i64::from(*flag),
        Value::Str(text) => parse_int(without_zero_decimals(&text.to_str())).unwrap_or(0),
        _ => 0,
    }
}

/// Converts as Go's compiled code does: what does not fit becomes the smallest integer.
#[expect(clippy::cast_possible_truncation, reason = "range is checked")]
fn float_to_int(number: f64) -> i64 {
    if number.is_nan() || !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&number) {
        return i64::MIN;
    }
    number as i64
}

/// Takes `.0`, `.00` and the like off a number.
fn without_zero_decimals(text: &str) -> &str {
    let trimmed = text.trim_end_matches('0');
    match trimmed.strip_suffix('.') {
        Some(whole) if trimmed.len() < text.len() => whole,
        _ => text,
    }
}

/// Turns a value into a float; what is no number becomes 0.
#[expect(clippy::cast_precision_loss, reason = "Go loses it too")]
pub fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(_, Int::Duration) => 0.0,
        Value::Int(number, _) => *number as f64,
        Value::Uint(number, _) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Str(text) => parse_float(&text.to_str()).unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Turns a value into a string: strings and bytes as they are, others as `%v`.
///
/// # Errors
/// When the text is too large or the value holds itself.
pub fn to_text(meter: &Meter, value: &Value) -> Result<Text, Failure> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Bytes(bytes) => {
            meter.string(bytes.len())?;
            Ok(Text::from_bytes(bytes.to_vec()))
        }
        Value::Missing => display(meter, &Value::Nil),
        other => display(meter, other),
    }
}

/// Turns a value into strings: items without nil, or the value itself as the only one.
///
/// # Errors
/// When the text is too large or the value holds itself.
pub fn to_texts(meter: &Meter, value: &Value) -> Result<Vec<Text>, Failure> {
    match value {
        Value::List(list) => {
            meter.items(list.len())?;
            list.items()
                .iter()
                .filter(|item| !item.is_nil())
                .map(|item| to_text(meter, item))
                .collect()
        }
        Value::Bytes(_) => {
            let items = super::arg::items(value, "list")?;
            meter.items(items.len())?;
            items.iter().map(|item| to_text(meter, item)).collect()
        }
        Value::Object(object) if object.kind_name() == "slice" => {
            super::arg::items(value, "list")?.iter().map(|item| to_text(meter, item)).collect()
        }
        value if value.is_nil() => Ok(Vec::new()),
        other => Ok(vec![to_text(meter, other)?]),
    }
}
