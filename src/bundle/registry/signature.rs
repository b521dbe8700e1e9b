//! Signatures in a registry: referrers of a bundle's index.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{Remote, RemoteError};
use crate::bundle::Bundle;
use crate::bundle::sign::{
    self, PREDICATE, SIGNATURE_TYPE, SignatureError, SigningKey, TrustedKey, TrustedKeys,
};
use crate::registry::{RegistryError, Repository};
use crate::store::Digest;
use crate::store::oci::{self, Annotations, Descriptor};

/// The artifact type of a file's own signature, which goes with the bundle: `FILE.sigstore.json`. It is
/// of the file, not of the index, so that it must not be taken for one of that.
const FILE_SIGNATURE_TYPE: &str = "application/vnd.meshgen.bundle.signature.v1+json";
/// More than any manifest of a signature, and than any signature.
const MAX: u64 = 1 << 20;
/// More than anybody signs a bundle. Whoever may write to the registry may add more.
const MAX_REFERRERS: usize = 256;

/// A manifest that is about another one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    schema_version: u32,
    media_type: String,
    #[serde(default)]
    artifact_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    annotations: Annotations,
}

/// Signs a bundle that lies in a registry: a referrer of its index, as `cosign sign` makes it.
///
/// Gives the digest of the referrer.
pub fn sign(remote: &Remote, key: &SigningKey) -> Result<Digest, RemoteError> {
    let signature = sign::sign_manifest(key, &remote.bundle.digest)?;
    let note = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let annotations = [
        note("dev.sigstore.bundle.content", "dsse-envelope"),
        note("dev.sigstore.bundle.predicateType", PREDICATE),
    ];
    put(remote.repository(), &remote.bundle, SIGNATURE_TYPE, &signature, annotations.into())
}

/// Keeps the signature of a bundle's file with the bundle.
pub fn attach(
    repository: &Repository,
    bundle: &Bundle,
    signature: &[u8],
) -> Result<Digest, RemoteError> {
    put(repository, bundle, FILE_SIGNATURE_TYPE, signature, Annotations::new())
}

/// Keeps a document about a bundle with it, such as its bill of materials: a referrer of its index, whose
/// one layer is the document, of the same type.
pub fn describe(
    repository: &Repository,
    bundle: &Bundle,
    artifact_type: &str,
    document: &[u8],
) -> Result<Digest, RemoteError> {
    put(repository, bundle, artifact_type, document, Annotations::new())
}

/// The signature of a bundle's file that is kept with it, if there is one: one of a trusted key, else any
/// that is of this file.
pub fn attached(
    remote: &Remote,
    file: &Digest,
    keys: &TrustedKeys,
) -> Result<Option<Vec<u8>>, RemoteError> {
    let mut found = None;
    for signature in all(remote.repository(), &remote.bundle.digest, FILE_SIGNATURE_TYPE)? {
        match sign::verify_file(&signature, file, keys) {
            Ok(_) => return Ok(Some(signature)),
            Err(error) if error.is_unsigned() => drop(found.get_or_insert(signature)),
            Err(_) => {}
        }
    }
    Ok(found)
}

/// Whose signature of a bundle's index is in the registry: that of a trusted key, by a referrer that
/// `cosign sign` or [`sign`] made. One good signature is enough, whoever else has signed.
pub fn signed(
    repository: &Repository,
    index: &Digest,
    keys: &TrustedKeys,
) -> Result<Result<TrustedKey, SignatureError>, RemoteError> {
    let mut worst = SignatureError::Missing("signature in the registry".to_owned());
    for signature in all(repository, index, SIGNATURE_TYPE)? {
        match sign::verify_manifest(&signature, index, keys) {
            Ok(key) => return Ok(Ok(key.clone())),
            Err(error @ SignatureError::Forged(_)) => worst = error,
            Err(error) if error.is_unsigned() && worst.is_unsigned() => worst = error,
            // anybody may put anything beside a bundle, and a trusted key may state other things of it
            Err(_) => {}
        }
    }
    if keys.is_empty() {
        worst = SignatureError::NoKeys;
    }
    Ok(Err(worst))
}

/// The layers of the referrers of this type. What is not of their shape is passed over.
fn all(
    repository: &Repository,
    index: &Digest,
    artifact_type: &str,
) -> Result<Vec<Vec<u8>>, RemoteError> {
    let mut found = Vec::new();
    let referrers = repository.referrers(index, artifact_type)?;
    for one in referrers.iter().take(MAX_REFERRERS) {
        let manifest = match repository.manifest(&one.digest.to_string(), MAX) {
            Ok(Some(manifest)) => manifest,
            // a registry that fails is another matter than one that lacks what somebody named
            Err(error) if error.is_outside() => return Err(error.into()),
            Ok(None) | Err(_) => continue,
        };
        let Ok(manifest) = serde_json::from_slice::<Referrer>(&manifest.bytes) else { continue };
        let [layer] = manifest.layers.as_slice() else { continue };
        let is_about = manifest.subject.is_some_and(|subject| subject.digest == *index);
        if !is_about || layer.media_type != artifact_type || layer.size > MAX {
            continue;
        }
        match repository.blob(&layer.digest, layer.size, &|_| {}) {
            Ok(bytes) => found.push(bytes),
            Err(error) if error.is_outside() => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(found)
}

fn put(
    repository: &Repository,
    bundle: &Bundle,
    artifact_type: &str,
    signature: &[u8],
    annotations: Annotations,
) -> Result<Digest, RemoteError> {
    let descriptor = |media_type: &str, bytes: &[u8]| Descriptor {
        media_type: media_type.to_owned(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        annotations: Annotations::new(),
        platform: None,
        artifact_type: None,
    };
    let layer = descriptor(artifact_type, signature);
    let config = oci::Manifest::new(artifact_type, Vec::new()).config;
    let referrer = Referrer {
        schema_version: 2,
        media_type: oci::MANIFEST_TYPE.to_owned(),
        artifact_type: Some(artifact_type.to_owned()),
        config: config.clone(),
        layers: vec![layer.clone()],
        subject: Some(descriptor(oci::INDEX_TYPE, &bundle.index)),
        annotations: annotations.clone(),
    };
    let bytes = oci::encode(&referrer);
    let mut own = descriptor(oci::MANIFEST_TYPE, &bytes);
    own.artifact_type = Some(artifact_type.to_owned());
    own.annotations = annotations;
    let listed = repository.referrers(&bundle.digest, artifact_type)?;
    if listed.iter().any(|one| one.digest == own.digest) {
        return Ok(own.digest);
    }
    for (one, bytes) in [(&layer, signature), (&config, oci::EMPTY)] {
        let open = || -> Result<Box<dyn Read>, RegistryError> {
            Ok(Box::new(std::io::Cursor::new(bytes.to_vec())))
        };
        repository.put_blob(&one.digest, one.size, &open)?;
    }
    repository.put_referrer(&bundle.digest, &own, &bytes)?;
    Ok(own.digest)
}
