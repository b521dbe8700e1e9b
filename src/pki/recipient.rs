//! Who can open: age recipients and identities (X25519, <https://age-encryption.org/v1>).

use std::fmt;
use std::io::{Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::secret::Secret;

/// Somebody who can open what is sealed for him: `age1…`.
#[derive(Clone)]
pub struct Recipient {
    key: age::x25519::Recipient,
    text: String,
}

/// Why a text is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// A private identity where the public recipient belongs. The text is not repeated.
    #[error("this is a private age identity, not a recipient")]
    Identity,
    /// Another kind of recipient.
    #[error("`{0}` is no age X25519 recipient (`age1…`, 62 characters)")]
    Unknown(String),
}

impl Recipient {
    /// The recipient as it is written: `age1…`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Reads `age1…`. Refuses identities, SSH keys, plugins, and everything else.
impl std::str::FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        if text.to_ascii_uppercase().contains("AGE-SECRET-KEY-") {
            return Err(RecipientError::Identity);
        }
        let parsed: Result<age::x25519::Recipient, _> = text.trim().parse();
        let key = parsed.map_err(|_| RecipientError::Unknown(text.to_owned()))?;
        Ok(Self { text: key.to_string(), key })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

/// Why a text gives no identities. Never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Neither an identity nor a comment.
    #[error("line {0} is no age identity (`AGE-SECRET-KEY-1…`) and no comment")]
    Line(usize),
    /// The file itself is encrypted.
    #[error("the identity file is protected by a passphrase")]
    Protected,
    /// An SSH key.
    #[error("this is an SSH key; only age's own identities are supported")]
    Ssh,
    /// Nothing but comments.
    #[error("it holds no age identity (`AGE-SECRET-KEY-1…`)")]
    None,
}

impl IdentityError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            IdentityError::Protected => {
                "decrypt it into `SOPS_AGE_KEY` for this one command: `SOPS_AGE_KEY=$(age -d FILE) meshgen …`"
            }
            _ => "`meshgen pki init --new-identity FILE` or `age-keygen` makes one",
        }
    }
}

/// The identities that may open. Wiped when they are dropped; cannot be printed.
#[derive(Default)]
pub struct Identities(Vec<age::x25519::Identity>);

impl Identities {
    /// Reads the text of an identity file, or of `SOPS_AGE_KEY`: identities between white space,
    /// comments from `#` at the beginning of a line.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        if text.trim_start().starts_with("-----BEGIN AGE ENCRYPTED")
            || text.starts_with("age-encryption.org/")
        {
            return Err(IdentityError::Protected);
        }
        if text.trim_start().starts_with("-----BEGIN ") {
            return Err(IdentityError::Ssh);
        }
        let mut found = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with('#') {
                continue;
            }
            for word in line.split_whitespace() {
                found.push(word.parse().map_err(|_| IdentityError::Line(index + 1))?);
            }
        }
        if found.is_empty() { Err(IdentityError::None) } else { Ok(Self(found)) }
    }

    /// Takes in those of another.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Opens an armored age text; nothing if none of the identities can, or if it is damaged.
    pub(super) fn unwrap(&self, armored: &str) -> Option<Zeroizing<Vec<u8>>> {
        let decryptor =
            age::Decryptor::new_buffered(ArmoredReader::new(armored.as_bytes())).ok()?;
        let identities = self.0.iter().map(|identity| identity as &dyn age::Identity);
        let mut reader = decryptor.decrypt(identities).ok()?;
        let mut out = Zeroizing::new(Vec::with_capacity(64));
        reader.read_to_end(&mut out).ok()?;
        Some(out)
    }
}

/// Seals bytes for one recipient, armored, as SOPS keeps a data key.
pub(super) fn wrap(recipient: &Recipient, bytes: &[u8]) -> String {
    let memory = "writing into memory cannot fail";
    let one = std::iter::once(&recipient.key as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(one).expect("one X25519 recipient is accepted");
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).expect(memory);
    let mut writer = encryptor.wrap_output(armor).expect(memory);
    writer.write_all(bytes).expect(memory);
    let text = writer.finish().and_then(ArmoredWriter::finish).expect(memory);
    String::from_utf8(text).expect("armor is ASCII")
}

/// Makes an identity: the text of an identity file as `age-keygen` writes it, and its recipient.
pub fn new_identity() -> (Secret<String>, Recipient) {
    let identity = age::x25519::Identity::generate();
    let key = identity.to_public();
    let recipient = Recipient { text: key.to_string(), key };
    let secret = identity.to_string();
    let mut text = String::with_capacity(256);
    text.extend(["# public key: ", recipient.as_str(), "\n", secret.expose_secret(), "\n"]);
    (Secret::new(text), recipient)
}
