//! Quantities of resources, in the form that Kubernetes prints.
//!
//! Source of the rules: `k8s.io/apimachinery/pkg/api/resource`.

use serde_json::Value;

/// What a quantity is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Exponent,
    Binary,
}

const BINARY: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// A quantity: a whole number of billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity {
    nano: i128,
    format: Format,
}

impl Quantity {
    /// Reads a quantity from JSON; `None` where it is none.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text.trim()),
            Value::Number(number) => Self::parse(&number_text(number)),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let sign_end = usize::from(text.starts_with(['+', '-']));
        let number_end = text[sign_end..]
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map_or(text.len(), |end| sign_end + end);
        let (digits, suffix) = (&text[sign_end..number_end], &text[number_end..]);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return None;
        }
        let (format, binary, decimal) = suffix_of(suffix)?;
        let nano = nano(whole, fraction, decimal)?.checked_mul(1i128 << binary)?;
        Some(Self { nano: if text.starts_with('-') { -nano } else { nano }, format })
    }

    /// Whether it is nothing.
    pub(super) fn is_zero(self) -> bool {
        self.nano == 0
    }
}

/// The format of a suffix, with the powers of two and ten that it stands for.
fn suffix_of(suffix: &str) -> Option<(Format, u32, i32)> {
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::Binary, *power, 0));
    }
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::Decimal, 0, *power));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((Format::Exponent, 0, exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?))
}

/// A decimal number times a power of ten, in billionths, rounded up.
fn nano(whole: &str, fraction: &str, power: i32) -> Option<i128> {
    let digits: String = [whole, fraction].concat();
    let number: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let power = power.checked_add(9)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let scale = 10i128.checked_pow(power.unsigned_abs());
    if power >= 0 {
        return if number == 0 { Some(0) } else { number.checked_mul(scale?) };
    }
    Some(scale.map_or(i128::from(number != 0), |scale| (number + scale - 1) / scale))
}

fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e21 => {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    }
}

/// The canonical form: no fraction, the largest suffix that leaves none.
impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNIT: i128 = 1_000_000_000;
        if self.nano == 0 {
            return f.write_str("0");
        }
        let is_whole = self.nano % UNIT == 0;
        if self.format == Format::Binary && is_whole && self.nano.abs() >= 1024 * UNIT {
            let (mut number, mut suffix) = (self.nano / UNIT, "");
            for (name, _) in BINARY {
                if number % 1024 != 0 {
                    break;
                }
                (number, suffix) = (number / 1024, name);
            }
            return write!(f, "{number}{suffix}");
        }
        let (mut number, mut power) = (self.nano, -9);
        while number % 1000 == 0 && power < 18 {
            (number, power) = (number / 1000, power + 3);
        }
        match DECIMAL.iter().find(|(_, known)| *known == power) {
            Some((suffix, _)) if self.format != Format::Exponent => write!(f, "{number}{suffix}"),
            _ if power == 0 => write!(f, "{number}"),
            _ => write!(f, "{number}e{power}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Quantity;

    #[test]
    fn quantities_take_their_canonical_form() {
        let cases = [
            (json!("0.5"), "500m"),
            (json!("1000m"), "1"),
            (json!("2.0"), "2"),
            (json!(1), "1"),
            (json!(0.1), "100m"),
            (json!("1Ki"), "1Ki"),
            (json!("0.5Ki"), "512"),
            (json!("2048Mi"), "2Gi"),
            (json!("1e3"), "1e3"),
            (json!("12e-1"), "1200e-3"),
            (json!("1000k"), "1M"),
            (json!("100u"), "100u"),
        ];
        for (value, expected) in cases {
            let quantity = Quantity::of(&value).unwrap_or_else(|| panic!("{value} is one"));
            assert_eq!(quantity.to_string(), expected, "{value}");
        }
        for value in
            [json!("a"), json!(""), json!("1x"), json!("1.2.3"), json!(true), json!("1 Mi")]
        {
            assert_eq!(Quantity::of(&value), None, "{value}");
        }
    }
}
