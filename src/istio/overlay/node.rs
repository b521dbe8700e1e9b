//! A value that remembers whether its maps were read or given: istioctl writes into the two in different ways.

use serde_json::{Map, Value};

use crate::istio::tree::to_integers;
use crate::istio::value::display;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Null.
    Null,
    /// A boolean, number or string.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Origin, Vec<(String, Node)>),
}

/// Where a map came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From the rendered text, or made in a map that is.
    Parsed,
    /// From a value of an overlay, or made where nothing or a list was.
    Given,
}

impl Node {
    /// What was rendered.
    pub(super) fn parsed(value: Value) -> Self {
        Self::new(value, Origin::Parsed)
    }

    /// What an overlay gives.
    pub(super) fn given(value: &Value) -> Self {
        Self::new(value.clone(), Origin::Given)
    }

    fn new(value: Value, origin: Origin) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Array(items) => {
                Self::List(items.into_iter().map(|item| Self::new(item, origin)).collect())
            }
            Value::Object(map) => {
                let entries = map.into_iter().map(|(key, value)| (key, Self::new(value, origin)));
                Self::Map(origin, entries.collect())
            }
            scalar => Self::Scalar(scalar),
        }
    }

    /// An empty map.
    pub(super) fn empty(origin: Origin) -> Self {
        Self::Map(origin, Vec::new())
    }

    /// The value, its whole numbers as integers.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Scalar(mut value) => {
                to_integers(&mut value);
                value
            }
            Self::List(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Self::Map(_, entries) => {
                let entries = entries.into_iter().map(|(key, value)| (key, value.into_value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The value under a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(_, entries) = self else { return None };
        entries.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// As Go's `fmt.Sprint` prints it.
    pub(super) fn display(&self) -> String {
        display(&self.clone().into_value())
    }
}
