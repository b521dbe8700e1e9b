//! One pass over a bundle's file: every header, every padding, the sum of every blob.

use std::collections::BTreeMap;

use super::archive;
use super::front::FRONT;
use super::index::{differ, other};
use super::{BundleError, Fault};
use crate::file::OpenFile;
use crate::store::oci;
use crate::store::ustar::{BLOCK, ZEROS, padding};
use crate::store::{Digest, Digester};

/// Most faults that are told; a file that has more is no better described.
const MAX_FAULTS: usize = 20;
/// Most that is held of an entry before the blobs. The bill of materials is the longest: some 800 bytes a
/// file. No more is held than is there.
pub(super) const MAX_FRONT: u64 = 256 << 20;
/// So much is read at once.
const PIECE: usize = 1 << 18;

/// What a file holds, as an archive.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The contents of the entries before the blobs, in their order, and where each begins.
    pub front: Vec<(u64, Vec<u8>)>,
    /// Where the content of each blob begins, and its size.
    pub blobs: BTreeMap<Digest, (u64, u64)>,
    /// The sha256 of the whole file.
    pub digest: Digest,
}

/// Reads a file from its first byte to its last.
///
/// Holds no blob, and writes nothing. What follows a fault of form is not looked at: where the next
/// header is, is not known any more. Blobs with other bytes than their names are told together.
pub(super) fn scan(file: &OpenFile) -> Result<Result<Scanned, Vec<Fault>>, BundleError> {
    let mut tape = Tape { file, at: 0, buffer: Vec::new(), read: 0, whole: Digester::default() };
    let mut scanned = Scanned { front: Vec::new(), blobs: BTreeMap::new(), digest: Digest::of([]) };
    let mut faults = Vec::new();
    loop {
        match next(&mut tape, &mut scanned, &mut faults)? {
            Ok(true) if faults.len() < MAX_FAULTS => {}
            Ok(_) => break,
            Err(fault) => {
                faults.push(fault);
                break;
            }
        }
    }
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    scanned.digest = tape.whole.finish();
    Ok(Ok(scanned))
}

/// Reads an entry, or the end. Says whether there is more.
fn next(
    tape: &mut Tape,
    scanned: &mut Scanned,
    faults: &mut Vec<Fault>,
) -> Result<Result<bool, Fault>, BundleError> {
    let start = tape.at;
    let expected = FRONT.get(scanned.front.len()).copied();
    let awaited = expected.unwrap_or("the next blob, or the end");
    let mut block = ZEROS;
    if !tape.fill(&mut block)? {
        return Ok(Err(tape.ends(awaited)));
    }
    if block == ZEROS {
        if let Some(expected) = expected {
            return Ok(Err(Fault::new(
                expected,
                start,
                "it is missing: the archive ends before it",
            )));
        }
        return end(tape);
    }
    let header = match archive::read(&block, start) {
        Ok(header) => header,
        Err(fault) => return Ok(Err(fault)),
    };
    let name = header.name.as_str();
    if let Some(expected) = expected {
        if name != expected {
            let what = format!("it is out of order: `{expected}` is expected here");
            return Ok(Err(Fault::new(name, start, what)));
        }
        if header.size > MAX_FRONT {
            let what = format!("it is larger than {MAX_FRONT} bytes");
            return Ok(Err(Fault::new(name, start, what)));
        }
        let size = usize::try_from(header.size).expect("it was bounded");
        let content = tape.at;
        // what it says of its size may be a lie: no more is held than is there
        let mut bytes = vec![0; size.min(tape.left())];
        if !tape.fill(&mut bytes)? || bytes.len() < size {
            return Ok(Err(tape.ends(name)));
        }
        if name == super::front::LAYOUT
            && let Some(at) = differ(oci::LAYOUT, &bytes)
        {
            let what = format!("its byte {at} {}", other(oci::LAYOUT, &bytes, at));
            return Ok(Err(Fault::new(name, content + at as u64, what)));
        }
        scanned.front.push((content, bytes));
    } else {
        let Some(digest) = header.blob() else {
            let what = "it is out of order, or there twice: only blobs are expected here";
            return Ok(Err(Fault::new(name, start, what)));
        };
        if scanned.blobs.last_key_value().is_some_and(|(last, _)| *last >= digest) {
            let what = "it is out of order, or there twice: blobs are sorted by their names";
            return Ok(Err(Fault::new(name, start, what)));
        }
        let content = tape.at;
        let Some(found) = tape.hash(header.size)? else {
            return Ok(Err(tape.ends(name)));
        };
        if found != digest {
            let what = format!("its bytes have the sum {found}, expected that of its name");
            faults.push(Fault::new(name, content, what));
        }
        scanned.blobs.insert(digest, (content, header.size));
    }
    let mut zeros = vec![0; padding(header.size)];
    let content = tape.at;
    if !tape.fill(&mut zeros)? {
        return Ok(Err(tape.ends(name)));
    }
    Ok(all_zero(&zeros, name, content, "in the padding behind it").map_or(Ok(true), Err))
}

/// The end: one more block of zeros, and nothing behind it.
fn end(tape: &mut Tape) -> Result<Result<bool, Fault>, BundleError> {
    let start = tape.at;
    let mut block = ZEROS;
    if !tape.fill(&mut block)? {
        return Ok(Err(tape.ends("the end")));
    }
    if let Some(fault) = all_zero(&block, "the end", start, "where the archive ends") {
        return Ok(Err(fault));
    }
    let left = tape.left();
    if left > 0 || tape.fill(&mut [0])? {
        let what = format!("{} bytes follow the end of the archive", left.max(1));
        return Ok(Err(Fault::new("the end", start + BLOCK as u64, what)));
    }
    Ok(Ok(false))
}

fn all_zero(bytes: &[u8], name: &str, start: u64, place: &str) -> Option<Fault> {
    let at = bytes.iter().position(|byte| *byte != 0)?;
    let what = format!("a byte {place} is 0x{:02x}, expected 0x00", bytes[at]);
    Some(Fault::new(name, start + at as u64, what))
}

/// A file that is read once, in order.
struct Tape<'a> {
    file: &'a OpenFile,
    /// Where the next byte is that is asked for.
    at: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was given.
    read: usize,
    whole: Digester,
}

impl Tape<'_> {
    /// How many bytes there are still, by the size that the file had.
    fn left(&self) -> usize {
        usize::try_from(self.file.size().saturating_sub(self.at)).unwrap_or(usize::MAX)
    }

    /// The next bytes, at most so many; none at the end of the file.
    fn take(&mut self, most: usize) -> Result<&[u8], BundleError> {
        if self.read == self.buffer.len() {
            self.buffer.resize(PIECE, 0);
            let count = self.file.read_at(self.at, &mut self.buffer)?;
            self.buffer.truncate(count);
            self.whole.update(&self.buffer);
            self.read = 0;
        }
        let from = self.read;
        let to = self.buffer.len().min(from.saturating_add(most));
        self.read = to;
        self.at += (to - from) as u64;
        Ok(&self.buffer[from..to])
    }

    /// Fills a buffer; says no if the file ends before.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, BundleError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let piece = self.take(buffer.len() - filled)?;
            if piece.is_empty() {
                return Ok(false);
            }
            buffer[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        }
        Ok(true)
    }

    /// The digest of the next bytes; `None` if the file ends before.
    fn hash(&mut self, size: u64) -> Result<Option<Digest>, BundleError> {
        let mut left = size;
        let mut hasher = Digester::default();
        while left > 0 {
            let piece = self.take(usize::try_from(left).unwrap_or(usize::MAX))?;
            if piece.is_empty() {
                return Ok(None);
            }
            hasher.update(piece);
            left -= piece.len() as u64;
        }
        Ok(Some(hasher.finish()))
    }

    /// The fault of a file that was cut short.
    fn ends(&self, awaited: &str) -> Fault {
        Fault::new(awaited, self.at, "the file ends here: it was cut short")
    }
}
