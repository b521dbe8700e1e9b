//! Number literals.

use super::ast::Number;
use super::quote::unquote_char;

/// Reads a character constant, which is an `int`.
pub fn parse_char(literal: &str) -> Result<Number, String> {
    let code =
        unquote_char(literal).ok_or_else(|| format!("malformed character constant: {literal}"))?;
    #[expect(clippy::cast_precision_loss, reason = "a code point is small")]
    let float = code as f64;
    Ok(Number {
        int: Some(code),
        uint: u64::try_from(code).ok(),
        float: Some(float),
        reads_as_float: false,
    })
}

/// Reads a number as Go does: decimal, `0x`, `0o`, `0b`, leading-zero octal, underscores, floats, hexadecimal floats.
#[expect(clippy::cast_precision_loss, reason = "Go converts in the same way")]
pub fn parse_number(text: &str) -> Result<Number, String> {
    let has_float_mark = text.contains(['.', 'e', 'E', 'p', 'P']);
    let mut number = Number {
        int: parse_int(text),
        uint: if text.starts_with(['+', '-']) { None } else { parse_magnitude(text) },
        ..Number::default()
    };
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text) {
        if !has_float_mark {
            return Err(format!("integer overflow: {text:?}"));
        }
        set_float(&mut number, float);
    }
    if number.float.is_none() {
        return Err(format!("illegal number syntax: {text:?}"));
    }
    number.reads_as_float = has_float_mark && !is_hex_int(text);
    Ok(number)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
#[expect(clippy::float_cmp, reason = "whole numbers alone are equal to their whole part")]
fn set_float(number: &mut Number, float: f64) {
    number.float = Some(float);
    if float.trunc() == float && float.abs() < 9.223_372_036_854_776e18 {
        number.int = Some(float as i64);
    }
    if float.trunc() == float && (0.0..1.844_674_407_370_955_2e19).contains(&float) {
        number.uint = Some(float as u64);
    }
}

fn is_hex_int(text: &str) -> bool {
    text.len() > 2
        && (text.starts_with("0x") || text.starts_with("0X"))
        && !text.contains(['p', 'P'])
}

/// Reads a signed integer in Go's syntax with base prefix, as `strconv.ParseInt(text, 0, 64)`.
pub fn parse_int(text: &str) -> Option<i64> {
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_magnitude(magnitude)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Reads an unsigned integer in Go's syntax with base prefix, as `strconv.ParseUint(text, 0, 64)`.
pub fn parse_magnitude(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.contains('_') && !underscores_ok(&lower) {
        return None;
    }
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

/// Checks that underscores stand between digits, or between a base prefix and a digit.
fn underscores_ok(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    let is_hex = text.starts_with("0x");
    let has_prefix =
        text.len() > 1 && ["0x", "0b", "0o"].iter().any(|prefix| text.starts_with(prefix));
    let mut last = if has_prefix { '0' } else { '^' };
    for c in text.chars().skip(if has_prefix { 2 } else { 0 }) {
        let class = match c {
            '0'..='9' => '0',
            'a'..='f' if is_hex => '0',
            '_' if last != '0' => return false,
            '_' => '_',
            _ if last == '_' => return false,
            _ => '!',
        };
        last = class;
    }
    last != '_'
}

/// Reads a float in Go's syntax, as `strconv.ParseFloat(text, 64)`: also `inf`, `nan`, hexadecimal floats and
/// underscores between digits. Values out of range are refused.
pub fn parse_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.trim_start_matches(['+', '-']);
    if lower.len() - unsigned.len() > 1 || (unsigned.contains('_') && !underscores_ok(unsigned)) {
        return None;
    }
    let sign = if lower.starts_with('-') { -1.0 } else { 1.0 };
    let digits = unsigned.replace('_', "");
    if let Some(hex) = digits.strip_prefix("0x") {
        return parse_hex_float(hex).map(|value| value * sign);
    }
    match digits.as_str() {
        "inf" | "infinity" => return Some(f64::INFINITY * sign),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-')) {
        return None;
    }
    digits.parse().ok().filter(|value: &f64| value.is_finite()).map(|value: f64| value * sign)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rounds once, like a decimal literal, for up to 16 digits"
)]
fn parse_hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    if digits.is_empty() || digits.len() > 16 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let mantissa = u64::from_str_radix(&digits, 16).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len() * 4).ok()?)?;
    let value = mantissa as f64 * 2f64.powi(shift.clamp(-1100, 1100));
    value.is_finite().then_some(value)
}
