//! Which derivation gave what, so that an equal one is not built again.
#![expect(
    clippy::disallowed_types,
    reason = "looked up by key; the order of entries in a cache file means nothing"
)]

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Digest, frame};
use crate::file::{Disk, FileError};

const HEADER: &str = "meshgen derivation cache 2\n";
/// An entry that was not asked for is dropped when the file is written anew so often.
const MAX_AGE: u32 = 4;

/// One artifact that a derivation gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it stands in the tree.
    pub path: String,
    /// Digest and size of its bytes; absent if it could not be built yet.
    pub artifact: Option<(Digest, u64)>,
    /// Its row's line in the table of contents: opaque here, on one line.
    pub row: String,
}

/// Remembers the outputs of derivations by the derivation's digest.
///
/// The bytes themselves are blobs of the store, which may be gone: whoever takes an output from
/// here has to see that it is there. A damaged or foreign cache file reads as an empty cache.
#[derive(Debug, Default)]
pub struct DerivationCache {
    file: frame::Body,
    known: HashMap<Digest, Known>,
    fresh: Mutex<HashMap<Digest, Vec<Output>>>,
}

#[derive(Debug)]
struct Known {
    outputs: Range<usize>,
    age: u32,
    used: AtomicBool,
}

impl DerivationCache {
    /// Reads a cache file. The outputs are taken apart only when they are asked for.
    pub fn load(disk: &Disk, path: &Path) -> Self {
        let file = frame::read(disk, path, HEADER);
        let known = str::from_utf8(file.bytes()).ok().and_then(headers);
        known.map_or_else(Self::default, |known| Self { file, known, fresh: Mutex::default() })
    }

    /// What a derivation gave, if it is known.
    pub fn get(&self, derivation: &Digest) -> Option<Vec<Output>> {
        let Some(known) = self.known.get(derivation) else {
            return self.fresh.lock().expect("no holder panics").get(derivation).cloned();
        };
        let text = str::from_utf8(&self.file.bytes()[known.outputs.clone()]).ok()?;
        let outputs: Option<Vec<Output>> = text.lines().map(read_output).collect();
        if outputs.is_some() {
            known.used.store(true, Ordering::Relaxed);
        }
        outputs
    }

    /// Remembers what a derivation gave.
    pub fn insert(&self, derivation: Digest, outputs: Vec<Output>) {
        let one_line = |text: &str| !text.contains(['\n', '\r', '\t']);
        if outputs.iter().all(|output| one_line(&output.path) && one_line(&output.row)) {
            self.fresh.lock().expect("no holder panics").insert(derivation, outputs);
        }
    }

    /// Adds what is new, if anything is; writes all that is known where that has become much.
    pub(super) fn save(&self, disk: &Disk, temporary: &Path, path: &Path) -> Result<(), FileError> {
        let fresh = self.fresh.lock().expect("no holder panics");
        if fresh.is_empty() {
            return Ok(());
        }
        let mut out = Vec::new();
        let mut block = String::new();
        for (derivation, outputs) in fresh.iter() {
            block.clear();
            for output in outputs {
                write_output(&mut block, output);
            }
            push(&mut out, derivation, 0, block.as_bytes());
        }
        if self.file.has_room(out.len()) {
            return frame::add(disk, path, &out);
        }
        out.reserve(self.file.bytes().len());
        for (derivation, known) in &self.known {
            let age = if known.used.load(Ordering::Relaxed) { 0 } else { known.age + 1 };
            if age < MAX_AGE && !fresh.contains_key(derivation) {
                push(&mut out, derivation, age, &self.file.bytes()[known.outputs.clone()]);
            }
        }
        frame::write(disk, temporary, path, HEADER, &out)
    }
}

/// Finds the entries: a line `<digest> <age> <bytes>`, then so many bytes of outputs.
fn headers(text: &str) -> Option<HashMap<Digest, Known>> {
    let mut known = HashMap::with_capacity(text.len() / 512);
    let mut at = 0;
    while at < text.len() {
        let line = text[at..].split_once('\n')?.0;
        let mut fields = line.split(' ');
        let derivation = fields.next()?.parse().ok()?;
        let age = fields.next()?.parse().ok()?;
        let length: usize = fields.next()?.parse().ok()?;
        let start = at + line.len() + 1;
        at = start.checked_add(length)?;
        // also refuses an end inside a character
        text.get(start..at)?;
        known.insert(derivation, Known { outputs: start..at, age, used: AtomicBool::new(false) });
    }
    Some(known)
}

fn push(out: &mut Vec<u8>, derivation: &Digest, age: u32, block: &[u8]) {
    out.extend_from_slice(format!("{derivation} {age} {}\n", block.len()).as_bytes());
    out.extend_from_slice(block);
}

fn write_output(out: &mut String, output: &Output) {
    let Output { path, artifact, row } = output;
    match artifact {
        Some((digest, size)) => writeln!(out, "{path}\t{digest}\t{size}\t{row}"),
        None => writeln!(out, "{path}\t-\t0\t{row}"),
    }
    .expect("writing into a string cannot fail");
}

fn read_output(line: &str) -> Option<Output> {
    let mut fields = line.splitn(4, '\t');
    let path = fields.next()?.to_owned();
    let digest = fields.next()?;
    let size = fields.next()?.parse().ok()?;
    let artifact = match digest {
        "-" => None,
        digest => Some((digest.parse().ok()?, size)),
    };
    Some(Output { path, artifact, row: fields.next()?.to_owned() })
}
