//! One keyring file, read without opening it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::cacerts::{self, CERTIFICATE, KEY, SECRET_NAME};
use super::certificate::{Certificate, CertificateInfo};
use super::key::PrivateKey;
use super::mint::ISTIO_NAMESPACE;
use super::policy::{ROOT, path_of};
use super::recipient::Identities;
use super::sops::{Metadata, MetadataError, is_sealed};
use crate::diag::{Diagnostic, Diagnostics, SourceId, Span, keyring_rules as rules};
use crate::yaml::{self, Kind, Node, Schema};

/// A keyring file's text and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct KeyringFile<'a> {
    /// [`ROOT`] or the cluster's name: the file's name without `.yaml`.
    pub name: &'a str,
    /// The source that its spans point into.
    pub source: SourceId,
    /// The text.
    pub text: &'a str,
}

/// A keyring file that is sealed as meshgen seals: certificate in clear, key sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    name: String,
    certificate: Certificate,
    recipients: Vec<String>,
    document: Value,
    has_key: bool,
    pub(super) places: Places,
}

/// Where the parts of a file stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Places {
    pub certificate: Option<Span>,
    pub recipients: Option<Span>,
}

/// The root's entry. It may lack its key, if only the certificate was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Root(Entry);

/// A file that sops made in its own way: it must be sealed anew before anything uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// [`ROOT`] or the cluster's name.
    pub name: String,
    /// What stands in the file.
    pub document: Value,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    Ours(Box<Entry>),
    Foreign(Foreign, Box<Diagnostic>),
    Unusable(Diagnostics),
}

impl Entry {
    /// [`ROOT`] or the cluster's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's path in the project.
    pub fn path(&self) -> String {
        path_of(&self.name)
    }

    /// The certificate in clear.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What the certificate says, for people.
    pub fn info(&self) -> &CertificateInfo {
        self.certificate.info()
    }

    /// Whom the file says that it is sealed for.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Whether there is a private key in it; always, save for an imported root.
    pub fn has_key(&self) -> bool {
        self.has_key
    }

    /// The whole document, the `sops` block included.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Opens the private key, and checks that it fits the certificate.
    pub fn open(&self, identities: &Identities) -> Result<PrivateKey, cacerts::OpenError> {
        if !self.has_key {
            return Err(cacerts::OpenError::Missing(KEY));
        }
        cacerts::open(&self.document, identities).map(|(_, key)| key)
    }
}

impl Root {
    pub(super) fn new(entry: Entry) -> Self {
        Self(entry)
    }

    /// The file.
    pub fn entry(&self) -> &Entry {
        &self.0
    }
}

/// Reads one file. Everything that is wrong with it is in the diagnostics.
pub(super) fn read(file: KeyringFile<'_>) -> Reading {
    Reader { file, problems: Diagnostics::new() }.read()
}

struct Reader<'a> {
    file: KeyringFile<'a>,
    problems: Diagnostics,
}

impl Reader<'_> {
    fn read(mut self) -> Reading {
        let document = match yaml::parse(self.file.source, self.file.text, Schema::Strict) {
            Ok(node) => node,
            Err(error) => {
                self.scan_for_plaintext(None);
                self.malformed(error.message, Some(error.span));
                return Reading::Unusable(self.problems);
            }
        };
        self.scan_for_plaintext(document.get("data"));
        let value = document.to_value();
        let metadata = Metadata::of(&value);
        let differences = match &metadata {
            Ok(metadata) => metadata.differences.clone(),
            Err(error @ MetadataError::KeyGroups) => vec![error.to_string()],
            Err(_) => Vec::new(),
        };
        if !differences.is_empty() && self.problems.is_empty() {
            let diagnostic = self.not_ours(&differences, document.get("sops"));
            let name = self.file.name.to_owned();
            return Reading::Foreign(Foreign { name, document: value }, Box::new(diagnostic));
        }
        let has_key = self.check_key(&document, metadata.as_ref().err());
        self.check_shape(&document);
        let certificate = self.certificate(&document);
        match certificate {
            Some(certificate) if self.problems.is_empty() => {
                let places = Places {
                    certificate: document
                        .at_keys(&["stringData", CERTIFICATE])
                        .map(|node| node.span),
                    recipients: document.at_keys(&["sops", "age"]).map(|node| node.span),
                };
                let age = metadata.map(|metadata| metadata.age).unwrap_or_default();
                Reading::Ours(Box::new(Entry {
                    name: self.file.name.to_owned(),
                    certificate,
                    recipients: age.into_iter().map(|wrapped| wrapped.recipient).collect(),
                    document: value,
                    has_key,
                    places,
                }))
            }
            _ => Reading::Unusable(self.problems),
        }
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.problems.push(about(diagnostic, self.file.name));
    }

    fn malformed(&mut self, message: impl Into<String>, span: Option<Span>) {
        let hint = "keyring files are written by `meshgen pki`; take the file back from git, or move it away and import what it holds";
        self.push(Diagnostic::new(&rules::MALFORMED, message).at_maybe(span, "").hint(hint));
    }

    fn not_ours(&self, differences: &[String], sops: Option<&Node>) -> Diagnostic {
        let message = format!("`{}` is not sealed as meshgen seals", path_of(self.file.name));
        let mut diagnostic = Diagnostic::new(&rules::NOT_SEALED_OUR_WAY, message)
            .at_maybe(sops.map(|node| node.span), differences.join("; "))
            .hint("`meshgen pki updatekeys` seals it anew, values unchanged");
        diagnostic = about(diagnostic, self.file.name);
        diagnostic
    }

    /// Looks for a private key in clear, wherever it stands: comments and base64 included.
    fn scan_for_plaintext(&mut self, data: Option<&Node>) {
        const MARK: &str = "PRIVATE KEY-----";
        if let Some(at) = self.file.text.find(MARK) {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let end = at.saturating_add(u32::try_from(MARK.len()).unwrap_or(0));
            self.plaintext(Span { source: self.file.source, start: at, end });
        }
        for entry in data.map(Node::entries).unwrap_or_default() {
            let text: String = entry.value.as_str().unwrap_or("").split_whitespace().collect();
            let decoded = STANDARD.decode(text).unwrap_or_default();
            if decoded.windows(MARK.len()).any(|window| window == MARK.as_bytes()) {
                self.plaintext(entry.value.span);
            }
        }
    }

    fn plaintext(&mut self, span: Span) {
        let name = self.file.name;
        let message = format!("`{}` holds a private key that is not sealed", path_of(name));
        let hint = if name == ROOT {
            "everybody who read the file or its history can sign for the mesh: move `pki/` away, `meshgen pki init`, and apply everywhere".to_owned()
        } else {
            format!(
                "everybody who read the file or its history knows the key: `meshgen pki rotate {name}`"
            )
        };
        let diagnostic =
            Diagnostic::new(&rules::PLAINTEXT, message).at(span, "in clear").hint(hint);
        self.push(diagnostic);
    }

    /// Whether the file holds a sealed key; everything between sealed and absent is a problem.
    fn check_key(&mut self, document: &Node, sops: Option<&MetadataError>) -> bool {
        let key = document.at_keys(&["stringData", KEY]);
        let path = path_of(self.file.name);
        match (key, sops) {
            (None, Some(MetadataError::None)) if self.file.name == ROOT => return false,
            (None, _) => {
                let message = format!("`{path}` has no `stringData.{KEY}`");
                self.malformed(message, Some(document.span));
            }
            (Some(node), _) if !node.as_str().is_some_and(is_sealed) => {
                // a key in clear was found before, by its text
                if self.problems.is_empty() {
                    self.malformed(
                        format!("`{KEY}` is no sealed value (`ENC[AES256_GCM,…]`)"),
                        Some(node.span),
                    );
                }
            }
            (Some(node), Some(error)) => {
                self.malformed(format!("`{path}` cannot be opened: {error}"), Some(node.span));
            }
            (Some(node), None) if document.at_keys(&["sops", "age"]).is_none_or(is_empty) => {
                self.malformed(
                    format!("`{path}` is sealed for nobody: `sops.age` is empty"),
                    Some(node.span),
                );
            }
            (Some(_), None) => {}
        }
        key.is_some()
    }

    fn check_shape(&mut self, document: &Node) {
        let expected = [
            (&["apiVersion"][..], "v1"),
            (&["kind"], "Secret"),
            (&["metadata", "name"], SECRET_NAME),
            (&["metadata", "namespace"], ISTIO_NAMESPACE),
            (&["type"], "Opaque"),
        ];
        for (keys, text) in expected {
            let found = document.at_keys(keys);
            if found.and_then(Node::as_str) != Some(text) {
                let span = found.map_or(document.span, |node| node.span);
                self.malformed(format!("`{}` must be `{text}`", keys.join(".")), Some(span));
            }
        }
        let known = ["apiVersion", "kind", "metadata", "type", "stringData", "sops"];
        self.check_keys(document, &known, "");
        if let Some(data) = document.get("stringData") {
            self.check_keys(data, &[CERTIFICATE, KEY], "stringData.");
        }
    }

    fn check_keys(&mut self, node: &Node, known: &[&str], prefix: &str) {
        for entry in node.entries() {
            if !known.contains(&entry.key.as_str()) {
                let message = format!("`{prefix}{}` does not belong here", entry.key);
                self.malformed(message, Some(entry.key_span));
            }
        }
        if !matches!(node.kind, Kind::Map(_)) {
            self.malformed("it must be a mapping", Some(node.span));
        }
    }

    fn certificate(&mut self, document: &Node) -> Option<Certificate> {
        let node = document.at_keys(&["stringData", CERTIFICATE]);
        let span = node.map_or(document.span, |node| node.span);
        let Some(text) = node.and_then(Node::as_str) else {
            self.malformed(format!("`stringData.{CERTIFICATE}` is missing"), Some(span));
            return None;
        };
        let read = Certificate::one(text);
        read.map_err(|error| self.malformed(format!("`{CERTIFICATE}`: {error}"), Some(span))).ok()
    }
}

fn is_empty(list: &Node) -> bool {
    !matches!(&list.kind, Kind::List(items) if !items.is_empty())
}

/// Names the file, and the cluster if it is one's.
pub(super) fn about(mut diagnostic: Diagnostic, name: &str) -> Diagnostic {
    if name != ROOT {
        diagnostic = diagnostic.of_cluster(name);
    }
    diagnostic.in_file(path_of(name))
}
