//! Maps with string keys, shared and mutable.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::function::Function;
use super::text::Text;
use super::value::{Value, drop_flat};

/// The entries of a map, in the order of their keys' bytes, which is the order `range` and `%v` show.
pub type Entries = BTreeMap<Text, Value>;

/// A Go map with string keys. Clones share the entries.
#[derive(Clone)]
pub struct Map(Rc<Body>);

struct Body {
    kind: MapKind,
    nil: bool,
    entries: RefCell<Entries>,
}

/// The Go type of a map.
#[derive(Clone, Copy)]
pub enum MapKind {
    /// `map[string]interface {}`.
    Any,
    /// `map[string]string`.
    Str,
    /// A named type over `map[string]interface {}`, with methods.
    Named(&'static NamedMap),
}

/// A named map type of the host.
pub struct NamedMap {
    /// Go's name of the type.
    pub name: &'static str,
    /// Finds a method; the receiver is passed as the first argument.
    pub method: fn(&str) -> Option<&'static Function>,
}

impl MapKind {
    /// Returns Go's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::Str => "map[string]string",
            Self::Named(named) => named.name,
        }
    }

    /// Returns what an absent key holds.
    pub fn zero(self) -> Value {
        match self {
            Self::Str => Value::str(""),
            Self::Any | Self::Named(_) => Value::Nil,
        }
    }
}

impl Map {
    /// Makes a map.
    pub fn new(kind: MapKind, entries: Entries) -> Self {
        Self(Rc::new(Body { kind, nil: false, entries: RefCell::new(entries) }))
    }

    /// Makes a nil map, which is empty, equals nil and cannot be written to.
    pub fn nil(kind: MapKind) -> Self {
        Self(Rc::new(Body { kind, nil: true, entries: RefCell::default() }))
    }

    /// Returns the type.
    pub fn kind(&self) -> MapKind {
        self.0.kind
    }

    /// Reports whether it is a nil map.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// Reports whether both are one map, so that writing to one changes the other.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the entries for reading. No function may be called while the borrow lives.
    pub fn entries(&self) -> Ref<'_, Entries> {
        self.0.entries.borrow()
    }

    /// Returns the entries as a list, so that the map may change while they are walked.
    pub fn to_vec(&self) -> Vec<(Text, Value)> {
        self.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Looks a key up.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.entries().get(key.as_ref()).cloned()
    }

    /// Reports whether the key is there.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.entries().contains_key(key.as_ref())
    }

    /// Sets a key. A nil map refuses.
    ///
    /// # Errors
    /// With Go's words when the map is nil.
    pub fn set(&self, key: impl Into<Text>, value: Value) -> Result<(), &'static str> {
        if self.0.nil {
            return Err("assignment to entry in nil map");
        }
        self.0.entries.borrow_mut().insert(key.into(), value);
        Ok(())
    }

    /// Takes a key out.
    pub fn remove(&self, key: impl AsRef<[u8]>) {
        // The old value is dropped after the borrow ends.
        let old = self.0.entries.borrow_mut().remove(key.as_ref());
        drop(old);
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Reports whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    pub(super) fn into_unique_values(self) -> Vec<Value> {
        Rc::into_inner(self.0)
            .map(|body| body.entries.take().into_values().collect())
            .unwrap_or_default()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.values().any(|value| matches!(value, Value::List(_) | Value::Map(_))) {
            drop_flat(std::mem::take(entries).into_values().collect());
        }
    }
}
