//! PEM (RFC 7468): labelled base64 blocks in a text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const COLUMNS: usize = 64;

/// One block. The bytes are wiped when it is dropped: they may be a key.
pub struct Block {
    /// `CERTIFICATE`, `EC PRIVATE KEY`, …
    pub label: String,
    /// The decoded bytes.
    pub der: Zeroizing<Vec<u8>>,
}

/// Why a text is not PEM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// A block has a beginning and no end.
    #[error("the block `{0}` has no end line")]
    NoEnd(String),
    /// A block's body does not decode.
    #[error("the block `{0}` is no base64")]
    NoBase64(String),
    /// A block has headers of the old kind, which only encrypted keys have.
    #[error("the block `{0}` is protected by a passphrase")]
    Protected(String),
}

/// Reads all blocks of a text, in order. Text around the blocks is ignored, as every reader does.
pub fn blocks(text: &str) -> Result<Vec<Block>, PemError> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
        let Some(label) = label.map(str::to_owned) else {
            continue;
        };
        let mut body = Zeroizing::new(String::with_capacity(text.len()));
        loop {
            let Some(line) = lines.next() else {
                return Err(PemError::NoEnd(label));
            };
            if line.starts_with(END) {
                break;
            }
            if line.contains(':') {
                return Err(PemError::Protected(label));
            }
            body.push_str(line);
        }
        let der = STANDARD.decode(body.as_bytes()).map(Zeroizing::new);
        let der = der.map_err(|_| PemError::NoBase64(label.clone()))?;
        found.push(Block { label, der });
    }
    Ok(found)
}

/// Writes one block: 64 columns, LF, with a line end at the end.
pub fn encode(label: &str, der: &[u8]) -> String {
    let mut body = STANDARD.encode(der);
    // all at once, so that no copy of a key is left behind by growing
    let length = body.len() + body.len() / COLUMNS + 2 * label.len() + 40;
    let mut text = String::with_capacity(length);
    text.extend([BEGIN, label, DASHES, "\n"]);
    for line in body.as_bytes().chunks(COLUMNS) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.extend([END, label, DASHES, "\n"]);
    body.zeroize();
    text
}
