//! What a user can name as the source of a pin.

use std::fmt;

use super::Url;
use super::url::is_host;
use crate::store::Digest;

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
    #[error("`{url}` {reason}")]
    Url {
        /// The text, without what could be a secret.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A reference to a registry that is none.
    #[error("`{reference}` is no chart in a registry: {reason}")]
    Oci {
        /// The text.
        reference: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// A chart in a registry: `oci://HOST/REPOSITORY:TAG`, `…@sha256:DIGEST`, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    text: String,
    /// Host and port.
    pub host: String,
    /// The path on the host.
    pub repository: String,
    /// The tag, if it has one.
    pub tag: Option<String>,
    /// The digest of the manifest, if it has one; goes before the tag.
    pub digest: Option<Digest>,
}

impl Source {
    /// Parses a source: a path is what looks like nothing else. `./1.27.0` is a path, `1.27.0` a
    /// version.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() {
            return Err(SourceError::Empty);
        }
        if let Some(rest) = text.strip_prefix("oci://") {
            return Reference::parse(text, rest).map(Source::Oci);
        }
        if text.contains("://") {
            return Url::parse(text).map(Source::Url);
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
            Source::Oci(reference) => reference.text.clone(),
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
            Source::Oci(reference) => f.write_str(&reference.text),
        }
    }
}

impl Reference {
    fn parse(text: &str, rest: &str) -> Result<Self, SourceError> {
        let refuse = |reason| {
            let shown = text.rsplit_once("@sha256:").map_or(text, |(before, _)| before);
            // what stands before an @ could be a password
            let shown = shown.rsplit('@').next().unwrap_or_default();
            let reference = shown.chars().flat_map(char::escape_debug).collect();
            SourceError::Oci { reference, reason }
        };
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_| refuse("after `@` stands no sha256"))?;
                (rest, Some(digest))
            }
        };
        let (host, path) = rest.split_once('/').ok_or(refuse("it has no repository"))?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_host(host) {
            return Err(refuse("it has no host"));
        }
        let part = |part: &str| {
            let fits = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
            };
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(fits)
        };
        if !repository.split('/').all(part) {
            return Err(refuse(
                "a repository is of lower case letters, digits, `.`, `_`, `-`, `/`",
            ));
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_tag = |tag: &str| (1..=128).contains(&tag.len()) && tag.bytes().all(fits);
        if tag.as_deref().is_some_and(|tag| !is_tag(tag) || tag.starts_with(['.', '-'])) {
            return Err(refuse(
                "a tag is of letters, digits, `.`, `_`, `-` (and `+` is written `_`)",
            ));
        }
        if tag.is_none() && digest.is_none() {
            return Err(refuse("it needs a tag or a digest"));
        }
        let (host, repository) = (host.to_ascii_lowercase(), repository.to_owned());
        Ok(Self { text: text.to_owned(), host, repository, tag, digest })
    }

    /// What to ask the registry for.
    pub(super) fn manifest(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => unreachable!("parsing refuses it"),
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

    #[test]
    fn references_are_taken_apart() {
        let digest = Digest::of("x");
        let text = format!("oci://localhost:5000/a/b.c:1.0_x@{digest}");
        let Ok(Source::Oci(one)) = Source::parse(&text) else { panic!("{text}") };
        assert_eq!((one.host.as_str(), one.repository.as_str()), ("localhost:5000", "a/b.c"));
        assert_eq!((one.tag.as_deref(), one.digest), (Some("1.0_x"), Some(digest)));
        assert_eq!(one.manifest(), digest.to_string());
        for bad in [
            "oci://",
            "oci://host",
            "oci://host/",
            "oci://host/a",
            "oci://host/A:1",
            "oci://host/a:",
            "oci://host/a/../b:1",
            "oci://me:secret@host/a:1",
            "oci://host/a:1@sha256:00",
            "oci://host/a:1+2",
        ] {
            let error = Source::parse(bad).expect_err(bad).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
