//! What two answers say of each other.

use meshgen::yaml::{self, Schema};
use serde_json::Value;
use similar::TextDiff;

/// How many lines of a difference are shown.
const SHOWN: usize = 40;

/// What a command says to a case.
#[derive(Debug, Clone)]
pub enum Answer {
    Text(String),
    Refusal(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Text(text) | Self::Refusal(text)) = self;
        f.write_str(text.trim_end())
    }
}

/// Whether two answers are the same.
#[derive(Debug)]
pub enum Verdict {
    /// The same objects in the same order, perhaps in the same bytes.
    Equal { bytes: bool },
    /// Both refuse the input.
    Refused,
    /// Not the same, and what is not.
    Unequal(String),
}

impl Verdict {
    pub fn of(theirs: &Answer, ours: &Answer) -> Self {
        match (theirs, ours) {
            (Answer::Refusal(_), Answer::Refusal(_)) => Self::Refused,
            (Answer::Refusal(error), Answer::Text(_)) => {
                Self::Unequal(format!("only istioctl refuses: {error}"))
            }
            (Answer::Text(_), Answer::Refusal(error)) => {
                Self::Unequal(format!("istioctl takes it; meshgen says: {error}"))
            }
            (Answer::Text(theirs), Answer::Text(ours)) if theirs == ours => {
                Self::Equal { bytes: true }
            }
            (Answer::Text(theirs), Answer::Text(ours)) => {
                match objects(theirs).and_then(|theirs| Ok((theirs, objects(ours)?))) {
                    Ok((theirs, ours)) => compare(&theirs, &ours),
                    Err(error) => Self::Unequal(error),
                }
            }
        }
    }
}

/// The objects of a text, each with its identity.
fn objects(text: &str) -> Result<Vec<(Identity, Value)>, String> {
    let documents = yaml::documents(text, Schema::Go).map_err(|error| error.to_string())?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .map(|document| (Identity::of(&document), document))
        .collect())
}

/// What an object is called. istioctl sorts by kind and name alone: objects that share these come
/// in the order of its components, which is that of a Go map and changes from run to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    group: String,
    kind: String,
    name: String,
    namespace: String,
}

impl Identity {
    fn of(object: &Value) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let version = text(&object["apiVersion"]);
        Self {
            group: version.rsplit_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: text(&object["kind"]),
            name: text(&object["metadata"]["name"]),
            namespace: text(&object["metadata"]["namespace"]),
        }
    }

    fn place(&self) -> (&str, &str, &str) {
        (&self.group, &self.kind, &self.name)
    }
}

type Objects = [(Identity, Value)];

fn compare(theirs: &Objects, ours: &Objects) -> Verdict {
    let order = |objects: &Objects| -> String {
        objects.iter().map(|(identity, _)| format!("{:?}\n", identity.place())).collect()
    };
    let (expected, found) = (order(theirs), order(ours));
    if expected != found {
        return Verdict::Unequal(format!(
            "other objects, or in another order\n{}",
            diff(&expected, &found)
        ));
    }
    let sorted = |objects: &Objects| {
        let mut objects = objects.to_vec();
        objects.sort_by(|(one, left), (other, right)| {
            one.cmp(other).then_with(|| left.to_string().cmp(&right.to_string()))
        });
        objects
    };
    for ((identity, theirs), (_, ours)) in sorted(theirs).iter().zip(&sorted(ours)) {
        if !same(theirs, ours) {
            let Identity { kind, name, .. } = identity;
            return Verdict::Unequal(format!(
                "{kind} {name}\n{}",
                diff(&show(theirs), &show(ours))
            ));
        }
    }
    Verdict::Equal { bytes: false }
}

/// Numbers are equal by value; all else by itself, maps in any order.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let found = |(key, value)| right.get(key).is_some_and(|other| same(value, other));
            left.len() == right.len() && left.iter().all(found)
        }
        _ => left == right,
    }
}

/// An object for reading: its texts of several lines are laid open, so that a difference inside a
/// `ConfigMap` is one line.
fn show(object: &Value) -> String {
    fn lay(value: &Value, path: &str, out: &mut String) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                for key in keys {
                    lay(&map[key], &format!("{path}.{key}"), out);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    lay(item, &format!("{path}[{index}]"), out);
                }
            }
            Value::String(text) if text.contains('\n') => {
                out.push_str(&format!("{path}: |\n"));
                for line in text.split('\n') {
                    out.push_str(&format!("  {line}\n"));
                }
            }
            _ => out.push_str(&format!("{path}: {value}\n")),
        }
    }
    let mut out = String::new();
    lay(object, "", &mut out);
    out
}

/// `-` is istioctl, `+` is meshgen.
fn diff(theirs: &str, ours: &str) -> String {
    let diff = TextDiff::from_lines(theirs, ours);
    let text = diff.unified_diff().context_radius(1).to_string();
    let lines: Vec<&str> = text.lines().take(SHOWN).collect();
    lines.join("\n")
}
