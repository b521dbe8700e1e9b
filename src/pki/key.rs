//! Private keys: making them, reading those that people have, telling whether one fits.

use aws_lc_rs::digest;
use rcgen::{KeyPair, RsaKeySize};

use super::certificate::Certificate;
use super::pem::{self, PemError};
use super::secret::Secret;

/// The kinds of key that meshgen makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA on P-256: small, quick, and run end to end with istiod and Envoy.
    #[default]
    EcdsaP256,
    /// RSA with 4096 bits, as Istio's own makefiles make.
    Rsa4096,
}

impl Algorithm {
    /// The name in mesh.yaml.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::EcdsaP256 => "ecdsa-p256",
            Algorithm::Rsa4096 => "rsa-4096",
        }
    }
}

/// Reads the name in mesh.yaml; refuses every other word.
impl std::str::FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Algorithm::EcdsaP256, Algorithm::Rsa4096]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or_else(|| format!("`{text}` is neither `ecdsa-p256` nor `rsa-4096`"))
    }
}

/// Why a text is not a usable private key. Says nothing of what the text holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM, or protected by a passphrase.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// No block of a private key.
    #[error("it holds no private key (PKCS#8, PKCS#1 or SEC1 in PEM)")]
    None,
    /// More than one private key.
    #[error("it holds {0} private keys where one belongs")]
    Several(usize),
    /// PKCS#8 under a passphrase.
    #[error("the private key is protected by a passphrase")]
    Protected,
    /// A kind of key that istiod is not known to take.
    #[error(
        "the private key is damaged, or none of RSA (2048 bits or more), ECDSA P-256 and P-384"
    )]
    Unsupported,
    /// The machine gave no randomness.
    #[error("no key could be made: the random source of this machine failed")]
    Random,
}

impl KeyError {
    /// What to do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            KeyError::Pem(PemError::Protected(_)) | KeyError::Protected => Some(
                "`openssl pkey -in KEY -out PLAIN` takes the passphrase off; delete PLAIN after the import",
            ),
            KeyError::Pem(_) | KeyError::None | KeyError::Several(_) | KeyError::Unsupported => {
                Some("`openssl pkey -in KEY -noout -text` shows what a file holds")
            }
            KeyError::Random => None,
        }
    }
}

/// A private key in memory, wiped when it is dropped.
pub struct PrivateKey {
    pair: KeyPair,
    pem: Secret<String>,
}

impl PrivateKey {
    /// Makes a key. Its PEM is PKCS#8, which istiod, OpenSSL and kubectl's users expect.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let made = match algorithm {
            Algorithm::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Algorithm::Rsa4096 => {
                KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096)
            }
        };
        let pair = made.map_err(|_| KeyError::Random)?;
        let pem = Secret::new(pem::encode("PRIVATE KEY", pair.serialized_der()));
        Ok(Self { pair, pem })
    }

    /// Reads the one private key of a PEM text: PKCS#8, PKCS#1 (RSA) or SEC1 (EC).
    ///
    /// Blocks of other kinds (`EC PARAMETERS`, certificates) are passed over. The form is kept: a
    /// PKCS#1 key stays one.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let mut keys = pem::blocks(text)?;
        keys.retain(|block| block.label.ends_with("PRIVATE KEY"));
        let block = match (keys.len(), keys.pop()) {
            (1, Some(block)) => block,
            (0, _) => return Err(KeyError::None),
            (count, _) => return Err(KeyError::Several(count)),
        };
        if block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(KeyError::Protected);
        }
        let pair = KeyPair::try_from(block.der.as_slice()).map_err(|_| KeyError::Unsupported)?;
        let supported = [
            &rcgen::PKCS_RSA_SHA256,
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
        ];
        if !supported.contains(&pair.algorithm()) {
            return Err(KeyError::Unsupported);
        }
        let pem = Secret::new(pem::encode(&block.label, &block.der));
        Ok(Self { pair, pem })
    }

    /// The key as PEM.
    pub fn pem(&self) -> &Secret<String> {
        &self.pem
    }

    /// Whether this is the key of the certificate.
    pub fn fits(&self, certificate: &Certificate) -> bool {
        self.pair.public_key_raw() == certificate.public_key()
    }

    /// The key identifier that OpenSSL's `subjectKeyIdentifier = hash` gives: SHA-1 of the public
    /// key's bits (RFC 5280, 4.2.1.2, method 1).
    pub(super) fn key_id(&self) -> Vec<u8> {
        key_id(self.pair.public_key_raw())
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

/// As [`PrivateKey::key_id`], of the public key's bits. SHA-1 names the key here and protects nothing.
pub(super) fn key_id(public_key: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, public_key).as_ref().to_vec()
}
