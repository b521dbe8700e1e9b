//! Values against protobuf messages, as Go's `jsonpb` takes them.
//!
//! The table is printed from the descriptors of `Values` and `MeshConfig` by `tests/tools/istio/schema`: a message a line,
//! its fields as `jsonName|proto_name:type~oneof`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::fault::{Fault, Path};
use super::typed::{integer, unknown_key};

const TABLE: &str = include_str!("../schema/values.txt");

/// A message that is read by code of its own: a string or a whole number.
const INT_OR_STRING: &str = "istio.operator.v1alpha1.IntOrString";

static MESSAGES: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (name, fields) = line.split_once(' ').unwrap_or((line, ""));
        (name, fields.split(' ').filter(|field| !field.is_empty()).map(Field::parse).collect())
    };
    TABLE.lines().map(line).collect()
});

struct Field {
    name: &'static str,
    other: &'static str,
    kind: &'static str,
}

impl Field {
    fn parse(text: &'static str) -> Self {
        let (names, kind) = text.split_once(':').expect("the table says name:type");
        let (kind, _) = kind.split_once('~').unwrap_or((kind, ""));
        let (name, other) = names.split_once('|').unwrap_or((names, names));
        Self { name, other, kind }
    }
}

/// Finds what does not fit a message; with `strict`, unknown fields as well. Null fits every message.
pub(super) fn check(
    value: &Value,
    message: &'static str,
    strict: bool,
    path: &Path,
    faults: &mut Vec<Fault>,
) {
    Checker { strict, faults }.message(value, message, path);
}

struct Checker<'a> {
    strict: bool,
    faults: &'a mut Vec<Fault>,
}

impl Checker<'_> {
    fn expect(&mut self, fits: bool, path: &Path, what: &str) {
        if !fits {
            self.faults.push(path.fault(format!("it must be {what}")));
        }
    }

    fn message(&mut self, value: &Value, message: &str, path: &Path) {
        if message == INT_OR_STRING {
            let is_number =
                |number| integer(number).is_some_and(|number| i32::try_from(number).is_ok());
            let fits =
                value.is_string() || value.is_null() || value.as_number().is_some_and(is_number);
            return self.expect(fits, path, "a whole number or a string");
        }
        if value.is_null() {
            return;
        }
        let Value::Object(map) = value else { return self.expect(false, path, "a map") };
        let fields = MESSAGES.get(message).map(Vec::as_slice).unwrap_or_default();
        for (key, value) in map {
            let path = path.key(key);
            match fields.iter().find(|field| field.name == key || field.other == key) {
                Some(field) if value.is_null() && field.kind != INT_OR_STRING => {}
                Some(field) => self.field(value, field.kind, &path),
                None if self.strict => {
                    let names = fields.iter().map(|field| field.name);
                    self.faults.push(path.fault(unknown_key(key, names)));
                }
                None => {}
            }
        }
    }

    fn field(&mut self, value: &Value, kind: &str, path: &Path) {
        if let Some(item) = kind.strip_prefix("[]") {
            match value {
                Value::Array(items) => {
                    for (index, value) in items.iter().enumerate() {
                        self.one(value, item, &path.index(index));
                    }
                }
                _ => self.expect(value.is_null(), path, "a list"),
            }
        } else if let Some((_, item)) = kind.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        {
            match value {
                Value::Object(map) => {
                    for (key, value) in map {
                        self.one(value, item, &path.key(key));
                    }
                }
                _ => self.expect(value.is_null(), path, "a map"),
            }
        } else {
            self.one(value, kind, path);
        }
    }

    fn one(&mut self, value: &Value, kind: &str, path: &Path) {
        if let Some(well_known) = kind.strip_prefix('=') {
            return self.well_known(value, well_known, path);
        }
        if let Some(names) = kind.strip_prefix('<') {
            return self.choice(value, names.trim_end_matches('>'), path);
        }
        match kind {
            "bool" => self.expect(value.is_boolean() || value.is_null(), path, "true or false"),
            "string" | "bytes" => {
                self.expect(
                    value.is_string() || value.is_null(),
                    path,
                    "a string: put it in quotes",
                );
            }
            "int32" => self.whole(value, i64::from(i32::MIN), i64::from(i32::MAX), path),
            "uint32" => self.whole(value, 0, i64::from(u32::MAX), path),
            "int64" => self.whole(value, i64::MIN, i64::MAX, path),
            "uint64" => self.whole(value, 0, i64::MAX, path),
            "float" | "double" => {
                let fits = match value {
                    Value::String(text) => {
                        matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity" | "null")
                            || serde_json::from_str::<serde_json::Number>(text).is_ok()
                    }
                    other => other.is_number() || other.is_null(),
                };
                self.expect(fits, path, "a number");
            }
            message => self.message(value, message, path),
        }
    }

    /// A whole number, also in quotes.
    fn whole(&mut self, value: &Value, min: i64, max: i64, path: &Path) {
        let number = match value {
            Value::Null => return,
            Value::Number(number) => integer(number),
            Value::String(text) if text == "null" => return,
            Value::String(text) => {
                let plain = serde_json::from_str::<serde_json::Number>(text).ok();
                plain.filter(|number| !number.is_f64()).as_ref().and_then(integer)
            }
            _ => None,
        };
        let fits = number.is_some_and(|number| (min..=max).contains(&number));
        self.expect(fits, path, "a whole number in the range of its type");
    }

    fn choice(&mut self, value: &Value, names: &str, path: &Path) {
        let mut known = names.split(',').filter_map(|entry| entry.split_once('='));
        let fits = match value {
            Value::String(text) => known.any(|(name, _)| name == text),
            Value::Number(number) => {
                integer(number).is_some_and(|number| i32::try_from(number).is_ok())
            }
            other => other.is_null(),
        };
        if !fits {
            let names: Vec<&str> =
                names.split(',').filter_map(|entry| Some(entry.split_once('=')?.0)).collect();
            self.expect(false, path, &format!("one of {}", names.join(", ")));
        }
    }

    fn well_known(&mut self, value: &Value, name: &str, path: &Path) {
        if value.is_null() {
            return;
        }
        match name {
            "BoolValue" => self.one(value, "bool", path),
            "StringValue" => self.one(value, "string", path),
            "Int32Value" => self.one(value, "int32", path),
            "UInt32Value" => self.one(value, "uint32", path),
            "Int64Value" => self.one(value, "int64", path),
            "UInt64Value" => self.one(value, "uint64", path),
            "FloatValue" | "DoubleValue" => self.one(value, "double", path),
            "Struct" => self.expect(value.is_object(), path, "a map"),
            "ListValue" => self.expect(value.is_array(), path, "a list"),
            "Duration" => {
                let fits = value.as_str().and_then(duration).is_some();
                self.expect(fits, path, "a duration such as `10s` or `1h30m`");
            }
            _ => {}
        }
    }
}

/// Reads a duration as Go's `time.ParseDuration`, in nanoseconds.
pub(super) fn duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0i128;
    loop {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let unit: i128 = match &after[..end] {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') || number.len() > 18 {
            return None;
        }
        total += whole.parse::<i128>().unwrap_or_default() * unit;
        let scale = 10i128.pow(u32::try_from(fraction.len()).ok()?);
        total += fraction.parse::<i128>().unwrap_or_default() * unit / scale;
        rest = &after[end..];
        if rest.is_empty() {
            return (total <= i128::from(i64::MAX)).then_some(sign * total);
        }
    }
}
