//! A Sigstore bundle v0.3 (`sigstore_bundle.proto`), as far as signatures by a key have need of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::envelope::Envelope;
use super::error::SignatureError;
use crate::store::Digest;

/// The media type: also the artifact type of a referrer.
pub(super) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// How some tools wrote the same version.
const OLD_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";
/// More than any such file: with certificates and log entries they have some ten kB.
pub(super) const MAX: u64 = 1 << 20;
const SHA256: &str = "SHA2_256";

/// A document that was read: what it signs, and by which key it says so.
pub(super) struct Document {
    pub content: Content,
    /// The name of the key; the signer's own word.
    pub hint: Option<String>,
}

/// What is signed.
pub(super) enum Content {
    /// A file, by its sha256.
    Message { digest: Digest, signature: Vec<u8> },
    /// A statement.
    Envelope(Envelope),
}

// The types of the JSON. Reading refuses unknown and repeated keys, as Sigstore's own readers do; what
// transparency logs and timestamps say is passed over.

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Json {
    media_type: String,
    verification_material: Material,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_signature: Option<MessageSignature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<EnvelopeJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<KeyName>,
    #[serde(default, skip_serializing)]
    certificate: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<IgnoredAny>,
    #[serde(default, skip_serializing, rename = "tlogEntries")]
    _tlog_entries: Option<IgnoredAny>,
    #[serde(default, skip_serializing, rename = "timestampVerificationData")]
    _timestamps: Option<IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyName {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageSignature {
    message_digest: MessageDigest,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvelopeJson {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    sig: String,
    #[serde(default, rename = "keyid", skip_serializing_if = "Option::is_none")]
    _keyid: Option<String>,
}

impl Document {
    /// Reads a document: of version 0.3, by a key, with one signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        if bytes.len() as u64 > MAX {
            return Err(SignatureError::Large);
        }
        let json: Json = serde_json::from_slice(bytes)
            .map_err(|error| SignatureError::Json(plain(&error.to_string())))?;
        if json.media_type != MEDIA_TYPE && json.media_type != OLD_MEDIA_TYPE {
            return Err(SignatureError::MediaType(plain(&json.media_type)));
        }
        let material = json.verification_material;
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(SignatureError::Certificate);
        }
        let hint = material.public_key.ok_or(SignatureError::NoKeyName)?.hint;
        let content = match (json.message_signature, json.dsse_envelope) {
            (Some(message), None) => message.read()?,
            (None, Some(envelope)) => Content::Envelope(envelope.read()?),
            _ => return Err(SignatureError::Content),
        };
        Ok(Self { content, hint })
    }

    /// The bytes of the document: compact, keys in the order of the specification.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (message_signature, dsse_envelope) = match &self.content {
            Content::Message { digest, signature } => {
                let digest = STANDARD.encode(digest.as_bytes());
                let message_digest = MessageDigest { algorithm: SHA256.to_owned(), digest };
                let signature = STANDARD.encode(signature);
                (Some(MessageSignature { message_digest, signature }), None)
            }
            Content::Envelope(envelope) => (None, Some(EnvelopeJson::of(envelope))),
        };
        let json = Json {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: Some(KeyName { hint: self.hint.clone() }),
                certificate: None,
                x509_certificate_chain: None,
                _tlog_entries: None,
                _timestamps: None,
            },
            message_signature,
            dsse_envelope,
        };
        serde_json::to_vec(&json).expect("it holds strings and lists alone")
    }
}

impl MessageSignature {
    fn read(self) -> Result<Content, SignatureError> {
        let MessageDigest { algorithm, digest } = self.message_digest;
        if algorithm != SHA256 {
            return Err(SignatureError::Algorithm(plain(&algorithm)));
        }
        let digest = decode("messageSignature.messageDigest.digest", &digest)?;
        let digest: [u8; 32] = digest
            .try_into()
            .map_err(|_| SignatureError::Base64("messageSignature.messageDigest.digest"))?;
        let digest = Digest::from_bytes(digest);
        Ok(Content::Message {
            digest,
            signature: decode("messageSignature.signature", &self.signature)?,
        })
    }
}

impl EnvelopeJson {
    fn of(envelope: &Envelope) -> Self {
        Self {
            payload: STANDARD.encode(&envelope.payload),
            payload_type: envelope.payload_type.clone(),
            signatures: vec![EnvelopeSignature {
                sig: STANDARD.encode(&envelope.signature),
                _keyid: None,
            }],
        }
    }

    fn read(self) -> Result<Envelope, SignatureError> {
        let [signature] = self.signatures.as_slice() else {
            return Err(SignatureError::Count(self.signatures.len()));
        };
        Ok(Envelope {
            payload: decode("dsseEnvelope.payload", &self.payload)?,
            payload_type: self.payload_type,
            signature: decode("dsseEnvelope.signatures", &signature.sig)?,
        })
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, SignatureError> {
    STANDARD.decode(text).map_err(|_| SignatureError::Base64(field))
}

/// A stranger's text, as a message can show it.
pub(super) fn plain(text: &str) -> String {
    text.chars().take(120).flat_map(char::escape_debug).collect()
}
