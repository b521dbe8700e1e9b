//! The archive of a bundle: a ustar in the one form that we write.
//!
//! Plain files alone, whose names are ours: [`ustar`] without prefixes.

use super::Fault;
use crate::store::Digest;
use crate::store::ustar::{self, BLOCK, FIELDS, FILE};

/// Folder of the blobs.
const BLOBS: &str = "blobs/sha256/";

/// The header of a file. `name` is one of ours: ASCII, at most 100 bytes; `size` at most
/// [`MAX_SIZE`](ustar::MAX_SIZE).
pub(super) fn header(name: &str, size: u64) -> [u8; BLOCK] {
    ustar::header("", name, FILE, size)
}

/// The name of a blob's file.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}{}", digest.hex())
}

/// What stands in a header that is ours.
#[derive(Debug)]
pub(super) struct Header {
    pub name: String,
    pub size: u64,
}

impl Header {
    /// The blob whose file this is.
    pub fn blob(&self) -> Option<Digest> {
        Digest::from_hex(self.name.strip_prefix(BLOBS)?)
    }
}

/// Reads a header at a place of the file; whatever [`header`] does not write is a fault, named by
/// its field.
pub(super) fn read(block: &[u8; BLOCK], offset: u64) -> Result<Header, Fault> {
    if block[257..263] != *b"ustar\0" {
        // nothing of it is repeated: somebody may have named a file with a key
        let what = "there is no header of a ustar archive";
        return Err(Fault::new("the archive", offset + 257, what));
    }
    let name = shown(field(block, 0, 100));
    let fault = |at: usize, what: String| Fault::new(&*name, offset + at as u64, what);
    if block[156] != FILE {
        return Err(fault(156, format!("it is {}, not a plain file", kind(block[156]))));
    }
    let Some(size) = octal(&block[124..136]) else {
        let what = match block[124] {
            first if first & 0x80 != 0 => "its size is in base 256",
            b'-' => "its size is negative",
            _ => "its size is no number of eleven octal digits",
        };
        return Err(fault(124, what.to_owned()));
    };
    let text = str::from_utf8(field(block, 0, 100)).ok().filter(|text| is_ours(text));
    let Some(text) = text else {
        return Err(fault(0, "no entry of that name belongs in a bundle".to_owned()));
    };
    let expected = header(text, size);
    for (label, from, to) in FIELDS {
        // a field that was changed makes the sum wrong too: the field itself is the better answer
        if label != "chksum" && block[from..to] != expected[from..to] {
            return Err(differs(&name, offset, label, &block[from..to], &expected[from..to], from));
        }
    }
    if block[148..156] != expected[148..156] {
        let what = format!(
            "the sum of its header is {}, but its fields make {}",
            quoted(&block[148..156]),
            quoted(&expected[148..156])
        );
        return Err(fault(148, what));
    }
    Ok(Header { name: text.to_owned(), size })
}

fn differs(
    name: &str,
    offset: u64,
    label: &str,
    found: &[u8],
    expected: &[u8],
    from: usize,
) -> Fault {
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or_default();
    let what = match label {
        "padding" | "prefix" | "linkname" | "uname" | "gname" => {
            format!("the field `{label}` of its header holds {}, not zeros", quoted(found))
        }
        _ => format!(
            "the field `{label}` of its header is {}, expected {}",
            quoted(found),
            quoted(expected)
        ),
    };
    Fault::new(name, offset + (from + at) as u64, what)
}

/// A name that a bundle can have: the rest is refused before anything else is looked at.
fn is_ours(name: &str) -> bool {
    super::front::FRONT.contains(&name)
        || name.strip_prefix(BLOBS).is_some_and(|hex| Digest::from_hex(hex).is_some())
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.strip_suffix(b"\0")?;
    if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()
}

/// A field up to its first zero byte.
fn field(block: &[u8; BLOCK], from: usize, to: usize) -> &[u8] {
    let field = &block[from..to];
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

/// What a type of an entry is (POSIX, and the letters of GNU tar and pax).
fn kind(flag: u8) -> String {
    let text = match flag {
        b'1' => "a hard link",
        b'2' => "a symlink",
        b'3' | b'4' => "a device",
        b'5' => "a folder",
        b'6' => "a pipe",
        b'x' | b'g' => "an extended header of pax",
        b'L' | b'K' => "a long name of GNU tar",
        b'S' => "a sparse file",
        b'M' => "a piece of a file",
        _ => return format!("of the type {}", quoted(&[flag])),
    };
    text.to_owned()
}

/// Bytes of a hostile archive in a form that no terminal acts on, without the zeros at the end.
pub(super) fn shown(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    bytes[..end].escape_ascii().to_string()
}

fn quoted(bytes: &[u8]) -> String {
    format!("`{}`", shown(bytes))
}
