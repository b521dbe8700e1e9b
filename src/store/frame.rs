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
    /// The file, all sound segments joined; what comes before the first is left in place.
    file: Vec<u8>,
    start: usize,
    /// How many of them may be in the file before it is written anew.
    room: usize,
}

impl Body {
    /// All sound segments, joined.
    pub fn bytes(&self) -> &[u8] {
        &self.file[self.start..]
    }

    /// Whether so many bytes more should be added to the file; else it is to be written anew.
    pub fn has_room(&self, more: usize) -> bool {
        self.bytes().len() + more <= self.room
    }
}

/// Reads a cache file; empty if there is no sound one.
pub(super) fn read(disk: &Disk, path: &Path, header: &str) -> Body {
    let Ok(mut file) = disk.read(path) else { return Body::default() };
    if !file.starts_with(header.as_bytes()) {
        return Body::default();
    }
    let start = header.len() + PREFIX;
    let (mut at, mut end, mut room) = (header.len(), start, None);
    while at < file.len() {
        let Some(length) = segment(&file[at..]) else {
            // what is added behind a torn segment could not be found again
            room = Some(0);
            break;
        };
        room.get_or_insert(length + (length / 4).max(GROWTH));
        let segment = at + PREFIX..at + PREFIX + length;
        at = segment.end;
        // the first stays where it is
        if segment.start != end {
            file.copy_within(segment, end);
        }
        end += length;
    }
    if end == start {
        return Body::default();
    }
    file.truncate(end);
    Body { file, start, room: room.unwrap_or(0) }
}

/// The length of the segment that starts here, if it is sound.
fn segment(rest: &[u8]) -> Option<usize> {
    let (prefix, rest) = rest.split_first_chunk::<PREFIX>()?;
    let (length, sum) = prefix.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    (sum == checksum(rest.get(..length)?).to_le_bytes()).then_some(length)
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
