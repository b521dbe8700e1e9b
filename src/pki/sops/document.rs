//! A whole document: its values, its MAC, its wrapped data key.

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha512};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::cipher::{CipherError, DataKey, Type};
use super::metadata::{Metadata, MetadataError, Wrapped};
use crate::pki::Wiped;
use crate::pki::recipient::{self, Identities, Recipient};

/// What the MAC begins with when it covers sealed values alone (`MACOnlyEncryptedInitialization`
/// of sops), so that a MAC of the one kind is never one of the other.
const MAC_ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];
/// The one key that is sealed; [`super::ENCRYPTED_REGEX`] matches it and nothing else.
const SEALED_KEY: &str = "ca-key.pem";

/// Why a document does not open or cannot be sealed. Never holds a decrypted text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SopsError {
    /// The `sops` block is missing or damaged.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// No identity is at hand.
    #[error("an age identity is needed to open it, and none was given")]
    NoIdentity,
    /// None of the identities unwraps the data key.
    #[error("none of the age identities given can open it; it is sealed for {}", list(.0))]
    NotForUs(Vec<String>),
    /// A value does not open.
    #[error("the sealed value at `{place}` does not open: {cause}")]
    Value {
        /// The keys down to the value, with dots.
        place: String,
        /// Why.
        cause: CipherError,
    },
    /// The values are not those that were sealed together.
    #[error("the MAC does not fit: values were changed, added or taken away after it was sealed")]
    Mac,
    /// Sealing for nobody would lose the value.
    #[error("there is no recipient to seal it for")]
    NoRecipients,
    /// The machine gave no randomness.
    #[error("the random source of this machine failed")]
    Random,
}

fn list(recipients: &[String]) -> String {
    if recipients.is_empty() { "no age recipient".to_owned() } else { recipients.join(", ") }
}

/// An opened document. Its strings are wiped when it is dropped; it cannot be printed.
pub struct Opened {
    document: Wiped,
    data_key: DataKey,
}

impl Opened {
    /// The document without its `sops` block, all values in clear.
    pub fn document(&self) -> &Value {
        &self.document.0
    }

    pub(crate) fn data_key(&self) -> &DataKey {
        &self.data_key
    }
}

/// Opens a document that sops or meshgen sealed for an age recipient, whatever it seals in it.
///
/// Refuses what was changed: every value is checked against its place, and all together against
/// the MAC.
pub fn open(document: &Value, identities: &Identities) -> Result<Opened, SopsError> {
    let metadata = Metadata::of(document)?;
    let data_key = unwrap(&metadata, identities)?;
    let mut walk = Walk::new(&data_key, metadata.mac_only_encrypted);
    let mut opened = Wiped(Value::Object(Map::new()));
    for (key, value) in document.as_object().into_iter().flatten().filter(|(key, _)| *key != "sops")
    {
        opened.0[key.as_str()] = walk.value(value, &mut vec![key.as_str()])?;
    }
    let mac = Zeroizing::new(hex::encode_upper(walk.mac.finalize()));
    let place = |cause| SopsError::Value { place: "sops.mac".to_owned(), cause };
    let (_, sealed) = data_key.decrypt(&metadata.mac, &metadata.last_modified).map_err(place)?;
    if *sealed == *mac { Ok(Opened { document: opened, data_key }) } else { Err(SopsError::Mac) }
}

/// Unwraps the data key with the first identity that can.
fn unwrap(metadata: &Metadata, identities: &Identities) -> Result<DataKey, SopsError> {
    if identities.is_empty() {
        return Err(SopsError::NoIdentity);
    }
    let found = metadata.age.iter().find_map(|wrapped| identities.unwrap(&wrapped.enc));
    let key = found.and_then(|bytes| DataKey::from_bytes(&bytes));
    key.ok_or_else(|| {
        SopsError::NotForUs(metadata.age.iter().map(|one| one.recipient.clone()).collect())
    })
}

struct Walk<'a> {
    data_key: &'a DataKey,
    mac: Sha512,
    only_sealed: bool,
}

impl<'a> Walk<'a> {
    fn new(data_key: &'a DataKey, only_sealed: bool) -> Self {
        let mut mac = Sha512::new();
        if only_sealed {
            mac.update(MAC_ONLY_ENCRYPTED);
        }
        Self { data_key, mac, only_sealed }
    }

    /// Opens a value and everything in it. What is sealed shows by its form; a clear text that
    /// stands in for a sealed one fails the MAC.
    fn value<'v>(&mut self, value: &'v Value, path: &mut Vec<&'v str>) -> Result<Value, SopsError> {
        match value {
            Value::Object(map) => {
                let mut out = Wiped(Value::Object(Map::new()));
                for (key, item) in map {
                    path.push(key);
                    out.0[key.as_str()] = self.value(item, path)?;
                    path.pop();
                }
                Ok(out.0.take())
            }
            Value::Array(items) => {
                let mut out = Wiped(Value::Array(Vec::new()));
                for item in items {
                    let item = self.value(item, path)?;
                    out.0.as_array_mut().expect("it was made one").push(item);
                }
                Ok(out.0.take())
            }
            Value::String(text) if text.starts_with("ENC[") => self.sealed(text, path),
            _ => {
                if !self.only_sealed {
                    self.mac.update(mac_bytes(value));
                }
                Ok(value.clone())
            }
        }
    }

    fn sealed(&mut self, text: &str, path: &[&str]) -> Result<Value, SopsError> {
        let additional = format!("{}:", path.join(":"));
        let opened = self.data_key.decrypt(text, &additional);
        let place = |cause| SopsError::Value { place: path.join("."), cause };
        let (kind, plain) = opened.map_err(place)?;
        if kind != Type::Comment {
            self.mac.update(plain.as_bytes());
        }
        let no_number = || place(CipherError::Form);
        Ok(match kind {
            Type::String | Type::Comment => Value::String(String::clone(&plain)),
            Type::Bool => Value::Bool(*plain == "True"),
            Type::Int => Value::Number(plain.parse::<i64>().map_err(|_| no_number())?.into()),
            Type::Float => {
                let float = plain.parse().ok().and_then(Number::from_f64);
                Value::Number(float.ok_or_else(no_number)?)
            }
        })
    }
}

/// The bytes of a clear value in a MAC over all values (`ToBytes` of sops).
fn mac_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Bool(true) => b"True".to_vec(),
        Value::Bool(false) => b"False".to_vec(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string().into_bytes(),
            _ => number.to_string().into_bytes(),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// Seals the value under `stringData` / `ca-key.pem` of a document, and adds the `sops` block.
///
/// A new data key is drawn and wrapped for each recipient. `plain` is the value; what stands at its
/// place in `document` is replaced. Refuses an empty list of recipients.
pub fn seal(
    mut document: Value,
    plain: &str,
    recipients: &[Recipient],
    now: OffsetDateTime,
) -> Result<Value, SopsError> {
    if recipients.is_empty() {
        return Err(SopsError::NoRecipients);
    }
    let data_key = DataKey::random().ok_or(SopsError::Random)?;
    let sealed = data_key.encrypt(plain, &format!("stringData:{SEALED_KEY}:"));
    document["stringData"][SEALED_KEY] = Value::String(sealed.ok_or(SopsError::Random)?);
    let mut mac = Sha512::new();
    mac.update(MAC_ONLY_ENCRYPTED);
    mac.update(plain.as_bytes());
    let mac = Zeroizing::new(hex::encode_upper(mac.finalize()));
    let last_modified = timestamp(now);
    let metadata = Metadata {
        age: wrap(&data_key, recipients),
        mac: data_key.encrypt(&mac, &last_modified).ok_or(SopsError::Random)?,
        last_modified,
        mac_only_encrypted: true,
        differences: Vec::new(),
    };
    document["sops"] = metadata.to_value();
    Ok(document)
}

/// Wraps a data key for each recipient.
pub(crate) fn wrap(data_key: &DataKey, recipients: &[Recipient]) -> Vec<Wrapped> {
    let wrapped = |one: &Recipient| Wrapped {
        recipient: one.to_string(),
        enc: recipient::wrap(one, data_key.bytes()),
    };
    recipients.iter().map(wrapped).collect()
}

/// RFC 3339 in whole seconds and UTC, as Go writes it.
fn timestamp(now: OffsetDateTime) -> String {
    let date = crate::pki::certificate::date(now);
    date.replacen(' ', "T", 1)
}

#[cfg(test)]
mod tests {
    use super::SEALED_KEY;
    use crate::pki::sops::ENCRYPTED_REGEX;

    #[test]
    fn the_regex_is_the_sealed_key() {
        assert_eq!(ENCRYPTED_REGEX, format!("^{}$", SEALED_KEY.replace('.', "\\.")));
    }
}
