//! The frame of a cache file: what it is, which version, and a checksum of the rest.
//!
//! A cache is never worth an error: whatever is torn, damaged, foreign or of another version reads
//! as no cache at all.

use std::path::Path;

use crate::file::{Disk, FILE_MODE, FileError};

/// Reads the body of a cache file; `None` if there is no sound one.
pub(super) fn read(disk: &Disk, path: &Path, header: &str) -> Option<Vec<u8>> {
    let mut bytes = disk.read(path).ok()?;
    let body = bytes.strip_prefix(header.as_bytes())?;
    let (sum, body) = body.split_first_chunk::<8>()?;
    if u64::from_le_bytes(*sum) != checksum(body) {
        return None;
    }
    let start = bytes.len() - body.len();
    bytes.drain(..start);
    Some(bytes)
}

/// Writes a cache file by way of a temporary one. Not durable: a torn file is found by its sum.
pub(super) fn write(
    disk: &Disk,
    temporary: &Path,
    path: &Path,
    header: &str,
    body: &[u8],
) -> Result<(), FileError> {
    let mut bytes = Vec::with_capacity(header.len() + 8 + body.len());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(&checksum(body).to_le_bytes());
    bytes.extend_from_slice(body);
    disk.write_new(temporary, &bytes, FILE_MODE)?;
    disk.rename(temporary, path)
}

/// FNV-1a over words of eight bytes: finds accidents, a gigabyte in a fraction of a second.
fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut sum = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME);
        // the product alone would never carry a high bit down
        sum ^= sum >> 29;
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    sum
}
