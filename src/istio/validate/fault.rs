//! A fault, and its place.

use std::fmt;

/// Something that is wrong.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// Where.
    pub(super) path: Path,
    /// What.
    pub(super) reason: String,
}

/// The way to a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(Vec<Part>);

/// A step of it.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Into a map.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Path {
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// The path of a key below this one; dots in `keys` are no steps.
    pub(super) fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Part::Key(key.to_owned()));
        path
    }

    /// The path of several keys, with dots between them.
    pub(super) fn keys(keys: &str) -> Self {
        keys.split('.').fold(Self::root(), |path, key| path.key(key))
    }

    /// The path of an item below this one.
    pub(super) fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Part::Index(index));
        path
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Something wrong here.
    pub(super) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { path: self.clone(), reason: reason.into() }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            match part {
                Part::Key(key) if key.contains('.') => write!(f, "[{key}]")?,
                Part::Key(key) if at == 0 => f.write_str(key)?,
                Part::Key(key) => write!(f, ".{key}")?,
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
