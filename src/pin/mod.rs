//! Pins: charts of a known content, whatever they came from.
//!
//! [`Lock`] is `meshgen.lock`, a [`Pin`] an entry of it, and [`archive`] the one form that the content
//! of a pin has: a canonical tar, named by its sha256. Everything here is a function of bytes; `inputs`
//! reads pins, `fetch` brings content from outside, the command `lock` writes both.

pub mod archive;
mod lock;
mod version;

use std::collections::BTreeMap;
use std::fmt;

pub use lock::{Lock, Parsed};
pub use version::version;

use crate::mesh::is_dns_label;
use crate::store::Digest;

/// The file of the pins.
pub const LOCK_FILE: &str = "meshgen.lock";
/// The folder of their content.
pub const CHARTS: &str = "charts";

/// The files of a pin: path with `/`, and bytes.
///
/// Of a release these are `charts/…` and `profiles/…`, the folders of Istio's `manifests/`; of a chart
/// its files as they lie in its folder: `Chart.yaml`, `templates/…`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A pin's name: a DNS label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct PinName(String);

impl PinName {
    /// Parses a name; `None` where it is no DNS label.
    pub fn parse(text: &str) -> Option<Self> {
        is_dns_label(text).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PinName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a pin holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PinKind {
    /// The charts and profiles of an Istio release.
    Istio,
    /// One Helm chart.
    Chart,
}

impl PinKind {
    /// The word for it in `meshgen.lock`.
    pub fn as_str(self) -> &'static str {
        match self {
            PinKind::Istio => "istio",
            PinKind::Chart => "chart",
        }
    }

    /// What it is, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            PinKind::Istio => "the charts of an Istio release",
            PinKind::Chart => "one Helm chart",
        }
    }
}

/// An entry of `meshgen.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What it holds.
    pub kind: PinKind,
    /// Where it came from, as it was given, without credentials: `lock --fetch` goes there.
    pub source: String,
    /// The version that its content says it is of. For people, and for a rule; names nothing.
    pub version: Option<String>,
    /// The sha256 of its canonical tar.
    pub digest: Digest,
}

impl Pin {
    /// Where its content lies in the project.
    pub fn path(&self) -> String {
        path_of(self.digest)
    }
}

/// Where the content of a digest lies in the project.
pub fn path_of(digest: Digest) -> String {
    format!("{CHARTS}/{}.tar", digest.hex())
}
