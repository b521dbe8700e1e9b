//! The `sops` block of a document.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::cipher::is_sealed;

/// The values that meshgen seals: those under the key `ca-key.pem`, and no others.
pub const ENCRYPTED_REGEX: &str = r"^ca-key\.pem$";
/// The version of sops whose format this is.
const VERSION: &str = "3.13.3";
const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----\n";
/// Other ways than age to wrap the data key: other readers.
const OTHER_READERS: [&str; 7] =
    ["azure_kv", "gcp_kms", "hc_vault", "hckms", "key_groups", "kms", "pgp"];
/// Other ways to say which values are sealed.
const OTHER_SCOPES: [&str; 5] = [
    "encrypted_comment_regex",
    "encrypted_suffix",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
];

/// The data key, wrapped for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Who can unwrap it, as the file says: `age1…`.
    pub recipient: String,
    /// The armored age text.
    pub enc: String,
}

/// What stands under `sops`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The data key, once a recipient.
    pub age: Vec<Wrapped>,
    /// When the values were last sealed, RFC 3339; the additional data of the MAC.
    pub last_modified: String,
    /// The MAC, itself sealed.
    pub mac: String,
    /// Whether the MAC covers sealed values alone.
    pub mac_only_encrypted: bool,
    /// In what this block differs from what meshgen writes, in words; empty for our own.
    pub differences: Vec<String>,
}

/// Why a `sops` block is unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The document has none.
    #[error("it has no `sops` block")]
    None,
    /// A field is missing or not of its form.
    #[error("`sops.{0}` is missing or not of its form")]
    Field(&'static str),
    /// More than one key group: several readers must come together.
    #[error("its data key is split between key groups (Shamir); meshgen cannot open it")]
    KeyGroups,
}

impl Metadata {
    /// Reads the block of a document.
    pub fn of(document: &Value) -> Result<Self, MetadataError> {
        let block = document.get("sops").and_then(Value::as_object).ok_or(MetadataError::None)?;
        if is_there(block, "key_groups") {
            return Err(MetadataError::KeyGroups);
        }
        let age = match block.get("age") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(wrapped).collect::<Result<_, _>>()?,
            Some(_) => return Err(MetadataError::Field("age")),
        };
        Ok(Self {
            age,
            last_modified: checked(block, "lastmodified", is_rfc_3339)?,
            mac: checked(block, "mac", is_sealed)?,
            mac_only_encrypted: block.get("mac_only_encrypted") == Some(&Value::Bool(true)),
            differences: differences(block),
        })
    }

    /// The block as meshgen writes it.
    pub fn to_value(&self) -> Value {
        let age: Vec<_> = self
            .age
            .iter()
            .map(|one| json!({"recipient": one.recipient, "enc": one.enc}))
            .collect();
        json!({
            "age": age,
            "encrypted_regex": ENCRYPTED_REGEX,
            "lastmodified": self.last_modified,
            "mac": self.mac,
            "mac_only_encrypted": true,
            "version": VERSION,
        })
    }
}

fn checked(
    block: &Map<String, Value>,
    key: &'static str,
    is_good: fn(&str) -> bool,
) -> Result<String, MetadataError> {
    let text = block.get(key).and_then(Value::as_str).filter(|text| is_good(text));
    text.map(str::to_owned).ok_or(MetadataError::Field(key))
}

fn is_rfc_3339(text: &str) -> bool {
    OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

fn wrapped(item: &Value) -> Result<Wrapped, MetadataError> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("recipient"), text("enc")) {
        (Some(recipient), Some(enc)) if enc.starts_with(ARMOR) => Ok(Wrapped { recipient, enc }),
        _ => Err(MetadataError::Field("age")),
    }
}

fn is_there(block: &Map<String, Value>, key: &str) -> bool {
    match block.get(key) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

fn differences(block: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    match block.get("encrypted_regex").and_then(Value::as_str) {
        Some(ENCRYPTED_REGEX) => {}
        Some(other) => {
            found.push(format!("`encrypted_regex` is `{other}`, not `{ENCRYPTED_REGEX}`"));
        }
        None => found.push(format!("`encrypted_regex: {ENCRYPTED_REGEX}` is missing")),
    }
    if block.get("mac_only_encrypted") != Some(&Value::Bool(true)) {
        found.push("`mac_only_encrypted: true` is missing".to_owned());
    }
    for key in OTHER_SCOPES.into_iter().filter(|key| is_there(block, key)) {
        found.push(format!("it has `{key}`"));
    }
    for key in OTHER_READERS.into_iter().filter(|key| is_there(block, key)) {
        found.push(format!("readers under `{key}` can open it too"));
    }
    found
}
