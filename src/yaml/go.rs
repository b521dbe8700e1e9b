//! The text that `sigs.k8s.io/yaml` writes, byte for byte, for Helm's `toYaml`.
//!
//! Charts embed this text in strings, so every habit of that writer shows: keys in go-yaml's order of letters and
//! numbers, plain scalars folded after column 80, single quotes where only the syntax forbids plain.
//! Source of the rules: `go.yaml.in/yaml/v2` 2.4.

use std::cmp::Ordering;
use std::fmt::Write;

use serde_json::{Map, Number, Value};

use super::go_scalar::{Shape, Style, is_break, is_printable, style};

/// The column after which scalars are folded at a space.
const WIDTH: usize = 80;
/// The longest key that stands before its colon on one line, in bytes.
const SIMPLE_KEY: usize = 128;

/// Writes a value as `sigs.k8s.io/yaml` does. Ends with a line end.
///
/// # Errors
/// When a string holds a control character: that writer reads its own JSON as YAML, which has none.
pub fn go_compatible(value: &Value) -> Result<String, ControlCharacter> {
    check(value)?;
    Ok(write(value, false))
}

/// A string holds a character that YAML does not take as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("yaml: control characters are not allowed")]
pub struct ControlCharacter;

fn check(value: &Value) -> Result<(), ControlCharacter> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(map) => {
            map.iter().try_for_each(|(key, value)| check_text(key).and_then(|()| check(value)))
        }
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), ControlCharacter> {
    let refused =
        |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if !text.is_ascii() || text.contains('\u{7f}') {
        return if text.contains(refused) { Err(ControlCharacter) } else { Ok(()) };
    }
    Ok(())
}

/// What reading a next-line character as YAML makes of a text: it is folded like a line end.
fn folded(text: &str) -> std::borrow::Cow<'_, str> {
    const NEXT_LINE: char = '\u{85}';
    if !text.contains(NEXT_LINE) {
        return text.into();
    }
    let mut out = String::new();
    let mut breaks = 0;
    for (index, line) in text.split(NEXT_LINE).enumerate() {
        let is_last = text.split(NEXT_LINE).count() == index + 1;
        let line = if index > 0 { line.trim_start_matches([' ', '\t']) } else { line };
        let line = if is_last { line } else { line.trim_end_matches([' ', '\t']) };
        if index > 0 {
            breaks += 1;
        }
        if line.is_empty() && !is_last && index > 0 {
            continue;
        }
        match breaks {
            0 => {}
            1 => out.push(' '),
            _ => out.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        breaks = 0;
        out.push_str(line);
    }
    out.into()
}

/// Writes a value as the encoder of go-yaml 3 does with an indent of two, for Helm's `toYamlPretty`: lists stand
/// under their key with an indent, and no line is folded. Ends with a line end.
pub fn go_pretty(value: &Value) -> String {
    write(value, true)
}

fn write(value: &Value, pretty: bool) -> String {
    let mut writer = Writer { out: String::new(), column: 0, pretty };
    writer.node(value, None);
    writer.line_end();
    writer.out
}

struct Writer {
    out: String,
    column: usize,
    pretty: bool,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn char(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_end(&mut self) {
        if self.column > 0 {
            self.break_line();
        }
    }

    fn break_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Starts a line at an indent; stays on the line where nothing stands on it yet.
    fn indent(&mut self, indent: usize) {
        if self.column > 0 {
            self.break_line();
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// Writes a node. `indent` is that of the collection around it, `None` at the root.
    fn node(&mut self, value: &Value, indent: Option<usize>) {
        match value {
            Value::Array(items) if items.is_empty() => self.put("[]"),
            Value::Object(map) if map.is_empty() => self.put("{}"),
            Value::Array(items) => self.list(items, indent.map_or(0, |indent| indent + 2)),
            Value::Object(map) => self.map(map, indent.map_or(0, |indent| indent + 2)),
            Value::Null => self.put("null"),
            Value::Bool(flag) => self.put(if *flag { "true" } else { "false" }),
            Value::Number(number) if self.pretty && number.is_f64() => {
                self.put(&exponent_text(number.as_f64().unwrap_or_default()));
            }
            Value::Number(number) => self.put(&number_text(number)),
            Value::String(text) => self.scalar(text, indent.map_or(2, |indent| indent + 2), false),
        }
    }

    /// Writes items. The first dash stands where the writer is, if that is the right column.
    fn list(&mut self, items: &[Value], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || self.column != indent {
                self.indent(indent);
            }
            self.put("-");
            self.put(" ");
            self.node(item, Some(indent));
        }
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize) {
        for (index, (key, value)) in sorted(map).into_iter().enumerate() {
            if index > 0 || self.column != indent {
                self.indent(indent);
            }
            if key.len() > SIMPLE_KEY || key.contains(is_break) {
                self.put("? ");
                self.scalar(key, indent + 2, false);
                self.indent(indent);
                self.put(": ");
                self.node(value, Some(indent));
                continue;
            }
            self.scalar(key, indent + 2, true);
            self.put(":");
            match value {
                // A list in a map stands at the map's own indent.
                Value::Array(items) if !items.is_empty() => {
                    let indent = if self.pretty { indent + 2 } else { indent };
                    self.indent(indent);
                    self.list(items, indent);
                }
                Value::Object(inner) if !inner.is_empty() => {
                    self.indent(indent + 2);
                    self.map(inner, indent + 2);
                }
                _ => {
                    self.put(" ");
                    self.node(value, Some(indent));
                }
            }
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, is_key: bool) {
        let text = &*folded(text);
        let shape = Shape::of(text);
        let folds = !is_key && !self.pretty;
        match style(text, &shape, is_key) {
            Style::Plain => self.plain(text, indent, folds),
            Style::Single => self.single(text, indent, folds),
            Style::Double => self.double(text, indent, folds),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, indent: usize, folds: bool) {
        if !folds || self.column + text.len() <= WIDTH {
            return self.put(text);
        }
        let mut after_space = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' && !after_space && self.column > WIDTH && chars.peek() != Some(&' ') {
                self.indent(indent);
            } else {
                self.char(c);
            }
            after_space = c == ' ';
        }
    }

    fn single(&mut self, text: &str, indent: usize, folds: bool) {
        self.char('\'');
        let (mut after_space, mut after_break) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            if c == ' ' {
                let inside = index > 0 && next.is_some();
                if folds && !after_space && self.column > WIDTH && inside && next != Some(' ') {
                    self.indent(indent);
                } else {
                    self.char(c);
                }
                after_space = true;
            } else if is_break(c) {
                if !after_break && c == '\n' {
                    self.break_line();
                }
                self.out.push(c);
                self.column = 0;
                after_break = true;
            } else {
                if after_break {
                    self.out.extend(std::iter::repeat_n(' ', indent));
                    self.column = indent;
                }
                if c == '\'' {
                    self.char('\'');
                }
                self.char(c);
                (after_space, after_break) = (false, false);
            }
        }
        self.char('\'');
    }

    fn double(&mut self, text: &str, indent: usize, folds: bool) {
        self.char('"');
        let mut after_space = false;
        // After a byte order mark at its start, go-yaml escapes every character.
        let escapes_all = text.starts_with('\u{feff}');
        let mut chars = text.char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            if escapes_all
                || !is_printable(c)
                || is_break(c)
                || matches!(c, '"' | '\\' | '\u{feff}')
            {
                self.escape(c);
                after_space = false;
            } else if c == ' ' {
                if folds && !after_space && self.column > WIDTH && index > 0 && next.is_some() {
                    self.indent(indent);
                    if next == Some(' ') {
                        self.char('\\');
                    }
                } else {
                    self.char(c);
                }
                after_space = true;
            } else {
                self.char(c);
                after_space = false;
            }
        }
        self.char('"');
    }

    fn escape(&mut self, c: char) {
        let code = u32::from(c);
        let mut text = String::from("\\");
        let short = match code {
            0 => '0',
            7 => 'a',
            8 => 'b',
            9 => 't',
            10 => 'n',
            11 => 'v',
            12 => 'f',
            13 => 'r',
            0x1b => 'e',
            0x22 => '"',
            0x5c => '\\',
            0x85 => 'N',
            0xa0 => '_',
            0x2028 => 'L',
            0x2029 => 'P',
            _ => ' ',
        };
        let _ = match code {
            _ if short != ' ' => write!(text, "{short}"),
            0..=0xff => write!(text, "x{code:02X}"),
            0x100..=0xffff => write!(text, "u{code:04X}"),
            _ => write!(text, "U{code:08X}"),
        };
        self.put(&text);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.char('|');
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.char('2');
        }
        let tail = text.trim_end_matches(is_break);
        match text[tail.len()..].chars().count() {
            0 => self.char('-'),
            1 if !tail.is_empty() => {}
            _ => self.char('+'),
        }
        self.break_line();
        for line in text.split_inclusive(is_break) {
            if !line.starts_with(is_break) {
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.column = indent;
            }
            self.put(line);
            if line.ends_with(is_break) {
                self.column = 0;
            }
        }
    }
}

/// A number as it comes out of JSON and YAML: whole floats below 1e21 lose their point.
fn number_text(number: &Number) -> String {
    if let Some(int) = number.as_i64() {
        return int.to_string();
    }
    if let Some(uint) = number.as_u64() {
        return uint.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    // JSON writes whole numbers without an exponent, and YAML reads those that fit as integers.
    if float.fract() == 0.0 && float > -9.3e18 && float < 1.85e19 {
        let text = format!("{float:.0}");
        if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
            return if text == "-0" { "0".into() } else { text };
        }
    }
    exponent_text(float)
}

/// The shortest text of a float, as Go's `strconv.FormatFloat(float, 'g', -1, 64)` writes it.
fn exponent_text(float: f64) -> String {
    let text = format!("{float:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn sorted(map: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut entries: Vec<(&str, &Value)> =
        map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    merge_sort(&mut entries);
    entries
}

/// Sorts by go-yaml's order, which is no total order for hostile keys, so that the standard sort may not be used.
fn merge_sort(entries: &mut Vec<(&str, &Value)>) {
    if entries.len() < 2 {
        return;
    }
    let mut right = entries.split_off(entries.len() / 2);
    merge_sort(entries);
    merge_sort(&mut right);
    let left = std::mem::take(entries);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if key_order(b.0, a.0) == Ordering::Less { right.next() } else { left.next() };
        entries.extend(next);
    }
    entries.extend(left);
    entries.extend(right);
}

/// go-yaml's order: letters after all else, runs of digits by their number.
fn key_order(a: &str, b: &str) -> Ordering {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let mut start = same;
    while !a.is_char_boundary(start) || !b.is_char_boundary(start) {
        start -= 1;
    }
    let (Some(left), Some(right)) = (a[start..].chars().next(), b[start..].chars().next()) else {
        return a.len().cmp(&b.len());
    };
    match (left.is_alphabetic(), right.is_alphabetic()) {
        (true, true) => left.cmp(&right),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => digit_order(&a[..start], &a[start..], &b[start..]).then(left.cmp(&right)),
    }
}

fn digit_order(before: &str, a: &str, b: &str) -> Ordering {
    let mut seed = 0i64;
    if a.starts_with('0') || b.starts_with('0') {
        let run = before.chars().rev().take_while(char::is_ascii_digit);
        seed = i64::from(run.into_iter().any(|c| c != '0'));
    }
    let number = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit);
        digits.fold((seed, 0usize), |(number, count), digit| {
            (number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), count + 1)
        })
    };
    number(a).cmp(&number(b))
}
