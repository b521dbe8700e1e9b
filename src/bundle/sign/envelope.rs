//! DSSE (`dsse/protocol.md`), and the in-toto statement in it: a signature over a manifest's digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::document::plain;
use super::error::SignatureError;
use crate::store::Digest;

/// What the payload is.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// What `cosign sign` states: this was signed. Other statements about the same digest (an SBOM, how it
/// was built) say something else, and are no signature.
pub const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// An envelope with its one signature.
pub(super) struct Envelope {
    pub payload: Vec<u8>,
    pub payload_type: String,
    pub signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

impl Envelope {
    /// The sha256 of what is signed: type and payload with their lengths (`PAE`).
    pub fn digest(&self) -> Digest {
        pae(&self.payload_type, &self.payload)
    }

    /// The manifest that the statement is about. Call it once the signature was verified.
    pub fn manifest(&self) -> Result<Digest, SignatureError> {
        let odd = |what: String| SignatureError::Statement(what);
        if self.payload_type != PAYLOAD_TYPE {
            return Err(odd(format!("its payload is `{}`", plain(&self.payload_type))));
        }
        let statement: Statement = serde_json::from_slice(&self.payload)
            .map_err(|error| odd(plain(&error.to_string())))?;
        if statement.kind != STATEMENT {
            return Err(odd(format!("its type is `{}`", plain(&statement.kind))));
        }
        if statement.predicate_type != PREDICATE {
            return Err(odd(format!("it states `{}`", plain(&statement.predicate_type))));
        }
        let [subject] = statement.subject.as_slice() else {
            return Err(odd(format!("it is about {} things", statement.subject.len())));
        };
        let digest = subject.digest.get("sha256").and_then(|hex| Digest::from_hex(hex));
        digest.ok_or_else(|| odd("it names no sha256".to_owned()))
    }
}

/// The statement about a manifest, and the sha256 that is to be signed.
pub(super) fn statement(manifest: &Digest) -> (Vec<u8>, Digest) {
    let digest = BTreeMap::from([("sha256".to_owned(), manifest.hex())]);
    let statement = Statement {
        kind: STATEMENT.to_owned(),
        subject: vec![Subject { digest }],
        predicate_type: PREDICATE.to_owned(),
        predicate: serde_json::Map::new(),
    };
    let payload = serde_json::to_vec(&statement).expect("it holds strings and lists alone");
    let digest = pae(PAYLOAD_TYPE, &payload);
    (payload, digest)
}

fn pae(kind: &str, payload: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()));
    hash.update(payload);
    Digest::from_bytes(hash.finalize().into())
}
