//! What the files of a bundle's tree may be: of the writer and of the reader the same.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::object::Identity;
use crate::store::Digest;
use crate::tree::ArtifactRow;
use crate::yaml::{self, Schema};

/// The rows of a tree by what is in their files: each blob is looked at once, however many rows have it.
pub(super) fn by_digest(rows: &[ArtifactRow]) -> BTreeMap<Digest, Vec<&ArtifactRow>> {
    let mut all: BTreeMap<Digest, Vec<&ArtifactRow>> = BTreeMap::new();
    for row in rows {
        all.entry(row.digest).or_default().push(row);
    }
    all
}

/// What is wrong with the files of these rows, which all have these bytes: a private key in clear, or
/// another object than the tree's index says.
pub(super) fn wrong(rows: &[&ArtifactRow], bytes: &[u8]) -> Option<String> {
    let first = rows.first()?;
    let in_clear = || Some(format!("`{}` holds a private key in clear", first.path));
    if is_key(bytes) {
        return in_clear();
    }
    if rows.iter().all(|row| row.object.is_none()) {
        return None;
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let object = yaml::document(text, Schema::Strict).unwrap_or_default();
    let found = Identity::of(&object).ok();
    for row in rows {
        let Some(identity) = &row.object else { continue };
        if found.as_ref() != Some(identity) {
            let path = &row.path;
            return Some(format!("`{path}` does not hold {identity}, as the tree's index says"));
        }
    }
    if holds_key(&object) { in_clear() } else { None }
}

/// A private key that nobody sealed: a PEM block, or an identity of age.
fn is_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains("PRIVATE KEY-----") || text.contains("AGE-SECRET-KEY-1")
}

/// Whether the data of a `Secret` or `ConfigMap` has one, in base64.
fn holds_key(object: &Value) -> bool {
    let fields = match object.get("kind").and_then(Value::as_str) {
        Some("Secret") => "/data",
        Some("ConfigMap") => "/binaryData",
        _ => return false,
    };
    let values = object.pointer(fields).and_then(Value::as_object);
    values.into_iter().flatten().filter_map(|(_, value)| value.as_str()).any(|value| {
        // what is folded over lines too, as Go's decoder takes it
        let value: String = value.split_ascii_whitespace().collect();
        STANDARD.decode(value).is_ok_and(|bytes| is_key(&bytes))
    })
}
