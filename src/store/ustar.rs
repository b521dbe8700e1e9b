//! The one form in which we write tars: of pins, of bundles, of artifacts for other engines.
//!
//! A POSIX ustar (POSIX.1-2017, pax, "ustar Interchange Format"): mode 0644, owner and times zero, no
//! names of owners, two blocks of zeros at the end and nothing behind them. Any `tar` reads it. It is
//! written here and not by a library, because its bytes are a content address, or what a signature is of.

/// Headers and contents come in blocks of so many bytes.
pub const BLOCK: usize = 512;
/// What fills up contents, and ends an archive.
pub const ZEROS: [u8; BLOCK] = [0; BLOCK];
/// The largest size that eleven octal digits say.
pub const MAX_SIZE: u64 = (1 << 33) - 1;
/// Room for a path's last part.
pub const NAME: usize = 100;
/// Room for the folders before it.
const PREFIX: usize = 155;

/// A plain file.
pub const FILE: u8 = b'0';
/// An extended header of pax: records about the file that follows.
pub const EXTENDED: u8 = b'x';

/// The fields of a header: name, start, end.
pub const FIELDS: [(&str, usize, usize); 17] = [
    ("name", 0, 100),
    ("mode", 100, 108),
    ("uid", 108, 116),
    ("gid", 116, 124),
    ("size", 124, 136),
    ("mtime", 136, 148),
    ("chksum", 148, 156),
    ("typeflag", 156, 157),
    ("linkname", 157, 257),
    ("magic", 257, 263),
    ("version", 263, 265),
    ("uname", 265, 297),
    ("gname", 297, 329),
    ("devmajor", 329, 337),
    ("devminor", 337, 345),
    ("prefix", 345, 500),
    ("padding", 500, 512),
];

/// A header. `name` and `prefix` have room ([`split`]), `size` is at most [`MAX_SIZE`].
pub fn header(prefix: &str, name: &str, kind: u8, size: u64) -> [u8; BLOCK] {
    let mut block = ZEROS;
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A path in its two fields: folders, and the rest; `None` if there is no room for it. The prefix is as
/// long as there is room for, so that one path has one form.
pub fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    let mut end = path.len().min(PREFIX + 1);
    while !path.is_char_boundary(end) {
        end -= 1;
    }
    let at = path[..end].rfind('/')?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (name.len() <= NAME).then_some((prefix, name))
}

/// How many zeros follow a content of that size.
pub fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).expect("below a block");
    if over == 0 { 0 } else { BLOCK - over }
}

/// Adds a content to an archive that is held, with the zeros that follow it.
pub fn put(out: &mut Vec<u8>, content: &[u8]) {
    out.extend_from_slice(content);
    out.extend_from_slice(&ZEROS[..padding(content.len() as u64)]);
}

/// Adds the end of an archive.
pub fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(&ZEROS);
    out.extend_from_slice(&ZEROS);
}
