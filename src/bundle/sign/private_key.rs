//! Private keys that sign.

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use zeroize::Zeroizing;

use super::public_key::{PublicKey, imported};
use super::sealed::{self, SealedError};
use crate::pki::Secret;
use crate::pki::pem::{self, Block, PemError};
use crate::store::Digest;

/// The labels under which cosign keeps keys; it wrote the second one before 2.0.
const SEALED: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// Why a text is no key to sign with. Says nothing of what the text holds.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// Not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// No block of a private key.
    #[error("it holds no private key (cosign's encrypted PEM, or PKCS#8)")]
    None,
    /// Several blocks.
    #[error("it holds {0} private keys where one belongs")]
    Several(usize),
    /// A password is needed.
    #[error("the private key is protected by a password")]
    Protected,
    /// PKCS#8's own protection, which cosign does not read either.
    #[error("the private key is protected in a way that cosign does not read")]
    ForeignProtection,
    /// A password that does not fit, or a damaged key.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// Ed25519, P-384, …
    #[error("the private key is damaged, or neither ECDSA P-256 nor RSA (2048 bits or more)")]
    Unsupported,
    /// The library refused.
    #[error("the signature could not be made")]
    Failed,
}

impl SigningKeyError {
    /// What to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Protected | Self::Sealed(SealedError::Wrong) => Some(
                "the password comes from `--password-file`, from COSIGN_PASSWORD, or from the terminal",
            ),
            Self::ForeignProtection => Some(
                "`openssl pkey -in KEY -out PLAIN` takes the passphrase off; `cosign import-key-pair` seals \
                 it as cosign does",
            ),
            Self::None | Self::Unsupported => Some("`cosign generate-key-pair` makes a key"),
            _ => None,
        }
    }
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A key to sign with. It cannot be printed.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

impl SigningKey {
    /// Whether the key in a text needs a password.
    pub fn is_protected(text: &str) -> Result<bool, SigningKeyError> {
        Ok(SEALED.contains(&one(text)?.label.as_str()))
    }

    /// Reads the one private key of a PEM text: sealed as cosign does, or plain (PKCS#8, SEC1, PKCS#1).
    ///
    /// ECDSA on P-256 and RSA of 2048 bits or more; Ed25519 is refused, because cosign signs with its
    /// pre-hashed form, which few others read.
    pub fn from_pem(
        text: &str,
        password: Option<&Secret<Vec<u8>>>,
    ) -> Result<Self, SigningKeyError> {
        let block = one(text)?;
        let der = match block.label.as_str() {
            label if SEALED.contains(&label) => {
                sealed::open(&block.der, password.ok_or(SigningKeyError::Protected)?.expose())?
            }
            "ENCRYPTED PRIVATE KEY" => return Err(SigningKeyError::ForeignProtection),
            _ => Zeroizing::new(block.der.to_vec()),
        };
        Self::from_der(&der)
    }

    fn from_der(der: &[u8]) -> Result<Self, SigningKeyError> {
        let unsupported = |_| SigningKeyError::Unsupported;
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            let public = PublicKey::of_ecdsa(pair.public_key()).map_err(unsupported)?;
            return Ok(Self { pair: Pair::Ecdsa(pair), public });
        }
        let pair = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        let pair = pair.map_err(|_| SigningKeyError::Unsupported)?;
        let public = PublicKey::of_rsa(pair.public_key()).map_err(unsupported)?;
        Ok(Self { pair: Pair::Rsa(pair), public })
    }

    /// The other half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a sha256: ECDSA in ASN.1, or RSA as PKCS#1 v1.5. What was signed is verified before it is
    /// given.
    pub(super) fn sign(&self, digest: &Digest) -> Result<Vec<u8>, SigningKeyError> {
        let hash: digest::Digest = imported(digest);
        let failed = |_| SigningKeyError::Failed;
        let signature = match &self.pair {
            Pair::Ecdsa(pair) => pair.sign_digest(&hash).map_err(failed)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature).map_err(failed)?;
                signature
            }
        };
        if self.public.verify(digest, &signature) {
            Ok(signature)
        } else {
            Err(SigningKeyError::Failed)
        }
    }
}

/// The one block of a private key.
fn one(text: &str) -> Result<Block, SigningKeyError> {
    let mut keys = pem::blocks(text)?;
    keys.retain(|block| block.label.ends_with("PRIVATE KEY"));
    match (keys.len(), keys.pop()) {
        (1, Some(block)) => Ok(block),
        (0, _) => Err(SigningKeyError::None),
        (count, _) => Err(SigningKeyError::Several(count)),
    }
}
