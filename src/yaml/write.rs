//! The canonical form: the only YAML that meshgen writes into files.
//!
//! Two spaces, no folding, no anchors, no comments, lists at the indent of their key. A string is
//! written plain only when every known reader takes it for a string, as a literal block where it
//! has a line end and no reader would change it, else in double quotes. The form is part of every
//! content address: a change of one byte here renames every artifact.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use super::scalar::{is_literal_safe, is_plain_safe, turns};

/// Writes a Kubernetes object, or any other document: keys sorted by bytes, save that `apiVersion`,
/// `kind`, `metadata`, and in `metadata` the `name`, `namespace`, `labels`, `annotations`, come
/// first. Ends with a line end.
pub fn canonical(value: &Value) -> String {
    let mut out = String::with_capacity(512);
    match value {
        Value::Object(map) if !map.is_empty() => object(&mut out, map),
        _ => top(&mut out, value),
    }
    out
}

/// Writes a mapping with its keys in the order given, for files that people read top-down.
pub fn write_map(map: &Map<String, Value>) -> String {
    let mut out = String::new();
    if map.is_empty() {
        return "{}\n".to_owned();
    }
    entries(&mut out, map.iter(), 0, Order::Given);
    out
}

/// Writes a value on one line: plain or quoted scalars, and `[a, b]`, `{a: b}` for collections.
pub fn inline(value: &Value) -> String {
    let mut out = String::new();
    flow(&mut out, value);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Sorted,
    Given,
}

const OBJECT_FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];
const METADATA_FIRST: [&str; 4] = ["name", "namespace", "labels", "annotations"];

fn top(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) if !items.is_empty() => list(out, items, 0, Order::Sorted),
        Value::String(text) if is_literal_safe(text) => {
            literal(out, text, 1);
        }
        _ => {
            flow(out, value);
            out.push('\n');
        }
    }
}

fn object(out: &mut String, map: &Map<String, Value>) {
    for (key, value) in ordered(map, &OBJECT_FIRST) {
        match (key, value) {
            ("metadata", Value::Object(metadata)) if !metadata.is_empty() => {
                out.push_str("metadata:\n");
                entries(out, ordered(metadata, &METADATA_FIRST).into_iter(), 1, Order::Sorted);
            }
            _ => entries(out, std::iter::once((key, value)), 0, Order::Sorted),
        }
    }
}

fn ordered<'a>(map: &'a Map<String, Value>, first: &[&str]) -> Vec<(&'a str, &'a Value)> {
    let rank = |key: &str| first.iter().position(|one| *one == key).unwrap_or(first.len());
    let mut pairs: Vec<_> = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    pairs.sort_by(|a, b| rank(a.0).cmp(&rank(b.0)).then_with(|| a.0.cmp(b.0)));
    pairs
}

/// Bytes of a key that stands before its colon. YAML's readers look no further than 1,024 characters
/// for the colon, unless a `?` says that a key begins.
const MAX_KEY: usize = 1000;

fn entries<'a, K: AsRef<str> + 'a>(
    out: &mut String,
    pairs: impl Iterator<Item = (K, &'a Value)>,
    indent: usize,
    order: Order,
) {
    for (key, value) in pairs {
        pad(out, indent);
        let start = out.len();
        string(out, key.as_ref());
        if out.len() - start > MAX_KEY {
            out.insert_str(start, "? ");
            out.push('\n');
            pad(out, indent);
        }
        out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                nested(out, map, indent + 1, order);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, indent, order);
            }
            _ => {
                out.push(' ');
                scalar(out, value, indent + 1);
            }
        }
    }
}

fn nested(out: &mut String, map: &Map<String, Value>, indent: usize, order: Order) {
    match order {
        Order::Sorted => entries(out, ordered(map, &[]).into_iter(), indent, order),
        Order::Given => entries(out, map.iter(), indent, order),
    }
}

fn list(out: &mut String, items: &[Value], indent: usize, order: Order) {
    for item in items {
        pad(out, indent);
        out.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => {
                // the first key stands beside the dash, the rest below it
                let start = out.len();
                nested(out, map, indent + 1, order);
                out.replace_range(start..start + 2 * (indent + 1), " ");
            }
            Value::Array(inner) if !inner.is_empty() => {
                let start = out.len();
                list(out, inner, indent + 1, order);
                out.replace_range(start..start + 2 * (indent + 1), " ");
            }
            _ => {
                out.push(' ');
                scalar(out, item, indent + 1);
            }
        }
    }
}

/// A scalar or empty collection after `key: ` or `- `, with its line end.
fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(text) if is_literal_safe(text) => literal(out, text, indent),
        _ => {
            flow(out, value);
            out.push('\n');
        }
    }
}

fn literal(out: &mut String, text: &str, indent: usize) {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|\n", body),
        None => ("|-\n", text),
    };
    out.push_str(header);
    for line in body.split('\n') {
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn flow(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(value) => number(out, value),
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flow(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in ordered(map, &[]).into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                string(out, key);
                out.push_str(": ");
                flow(out, item);
            }
            out.push('}');
        }
    }
}

/// Integers in decimal; fractions in the shortest form that reads back equal, with a point and a
/// signed exponent (`1.0e+21`), because `1e21` is a string to some readers.
fn number(out: &mut String, number: &Number) {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        None => out.push_str(&text),
        Some((mantissa, exponent)) => {
            out.push_str(mantissa);
            if !mantissa.contains('.') {
                out.push_str(".0");
            }
            out.push('e');
            if !exponent.starts_with(['+', '-']) {
                out.push('+');
            }
            out.push_str(exponent);
        }
    }
}

fn string(out: &mut String, text: &str) {
    if is_plain_safe(text) {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if turns(character) => escaped(out, character as u32),
            ' '..='~'
            | '\u{A1}'..='\u{2027}'
            | '\u{202A}'..='\u{D7FF}'
            | '\u{E000}'..='\u{FEFE}'
            | '\u{FF00}'..='\u{FFFD}' => out.push(character),
            _ => escaped(out, character as u32),
        }
    }
    out.push('"');
}

fn escaped(out: &mut String, code: u32) {
    let written = match code {
        0..=0xFF => write!(out, "\\x{code:02X}"),
        0x100..=0xFFFF => write!(out, "\\u{code:04X}"),
        _ => write!(out, "\\U{code:08X}"),
    };
    written.expect("writing into a string cannot fail");
}

fn pad(out: &mut String, indent: usize) {
    for _ in 0..indent {
        out.push_str("  ");
    }
}
