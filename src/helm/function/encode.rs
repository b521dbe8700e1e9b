//! YAML, JSON, TOML, base 32 and base 64.

use super::toml::{from_toml, to_toml};
use crate::gotmpl::{Elem, Exec, Failure, Function, List, Meter, Text, Type, Value, base64};
use crate::helm::arg::{any, string, text};
use crate::helm::json::{Style, write};
use crate::yaml;

type Outcome = Result<Value, Failure>;

const ANY: &[Type] = &[Type::Any];
const STR: &[Type] = &[Type::Str];

const COMPACT: Style = Style { pretty: false, html: true };
const PRETTY: Style = Style { pretty: true, html: true };
const RAW: Style = Style { pretty: false, html: false };

pub const FUNCTIONS: &[Function] = &[
    Function::new("toYaml", ANY, |exec, args| or_empty(to_yaml(exec.meter(), any(args, 0)?))),
    Function::new("mustToYaml", ANY, |exec, args| {
        Ok(Value::str(to_yaml(exec.meter(), any(args, 0)?)?))
    }),
    Function::new("toYamlPretty", ANY, |exec, args| {
        or_empty(to_yaml_pretty(exec.meter(), any(args, 0)?))
    }),
    Function::new("fromYaml", STR, |exec, args| {
        let value = from_yaml(exec, text(args, 0)?);
        // In YAML nothing is an empty map; in JSON null is a nil map.
        Ok(if matches!(value, Ok(Value::Nil)) {
            Value::map([])
        } else {
            or_error(value, &Kind::Map)
        })
    }),
    Function::new("fromYamlArray", STR, |exec, args| {
        let value = from_yaml(exec, text(args, 0)?);
        Ok(if matches!(value, Ok(Value::Nil)) {
            Value::list(Vec::new())
        } else {
            or_error(value, &Kind::List)
        })
    }),
    Function::new("toJson", ANY, |exec, args| {
        or_empty(write(exec.meter(), any(args, 0)?, COMPACT))
    }),
    Function::new("mustToJson", ANY, |exec, args| {
        Ok(Value::str(write(exec.meter(), any(args, 0)?, COMPACT)?))
    }),
    Function::new("toPrettyJson", ANY, |exec, args| {
        or_empty(write(exec.meter(), any(args, 0)?, PRETTY))
    }),
    Function::new("mustToPrettyJson", ANY, |exec, args| {
        Ok(Value::str(write(exec.meter(), any(args, 0)?, PRETTY)?))
    }),
    Function::new("toRawJson", ANY, |exec, args| {
        Ok(Value::str(write(exec.meter(), any(args, 0)?, RAW)?))
    }),
    Function::new("mustToRawJson", ANY, |exec, args| {
        Ok(Value::str(write(exec.meter(), any(args, 0)?, RAW)?))
    }),
    Function::new("fromJson", STR, |exec, args| {
        Ok(or_error(from_json(exec.meter(), text(args, 0)?), &Kind::Map))
    }),
    Function::new("fromJsonArray", STR, |exec, args| {
        Ok(or_error(from_json(exec.meter(), text(args, 0)?), &Kind::List))
    }),
    Function::new("mustFromJson", STR, |exec, args| from_json(exec.meter(), text(args, 0)?)),
    Function::new("toToml", ANY, |exec, args| match to_toml(exec.meter(), any(args, 0)?) {
        Err(Failure::Message(message)) => Ok(Value::str(message)),
        result => result.map(Value::str),
    }),
    Function::new("mustToToml", ANY, |exec, args| {
        Ok(Value::str(to_toml(exec.meter(), any(args, 0)?)?))
    }),
    Function::new("fromToml", STR, |exec, args| {
        Ok(or_error(from_toml(exec.meter(), &string(args, 0)?), &Kind::Map))
    }),
    Function::new("b64enc", STR, |exec, args| {
        let text = text(args, 0)?;
        exec.meter().string(text.len().saturating_mul(2))?;
        Ok(Value::str(base64(text.as_bytes())))
    }),
    Function::new("b64dec", STR, |exec, args| decode(exec, args, &Base::SIXTY_FOUR)),
    Function::new("b32enc", STR, |exec, args| {
        let text = text(args, 0)?;
        exec.meter().string(text.len().saturating_mul(2))?;
        Ok(Value::str(base32(text.as_bytes())))
    }),
    Function::new("b32dec", STR, |exec, args| decode(exec, args, &Base::THIRTY_TWO)),
];

/// Turns a message into nothing, as the functions without `must` do; limits stay.
fn or_empty(result: Result<String, Failure>) -> Outcome {
    match result {
        Err(Failure::Message(_)) => Ok(Value::str("")),
        result => result.map(Value::str),
    }
}

enum Kind {
    Map,
    List,
}

/// Checks the kind of what was read; a fault comes as a value, as in Helm.
fn or_error(result: Outcome, kind: &Kind) -> Value {
    let result = match (result, kind) {
        (Ok(value @ Value::Map(_)), Kind::Map) | (Ok(value @ Value::List(_)), Kind::List) => {
            return value;
        }
        (Ok(Value::Nil), Kind::Map) => {
            return Value::Map(crate::gotmpl::Map::nil(crate::gotmpl::MapKind::Any));
        }
        (Ok(Value::Nil), Kind::List) => return Value::List(List::nil(Elem::Any)),
        (Ok(value), _) => format!("cannot unmarshal {} into {}", value.kind_name(), kind.go_type()),
        (Err(Failure::Message(message) | Failure::Limit(message)), _) => message,
        (Err(Failure::Inner { error, .. }), _) => error.to_string(),
    };
    match kind {
        Kind::Map => Value::map([(Text::from("Error"), Value::str(result))]),
        Kind::List => Value::list(vec![Value::str(result)]),
    }
}

impl Kind {
    fn go_type(&self) -> &'static str {
        match self {
            Self::Map => "Go value of type map[string]interface {}",
            Self::List => "Go value of type []interface {}",
        }
    }
}

/// Writes a value as `toYaml` does: the text of `sigs.k8s.io/yaml` without its last line end.
///
/// # Errors
/// When a number is not finite, the text is too large, or the value holds itself.
pub fn to_yaml(meter: &Meter, value: &Value) -> Result<String, Failure> {
    let json = value.to_json(meter)?;
    let mut text = yaml::go_compatible(&json).map_err(|error| error.to_string())?;
    meter.string(text.len())?;
    text.pop();
    Ok(text)
}

/// Writes a value as `toYamlPretty` does: lists are indented under their key.
fn to_yaml_pretty(meter: &Meter, value: &Value) -> Result<String, Failure> {
    let json = pretty_json(meter, value)?;
    let mut text = yaml::go_pretty(&json);
    meter.string(text.len())?;
    text.pop();
    Ok(text)
}

/// Turns a value into JSON as far as go-yaml 3 sees it, which encodes without the detour over JSON: bytes are numbers,
/// and nil maps are empty.
fn pretty_json(meter: &Meter, value: &Value) -> Result<serde_json::Value, Failure> {
    let mut json = value.to_json(meter)?;
    if let Value::Bytes(bytes) = value {
        json = bytes.iter().copied().collect();
    }
    if let (Value::Map(map), serde_json::Value::Object(entries)) = (value, &mut json) {
        for (key, inner) in map.to_vec() {
            let empty = match &inner {
                Value::Map(map) if map.is_nil() => serde_json::json!({}),
                Value::List(list) if list.is_nil() => serde_json::json!([]),
                _ => continue,
            };
            entries.insert(key.to_str().into_owned(), empty);
        }
    }
    Ok(json)
}

/// Reads YAML as Go's `sigs.k8s.io/yaml` does.
fn from_yaml(exec: &Exec<'_>, text: &Text) -> Outcome {
    exec.meter().string(text.len())?;
    let read = |text: &str| {
        let json = yaml::go_document(text);
        json.map_err(|error| format!("error converting YAML to JSON: yaml: {error}"))
    };
    let json = exec.set().memory().recall(&text.to_arc(), read)?;
    Ok(Value::from_json(&json))
}

fn from_json(meter: &Meter, text: &Text) -> Outcome {
    meter.string(text.len())?;
    let json: serde_json::Value =
        serde_json::from_slice(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Value::from_json(&json))
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = (0..5).fold(0u64, |bits, index| {
            bits << 8 | u64::from(chunk.get(index).copied().unwrap_or(0))
        });
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let digit = (bits >> (35 - index * 5) & 31) as usize;
            out.push(if index < digits { char::from(Base::THIRTY_TWO.digits[digit]) } else { '=' });
        }
    }
    out
}

/// A base that a power of two is.
struct Base {
    name: &'static str,
    digits: &'static [u8],
    bits: usize,
    /// Digits in a group that padding fills.
    group: usize,
}

impl Base {
    const SIXTY_FOUR: Self = Self {
        name: "base64",
        digits: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        bits: 6,
        group: 4,
    };
    const THIRTY_TWO: Self =
        Self { name: "base32", digits: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bits: 5, group: 8 };

    fn decode(&self, text: &[u8]) -> Result<Vec<u8>, usize> {
        let (mut out, mut buffer, mut held, mut digits) =
            (Vec::with_capacity(text.len()), 0u32, 0, 0usize);
        let mut padding = None;
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'\r' | b'\n' => {}
                b'=' => {
                    let count = padding.get_or_insert(0usize);
                    *count += 1;
                    if digits % self.group == 0 || *count > self.group - digits % self.group {
                        return Err(at);
                    }
                }
                _ => {
                    let digit = self.digits.iter().position(|digit| digit == byte);
                    let (Some(digit), None) = (digit, padding) else { return Err(at) };
                    buffer = buffer << self.bits | u32::try_from(digit).unwrap_or(0);
                    held += self.bits;
                    digits += 1;
                    if held >= 8 {
                        held -= 8;
                        out.push(u8::try_from(buffer >> held & 0xff).unwrap_or(0));
                    }
                    buffer &= (1 << held) - 1;
                }
            }
        }
        let missing = (self.group - digits % self.group) % self.group;
        let fits = padding.unwrap_or(0) == missing && held < self.bits;
        if fits { Ok(out) } else { Err(text.len() / self.group * self.group) }
    }
}

/// Reads base 64; a fault comes with its place.
pub fn from_base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    Base::SIXTY_FOUR.decode(text)
}

fn decode(exec: &Exec<'_>, args: &[Value], base: &Base) -> Outcome {
    let text = text(args, 0)?;
    exec.meter().string(text.len())?;
    // A fault is the result, as in sprig.
    Ok(Value::str(base.decode(text.as_bytes()).unwrap_or_else(|at| {
        format!("illegal {} data at input byte {at}", base.name).into_bytes()
    })))
}
