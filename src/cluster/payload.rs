//! Objects on their way to a server, wiped when they are gone.

use std::sync::Arc;

use serde_json::Value;

use crate::pki::Wiped;

/// An object as it is sent. One that was opened or bound is wiped when it is dropped.
///
/// It has no `Debug`, as [`crate::pki::Secret`] has none.
pub enum Payload {
    /// Nothing secret: as it stands in the tree.
    Clear(Arc<Value>),
    /// With secrets in it.
    Sensitive(Wiped),
}

impl Payload {
    /// A value with secrets in it.
    pub fn sensitive(value: Value) -> Self {
        Payload::Sensitive(Wiped(value))
    }

    /// The object.
    pub fn value(&self) -> &Value {
        match self {
            Payload::Clear(value) => value,
            Payload::Sensitive(wiped) => &wiped.0,
        }
    }
}

/// A text without the values of an object, in case a server repeats them in a refusal.
pub fn hide(text: &str, object: &Value) -> String {
    const SHORTEST: usize = 8;
    let mut text = text.to_owned();
    for map in ["data", "stringData"] {
        for value in object.get(map).and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = value.1.as_str().filter(|value| value.len() >= SHORTEST) {
                text = text.replace(value, "‹not shown›");
            }
        }
    }
    text
}
