//! A set of fields, as the managed fields of an object write it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::equal::same;

/// One step of a path in a [`FieldSet`].
///
/// Source: `fieldpath.PathElement` of structured-merge-diff, whose text is `f:NAME`, `k:{…}`,
/// `v:…` or `i:N`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathElement {
    /// Into a mapping.
    Field(String),
    /// Into a list that is merged by key, to the item with these values.
    Key(BTreeMap<String, Scalar>),
    /// Into a list that is a set, to this value.
    Value(Scalar),
    /// Into a list, to its item at a place.
    Index(usize),
}

/// A JSON value that can be compared and sorted: its text, the keys of mappings in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scalar(String);

/// A set of fields of an object, such as those that one manager owns.
///
/// Two sets are equal if they hold the same paths, however their `fieldsV1` is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet(BTreeMap<PathElement, Node>);

/// What a [`FieldSet`] holds at one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Whether the set holds the path itself.
    pub itself: bool,
    /// The paths below it that the set holds.
    pub below: FieldSet,
}

impl Scalar {
    /// Keeps a value.
    pub fn of(value: &Value) -> Self {
        let mut value = value.clone();
        value.sort_all_objects();
        Self(value.to_string())
    }

    /// Whether it is this value; `1` is `1.0`.
    pub fn is(&self, value: &Value) -> bool {
        same(&self.value(), value)
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.0).expect("it is the text of a JSON value")
    }
}

/// Prints strings without quotation marks, all else as JSON.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Value::String(text) => f.write_str(&text),
            _ => f.write_str(&self.0),
        }
    }
}

impl PathElement {
    /// Into a mapping.
    pub fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// Reads `f:NAME`, `k:{…}`, `v:…` or `i:N`; `None` for all else.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Self::field(rest)),
            "k" => {
                let keys: Map<String, Value> = serde_json::from_str(rest).ok()?;
                let keys = keys.iter().map(|(name, value)| (name.clone(), Scalar::of(value)));
                Some(Self::Key(keys.collect()))
            }
            "v" => Some(Self::Value(Scalar::of(&serde_json::from_str(rest).ok()?))),
            "i" => Some(Self::Index(rest.parse().ok()?)),
            _ => None,
        }
    }

    /// How well it fits an item of a list: `None` if it does not, else the number of values that
    /// agree.
    ///
    /// A key that the item does not have fits, since the server may have filled it in; the key
    /// `protocol` is filled in as `TCP` (the only default of a key in Kubernetes' API). At least
    /// one key must agree.
    pub fn fits(&self, item: &Value, index: usize) -> Option<usize> {
        match self {
            Self::Field(_) => None,
            Self::Key(keys) => {
                let mut agree = 0;
                for (name, value) in keys {
                    match item.get(name) {
                        Some(own) if !own.is_null() => {
                            if !value.is(own) {
                                return None;
                            }
                            agree += 1;
                        }
                        _ if name == "protocol" && !value.is(&Value::from("TCP")) => return None,
                        _ => {}
                    }
                }
                (agree > 0).then_some(agree)
            }
            Self::Value(value) => value.is(item).then_some(1),
            Self::Index(place) => (*place == index).then_some(1),
        }
    }
}

/// Prints `f:NAME`, `k:{…}`, `v:…` or `i:N`, which [`PathElement::parse`] reads.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, "f:{name}"),
            Self::Key(keys) => {
                let keys = keys.iter().map(|(name, value)| (name.clone(), value.value()));
                write!(f, "k:{}", Value::Object(keys.collect()))
            }
            Self::Value(value) => write!(f, "v:{}", value.0),
            Self::Index(index) => write!(f, "i:{index}"),
        }
    }
}

impl Node {
    /// Whether the set knows nothing below the path: a scalar, something empty, or a mapping or
    /// list that is owned as a whole ("atomic").
    pub fn is_leaf(&self) -> bool {
        self.below.is_empty()
    }
}

impl FieldSet {
    /// Reads `fieldsV1`; `None` where it holds what this reader does not know.
    pub fn parse(fields: &Value) -> Option<Self> {
        let mut set = BTreeMap::new();
        for (key, value) in fields.as_object()? {
            if key == "." {
                continue;
            }
            let below = Self::parse(value)?;
            let itself = below.is_empty() || value.get(".").is_some();
            set.insert(PathElement::parse(key)?, Node { itself, below });
        }
        Some(Self(set))
    }

    /// The set as `fieldsV1`.
    pub fn to_value(&self) -> Value {
        let write = |(element, node): (&PathElement, &Node)| {
            let mut below = node.below.to_value();
            if let Value::Object(map) = &mut below
                && node.itself
                && !node.is_leaf()
            {
                map.insert(".".to_owned(), Value::Object(Map::new()));
            }
            (element.to_string(), below)
        };
        let mut value = Value::Object(self.0.iter().map(write).collect());
        value.sort_all_objects();
        value
    }

    /// Whether it holds no path.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The elements below the root, each with what the set holds there.
    pub fn iter(&self) -> impl Iterator<Item = (&PathElement, &Node)> {
        self.0.iter()
    }

    /// What it holds at a field of a mapping.
    pub fn field(&self, name: &str) -> Option<&Node> {
        self.0.get(&PathElement::field(name))
    }

    /// What it holds at an item of a list; see [`PathElement::fits`]. Of several that fit, the one
    /// with the most keys that agree.
    pub fn item(&self, item: &Value, index: usize) -> Option<&Node> {
        let fitting = self
            .0
            .iter()
            .filter_map(|(element, node)| element.fits(item, index).map(|agree| (agree, node)));
        fitting.max_by_key(|(agree, _)| *agree).map(|(_, node)| node)
    }

    /// All paths of two sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut united = self.clone();
        for (element, node) in &other.0 {
            let own = united.0.entry(element.clone()).or_default();
            own.itself |= node.itself;
            own.below = own.below.union(&node.below);
        }
        united
    }

    /// Whether it holds a path, itself or as part of something that is owned as a whole.
    pub fn contains(&self, path: &[PathElement]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        self.0.get(first).is_some_and(|node| {
            node.is_leaf() || (rest.is_empty() && node.itself) || node.below.contains(rest)
        })
    }

    /// The paths, sorted, as people read them: `spec.ports[port=80,protocol=TCP].name`,
    /// `metadata.annotations["sidecar.istio.io/inject"]`, `metadata.finalizers[=x]`, `args[0]`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, prefix: &str, paths: &mut Vec<String>) {
        for (element, node) in &self.0 {
            let path = match element {
                PathElement::Field(name) if !is_plain(name) => {
                    format!("{prefix}[{}]", Value::from(name.as_str()))
                }
                PathElement::Field(name) if prefix.is_empty() => name.clone(),
                PathElement::Field(name) => format!("{prefix}.{name}"),
                PathElement::Key(keys) => {
                    let keys = keys.iter().map(|(name, value)| format!("{name}={value}"));
                    format!("{prefix}[{}]", keys.collect::<Vec<_>>().join(","))
                }
                PathElement::Value(value) => format!("{prefix}[={value}]"),
                PathElement::Index(index) => format!("{prefix}[{index}]"),
            };
            node.below.collect(&path, paths);
            if node.itself {
                paths.push(path);
            }
        }
        if prefix.is_empty() {
            paths.sort();
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
}
