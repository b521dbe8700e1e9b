//! Signing, and whether a signature is believed. Pure over bytes.

use std::path::{Path, PathBuf};

use super::document::{Content, Document, MEDIA_TYPE, plain};
use super::envelope::{self, Envelope, PAYLOAD_TYPE};
use super::error::SignatureError;
use super::private_key::{SigningKey, SigningKeyError};
use super::trust::{TrustedKey, TrustedKeys};
use crate::store::Digest;

/// The media type of a signature, and the artifact type of one in a registry.
pub const SIGNATURE_TYPE: &str = MEDIA_TYPE;

/// Where the signature of a file lies: beside it, `FILE.sigstore.json`.
pub fn file_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".sigstore.json");
    PathBuf::from(path)
}

/// Signs a file by its sha256: the bytes of its signature file.
///
/// `cosign verify-blob --key P --bundle FILE.sigstore.json --insecure-ignore-tlog FILE` takes it.
pub fn sign_file(key: &SigningKey, file: &Digest) -> Result<Vec<u8>, SigningKeyError> {
    let signature = key.sign(file)?;
    let content = Content::Message { digest: *file, signature };
    Ok(Document { content, hint: Some(key.public().hint()) }.to_bytes())
}

/// Signs a manifest in a registry by its digest: the bytes of the layer of its referrer.
///
/// `cosign verify --key P --insecure-ignore-tlog` takes it.
pub fn sign_manifest(key: &SigningKey, manifest: &Digest) -> Result<Vec<u8>, SigningKeyError> {
    let (payload, digest) = envelope::statement(manifest);
    let signature = key.sign(&digest)?;
    let payload_type = PAYLOAD_TYPE.to_owned();
    let content = Content::Envelope(Envelope { payload, payload_type, signature });
    Ok(Document { content, hint: Some(key.public().hint()) }.to_bytes())
}

/// Whose signature over a file this is: that of a trusted key, over just this sha256.
///
/// Needs no network and no clock. Log entries and timestamps in it are passed over.
///
/// # Errors
/// Whatever is wrong with it, or if nobody who is trusted made it.
pub fn verify_file<'k>(
    signature: &[u8],
    file: &Digest,
    keys: &'k TrustedKeys,
) -> Result<&'k TrustedKey, SignatureError> {
    let document = Document::parse(signature)?;
    let Content::Message { digest, signature } = &document.content else {
        return Err(SignatureError::Kind {
            found: "one of a manifest",
            wanted: "one of a file (`messageSignature`)",
        });
    };
    if digest != file {
        return Err(SignatureError::Other { signed: *digest, found: *file });
    }
    signer(keys, file, signature, document.hint.as_deref())
}

/// Whose signature over a manifest this is: that of a trusted key over a statement that names just this
/// digest, and says what `cosign sign` says.
///
/// # Errors
/// As [`verify_file`].
pub fn verify_manifest<'k>(
    signature: &[u8],
    manifest: &Digest,
    keys: &'k TrustedKeys,
) -> Result<&'k TrustedKey, SignatureError> {
    let document = Document::parse(signature)?;
    let Content::Envelope(envelope) = &document.content else {
        return Err(SignatureError::Kind {
            found: "one of a file",
            wanted: "one of a manifest (`dsseEnvelope`)",
        });
    };
    // nothing in the payload is looked at before it is known to be a trusted key's
    let key = signer(keys, &envelope.digest(), &envelope.signature, document.hint.as_deref())?;
    let signed = envelope.manifest()?;
    if signed == *manifest {
        Ok(key)
    } else {
        Err(SignatureError::Other { signed, found: *manifest })
    }
}

/// The trusted key that made a signature. The hint only makes the message of a refusal better.
fn signer<'k>(
    keys: &'k TrustedKeys,
    digest: &Digest,
    signature: &[u8],
    hint: Option<&str>,
) -> Result<&'k TrustedKey, SignatureError> {
    if let Some(found) = keys.iter().find(|one| one.key.verify(digest, signature)) {
        return Ok(found);
    }
    let trusted = keys.iter().count();
    if trusted == 0 {
        return Err(SignatureError::NoKeys);
    }
    let Some(hint) = hint else { return Err(SignatureError::Nobody(trusted)) };
    match keys.iter().find(|one| one.key.hint() == hint) {
        Some(named) => Err(SignatureError::Forged(named.to_string())),
        None => Err(SignatureError::Untrusted { hint: format!("`{}`", plain(hint)), trusted }),
    }
}
