//! Making certificates: the root and the intermediates of Istio's certificate makefiles.
//!
//! Subjects, extensions, their order and their criticality are those that `tools/certs` of Istio
//! and OpenSSL 3 give (`Makefile.selfsigned.mk`, unchanged from 1.20 to 1.30), the authority key
//! identifier included that OpenSSL 3 adds to what is not self-signed.

use aws_lc_rs::rand;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, Issuer, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::certificate::{Certificate, ChainError};
use super::key::{self, Algorithm, KeyError, PrivateKey};

/// The namespace of istiod, and so of the `cacerts` Secret.
pub const ISTIO_NAMESPACE: &str = "istio-system";

const SUBJECT_KEY_ID: &[u64] = &[2, 5, 29, 14];
const KEY_USAGE: &[u64] = &[2, 5, 29, 15];
const SUBJECT_ALT_NAME: &[u64] = &[2, 5, 29, 17];
const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
const AUTHORITY_KEY_ID: &[u64] = &[2, 5, 29, 35];
/// digitalSignature, nonRepudiation, keyEncipherment, keyCertSign.
const KEY_USAGE_BITS: &[u8] = &[0x03, 0x02, 0x02, 0xE4];

/// A certificate and its private key.
pub struct Pair {
    /// In clear.
    pub certificate: Certificate,
    /// Not.
    pub key: PrivateKey,
}

/// Why no certificate was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The end would lie beyond the year 9999, or before the beginning.
    #[error("a validity of {0} days gives no date that a certificate can hold")]
    Validity(u32),
    /// The root cannot sign any more.
    #[error("the root expired on {0}; nothing that it signs now would be trusted")]
    RootExpired(String),
    /// The root's certificate must not have a CA below it.
    #[error("the root certificate may not sign a CA: {0}")]
    RootMayNotSign(&'static str),
    /// The key given is not the root's.
    #[error("the root's private key does not fit its certificate")]
    OtherKey,
    /// What was signed does not chain; never seen, checked all the same.
    #[error("the new certificate does not chain to the root: {0}")]
    Chain(#[from] ChainError),
    /// The library refused.
    #[error("the certificate could not be made: {0}")]
    Library(String),
}

/// Makes a root: `O=Istio, CN=Root CA`, self-signed, without a path length.
///
/// Valid from an hour before `now`, because clocks differ, to `days` after it.
pub fn root(algorithm: Algorithm, days: u32, now: OffsetDateTime) -> Result<Pair, MintError> {
    let key = PrivateKey::generate(algorithm)?;
    let mut params =
        params(&[(DnType::OrganizationName, "Istio"), (DnType::CommonName, "Root CA")])?;
    validity(&mut params, days, now)?;
    params.custom_extensions = vec![
        extension(SUBJECT_KEY_ID, false, tlv(0x04, &key.key_id())),
        extension(BASIC_CONSTRAINTS, true, vec![0x30, 0x03, 0x01, 0x01, 0xFF]),
        extension(KEY_USAGE, true, KEY_USAGE_BITS.to_vec()),
    ];
    let signed = params.self_signed(key.pair()).map_err(library)?;
    let certificate = parse(signed.der())?;
    certificate.check_issuer(&certificate)?;
    Ok(Pair { certificate, key })
}

/// Makes the intermediate of a cluster: `O=Istio, CN=Intermediate CA, L=<cluster>`, path length 0,
/// the alternative name of istiod.
///
/// Never outlives the root: `days` is cut where the root ends. Refuses an expired root, a root that
/// may not sign CAs, and a key that is not the root's.
pub fn intermediate(
    cluster: &str,
    algorithm: Algorithm,
    days: u32,
    now: OffsetDateTime,
    root: &Certificate,
    root_key: &PrivateKey,
) -> Result<Pair, MintError> {
    check_root(root, root_key, now)?;
    let key = PrivateKey::generate(algorithm)?;
    let mut params = params(&[
        (DnType::OrganizationName, "Istio"),
        (DnType::CommonName, "Intermediate CA"),
        (DnType::LocalityName, cluster),
    ])?;
    validity(&mut params, days, now)?;
    params.not_after = params.not_after.min(root.info().not_after);
    let san = tlv(0x82, format!("istiod.{ISTIO_NAMESPACE}.svc").as_bytes());
    let root_id =
        root.subject_key_id().map_or_else(|| key::key_id(root.public_key()), <[u8]>::to_vec);
    params.custom_extensions = vec![
        extension(SUBJECT_KEY_ID, false, tlv(0x04, &key.key_id())),
        extension(BASIC_CONSTRAINTS, true, vec![0x30, 0x06, 0x01, 0x01, 0xFF, 0x02, 0x01, 0x00]),
        extension(KEY_USAGE, true, KEY_USAGE_BITS.to_vec()),
        extension(SUBJECT_ALT_NAME, false, tlv(0x30, &san)),
        extension(AUTHORITY_KEY_ID, false, tlv(0x30, &tlv(0x80, &root_id))),
    ];
    let issuer = Issuer::from_ca_cert_der(&root.der().into(), root_key.pair()).map_err(library)?;
    let signed = params.signed_by(key.pair(), &issuer).map_err(library)?;
    let certificate = parse(signed.der())?;
    certificate.check_issuer(root)?;
    Ok(Pair { certificate, key })
}

fn check_root(root: &Certificate, key: &PrivateKey, now: OffsetDateTime) -> Result<(), MintError> {
    let info = root.info();
    if !key.fits(root) {
        return Err(MintError::OtherKey);
    }
    if !info.is_authority {
        return Err(MintError::RootMayNotSign("it is no CA"));
    }
    if info.path_length == Some(0) {
        return Err(MintError::RootMayNotSign("its path length is 0"));
    }
    if info.not_after <= now {
        return Err(MintError::RootExpired(super::certificate::date(info.not_after)));
    }
    Ok(())
}

fn params(subject: &[(DnType, &str)]) -> Result<CertificateParams, MintError> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    for (kind, text) in subject {
        name.push(kind.clone(), DnValue::Utf8String((*text).to_owned()));
    }
    params.distinguished_name = name;
    params.serial_number = Some(serial()?);
    Ok(params)
}

/// 128 bits, positive, of constant length: the top bit is clear and the next one set.
fn serial() -> Result<SerialNumber, MintError> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).map_err(|_| MintError::Key(KeyError::Random))?;
    bytes[0] = bytes[0] & 0x3F | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn validity(
    params: &mut CertificateParams,
    days: u32,
    now: OffsetDateTime,
) -> Result<(), MintError> {
    let now = now.replace_nanosecond(0).map_err(|_| MintError::Validity(days))?;
    let after = now.checked_add(Duration::days(i64::from(days)));
    params.not_after = after.filter(|end| *end > now).ok_or(MintError::Validity(days))?;
    params.not_before = now.checked_sub(Duration::HOUR).ok_or(MintError::Validity(days))?;
    Ok(())
}

fn extension(oid: &[u64], critical: bool, content: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content);
    extension.set_criticality(critical);
    extension
}

/// One DER value of fewer than 256 bytes, which all of ours are.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length =
        u8::try_from(content.len()).expect("extensions of ours are shorter than 256 bytes");
    let mut out = vec![tag];
    if length >= 0x80 {
        out.push(0x81);
    }
    out.push(length);
    out.extend_from_slice(content);
    out
}

fn parse(der: &[u8]) -> Result<Certificate, MintError> {
    Certificate::from_der(der).map_err(|error| MintError::Library(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn library(error: rcgen::Error) -> MintError {
    MintError::Library(error.to_string())
}
