//! X.509 certificates: reading, describing for people, checking who signed whom.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::pem::{self, PemError};

/// What people want to know of a certificate. Texts are fit for a terminal: no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    /// The subject in the order of the certificate: `O=Istio, CN=Root CA`.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// The serial number as `openssl x509 -serial` prints it: upper-case hex digits.
    pub serial: String,
    /// The first instant at which it is valid, UTC.
    pub not_before: OffsetDateTime,
    /// The last instant at which it is valid, UTC.
    pub not_after: OffsetDateTime,
    /// The public key's kind and size: `ECDSA P-256`, `RSA 4096`.
    pub key: String,
    /// The sha256 of the whole certificate as `openssl x509 -fingerprint -sha256` prints it.
    pub fingerprint: String,
    /// Whether it may sign certificates: basicConstraints says CA, and keyUsage, where it is there,
    /// allows keyCertSign.
    pub is_authority: bool,
    /// How many CAs may stand below it; nothing when there is no limit.
    pub path_length: Option<u32>,
    /// The subject's alternative names: `DNS:istiod.istio-system.svc`.
    pub names: Vec<String>,
}

/// Why a text is not the certificate that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// No `CERTIFICATE` block.
    #[error("it holds no certificate (`-----BEGIN CERTIFICATE-----`)")]
    None,
    /// More than one `CERTIFICATE` block where one is asked for.
    #[error("it holds {0} certificates where one belongs")]
    Several(usize),
    /// The bytes are no X.509.
    #[error("the certificate cannot be read: {0}")]
    Malformed(String),
}

/// Why a certificate does not chain to another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The issuer's name is not the other's subject.
    #[error("it was issued by `{issuer}`, and the root is `{root}`")]
    OtherName {
        /// The issuer that the certificate names.
        issuer: String,
        /// The subject of the root.
        root: String,
    },
    /// The name fits and the signature does not: another key of the same name.
    #[error("its signature was not made by the root's key, though the root's name fits")]
    OtherKey,
    /// Signed in a way that this program cannot check.
    #[error("its signature algorithm is not supported (RSA with SHA-2, ECDSA P-256 or P-384)")]
    Unsupported,
}

/// A certificate that was read: its bytes and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    info: CertificateInfo,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    public_key: Vec<u8>,
    subject_key_id: Option<Vec<u8>>,
}

/// Describes the first certificate of a PEM text; nothing if it holds none that can be read.
pub fn describe(pem: &str) -> Option<CertificateInfo> {
    describe_all(pem)?.into_iter().next()
}

/// Describes every certificate of a PEM text, such as `cert-chain.pem`, in order.
///
/// Gives nothing if the text holds no certificate, or one that cannot be read.
pub fn describe_all(pem: &str) -> Option<Vec<CertificateInfo>> {
    let certificates = Certificate::all(pem).ok()?;
    (!certificates.is_empty())
        .then(|| certificates.into_iter().map(|certificate| certificate.info).collect())
}

impl Certificate {
    /// Reads the one certificate of a PEM text; blocks of other kinds are passed over.
    pub fn one(pem: &str) -> Result<Self, CertificateError> {
        let mut all = Self::all(pem)?;
        match (all.len(), all.pop()) {
            (1, Some(only)) => Ok(only),
            (0, _) => Err(CertificateError::None),
            (count, _) => Err(CertificateError::Several(count)),
        }
    }

    /// Reads all certificates of a PEM text, in order.
    pub fn all(pem: &str) -> Result<Vec<Self>, CertificateError> {
        let blocks = pem::blocks(pem)?;
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        certificates.map(|block| Self::from_der(&block.der)).collect()
    }

    /// Reads DER; trailing bytes are refused.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed = |message: String| CertificateError::Malformed(message);
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|error| malformed(error.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes too many", rest.len())));
        }
        Ok(Self {
            info: inform(&parsed, der),
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            subject_key_id: subject_key_id(&parsed),
            der: der.to_vec(),
        })
    }

    /// What it says, for people.
    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// One PEM block with 64 columns and a line end at the end, whatever it was read from.
    pub fn pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// The bits of the subject's public key, without the algorithm.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The subject key identifier, if it has one.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.subject_key_id.as_deref()
    }

    /// Whether its subject is its issuer.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Checks that `root` signed this certificate: the names agree to the byte, and the signature
    /// is the root's. Dates are not looked at.
    pub fn check_issuer(&self, root: &Certificate) -> Result<(), ChainError> {
        if self.issuer != root.subject {
            return Err(ChainError::OtherName {
                issuer: self.info.issuer.clone(),
                root: root.info.subject.clone(),
            });
        }
        let readable = "bytes that were parsed before parse again";
        let (_, parsed) = X509Certificate::from_der(&self.der).expect(readable);
        let (_, issuer) = X509Certificate::from_der(&root.der).expect(readable);
        match parsed.verify_signature(Some(issuer.public_key())) {
            Ok(()) => Ok(()),
            Err(x509_parser::error::X509Error::SignatureVerificationError) => {
                Err(ChainError::OtherKey)
            }
            Err(_) => Err(ChainError::Unsupported),
        }
    }
}

fn inform(parsed: &X509Certificate<'_>, der: &[u8]) -> CertificateInfo {
    let constraints = parsed.basic_constraints().ok().flatten().map(|extension| extension.value);
    let may_sign = match parsed.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.key_cert_sign()),
        Err(_) => false,
    };
    let names = match parsed.subject_alternative_name() {
        Ok(Some(names)) => names.value.general_names.iter().map(general_name).collect(),
        _ => Vec::new(),
    };
    CertificateInfo {
        subject: name(parsed.subject()),
        issuer: name(parsed.issuer()),
        serial: serial(parsed.raw_serial()),
        not_before: parsed.validity().not_before.to_datetime(),
        not_after: parsed.validity().not_after.to_datetime(),
        key: key(parsed.public_key()),
        fingerprint: colons(&Sha256::digest(der)),
        is_authority: constraints.is_some_and(|one| one.ca) && may_sign,
        path_length: constraints.and_then(|one| one.path_len_constraint),
        names,
    }
}

fn subject_key_id(parsed: &X509Certificate<'_>) -> Option<Vec<u8>> {
    parsed.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

/// `O=Istio, CN=Root CA`: short names where there are any, control characters and the separator
/// escaped.
fn name(name: &X509Name<'_>) -> String {
    let mut out = String::new();
    for attribute in name.iter_attributes() {
        let oid = attribute.attr_type().to_id_string();
        let short = match oid.as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            other => other,
        };
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(short);
        out.push('=');
        match attribute.as_str() {
            Ok(text) => escape(&mut out, text),
            Err(_) => out.push_str(&hex::encode_upper(attribute.as_slice())),
        }
    }
    out
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            ',' | '\\' => out.extend(['\\', character]),
            other if other.is_control() => out.extend(other.escape_default()),
            other => out.push(other),
        }
    }
}

fn general_name(name: &GeneralName<'_>) -> String {
    let mut out = String::new();
    match name {
        GeneralName::DNSName(text) => {
            out.push_str("DNS:");
            escape(&mut out, text);
        }
        GeneralName::URI(text) => {
            out.push_str("URI:");
            escape(&mut out, text);
        }
        other => escape(&mut out, &other.to_string()),
    }
    out
}

fn serial(bytes: &[u8]) -> String {
    let significant = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => bytes,
    };
    hex::encode_upper(significant)
}

fn colons(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(3 * bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { ":" };
        write!(out, "{separator}{byte:02X}").expect("writing into a string cannot fail");
    }
    out
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> String {
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            match curve.map(|oid| oid.to_id_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => "ECDSA P-256".to_owned(),
                Some("1.3.132.0.34") => "ECDSA P-384".to_owned(),
                Some("1.3.132.0.35") => "ECDSA P-521".to_owned(),
                Some(other) => format!("ECDSA {other}"),
                None => "ECDSA".to_owned(),
            }
        }
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// An instant as people and `openssl -dateopt iso_8601` write it: `2036-11-21 16:01:30Z`.
pub fn date(instant: OffsetDateTime) -> String {
    let utc = instant.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
        utc.year(),
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}
