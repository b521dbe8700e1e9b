//! Names that are strings by accident: parsing is the only constructor.

use std::fmt;

use crate::object::is_dns_label;

/// A cluster's name: a DNS label (RFC 1123), and no folder of the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ClusterName(String);

/// A network's name: the value of the label `topology.istio.io/network`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct NetworkName(String);

/// Folders of `out/`, and the root of `pki/`: no cluster can be called so.
pub const RESERVED: [&str; 5] = ["crds", "remote-secrets", "root", "store", "terraform"];

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// No DNS label.
    NotALabel,
    /// A folder of the tree.
    Reserved,
}

impl ClusterName {
    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if !is_dns_label(text) {
            return Err(NameError::NotALabel);
        }
        if RESERVED.contains(&text) {
            return Err(NameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NetworkName {
    /// Parses a name: a non-empty Kubernetes label value.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let fits = text.len() <= 63
            && ends(bytes.first())
            && ends(bytes.last())
            && bytes.iter().all(|byte| inner(*byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::NotALabel) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A DNS label that is close to a text, for hints.
pub fn suggest_label(text: &str) -> Option<String> {
    let mapped: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(63)
        .collect();
    let trimmed = mapped.trim_matches('-');
    is_dns_label(trimmed).then(|| trimmed.to_owned())
}
