//! Slices.

use std::rc::Rc;

use super::value::{Value, drop_flat};

/// A Go slice: immutable here, because no template function writes into one.
#[derive(Clone)]
pub struct List(Rc<Body>);

struct Body {
    elem: Elem,
    nil: bool,
    items: Vec<Value>,
}

/// What a slice holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// `interface {}`.
    Any,
    /// `string`.
    Str,
    /// `int`.
    Int,
    /// `map[string]interface {}`.
    Map,
    /// `[]interface {}`.
    List,
}

impl Elem {
    /// Returns Go's name of a slice of it.
    pub const fn list_name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Str => "[]string",
            Self::Int => "[]int",
            Self::Map => "[]map[string]interface {}",
            Self::List => "[][]interface {}",
        }
    }
}

impl List {
    /// Makes a slice.
    pub fn new(elem: Elem, items: Vec<Value>) -> Self {
        Self(Rc::new(Body { elem, nil: false, items }))
    }

    /// Makes a nil slice, which is empty and equals nil.
    pub fn nil(elem: Elem) -> Self {
        Self(Rc::new(Body { elem, nil: true, items: Vec::new() }))
    }

    /// Returns the items.
    pub fn items(&self) -> &[Value] {
        &self.0.items
    }

    /// Returns the type of the items.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    /// Reports whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.0.items.len()
    }

    /// Reports whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.0.items.is_empty()
    }

    pub(super) fn into_unique_items(self) -> Vec<Value> {
        Rc::into_inner(self.0).map(|mut body| std::mem::take(&mut body.items)).unwrap_or_default()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if self.items.iter().any(|item| matches!(item, Value::List(_) | Value::Map(_))) {
            drop_flat(std::mem::take(&mut self.items));
        }
    }
}
