//! One value: AES-256-GCM with a 256-bit nonce, bound to its place by the additional data.

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{AesGcm, Nonce, Tag};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

type Cipher = AesGcm<aes_gcm::aes::Aes256, U32>;

const PREFIX: &str = "ENC[AES256_GCM,data:";

/// The key of one document's values. Wiped when it is dropped; cannot be printed.
pub(crate) struct DataKey(Zeroizing<[u8; 32]>);

/// Why a value does not open. Says nothing of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// Not `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
    #[error("it is not of the form `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`")]
    Form,
    /// A type of value that SOPS does not have.
    #[error("SOPS has no type `{0}`")]
    Type(String),
    /// The tag does not fit: another key, another place, or changed bytes.
    #[error("it was changed, or moved here from another place, after it was sealed")]
    Tampered,
}

/// What an opened value was before it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    String,
    Int,
    Float,
    Bool,
    Comment,
}

/// Whether a text has the form of a sealed value.
pub fn is_sealed(text: &str) -> bool {
    Parts::of(text).is_some()
}

impl DataKey {
    /// Draws a new one. Nothing if the machine's random source fails.
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).ok()?;
        Some(Self(bytes))
    }

    /// Takes the bytes that a recipient unwrapped; there must be 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut own = Zeroizing::new([0; 32]);
        if bytes.len() != own.len() {
            return None;
        }
        own.copy_from_slice(bytes);
        Some(Self(own))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Seals a string for the place `additional`. Nothing if the random source fails.
    pub fn encrypt(&self, plain: &str, additional: &str) -> Option<String> {
        let mut iv = [0_u8; 32];
        rand::fill(&mut iv).ok()?;
        let mut data = Zeroizing::new(plain.as_bytes().to_vec());
        let tag = self
            .cipher()
            .encrypt_in_place_detached(&Nonce::from(iv), additional.as_bytes(), &mut data)
            .expect("AES-GCM takes 64 GiB");
        Some(format!(
            "{PREFIX}{},iv:{},tag:{},type:str]",
            STANDARD.encode(&*data),
            STANDARD.encode(iv),
            STANDARD.encode(tag)
        ))
    }

    /// Opens what was sealed for the place `additional`.
    pub(super) fn decrypt(
        &self,
        sealed: &str,
        additional: &str,
    ) -> Result<(Type, Zeroizing<String>), CipherError> {
        let parts = Parts::of(sealed).ok_or(CipherError::Form)?;
        let kind = match parts.kind {
            "str" | "bytes" | "time" => Type::String,
            "int" => Type::Int,
            "float" => Type::Float,
            "bool" => Type::Bool,
            "comment" => Type::Comment,
            other => return Err(CipherError::Type(other.to_owned())),
        };
        let mut data = Zeroizing::new(parts.data);
        self.cipher()
            .decrypt_in_place_detached(
                &Nonce::from(parts.iv),
                additional.as_bytes(),
                &mut data,
                &Tag::from(parts.tag),
            )
            .map_err(|_| CipherError::Tampered)?;
        // the bytes move, they are not copied
        let plain = String::from_utf8(std::mem::take(&mut *data));
        match plain {
            Ok(text) => Ok((kind, Zeroizing::new(text))),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(CipherError::Form)
            }
        }
    }

    fn cipher(&self) -> Cipher {
        Cipher::new((&*self.0).into())
    }
}

struct Parts<'a> {
    data: Vec<u8>,
    iv: [u8; 32],
    tag: [u8; 16],
    kind: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix(PREFIX)?.strip_suffix(']')?;
        let (data, rest) = inner.split_once(",iv:")?;
        let (iv, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        Some(Self {
            data: STANDARD.decode(data).ok()?,
            iv: STANDARD.decode(iv).ok()?.try_into().ok()?,
            tag: STANDARD.decode(tag).ok()?.try_into().ok()?,
            kind,
        })
    }
}
