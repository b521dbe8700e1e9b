//! Public keys: reading, naming, verifying.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, EcdsaPublicKey, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaSubjectPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::pki::pem::{self, PemError};
use crate::store::Digest;

const LABEL: &str = "PUBLIC KEY";

/// Why a text holds no usable public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// No public key in it.
    #[error("it holds no public key (a PEM block `PUBLIC KEY`)")]
    None,
    /// A private key, which must not lie around where keys are trusted.
    #[error("it holds a private key; a signature is verified with the public one")]
    Private,
    /// Ed25519, P-384, …
    #[error("its public key {0} is damaged, or neither ECDSA P-256 nor RSA (2048 to 8192 bits)")]
    Unsupported(usize),
}

/// A public key.
#[derive(Clone)]
pub struct PublicKey {
    parsed: ParsedPublicKey,
    /// `SubjectPublicKeyInfo` (RFC 5280).
    der: Vec<u8>,
    kind: &'static str,
}

impl PublicKey {
    /// Reads all public keys of a PEM text, at least one: `SubjectPublicKeyInfo`, as `cosign.pub` is.
    pub fn from_pem(text: &str) -> Result<Vec<Self>, PublicKeyError> {
        let blocks = pem::blocks(text)?;
        if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
            return Err(PublicKeyError::Private);
        }
        let blocks = blocks.iter().filter(|block| block.label == LABEL);
        let keys: Vec<Self> = blocks
            .enumerate()
            .map(|(at, block)| {
                Self::from_der(&block.der).map_err(|_| PublicKeyError::Unsupported(at + 1))
            })
            .collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(PublicKeyError::None) } else { Ok(keys) }
    }

    fn from_der(der: &[u8]) -> Result<Self, Unspecified> {
        let rejected = |_| Unspecified;
        let ecdsa = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der);
        let (parsed, kind) = if let Ok(parsed) = ecdsa {
            (parsed, "ECDSA P-256")
        } else {
            let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
            (key.map_err(rejected)?, "RSA")
        };
        // the library takes other forms of a key too (a bare point); names are made of this one
        let canonical: PublicKeyX509Der<'_> = parsed.as_der()?;
        if canonical.as_ref() != der {
            return Err(Unspecified);
        }
        Ok(Self { parsed, der: der.to_vec(), kind })
    }

    pub(super) fn of_ecdsa(key: &EcdsaPublicKey) -> Result<Self, Unspecified> {
        let der: PublicKeyX509Der<'_> = key.as_der()?;
        Self::from_der(der.as_ref())
    }

    pub(super) fn of_rsa(key: &RsaSubjectPublicKey) -> Result<Self, Unspecified> {
        let der: PublicKeyX509Der<'_> = key.as_der()?;
        Self::from_der(der.as_ref())
    }

    /// The sha256 of its `SubjectPublicKeyInfo`: what people compare.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// How cosign names it in a signature: the fingerprint in base64. A name, and no proof.
    pub fn hint(&self) -> String {
        STANDARD.encode(self.fingerprint().as_bytes())
    }

    /// `ECDSA P-256` or `RSA`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The key as PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, &self.der)
    }

    /// Whether this signature is its key's over this sha256.
    pub(super) fn verify(&self, digest: &Digest, signature: &[u8]) -> bool {
        self.parsed.verify_digest_sig(&imported(digest), signature).is_ok()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.fingerprint())
    }
}

/// A sha256 as the library wants it: the bytes are hashed while they are read, not by it.
pub(super) fn imported(digest: &Digest) -> digest::Digest {
    digest::Digest::import_less_safe(digest.as_bytes(), &digest::SHA256)
        .expect("a sha256 has 32 bytes")
}
