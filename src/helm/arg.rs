//! Reads the arguments of a function, whose types the engine has checked.

use crate::gotmpl::{Failure, Map, Text, Value};

fn wrong(args: &[Value], index: usize) -> Failure {
    let found = args.get(index).map_or("nothing", Value::type_name);
    format!("argument {index} has the wrong type {found}").into()
}

/// Returns a string argument.
pub fn text(args: &[Value], index: usize) -> Result<&Text, Failure> {
    args.get(index).and_then(Value::as_text).ok_or_else(|| wrong(args, index))
}

/// Returns a string argument with U+FFFD for what is not UTF-8.
pub fn string(args: &[Value], index: usize) -> Result<std::borrow::Cow<'_, str>, Failure> {
    text(args, index).map(Text::to_str)
}

/// Returns an `int` or `int64` argument.
pub fn int(args: &[Value], index: usize) -> Result<i64, Failure> {
    match args.get(index) {
        Some(Value::Int(number, _)) => Ok(*number),
        _ => Err(wrong(args, index)),
    }
}

/// Returns a map argument.
pub fn map(args: &[Value], index: usize) -> Result<&Map, Failure> {
    args.get(index).and_then(Value::as_map).ok_or_else(|| wrong(args, index))
}

/// Returns any argument.
pub fn any(args: &[Value], index: usize) -> Result<&Value, Failure> {
    args.get(index).ok_or_else(|| wrong(args, index))
}

/// Returns the items of any list-like argument; `action` names what cannot be done with others.
pub fn items(value: &Value, action: &str) -> Result<Vec<Value>, Failure> {
    match value {
        Value::List(list) => Ok(list.items().to_vec()),
        Value::Bytes(bytes) => Ok(bytes
            .iter()
            .map(|byte| Value::Uint(u64::from(*byte), crate::gotmpl::Uint::Uint8))
            .collect()),
        Value::Object(object) if object.kind_name() == "slice" => {
            Ok(object.entries().unwrap_or_default().into_iter().map(|(_, value)| value).collect())
        }
        Value::Nil | Value::Missing => Err(format!("cannot {action} nil").into()),
        other => Err(format!("cannot {action} type {}", other.kind_name()).into()),
    }
}
