//! How `sigs.k8s.io/yaml` writes a string: plain, quoted, or as a block.

use super::scalar::{Scalar, Schema, resolve};

pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What the characters of a scalar allow.
pub(super) struct Shape {
    plain: bool,
    single: bool,
    block: bool,
    multiline: bool,
}

impl Shape {
    pub(super) fn of(text: &str) -> Self {
        let mut shape = Self { plain: true, single: true, block: true, multiline: false };
        if text.is_empty() {
            shape.block = false;
            return shape;
        }
        let mut special = text.starts_with("---") || text.starts_with("...");
        let (mut after_blank, mut after_space, mut after_break) = (true, false, false);
        let last = text.chars().next_back();
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            let before_blank = chars.peek().is_none_or(|c| matches!(c, ' ' | '\t'));
            special |= match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                | '%' | '@' | '`'
                    if first =>
                {
                    true
                }
                '?' | '-' if first => before_blank,
                ':' => before_blank,
                '#' => after_blank,
                _ => false,
            };
            if !is_printable(c) {
                (shape.plain, shape.single, shape.block) = (false, false, false);
            }
            if c == ' ' && after_break {
                (shape.plain, shape.single) = (false, false);
            }
            if is_break(c) {
                shape.multiline = true;
                shape.plain = false;
                if after_space {
                    (shape.single, shape.block) = (false, false);
                }
            }
            (after_space, after_break) = (c == ' ', is_break(c));
            after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
            first = false;
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        if edge(text.chars().next()) || edge(last) || special {
            shape.plain = false;
        }
        if last == Some(' ') {
            shape.block = false;
        }
        shape
    }
}

pub(super) fn style(text: &str, shape: &Shape, is_key: bool) -> Style {
    if text.contains('\n') {
        return if shape.block && !is_key { Style::Literal } else { Style::Double };
    }
    if !is_string(text) || (is_key && shape.multiline) {
        return Style::Double;
    }
    match (shape.plain && !(is_key && text.is_empty()), shape.single) {
        (true, _) => Style::Plain,
        (false, true) => Style::Single,
        (false, false) => Style::Double,
    }
}

/// Reports whether Go reads a plain scalar as a string.
fn is_string(text: &str) -> bool {
    resolve(text, Schema::Go) == Scalar::String && !is_timestamp(text) && !is_base60(text)
}

/// `1:30` and the like, which other readers take for numbers to the base 60.
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|c: char| c.is_ascii_digit())
        || !first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    {
        return false;
    }
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else { return false };
    let (last, fraction) =
        last.split_once('.').map_or((last, ""), |(last, fraction)| (last, fraction));
    rest.push(last);
    let sixty = |part: &&str| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [tens @ b'0'..=b'5', digit] => tens.is_ascii_digit() && digit.is_ascii_digit(),
        _ => false,
    };
    rest.iter().all(sixty) && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// The dates that go-yaml knows: `2001-1-2`, `2001-1-2 15:4:5.9`, `2001-1-2T15:4:5.9Z`, `…+07:00`.
fn is_timestamp(text: &str) -> bool {
    let Some((date, rest)) = split_date(text) else { return false };
    let (year, month, day) = date;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    if day == 0 || day > days {
        return false;
    }
    let Some(separator) = rest.chars().next() else { return true };
    let Some(rest) = clock(&rest[separator.len_utf8()..]) else { return false };
    match separator {
        'T' | 't' => rest == "Z" || is_zone(rest),
        ' ' => rest.is_empty(),
        _ => false,
    }
}

fn split_date(text: &str) -> Option<((u32, u32, u32), &str)> {
    let (year, rest) = text.split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count().min(2);
    let number = |text: &str, max: usize| {
        let fits =
            !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok()).flatten()
    };
    if year.len() != 4 {
        return None;
    }
    Some(((number(year, 4)?, number(month, 2)?, number(&rest[..digits], 2)?), &rest[digits..]))
}

/// Takes `15:4:5.999` off the front.
fn clock(text: &str) -> Option<&str> {
    let mut rest = text;
    for (index, max) in [24, 60, 60].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(':')?;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count().min(2);
        // The hour has two digits, as Go's layout `15` wants.
        if digits == 0 || rest[..digits].parse::<u32>().ok()? >= max {
            return None;
        }
        rest = &rest[digits..];
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            rest = &fraction[digits..];
        }
    }
    Some(rest)
}

fn is_zone(text: &str) -> bool {
    let Some(zone) = text.strip_prefix(['+', '-']) else { return false };
    let bytes = zone.as_bytes();
    let number =
        |range: std::ops::Range<usize>| zone.get(range).and_then(|text| text.parse::<u32>().ok());
    bytes.len() == 5
        && bytes[2] == b':'
        && bytes.iter().enumerate().all(|(index, byte)| index == 2 || byte.is_ascii_digit())
        && number(0..2).is_some_and(|hours| hours <= 24)
        && number(3..5).is_some_and(|minutes| minutes < 60)
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml calls printable: not the tab, and nothing beyond the basic plane.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}
