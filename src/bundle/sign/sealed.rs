//! Keys under a password, as cosign keeps them: scrypt and the secretbox of `NaCl`, in JSON
//! (`go-securesystemslib`, package `encrypted`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The costs that the library writes or wrote. No others: a key file must not decide how much memory
/// is taken.
const COSTS: [(u64, u8); 3] = [(1 << 15, 15), (1 << 16, 16), (1 << 17, 17)];
const KEY: usize = 32;
const NONCE: usize = 24;

/// Why a sealed key does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// Not the JSON that cosign writes.
    #[error("the sealed private key is damaged: {0}")]
    Damaged(&'static str),
    /// It does not open.
    #[error("the password does not open the private key, or the key is damaged")]
    Wrong,
}

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Opens the body of a sealed key: the DER of a PKCS#8 key.
pub(super) fn open(body: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedError> {
    let damaged = SealedError::Damaged;
    let sealed: Sealed =
        serde_json::from_slice(body).map_err(|_| damaged("it is not cosign's JSON"))?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(damaged("neither scrypt nor secretbox"));
    }
    let Cost { n, r, p } = sealed.kdf.params;
    let cost = COSTS.iter().find(|(known, _)| *known == n && r == 8 && p == 1);
    let (_, log_n) = cost.ok_or(damaged("a cost that cosign never writes"))?;
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| damaged("it is no base64"));
    let (salt, nonce) = (decode(&sealed.kdf.salt)?, decode(&sealed.cipher.nonce)?);
    let ciphertext = decode(&sealed.ciphertext)?;
    if nonce.len() != NONCE {
        return Err(damaged("a nonce of another length"));
    }
    let cost = scrypt::Params::new(*log_n, r, p, KEY).map_err(|_| damaged("an odd cost"))?;
    let mut key = Zeroizing::new([0; KEY]);
    scrypt::scrypt(password, &salt, &cost, key.as_mut()).map_err(|_| damaged("an odd cost"))?;
    let cipher = XSalsa20Poly1305::new((&*key).into());
    let nonce = Nonce::from_slice(&nonce);
    cipher.decrypt(nonce, ciphertext.as_slice()).map(Zeroizing::new).map_err(|_| SealedError::Wrong)
}
