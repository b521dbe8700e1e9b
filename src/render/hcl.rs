//! HCL values, and the alignment that `terraform fmt` gives.

use std::fmt::Write;

use serde_json::Value;

/// Writes a value as an HCL expression on one line.
pub(super) fn inline(value: &Value) -> String {
    let mut out = String::new();
    expression(&mut out, value);
    out
}

/// Writes a map key: bare where it is an identifier, else quoted.
pub(super) fn key(text: &str) -> String {
    const WORDS: [&str; 5] = ["true", "false", "null", "for", "if"];
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if first && rest && !WORDS.contains(&text) {
        return text.to_owned();
    }
    let mut out = String::new();
    quoted(&mut out, text);
    out
}

fn expression(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => quoted(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                expression(out, item);
            }
            out.push(']');
        }
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            out.push_str("{ ");
            for (index, (name, item)) in map.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(&key(name));
                out.push_str(" = ");
                expression(out, item);
            }
            out.push_str(" }");
        }
    }
}

/// A quoted string: `${` and `%{` would be templates, so they are doubled (HCL, "Template
/// Expressions").
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                out.push(character);
                out.push(character);
            }
            ' '..='~'
            | '\u{A1}'..='\u{2027}'
            | '\u{202A}'..='\u{D7FF}'
            | '\u{E000}'..='\u{FEFE}'
            | '\u{FF00}'..='\u{FFFD}' => out.push(character),
            _ => {
                let code = character as u32;
                let written = if code <= 0xFFFF {
                    write!(out, "\\u{code:04x}")
                } else {
                    write!(out, "\\U{code:08x}")
                };
                written.expect("writing into a string cannot fail");
            }
        }
    }
    out.push('"');
}

/// Aligns `=` as `terraform fmt` does: in consecutive lines that hold a whole attribute.
///
/// A line that opens or closes a bracket, an empty line and a comment end a group (hclwrite,
/// `formatCells`). Trailing white space goes, and no more than one empty line stands in a row.
pub(super) fn align(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut group: Vec<(&str, &str)> = Vec::new();
    let mut was_empty = true;
    for line in text.lines().map(str::trim_end) {
        if let Some(split) = attribute(line) {
            group.push((line[..split].trim_end_matches(' '), line[split + 1..].trim_start()));
            was_empty = false;
            continue;
        }
        flush(&mut out, &mut group);
        if !(line.is_empty() && was_empty) {
            out.push_str(line);
            out.push('\n');
        }
        was_empty = line.is_empty();
    }
    flush(&mut out, &mut group);
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn flush(out: &mut String, group: &mut Vec<(&str, &str)>) {
    let width = group.iter().map(|(lead, _)| lead.chars().count()).max().unwrap_or(0);
    for (lead, value) in group.drain(..) {
        let pad = width - lead.chars().count();
        writeln!(out, "{lead}{:pad$} = {value}", "").expect("writing into a string cannot fail");
    }
}

/// Where the `=` of a line stands, if the line holds an attribute with its whole value.
fn attribute(line: &str) -> Option<usize> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    let mut equals = None;
    let mut depth = 0_i32;
    let mut in_string = false;
    let mut escaped = false;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'=' if equals.is_none() => equals = Some(index),
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
    }
    equals.filter(|_| depth == 0)
}
