//! What may be shown of a file: its values, without any secret byte.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::Certificate;
use crate::store::Digest;

/// A value of a file as far as it may be shown.
///
/// Secret values are gone when a `Content` exists: comparing, grouping and every writer work on
/// this type, so that none of them can print what is not in it. [`super::redact`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Null, a boolean, a number or a string.
    Scalar(Value),
    /// A list.
    List(Vec<Content>),
    /// A mapping.
    Map(BTreeMap<String, Content>),
    /// A string that holds a YAML document of its own: a kubeconfig.
    Document(Box<Content>, Print),
    /// A string that holds certificates and nothing else, in PEM or base64 of PEM.
    Certificates(Vec<Certificate>, Print),
    /// A value that is not shown.
    Hidden(Hidden, Print),
}

/// Why a value is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hidden {
    /// It is sealed; its ciphertext says nothing to a reader.
    Sealed,
    /// It is a value of a Secret, neither a certificate nor text around a binding.
    Secret,
    /// It is a private key that stands where no private key should be.
    PrivateKey,
    /// The file is not the YAML that its name promises, so that nothing is known of it.
    Unreadable,
    /// It is not text.
    Binary,
}

impl Hidden {
    /// What stands in place of the value.
    pub fn name(self) -> &'static str {
        match self {
            Hidden::Sealed => "sealed value",
            Hidden::Secret => "secret value",
            Hidden::PrivateKey => "private key",
            Hidden::Unreadable => "unreadable YAML",
            Hidden::Binary => "binary data",
        }
    }

    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Hidden::Sealed => "sealed",
            Hidden::Secret => "secret",
            Hidden::PrivateKey => "privateKey",
            Hidden::Unreadable => "unreadable",
            Hidden::Binary => "binary",
        }
    }
}

/// Tells whether two strings that are not shown are equal; prints nothing of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Print(Digest);

impl Print {
    /// The print of some bytes.
    pub(super) fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Digest::of(bytes))
    }
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Print")
    }
}

/// The key under which JSON has what replaces a value.
const HIDDEN_KEY: &str = "meshgen.dev/hidden";
/// The key under which JSON has certificates.
const CERTIFICATES_KEY: &str = "meshgen.dev/certificates";

impl Content {
    /// The value under a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Content> {
        match self {
            Content::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// Follows a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Content> {
        path.iter().try_fold(self, |content, key| content.get(key))
    }

    /// The string, if it is one that is shown.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Content::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The string at a path of keys.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Content::as_str)
    }

    /// The items of a list; nothing for other kinds.
    pub fn items(&self) -> &[Content] {
        match self {
            Content::List(items) => items,
            _ => &[],
        }
    }

    /// The strings of a list of strings.
    pub fn strings(&self) -> Vec<&str> {
        self.items().iter().filter_map(Content::as_str).collect()
    }

    /// The value as people see it: hidden ones are a phrase in `‹›`, certificates their facts.
    pub fn to_shown(&self) -> Value {
        self.to_value(
            &|hidden| Value::from(format!("‹{}, not shown›", hidden.name())),
            &|list| match list {
                [one] => one.to_value(),
                many => many.iter().map(Certificate::to_value).collect(),
            },
        )
    }

    /// The value for programs: hidden ones are `{"meshgen.dev/hidden": WORD}`, certificates
    /// `{"meshgen.dev/certificates": […]}`.
    pub fn to_json(&self) -> Value {
        self.to_value(&|hidden| json!({HIDDEN_KEY: hidden.word()}), &|list| {
            let list: Vec<Value> = list.iter().map(Certificate::to_value).collect();
            json!({CERTIFICATES_KEY: list})
        })
    }

    fn to_value(
        &self,
        hidden: &dyn Fn(Hidden) -> Value,
        certificates: &dyn Fn(&[Certificate]) -> Value,
    ) -> Value {
        match self {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => {
                items.iter().map(|item| item.to_value(hidden, certificates)).collect()
            }
            Content::Map(map) => Value::Object(
                map.iter()
                    .map(|(key, item)| (key.clone(), item.to_value(hidden, certificates)))
                    .collect::<Map<_, _>>(),
            ),
            Content::Document(inner, _) => inner.to_value(hidden, certificates),
            Content::Certificates(list, _) => certificates(list),
            Content::Hidden(why, _) => hidden(*why),
        }
    }
}
