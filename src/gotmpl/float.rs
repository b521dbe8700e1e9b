//! Floats as Go's `strconv.FormatFloat` writes them.

use std::fmt::Write;

/// The most digits that a float has after the point; what follows is zeros.
const MAX_DIGITS: usize = 1_100;

/// Writes a float in one of Go's formats `e`, `E`, `f`, `g`, `G`, `b`, `x`, `X`.
///
/// Without a precision the shortest text is written that reads back as the same float.
pub fn format_float(value: f64, format: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let magnitude = value.abs();
    let text = match format {
        'e' | 'E' => exponent(magnitude, precision),
        'f' | 'F' => fixed(magnitude, precision),
        'g' | 'G' => general(magnitude, precision),
        'b' => binary(magnitude),
        _ => hexadecimal(magnitude, precision),
    };
    let text = if matches!(format, 'E' | 'G' | 'X') { text.to_ascii_uppercase() } else { text };
    format!("{sign}{text}")
}

/// Writes a float as `%v` does.
pub fn display_float(value: f64) -> String {
    format_float(value, 'g', None)
}

/// Returns the digits without point or trailing zeros, and the exponent of the first.
fn digits(value: f64, precision: Option<usize>) -> (String, i32) {
    let text = match precision {
        Some(precision) => format!("{value:.*e}", precision.min(MAX_DIGITS)),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) =
        text.split_once('e').expect("the standard library writes an exponent");
    let digits = mantissa.replace('.', "");
    (digits.trim_end_matches('0').to_owned(), exponent.parse().expect("an exponent is a number"))
}

fn exponent(value: f64, precision: Option<usize>) -> String {
    let (mut digits, exponent) = digits(value, precision);
    if let Some(precision) = precision {
        digits.push_str(&"0".repeat((precision + 1).saturating_sub(digits.len())));
    } else if digits.is_empty() {
        digits.push('0');
    }
    with_exponent(&digits, exponent)
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let mut text = digits[..1].to_owned();
    if digits.len() > 1 {
        text.push('.');
        text.push_str(&digits[1..]);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.abs());
    text
}

fn fixed(value: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        return format!("{value}");
    };
    let known = precision.min(MAX_DIGITS);
    let mut text = format!("{value:.known$}");
    text.push_str(&"0".repeat(precision - known));
    text
}

fn general(value: f64, precision: Option<usize>) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let precision = precision.map(|precision| precision.max(1));
    let (digits, exponent) = digits(value, precision.map(|precision| precision - 1));
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    let mut limit = precision.map_or(6, |precision| i32::try_from(precision).unwrap_or(i32::MAX));
    if precision.is_some() && limit > count && count >= point {
        limit = count;
    }
    if exponent < -4 || exponent >= limit {
        return with_exponent(&digits, exponent);
    }
    place_point(&digits, point)
}

/// Writes digits with the point after the first `point` of them.
fn place_point(digits: &str, point: i32) -> String {
    let Ok(point) = usize::try_from(point) else {
        return format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
    };
    if point == 0 {
        format!("0.{digits}")
    } else if point >= digits.len() {
        format!("{digits}{}", "0".repeat(point - digits.len()))
    } else {
        format!("{}.{}", &digits[..point], &digits[point..])
    }
}

/// Splits a float into its integer mantissa and binary exponent.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).expect("eleven bits fit");
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1022) } else { (fraction | 1 << 52, exponent - 1023) }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{:+}", exponent - 52)
}

fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    }
    // The leading one goes to bit 60, so that 15 hexadecimal digits follow it.
    mantissa <<= 8;
    while mantissa != 0 && mantissa & 1 << 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = 60 - precision * 4;
        let (extra, odd) = (mantissa & ((1 << shift) - 1), mantissa >> shift & 1);
        mantissa >>= shift;
        if extra | odd > 1 << (shift - 1) {
            mantissa += 1;
        }
        mantissa <<= shift;
        if mantissa & 1 << 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let all = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let fraction = match precision {
        Some(precision) if precision <= 15 => all[..precision].to_owned(),
        Some(precision) => format!("{all}{}", "0".repeat(precision - 15)),
        None => all.trim_end_matches('0').to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{}{point}{fraction}p{sign}{:02}", mantissa >> 60, exponent.abs())
}
