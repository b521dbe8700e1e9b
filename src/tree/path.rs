//! A path inside `out/`, safe to join to a folder.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// A relative path of a rendered file: `c1/10-cacerts/secret_istio-system_cacerts.yaml`.
///
/// At most 4,096 bytes of `[A-Za-z0-9._%-]` in parts joined by `/`; no part is empty, `.` or `..`
/// or longer than 255 bytes. Parsing is the only constructor, so that a path that was read from a
/// foreign index can never leave the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// Why a text is no [`TreePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path of a tree: {1}")]
pub struct TreePathError(String, &'static str);

impl TreePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part: the cluster's name, or `terraform`, `remote-secrets`, `crds`.
    pub fn first(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for TreePath {
    type Err = TreePathError;

    fn from_str(text: &str) -> Result<Self, TreePathError> {
        let error = |why| Err(TreePathError(text.chars().take(120).collect(), why));
        if text.is_empty() || text.len() > 4096 {
            return error("it is empty or too long");
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._%-/".contains(&byte);
        if !text.bytes().all(fits) {
            return error("it holds a character outside [A-Za-z0-9._%-]");
        }
        for part in text.split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return error("it has an empty part, `.` or `..`");
            }
            if part.len() > 255 {
                return error("a part is longer than 255 bytes");
            }
        }
        if matches!(text.split('/').next(), Some("store" | "index.json" | ".gitignore")) {
            return error("that name in out/ is meshgen's own");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for TreePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for TreePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
