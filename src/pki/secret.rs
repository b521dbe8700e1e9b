//! What must not be seen.

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// A value that is wiped when it goes out of scope, and that cannot be printed or serialised.
///
/// It has no `Debug`, `Display` or `Serialize` on purpose: what could end in a message, a log or a
/// file has to be taken out by [`Secret::expose`], which is easy to search for.
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value in.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value. The caller must not copy it into anything that outlives the secret.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

/// A value whose strings are wiped when it is dropped, half-built or whole.
pub struct Wiped(pub Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
