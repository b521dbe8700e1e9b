//! JSON as Go's `encoding/json` writes it.

use std::fmt::Write;

use crate::gotmpl::{Failure, Meter, Value, base64, format_float};

/// How JSON is written.
#[derive(Clone, Copy)]
pub struct Style {
    /// Two blanks a level, as `toPrettyJson`.
    pub pretty: bool,
    /// `<`, `>` and `&` as escapes.
    pub html: bool,
}

/// Writes a value.
///
/// # Errors
/// When a number is not finite, the text is too large, or the value holds itself.
pub fn write(meter: &Meter, value: &Value, style: Style) -> Result<String, Failure> {
    let mut writer = Writer { meter, style, out: String::new(), counted: 0 };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer<'a> {
    meter: &'a Meter,
    style: Style,
    out: String,
    counted: usize,
}

impl Writer<'_> {
    fn count(&mut self) -> Result<(), Failure> {
        let limit = self.meter.limits().output;
        if self.out.len() > limit {
            return Err(Failure::Limit(format!("a string of more than {limit} bytes")));
        }
        let more = self.out.len() - self.counted;
        self.counted = self.out.len();
        self.meter.string(more)
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Failure> {
        self.count()?;
        match value {
            Value::Missing | Value::Nil => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number, _) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Uint(number, _) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.out.push_str(&float(*number)?),
            Value::Str(text) => self.string(text.as_bytes()),
            Value::Bytes(bytes) => {
                let text = base64(bytes);
                self.string(text.as_bytes());
            }
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::List(list) => self.list(list.items(), depth)?,
            Value::Map(map) if map.is_nil() => self.out.push_str("null"),
            Value::Map(map) => {
                let entries = map.to_vec();
                self.map(entries.iter().map(|(key, value)| (key.as_bytes(), value)), depth)?;
            }
            Value::Object(object) => {
                self.meter.nesting(depth)?;
                self.value(&object.data(), depth)?;
            }
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Result<(), Failure> {
        self.meter.nesting(depth)?;
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            self.value(item, depth + 1)?;
        }
        if !items.is_empty() {
            self.line(depth);
        }
        self.out.push(']');
        Ok(())
    }

    fn map<'v>(
        &mut self,
        entries: impl Iterator<Item = (&'v [u8], &'v Value)>,
        depth: usize,
    ) -> Result<(), Failure> {
        self.meter.nesting(depth)?;
        self.out.push('{');
        let mut is_empty = true;
        for (key, value) in entries {
            if !is_empty {
                self.out.push(',');
            }
            is_empty = false;
            self.line(depth + 1);
            self.string(key);
            self.out.push_str(if self.style.pretty { ": " } else { ":" });
            self.value(value, depth + 1)?;
        }
        if !is_empty {
            self.line(depth);
        }
        self.out.push('}');
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push('"');
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' => self.out.push_str("\\\""),
                    '\\' => self.out.push_str("\\\\"),
                    '\n' => self.out.push_str("\\n"),
                    '\r' => self.out.push_str("\\r"),
                    '\t' => self.out.push_str("\\t"),
                    '\u{8}' => self.out.push_str("\\b"),
                    '\u{c}' => self.out.push_str("\\f"),
                    '<' | '>' | '&' if self.style.html => self.unicode(c),
                    '\0'..=' ' if c != ' ' => self.unicode(c),
                    '\u{2028}' | '\u{2029}' => self.unicode(c),
                    _ => self.out.push(c),
                }
            }
            for _ in chunk.invalid() {
                self.out.push_str("\\ufffd");
            }
        }
        self.out.push('"');
    }

    fn unicode(&mut self, c: char) {
        let _ = write!(self.out, "\\u{:04x}", u32::from(c));
    }
}

/// Writes a float as JSON: without exponent from 1e-6 up to 1e21.
fn float(number: f64) -> Result<String, Failure> {
    if !number.is_finite() {
        return Err(format!("json: unsupported value: {}", format_float(number, 'g', None)).into());
    }
    let magnitude = number.abs();
    if number == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return Ok(format_float(number, 'f', None));
    }
    let text = format_float(number, 'e', None);
    // Go writes e-9 for e-09.
    Ok(match text.split_once("e-0") {
        Some((mantissa, digit)) => format!("{mantissa}e-{digit}"),
        None => text,
    })
}
