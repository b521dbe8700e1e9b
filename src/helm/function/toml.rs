//! TOML, written as the encoder that Helm uses writes it.

use std::fmt::Write;

use crate::gotmpl::{Failure, Map, Meter, Text, Value, format_float};

/// Writes a map: plain keys first, then tables, each sorted.
///
/// # Errors
/// When the value is no map, holds nil where TOML cannot, or holds itself.
pub fn to_toml(meter: &Meter, value: &Value) -> Result<String, Failure> {
    let mut writer = Writer { meter, out: String::new() };
    match value {
        Value::Map(map) => writer.table(map, &mut Vec::new(), 0)?,
        // Of nil even the function that gives every error as a text makes an error.
        value if value.is_nil() => return Err(Failure::Limit("nil has no form in TOML".into())),
        value => writer.inline(value, 0)?,
    }
    meter.string(writer.out.len())?;
    Ok(writer.out)
}

struct Writer<'a> {
    meter: &'a Meter,
    out: String,
}

/// How a value stands in its table.
enum Shape {
    Plain,
    Table,
    Tables,
}

fn shape(value: &Value) -> Shape {
    match value {
        Value::Map(_) => Shape::Table,
        Value::List(list)
            if !list.is_empty()
                && list.items().iter().all(|item| matches!(item, Value::Map(_))) =>
        {
            Shape::Tables
        }
        _ => Shape::Plain,
    }
}

/// Reports whether an entry is left out.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.is_nil(),
        Value::List(list) => list.is_nil(),
        value => value.is_nil(),
    }
}

impl Writer<'_> {
    fn table(&mut self, map: &Map, path: &mut Vec<String>, depth: usize) -> Result<(), Failure> {
        self.meter.nesting(depth)?;
        if self.out.len() > self.meter.limits().output {
            return Err(Failure::Limit("a text that is too large".into()));
        }
        let entries: Vec<(Text, Value)> =
            map.to_vec().into_iter().filter(|(_, value)| !is_nil(value)).collect();
        let (plain, tables): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, value)| matches!(shape(value), Shape::Plain));
        let indent = "  ".repeat(path.len());
        for (key, value) in &plain {
            let _ = write!(self.out, "{indent}{} = ", key_text(&key.to_str()));
            self.inline(value, depth + 1)?;
            self.out.push('\n');
        }
        for (key, value) in &tables {
            path.push(key_text(&key.to_str()));
            match value {
                Value::Map(inner) => {
                    self.header(path, "[", "]");
                    self.table(inner, path, depth + 1)?;
                }
                Value::List(list) => {
                    for item in list.items() {
                        if let Value::Map(inner) = item {
                            self.header(path, "[[", "]]");
                            self.table(inner, path, depth + 1)?;
                        }
                    }
                }
                _ => {}
            }
            path.pop();
        }
        Ok(())
    }

    fn header(&mut self, path: &[String], open: &str, close: &str) {
        if !self.out.is_empty() && (path.len() == 1 || open == "[[") {
            self.out.push('\n');
        }
        let _ =
            writeln!(self.out, "{}{open}{}{close}", "  ".repeat(path.len() - 1), path.join("."));
    }

    fn inline(&mut self, value: &Value, depth: usize) -> Result<(), Failure> {
        self.meter.nesting(depth)?;
        match value {
            Value::Bool(flag) => {
                let _ = write!(self.out, "{flag}");
            }
            Value::Int(number, _) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Uint(number, _) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.out.push_str(&float_text(*number)),
            Value::Str(text) => self.out.push_str(&string_text(&text.to_str())),
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
                let _ = write!(self.out, "[{}]", numbers.join(", "));
            }
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.items().iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.inline(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => {
                self.out.push('{');
                let entries: Vec<_> =
                    map.to_vec().into_iter().filter(|(_, value)| !value.is_nil()).collect();
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    let _ = write!(self.out, "{} = ", key_text(&key.to_str()));
                    self.inline(value, depth + 1)?;
                }
                self.out.push('}');
            }
            Value::Missing | Value::Nil => {
                return Err("toml: cannot encode array with nil element".into());
            }
            other @ Value::Object(_) => self
                .out
                .push_str(&string_text(&crate::gotmpl::display(self.meter, other)?.to_str())),
        }
        Ok(())
    }
}

fn key_text(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { key.to_owned() } else { string_text(key) }
}

fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+inf".into() } else { "-inf".into() };
    }
    let text = format_float(number, 'g', None);
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

fn string_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads a document.
///
/// # Errors
/// When it is no TOML.
pub fn from_toml(meter: &Meter, text: &str) -> Result<Value, Failure> {
    meter.string(text.len())?;
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    Ok(from_value(&toml::Value::Table(table)))
}

fn from_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::str(text.as_str()),
        toml::Value::Integer(number) => Value::int64(*number),
        toml::Value::Float(number) => Value::Float(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(date) => Value::str(date.to_string()),
        toml::Value::Array(items) => Value::list(items.iter().map(from_value).collect()),
        toml::Value::Table(entries) => Value::map(
            entries.iter().map(|(key, value)| (Text::from(key.as_str()), from_value(value))),
        ),
    }
}
