//! Values as templates see them.

use std::rc::Rc;
use std::sync::Arc;

use super::list::{Elem, List};
use super::map::{Map, MapKind};
use super::object::Object;
use super::text::Text;

/// A value of a template.
///
/// It is what Go's `reflect.Value` is to `text/template`, for the types that JSON, YAML and the usual function
/// libraries make. Clones are cheap and share: a map changed through one clone is changed for all.
#[derive(Clone, Default)]
pub enum Value {
    /// No value at all: a key that is not there. Prints as `<no value>`, and any field of it is missing again.
    #[default]
    Missing,
    /// A nil interface: a key that is there and holds null. A field of it is an error.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer and its Go type.
    Int(i64, Int),
    /// An unsigned integer and its Go type.
    Uint(u64, Uint),
    /// A `float64`.
    Float(f64),
    /// A string.
    Str(Text),
    /// A `[]byte`.
    Bytes(Arc<[u8]>),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// An object of the host, with fields and methods.
    Object(Rc<dyn Object>),
}

/// Go's signed integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Int {
    /// `int`, 64 bits here.
    Int,
    /// `int32`, also `rune`.
    Int32,
    /// `int64`.
    Int64,
    /// `time.Duration`, in nanoseconds.
    Duration,
}

/// Go's unsigned integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uint {
    /// `uint8`, also `byte`.
    Uint8,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
}

impl Value {
    /// Makes an `int`.
    pub const fn int(value: i64) -> Self {
        Self::Int(value, Int::Int)
    }

    /// Makes an `int64`.
    pub const fn int64(value: i64) -> Self {
        Self::Int(value, Int::Int64)
    }

    /// Makes a string.
    pub fn str(text: impl Into<Text>) -> Self {
        Self::Str(text.into())
    }

    /// Makes a `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(Elem::Any, items))
    }

    /// Makes a `[]string`.
    pub fn strings<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(List::new(Elem::Str, items.into_iter().map(Self::str).collect()))
    }

    /// Makes a `map[string]interface {}`.
    pub fn map(entries: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::Map(Map::new(MapKind::Any, entries.into_iter().collect()))
    }

    /// Reports whether this is nil or missing.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil | Self::Missing)
    }

    /// Returns the string, if it is one.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Turns a missing value into nil, as passing it as an `interface{}` does.
    #[must_use]
    pub fn or_nil(self) -> Self {
        match self {
            Self::Missing => Self::Nil,
            other => other,
        }
    }

    /// Turns nil into a missing value, as Go does between the commands of a pipeline.
    #[must_use]
    pub fn unwrap_interface(self) -> Self {
        match self {
            Self::Nil => Self::Missing,
            other => other,
        }
    }

    /// Returns the name of the Go type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Missing => "<nil>",
            Self::Nil => "interface {}",
            Self::Bool(_) => "bool",
            Self::Int(_, kind) => kind.name(),
            Self::Uint(_, kind) => kind.name(),
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.elem().list_name(),
            Self::Map(map) => map.kind().name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// Returns the name of the Go kind, as `reflect.Kind` prints it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_, Int::Duration) => "int64",
            Self::Int(_, kind) => kind.name(),
            Self::Uint(_, kind) => kind.name(),
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(object) => object.kind_name(),
        }
    }
}

impl Int {
    /// Returns Go's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Duration => "time.Duration",
        }
    }
}

impl Uint {
    /// Returns Go's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::Nil => f.write_str("Nil"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value, kind) => write!(f, "{}({value})", kind.name()),
            Self::Uint(value, kind) => write!(f, "{}({value})", kind.name()),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Str(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "bytes({})", bytes.len()),
            // Containers may hold themselves, so only their size is shown.
            Self::List(list) => write!(f, "list({})", list.len()),
            Self::Map(map) => write!(f, "map({})", map.len()),
            Self::Object(object) => write!(f, "{}", object.type_name()),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::str(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::str(value)
    }
}

/// Takes containers apart one after the other, so that a deep value does not overflow the stack when it is dropped.
pub(super) fn drop_flat(first: Vec<Value>) {
    let mut waiting = first;
    while let Some(value) = waiting.pop() {
        match value {
            Value::List(list) => waiting.extend(list.into_unique_items()),
            Value::Map(map) => waiting.extend(map.into_unique_values()),
            _ => {}
        }
    }
}
