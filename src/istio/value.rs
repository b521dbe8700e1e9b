//! How Go reads a value from text, and prints one with `%v`.

use serde_json::{Number, Value};

use super::path;
use crate::helm::{display_float, parse_float};

/// Types the text of a setting: integer, float, boolean, else a string in which `\,` is a comma.
///
/// `None` for a float that is not finite, which JSON does not hold.
pub(super) fn typed(text: &str) -> Option<Value> {
    if let Some(int) = path::integer(text) {
        return Some(int.into());
    }
    if let Some(float) = parse_float(text) {
        return Number::from_f64(float).map(Value::Number);
    }
    Some(match text {
        "t" | "T" | "true" | "TRUE" | "True" => true.into(),
        "f" | "F" | "false" | "FALSE" | "False" => false.into(),
        _ => text.replace("\\,", ",").into(),
    })
}

/// Prints a value as Go's `%v` does.
pub(super) fn display(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => display_float(float),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(display).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}:{}", display(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{display, typed};

    #[test]
    fn texts_are_typed_as_go_does() {
        let cases = [
            ("1", json!(1)),
            ("+1", json!(1)),
            ("-7", json!(-7)),
            ("007", json!(7)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            ("1.20", json!(1.2)),
            (".5", json!(0.5)),
            ("0x10", json!("0x10")),
            ("t", json!(true)),
            ("False", json!(false)),
            ("tRUE", json!("tRUE")),
            ("", json!("")),
            ("a\\,b", json!("a,b")),
            ("1-27", json!("1-27")),
            ("99999999999999999999", json!(1e20)),
        ];
        for (text, expected) in cases {
            assert_eq!(typed(text), Some(expected), "{text:?}");
        }
        assert_eq!(typed("inf"), None);
    }

    #[test]
    fn values_print_as_go_prints_them() {
        assert_eq!(display(&Value::Null), "<nil>");
        assert_eq!(display(&json!(1_000_000.0)), "1e+06");
        assert_eq!(display(&json!([1.0, "a", {"b": true}])), "[1 a map[b:true]]");
    }
}
