//! The `cacerts` Secret, istiod's plug-in CA: the shape of a keyring file, what is rendered of it,
//! and what people get who go on with kubectl.

use serde_json::{Value, json};

use super::certificate::{Certificate, CertificateError};
use super::entry::{Entry, Root};
use super::key::{KeyError, PrivateKey};
use super::mint::{ISTIO_NAMESPACE, Pair};
use super::recipient::{Identities, Recipient};
use super::secret::Secret;
use super::sops::{self, Opened, SopsError};
use crate::yaml;

/// Where the sealed value stands in a keyring file and in what is rendered of it.
pub const SEALED_POINTER: &str = "/stringData/ca-key.pem";
/// The Secret's name, which istiod looks for.
pub const SECRET_NAME: &str = "cacerts";

pub(super) const CERTIFICATE: &str = "ca-cert.pem";
pub(super) const KEY: &str = "ca-key.pem";

/// Why a sealed Secret gives no usable key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not open.
    #[error(transparent)]
    Sops(#[from] SopsError),
    /// What was sealed is no key.
    #[error("what is sealed in it is no usable private key: {0}")]
    Key(#[from] KeyError),
    /// The certificate in clear cannot be read.
    #[error("its certificate cannot be used: {0}")]
    Certificate(#[from] CertificateError),
    /// A value is missing.
    #[error("`stringData` has no `{0}`")]
    Missing(&'static str),
    /// Nothing but the index protects the clear parts; this is how an exchanged one shows.
    #[error("its private key does not fit its certificate")]
    OtherKey,
}

/// The Secret with nothing but the certificate.
pub(super) fn skeleton(certificate: &Certificate) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME, "namespace": ISTIO_NAMESPACE},
        "type": "Opaque",
        "stringData": {CERTIFICATE: certificate.pem()},
    })
}

/// The document of a keyring file: the certificate in clear, the key sealed for the recipients.
pub fn seal(
    pair: &Pair,
    recipients: &[Recipient],
    now: time::OffsetDateTime,
) -> Result<Value, SopsError> {
    let key = pair.key.pem().expose();
    sops::seal(skeleton(&pair.certificate), key, recipients, now)
}

/// The rendered Secret: the keyring file with `root-cert.pem` and `cert-chain.pem` added.
///
/// The ciphertext and the `sops` block are copied, never made anew, so that an unchanged key gives
/// unchanged bytes; `sops -d` opens the result. The chain is the intermediate, then the root.
pub fn cacerts(root: &Root, entry: &Entry) -> Value {
    let mut document = entry.document().clone();
    let own = entry.certificate().pem();
    let root = root.entry().certificate().pem();
    document["stringData"]["cert-chain.pem"] = Value::String(format!("{own}{root}"));
    document["stringData"]["root-cert.pem"] = Value::String(root);
    document["stringData"][CERTIFICATE] = Value::String(own);
    document
}

/// Opens a keyring file or a rendered Secret, and checks that the key fits the certificate.
pub fn open(document: &Value, identities: &Identities) -> Result<(Opened, PrivateKey), OpenError> {
    let opened = sops::open(document, identities)?;
    let text = |key: &'static str| {
        let value = opened.document().get("stringData").and_then(|data| data.get(key));
        value.and_then(Value::as_str).ok_or(OpenError::Missing(key))
    };
    let certificate = Certificate::one(text(CERTIFICATE)?)?;
    let key = PrivateKey::from_pem(text(KEY)?)?;
    if !key.fits(&certificate) {
        return Err(OpenError::OtherKey);
    }
    Ok((opened, key))
}

/// The Secret in plaintext, as canonical YAML for `kubectl apply -f`.
///
/// The key is in it: the text must go nowhere but into the file that the user named.
pub fn plain(
    root: &Root,
    entry: &Entry,
    identities: &Identities,
) -> Result<Secret<String>, OpenError> {
    const LINE: &str = "    (key)\n";
    let (_, key) = open(entry.document(), identities)?;
    let mut document = cacerts(root, entry);
    if let Some(map) = document.as_object_mut() {
        map.remove("sops");
    }
    document["stringData"][KEY] = Value::String("(key)\n".to_owned());
    let clear = yaml::canonical(&document);
    let (before, after) = clear.split_once(LINE).expect("it stands there as a literal block");
    let key = key.pem().expose();
    // all at once, so that no copy of the key is left behind by growing
    let length = clear.len() + key.len() + 4 * key.lines().count();
    let mut text = String::with_capacity(length);
    text.push_str(before);
    for line in key.lines() {
        text.extend(["    ", line, "\n"]);
    }
    text.push_str(after);
    Ok(Secret::new(text))
}
