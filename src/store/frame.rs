//! The frame of a cache file: what it is, which version, then segments with a checksum each.
//!
//! What a run learned is added as a segment; now and then a file is written anew. A cache is never
//! worth an error: whatever is torn, damaged, foreign or of another version reads as not there.

use std::path::Path;

use crate::file::{Disk, FILE_MODE, FileError};

/// Bytes before a segment: its length and its checksum, eight each.
const PREFIX: usize = 16;
/// A file grows by a quarter of what was first written to it, and by no less than this.
const GROWTH: usize = 64 << 10;

/// What a cache file holds.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// All sound segments, joined.
    pub bytes: Vec<u8>,
    /// How many of them may be in the file before it is written anew.
    room: usize,
}

impl Body {
    /// Whether so many bytes more should be added to the file; else it is to be written anew.
    pub fn has_room(&self, more: usize) -> bool {
        self.bytes.len() + more <= self.room
    }
}

/// Reads a cache file; empty if there is no sound one.
pub(super) fn read(disk: &Disk, path: &Path, header: &str) -> Body {
    let Ok(file) = disk.read(path) else { return Body::default() };
    let mut body = Body::default();
    let Some(mut rest) = file.strip_prefix(header.as_bytes()) else { return body };
    while !rest.is_empty() {
        let Some((segment, after)) = segment(rest) else {
            // what is added behind a torn segment could not be found again
            body.room = 0;
            return body;
        };
        if body.bytes.is_empty() {
            body.bytes.reserve_exact(rest.len());
            body.room = segment.len() + (segment.len() / 4).max(GROWTH);
        }
        body.bytes.extend_from_slice(segment);
        rest = after;
    }
    body
}

fn segment(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = rest.split_first_chunk::<PREFIX>()?;
    let (length, sum) = prefix.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (segment, after) = rest.split_at_checked(length)?;
    (sum == checksum(segment).to_le_bytes()).then_some((segment, after))
}

/// Writes a cache file by way of a temporary one. Not durable: a torn file is found by its sums.
pub(super) fn write(
    disk: &Disk,
    temporary: &Path,
    path: &Path,
    header: &str,
    body: &[u8],
) -> Result<(), FileError> {
    let mut bytes = Vec::with_capacity(header.len() + PREFIX + body.len());
    bytes.extend_from_slice(header.as_bytes());
    push(&mut bytes, body);
    disk.write_new(temporary, &bytes, FILE_MODE)?;
    disk.rename(temporary, path)
}

/// Adds a segment to a cache file that was read by this process, which holds the store's lock.
pub(super) fn add(disk: &Disk, path: &Path, body: &[u8]) -> Result<(), FileError> {
    let mut bytes = Vec::with_capacity(PREFIX + body.len());
    push(&mut bytes, body);
    disk.append(path, &bytes)
}

fn push(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    out.extend_from_slice(&checksum(body).to_le_bytes());
    out.extend_from_slice(body);
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
