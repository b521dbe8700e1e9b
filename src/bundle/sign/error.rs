//! Why a signature is not believed.

use crate::store::Digest;

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("it is not signed: there is no {0}")]
    Missing(String),
    /// Nobody is trusted.
    #[error("no key is trusted, so nobody's signature counts")]
    NoKeys,
    /// Signed by a key that is not trusted.
    #[error("it is signed by the key {hint}, which is not among the {trusted} trusted")]
    Untrusted {
        /// The name of the key, as the signature says it.
        hint: String,
        /// How many keys are trusted.
        trusted: usize,
    },
    /// It says a trusted key's name, and is not its signature.
    #[error(
        "the signature is not that of {0}, whose name it has: signature or content was changed"
    )]
    Forged(String),
    /// It names no key, and none fits.
    #[error("the signature is of none of the {0} trusted keys")]
    Nobody(usize),
    /// A signature of other bytes.
    #[error("the signature is of {signed}, but this is {found}")]
    Other {
        /// What was signed.
        signed: Digest,
        /// What is there.
        found: Digest,
    },
    /// Too many bytes.
    #[error("the signature is larger than 1 MiB")]
    Large,
    /// Not the JSON that it should be: a wrong shape, an unknown or a repeated key.
    #[error("the signature is no Sigstore bundle: {0}")]
    Json(String),
    /// Another version.
    #[error("the signature is `{0}`, and no Sigstore bundle of version 0.3")]
    MediaType(String),
    /// By a certificate of Fulcio, which takes the network and a clock.
    #[error("the signature is by a certificate, not by a key")]
    Certificate,
    /// Nothing says whose it is.
    #[error("the signature does not say that a public key verifies it")]
    NoKeyName,
    /// Not one content.
    #[error("the signature holds not one of `messageSignature` and `dsseEnvelope`")]
    Content,
    /// One content, but that of the other use.
    #[error("the signature is {found}, where {wanted} belongs")]
    Kind {
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// SHA-512, …
    #[error("the signature is over `{0}`, not over a sha256")]
    Algorithm(String),
    /// Bytes that are none.
    #[error("`{0}` in the signature is no base64, or of another length")]
    Base64(&'static str),
    /// Not one signature.
    #[error("the envelope holds {0} signatures where one belongs")]
    Count(usize),
    /// A statement of something else.
    #[error("the signed statement says something else: {0}")]
    Statement(String),
}

impl SignatureError {
    /// Whether it is unsigned as far as this operator can tell: nobody whom he trusts has signed it, and
    /// nothing says that it was changed. `--allow-unsigned` lifts these, and no others.
    pub fn is_unsigned(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::NoKeys | Self::Untrusted { .. } | Self::Nobody(_))
    }

    /// What to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => {
                Some("get the signature from where it was made (`meshgen bundle sign`)")
            }
            Self::Certificate => Some("`meshgen bundle sign --key K` signs with a key"),
            Self::Untrusted { .. } | Self::Nobody(_) => {
                Some("if somebody whom you trust gave you that key, name it by `--key`")
            }
            Self::Forged(_) | Self::Other { .. } => Some("get both files anew"),
            Self::Json(_) | Self::MediaType(_) => Some(
                "Sigstore bundles of v0.3 are taken: `cosign sign-blob --new-bundle-format` makes one",
            ),
            _ => None,
        }
    }
}
