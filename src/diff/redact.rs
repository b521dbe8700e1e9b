//! From a file's bytes to what may be shown of it.
//!
//! The only place of this room that sees secret bytes. It errs on the side of hiding: in anything
//! that calls itself a Secret, at any depth, every value is hidden unless a rule below shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::content::{Content, Hidden, Print};
use super::{Certificate, certificate};
use crate::tree::{ArtifactRow, Binding};
use crate::yaml::{self, Schema};

/// Top-level fields of a Secret that hold no secret. All others are hidden, known or not.
const CLEAR_IN_SECRETS: [&str; 6] = ["apiVersion", "kind", "metadata", "type", "immutable", "sops"];
/// An annotation that repeats the whole object, data included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Fields of a kubeconfig that hold credentials, unless a binding stands there.
const KUBECONFIG_SECRETS: [&str; 8] = [
    "access-token",
    "client-key-data",
    "client-secret",
    "id-token",
    "password",
    "refresh-token",
    "token",
    "tokenFile",
];
/// Base64 of `-----BEGIN `, as far as it is the same whatever follows.
const BASE64_PEM: &str = "LS0tLS1CRUdJTi";

/// What may be shown of a file.
///
/// `row` says what is sealed and where bindings stand. Files that end in `.yaml`, `.yml` or
/// `.json` are read as YAML; if they are not, nothing of them is shown. Others are text.
pub fn redact(bytes: &[u8], row: &ArtifactRow) -> Content {
    let path = row.path.as_str();
    let is_document = [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end));
    let Ok(text) = std::str::from_utf8(bytes) else {
        let why = if is_document { Hidden::Unreadable } else { Hidden::Binary };
        return Content::Hidden(why, Print::of(bytes));
    };
    let redactor = Redactor { sealed: &row.sealed, bindings: &row.bindings };
    if !is_document {
        return redactor.string(text, "", Zone::Open);
    }
    match yaml::documents(text, Schema::Go) {
        Ok(documents) => match documents.as_slice() {
            [one] => redactor.value(one, "", Zone::Open),
            many => redactor.value(&Value::Array(many.to_vec()), "", Zone::Open),
        },
        Err(_) => Content::Hidden(Hidden::Unreadable, Print::of(bytes)),
    }
}

struct Redactor<'a> {
    sealed: &'a [String],
    bindings: &'a [Binding],
}

/// Where in an object a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Where secrets should not be.
    Open,
    /// Inside a Secret, outside its data.
    SecretMetadata,
    /// In `data` of a Secret: base64.
    SecretData,
    /// In any other field of a Secret that may hold values.
    Secret,
}

impl Redactor<'_> {
    fn value(&self, value: &Value, pointer: &str, zone: Zone) -> Content {
        match value {
            Value::Object(map) => self.map(map, pointer, zone),
            Value::Array(items) => {
                let item = |(index, item): (usize, &Value)| {
                    self.value(item, &format!("{pointer}/{index}"), zone)
                };
                Content::List(items.iter().enumerate().map(item).collect())
            }
            Value::String(text) => self.string(text, pointer, zone),
            Value::Null => Content::Scalar(Value::Null),
            scalar if zone == Zone::Secret || zone == Zone::SecretData => {
                Content::Hidden(Hidden::Secret, Print::of(scalar.to_string()))
            }
            scalar => Content::Scalar(scalar.clone()),
        }
    }

    fn map(&self, map: &Map<String, Value>, pointer: &str, zone: Zone) -> Content {
        let is_secret = map.get("kind").and_then(Value::as_str) == Some("Secret");
        let entry = |(key, value): (&String, &Value)| {
            let zone = match (zone, key.as_str()) {
                (Zone::Secret | Zone::SecretData, _) => zone,
                (_, "data") if is_secret => Zone::SecretData,
                (_, key) if is_secret && !CLEAR_IN_SECRETS.contains(&key) => Zone::Secret,
                (_, _) if is_secret => Zone::SecretMetadata,
                (Zone::SecretMetadata, LAST_APPLIED) => Zone::Secret,
                _ => zone,
            };
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            (key.clone(), self.value(value, &pointer, zone))
        };
        Content::Map(map.iter().map(entry).collect())
    }

    fn string(&self, text: &str, pointer: &str, zone: Zone) -> Content {
        let print = Print::of(text);
        if is_sealed(text) || self.sealed.iter().any(|sealed| sealed == pointer) {
            return Content::Hidden(Hidden::Sealed, print);
        }
        if let Some(list) = certificates(text, zone) {
            return Content::Certificates(list, print);
        }
        let bound = || {
            self.bindings.iter().find(|binding| {
                binding.field == pointer && text.matches(&binding.placeholder).count() == 1
            })
        };
        match zone {
            Zone::Secret | Zone::SecretData => match bound() {
                Some(binding) if !binding.placeholder.is_empty() => around(text, binding),
                _ => Content::Hidden(Hidden::Secret, print),
            },
            _ if holds_private_key(text) => Content::Hidden(Hidden::PrivateKey, print),
            _ => Content::Scalar(Value::from(text)),
        }
    }
}

fn is_sealed(text: &str) -> bool {
    text.starts_with("ENC[") || text.contains("-----BEGIN AGE ENCRYPTED FILE-----")
}

/// The certificates of a string that holds nothing else; `data` of Secrets and `caBundle` fields
/// have them in base64.
fn certificates(text: &str, zone: Zone) -> Option<Vec<Certificate>> {
    if let Some(list) = certificate::read_all(text) {
        return Some(list);
    }
    if zone != Zone::SecretData && !text.starts_with(BASE64_PEM) {
        return None;
    }
    let bytes = STANDARD.decode(text.trim()).ok()?;
    certificate::read_all(std::str::from_utf8(&bytes).ok()?)
}

/// The rendered text around a binding: a kubeconfig is taken apart, so that its CA can be read and
/// credentials that are no placeholder stay hidden.
fn around(text: &str, binding: &Binding) -> Content {
    let is_config = |value: &Value| value.get("kind").and_then(Value::as_str) == Some("Config");
    match yaml::document(text, Schema::Go) {
        Ok(value) if is_config(&value) => {
            let inner = kubeconfig(&value, "", &binding.placeholder);
            Content::Document(Box::new(inner), Print::of(text))
        }
        _ if holds_private_key(text) => Content::Hidden(Hidden::Secret, Print::of(text)),
        _ => Content::Scalar(Value::from(text)),
    }
}

fn kubeconfig(value: &Value, key: &str, placeholder: &str) -> Content {
    match value {
        Value::Object(map) => Content::Map(
            map.iter()
                .map(|(key, item)| (key.clone(), kubeconfig(item, key, placeholder)))
                .collect(),
        ),
        Value::Array(items) => {
            Content::List(items.iter().map(|item| kubeconfig(item, key, placeholder)).collect())
        }
        Value::String(text) if KUBECONFIG_SECRETS.contains(&key) && !text.contains(placeholder) => {
            Content::Hidden(Hidden::Secret, Print::of(text))
        }
        Value::String(text) => match certificates(text, Zone::Open) {
            Some(list) => Content::Certificates(list, Print::of(text)),
            None if holds_private_key(text) => Content::Hidden(Hidden::Secret, Print::of(text)),
            None => Content::Scalar(value.clone()),
        },
        scalar => Content::Scalar(scalar.clone()),
    }
}

/// Whether a text holds a private key, in PEM, in base64 of PEM, or as an age identity.
fn holds_private_key(text: &str) -> bool {
    if text.contains("PRIVATE KEY-----") || text.contains("AGE-SECRET-KEY-1") {
        return true;
    }
    text.match_indices(BASE64_PEM).any(|(start, _)| {
        let run: Vec<u8> = text[start..].bytes().take(56).collect();
        STANDARD
            .decode(&run)
            .is_ok_and(|bytes| bytes.windows(11).any(|window| window == b"PRIVATE KEY"))
    })
}
