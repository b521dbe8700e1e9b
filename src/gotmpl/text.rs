//! Strings as Go has them: bytes that are nearly always UTF-8.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A Go string: immutable bytes, cheap to clone.
///
/// Go strings may hold any bytes (`trunc` can cut a character in half, `b64dec` can return an image), so the
/// rare invalid text is kept as it is. Order and equality go by bytes, as in Go.
#[derive(Clone)]
pub enum Text {
    /// Valid UTF-8.
    Utf8(Arc<str>),
    /// Bytes that are not valid UTF-8.
    Raw(Arc<[u8]>),
}

impl Text {
    /// Takes bytes over, validating them once.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Utf8(text.into()),
            Err(error) => Self::Raw(error.into_bytes().into()),
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Raw(bytes) => bytes,
        }
    }

    /// Returns the text, with U+FFFD for what is not UTF-8.
    pub fn to_str(&self) -> Cow<'_, str> {
        match self {
            Self::Utf8(text) => Cow::Borrowed(text),
            Self::Raw(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// Returns the text as a shared string, with U+FFFD for what is not UTF-8.
    pub fn to_arc(&self) -> Arc<str> {
        match self {
            Self::Utf8(text) => text.clone(),
            Self::Raw(bytes) => String::from_utf8_lossy(bytes).into(),
        }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Reports whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes `start..end` as a text of their own.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Self {
        if start == 0 && end == self.len() {
            return self.clone();
        }
        match self {
            Self::Utf8(text) => match text.get(start..end) {
                Some(part) => Self::Utf8(part.into()),
                None => Self::Raw(text.as_bytes()[start..end].into()),
            },
            Self::Raw(bytes) => Self::from_bytes(bytes[start..end].to_vec()),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Utf8(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Utf8(text.into())
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Utf8(text)
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_bytes(bytes)
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_str(), f)
    }
}
