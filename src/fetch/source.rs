//! What a user can name as the source of a pin.

use std::fmt;

use crate::registry::{Reference, ReferenceError, Url, UrlError};

/// Where charts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder or an archive, relative to the project.
    Path(String),
    /// An Istio version: its release archive.
    Version(String),
    /// An archive.
    Url(Url),
    /// A chart in a registry.
    Oci(Reference),
}

/// Why a text is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing.
    #[error("the source is empty")]
    Empty,
    /// A URL that is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A reference to a registry that is none, or that does not say which chart.
    #[error(transparent)]
    Oci(#[from] ReferenceError),
}

impl Source {
    /// Parses a source: a path is what looks like nothing else. `./1.27.0` is a path, `1.27.0` a
    /// version.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() {
            return Err(SourceError::Empty);
        }
        if text.starts_with("oci://") {
            let reference = Reference::parse(text)?;
            if reference.manifest().is_none() {
                let reason = "it needs a tag or a digest";
                return Err(ReferenceError { reference: text.to_owned(), reason }.into());
            }
            return Ok(Source::Oci(reference));
        }
        if text.contains("://") {
            return Ok(Source::Url(Url::parse(text)?));
        }
        if semver::Version::parse(text).is_ok_and(|version| version.build.is_empty()) {
            return Ok(Source::Version(text.to_owned()));
        }
        Ok(Source::Path(text.to_owned()))
    }

    /// What `meshgen.lock` says of it: what was given, without user and password.
    pub fn recorded(&self) -> String {
        match self {
            Source::Path(text) | Source::Version(text) => text.clone(),
            Source::Url(url) => url.recorded(),
            Source::Oci(reference) => reference.as_str().to_owned(),
        }
    }

    /// Whether it takes the network.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Source::Path(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(text) => f.write_str(text),
            Source::Version(version) => write!(f, "Istio {version}"),
            Source::Url(url) => url.fmt(f),
            Source::Oci(reference) => reference.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let is = |text: &str| match Source::parse(text).expect("a source") {
            Source::Path(_) => "path",
            Source::Version(_) => "version",
            Source::Url(_) => "url",
            Source::Oci(_) => "oci",
        };
        for (text, kind) in [
            ("1.27.0", "version"),
            ("1.28.0-rc.1", "version"),
            ("./1.27.0", "path"),
            ("1.27", "path"),
            ("istio-1.27.0", "path"),
            ("../charts/a.tgz", "path"),
            ("https://a.example/b.tgz", "url"),
            ("oci://registry.example/charts/istiod:1.27.0", "oci"),
        ] {
            assert_eq!(is(text), kind, "{text}");
        }
    }
}
