//! Go's quoted strings: reading literals, writing `%q`.

use std::fmt::Write;

/// Reads a Go string literal, with its quotes: `"…"` or `` `…` ``.
pub fn unquote(literal: &str) -> Option<Vec<u8>> {
    let quote = literal.as_bytes().first()?;
    let inner = literal.get(1..literal.len().checked_sub(1)?)?;
    if *quote == b'`' {
        // Go takes carriage returns out of raw strings.
        return Some(inner.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, tail) = unquote_unit(rest, *quote)?;
        match unit {
            Unit::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unit::Byte(byte) => bytes.push(byte),
        }
        rest = tail;
    }
    Some(bytes)
}

/// Reads a Go character literal, with its quotes.
pub fn unquote_char(literal: &str) -> Option<i64> {
    let inner = literal.strip_prefix('\'')?;
    let (unit, tail) = unquote_unit(inner, b'\'')?;
    (tail == "'").then_some(match unit {
        Unit::Char(c) => i64::from(u32::from(c)),
        Unit::Byte(byte) => i64::from(byte),
    })
}

enum Unit {
    Char(char),
    Byte(u8),
}

fn unquote_unit(text: &str, quote: u8) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    match chars.next()? {
        '\\' => {}
        c if u32::from(c) == u32::from(quote) => return None,
        c => return Some((Unit::Char(c), chars.as_str())),
    }
    let escape = chars.next()?;
    match escape {
        'a' => Some((Unit::Char('\u{7}'), chars.as_str())),
        'b' => Some((Unit::Char('\u{8}'), chars.as_str())),
        'f' => Some((Unit::Char('\u{c}'), chars.as_str())),
        'n' => Some((Unit::Char('\n'), chars.as_str())),
        'r' => Some((Unit::Char('\r'), chars.as_str())),
        't' => Some((Unit::Char('\t'), chars.as_str())),
        'v' => Some((Unit::Char('\u{b}'), chars.as_str())),
        '\\' => Some((Unit::Char('\\'), chars.as_str())),
        '\'' | '"' if u32::from(escape) == u32::from(quote) => {
            Some((Unit::Char(escape), chars.as_str()))
        }
        'x' => digits(chars.as_str(), 2, 16)
            .and_then(|(n, tail)| Some((Unit::Byte(u8::try_from(n).ok()?), tail))),
        'u' => digits(chars.as_str(), 4, 16)
            .and_then(|(n, tail)| Some((Unit::Char(char::from_u32(n)?), tail))),
        'U' => digits(chars.as_str(), 8, 16)
            .and_then(|(n, tail)| Some((Unit::Char(char::from_u32(n)?), tail))),
        '0'..='7' => {
            let start = text.get(1..)?;
            digits(start, 3, 8)
                .and_then(|(n, tail)| Some((Unit::Byte(u8::try_from(n).ok()?), tail)))
        }
        _ => None,
    }
}

fn digits(text: &str, count: usize, radix: u32) -> Option<(u32, &str)> {
    let digits = text.get(..count)?;
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(digits, radix).ok()?, &text[count..]))
}

/// Writes bytes as a Go string literal in double quotes, as `strconv.Quote` does.
///
/// With `ascii`, everything beyond ASCII is escaped, as by `%+q`.
pub fn quote(bytes: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c, '"', ascii);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// Writes a character as a Go character literal, as `%q` of a number does.
pub fn quote_char(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, c: char, quote: char, ascii: bool) {
    match c {
        '\\' => out.push_str("\\\\"),
        _ if c == quote => {
            out.push('\\');
            out.push(c);
        }
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ if is_print(c) && (!ascii || c.is_ascii()) => out.push(c),
        _ => {
            let code = u32::from(c);
            let _ = match code {
                0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                0x20..0x1_0000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Reports what Go's `unicode.IsPrint` does: letters, marks, numbers, punctuation, symbols and the ASCII space.
///
/// Characters that were assigned between the Unicode versions of the two languages differ.
pub fn is_print(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        _ => {
            // The standard library escapes by the same classes; a letter in front keeps combining marks as they are.
            let mut text = String::from("a");
            text.push(c);
            text.escape_debug().nth(1) == Some(c)
        }
    }
}
