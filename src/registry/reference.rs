//! What a registry calls something.

use std::fmt;

use super::url::is_host;
use crate::store::Digest;

/// Why a text is no reference to a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{reference}` names nothing in a registry: {reason}")]
pub struct ReferenceError {
    /// The text, without what could be a secret.
    pub reference: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Something in a registry: `oci://HOST/REPOSITORY`, with `:TAG`, `@sha256:DIGEST`, or both.
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

impl Reference {
    /// Parses a reference. User and password are refused: they come from docker's configuration.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let refuse = |reason| {
            let shown = text.rsplit_once("@sha256:").map_or(text, |(before, _)| before);
            // what stands before an @ could be a password
            let shown = shown.rsplit('@').next().unwrap_or_default();
            let shown = shown.split(['?', '#']).next().unwrap_or_default();
            let reference = shown.chars().flat_map(char::escape_debug).collect();
            ReferenceError { reference, reason }
        };
        let rest = text.strip_prefix("oci://").ok_or(refuse("it has no `oci://`"))?;
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
            return Err(refuse("it has no host, or a port that is none"));
        }
        let part = |part: &str| {
            let fits = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
            };
            // (distribution-spec, "Pulling manifests": `<name>`)
            let is_separator = |run: &str| {
                matches!(run, "" | "." | "_" | "__") || run.bytes().all(|byte| byte == b'-')
            };
            !part.is_empty()
                && !part.starts_with(['.', '_', '-'])
                && !part.ends_with(['.', '_', '-'])
                && part.bytes().all(fits)
                && part.split(|c: char| c.is_ascii_alphanumeric()).all(is_separator)
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
        let (host, repository) = (host.to_ascii_lowercase(), repository.to_owned());
        Ok(Self { text: text.to_owned(), host, repository, tag, digest })
    }

    /// What to ask the registry for: the digest, else the tag, if it has one of them.
    pub fn manifest(&self) -> Option<String> {
        self.digest.map(|digest| digest.to_string()).or_else(|| self.tag.clone())
    }

    /// The digest, where it has one: what it names then, nobody can move.
    ///
    /// # Errors
    /// What to do, where it has only a tag or nothing.
    pub fn pinned(&self) -> Result<Digest, &'static str> {
        self.digest.ok_or("a tag can be moved: name it by its digest, `…@sha256:…`")
    }

    /// The same repository's manifest of this digest.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        let text = format!("oci://{}/{}@{digest}", self.host, self.repository);
        let (host, repository) = (self.host.clone(), self.repository.clone());
        Self { text, host, repository, tag: None, digest: Some(digest) }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let digest = Digest::of("x");
        let text = format!("oci://localhost:5000/a/b.c:1.0_x@{digest}");
        let one = Reference::parse(&text).expect("a reference");
        assert_eq!((one.host.as_str(), one.repository.as_str()), ("localhost:5000", "a/b.c"));
        assert_eq!((one.tag.as_deref(), one.digest), (Some("1.0_x"), Some(digest)));
        assert_eq!(one.manifest(), Some(digest.to_string()));
        assert_eq!(Reference::parse("oci://h/a").expect("a reference").manifest(), None);
        for bad in [
            "oci://",
            "oci://host",
            "oci://host/",
            "oci://host/A:1",
            "oci://host/a:",
            "oci://host/a/../b:1",
            "oci://me:secret@host/a:1",
            "oci://host/a:1@sha256:00",
            "oci://host/a:1+2",
        ] {
            let error = Reference::parse(bad).expect_err(bad).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
