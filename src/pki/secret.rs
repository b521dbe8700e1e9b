//! What must not be seen.

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
