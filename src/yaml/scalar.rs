//! What a scalar means, and when a string may be written without quotes.

use serde_json::Number;

/// How plain scalars are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// For files of meshgen's own: only `true` and `false` are booleans, numbers are decimal, and
    /// `null`, `~` and nothing are null. What people write as `no` or `0644` stays a string.
    Strict,
    /// As `sigs.k8s.io/yaml` (kubectl, Helm, the API server) reads: YAML 1.1 with its `yes`, `on`,
    /// octal and underscored numbers.
    Go,
}

/// A plain scalar after resolution.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Integer(Number),
    /// A fraction, an exponent, or more digits than an integer holds; also `.inf` and `.nan`.
    Float(f64),
    String,
}

pub(super) fn resolve(text: &str, schema: Schema) -> Scalar {
    match schema {
        Schema::Strict => resolve_strict(text),
        Schema::Go => resolve_go(text),
    }
}

fn resolve_strict(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" => return Scalar::Null,
        "true" => return Scalar::Bool(true),
        "false" => return Scalar::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    // a leading zero is octal to some readers and decimal to others: leave it as it was typed
    let plain = digits == "0" || !digits.starts_with('0');
    if plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(text).map_or(Scalar::String, Scalar::Integer);
    }
    if is_float(text) && !digits.starts_with("00") {
        return text.parse().map_or(Scalar::String, Scalar::Float);
    }
    Scalar::String
}

/// go-yaml v2 as `sigs.k8s.io/yaml` carries it (`resolve.go`).
fn resolve_go(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes()[0] {
        b'+' | b'-' | b'0'..=b'9' => {}
        // Go's `ParseFloat` gets this as it stands, and takes underscores between digits alone
        b'.' if !underscores_separate_digits(text) => return Scalar::String,
        b'.' => return float(&text.replace('_', "")),
        _ => return Scalar::String,
    }
    let plain = text.replace('_', "");
    go_integer(&plain).map_or_else(|| float(&plain), Scalar::Integer)
}

/// Whether each underscore has a digit on both sides.
fn underscores_separate_digits(text: &str) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    (0..bytes.len()).filter(|&at| bytes[at] == b'_').all(|at| {
        digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && digit(bytes.get(at + 1))
    })
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: a prefix chooses the base, and a leading
/// zero means octal.
fn go_integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        let value = -i128::from(magnitude);
        return i64::try_from(value).ok().map(Number::from);
    }
    Some(Number::from(magnitude))
}

fn integer(text: &str) -> Option<Number> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(Number::from(value));
    }
    text.parse::<u64>().ok().map(Number::from)
}

/// go-yaml's `yamlStyleFloat`: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    let mut rest = &rest[whole..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        fraction = digits(after);
        rest = &after[fraction..];
    }
    if whole == 0 && fraction == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// A float as Go parses it: what is too large for an `f64` is no number, and stays a string.
fn float(text: &str) -> Scalar {
    let value = if is_float(text) { text.parse().ok() } else { None };
    value.filter(|value: &f64| value.is_finite()).map_or(Scalar::String, Scalar::Float)
}

/// A float as JSON holds it, `None` for `.inf` and `.nan`; whole values that an `f64` holds exactly
/// become integers, because that is how they are printed again.
pub(super) fn json_number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // JSON's `-0` is a float in Go, and printed with its sign
    let negative_zero = value == 0.0 && value.is_sign_negative();
    if value.fract() == 0.0 && value.abs() < EXACT && !negative_zero {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// A float as a key of JSON: `sigs.k8s.io/yaml` prints it as Go's `%g` of a 32-bit float, so that
/// `1000000.0` is `1e+06`, and a value beyond that type is `.inf`.
#[expect(clippy::cast_possible_truncation, reason = "what Go does")]
pub(super) fn json_key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a decimal exponent");
    if (-4..6).contains(&exponent) {
        format!("{value}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// Whether a string may stand without quotes, for every YAML reader there is.
///
/// An allow-list: the first byte a letter or `/`, the rest letters, digits and `.`, `_`, `/`, `-`,
/// and not a word that some reader takes for a boolean, a null or a number.
pub(super) fn is_plain_safe(text: &str) -> bool {
    const WORDS: [&str; 13] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "~",
    ];
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/')
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(byte))
        && !(bytes.len() <= 8 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// Whether a string may stand as a literal block (`|` or `|-`).
///
/// It has a line end and at most one at its end, starts with no white space, no line of it ends in
/// a space or tab, and every character is one that no reader changes.
pub(super) fn is_literal_safe(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(is_printable)
        && text.split('\n').all(|line| !line.ends_with([' ', '\t']))
}

/// Whether a character turns the direction of what follows, so that a reviewer sees another text
/// than the one that is applied.
pub(super) fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

/// Printable for a literal block: not C0 (save line end and tab), DEL, C1, NBSP, the Unicode line
/// ends, byte order marks, non-characters and what turns the direction of text.
fn is_printable(character: char) -> bool {
    !matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
        && !turns(character)
        && matches!(character, '\n' | '\t' | ' '..='~' | '\u{A1}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}')
}
