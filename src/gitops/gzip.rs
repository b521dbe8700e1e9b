//! gzip without compression (RFC 1952, RFC 1951 §3.2.4).
//!
//! Stored blocks alone: a compressor's bytes are those of its version, these are of the content.

/// The most bytes of a stored block.
const BLOCK: usize = 65_535;
/// Magic, deflate, no flags, no time, no hint of the compressor, system unknown.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// The bytes as one gzip member.
pub(super) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / BLOCK * 5 + 32);
    out.extend_from_slice(&HEAD);
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(BLOCK));
        let length = u16::try_from(block.len()).expect("at most a block");
        out.push(u8::from(after.is_empty()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn reads_back() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let bytes: Vec<u8> = [1, 2, 3, 5, 7].into_iter().cycle().take(length).collect();
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(&*stored(&bytes)).read_to_end(&mut read).expect("gzip");
            assert_eq!(read, bytes);
        }
    }
}
