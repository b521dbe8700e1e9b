//! The tar that an engine unpacks.
//!
//! A ustar like those of pins and bundles: plain files alone, mode 0644, owner and times zero, two
//! blocks of zeros at the end. Written here because its bytes make the artifact's digest. A path
//! that the form has no room for goes into an extended header of pax before its file (POSIX.1-2017,
//! "pax Interchange Format"), which every unpacker reads.

const BLOCK: usize = 512;
/// Room for a path's last part, and for the folders before it.
const NAME: usize = 100;
const PREFIX: usize = 155;
/// What an extended header is called: nobody unpacks it.
const EXTENDED: &str = "pax";

/// The archive of files in the order given.
pub(super) fn archive<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, bytes) in files {
        if let Some((prefix, name)) = split(path) {
            out.extend_from_slice(&header(prefix, name, b'0', bytes.len()));
        } else {
            let record = record("path", path);
            out.extend_from_slice(&header("", EXTENDED, b'x', record.len()));
            content(&mut out, record.as_bytes());
            // the name in the header does for readers that know no pax; the record is the true one
            let mut end = path.len().min(NAME);
            while !path.is_char_boundary(end) {
                end -= 1;
            }
            out.extend_from_slice(&header("", &path[..end], b'0', bytes.len()));
        }
        content(&mut out, bytes);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn content(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// Folders and last part of a path, if there is room for them.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    let mut cuts = path.match_indices('/').map(|(at, _)| (&path[..at], &path[at + 1..]));
    cuts.find(|(prefix, name)| name.len() <= NAME && prefix.len() <= PREFIX)
}

/// A record of an extended header; its length counts its own digits.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn header(prefix: &str, name: &str, kind: u8, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_path_reads_back() {
        let long = "x".repeat(230);
        let folders = format!("{}/file.yaml", ["y"; 70].join("/"));
        let paths = ["c1/a.yaml", &format!("crds/{long}.yaml"), &folders, &"z".repeat(101)];
        let files: Vec<(&str, &[u8])> = paths.iter().map(|path| (*path, path.as_bytes())).collect();
        let bytes = archive(files.into_iter());
        let mut read = tar::Archive::new(&*bytes);
        let mut found = Vec::new();
        for entry in read.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("its content");
            assert_eq!(entry.path().expect("a path").to_string_lossy(), text);
            found.push(text);
        }
        assert_eq!(found, paths);
    }

    #[test]
    fn a_record_counts_its_own_length() {
        for length in [1, 3, 4, 5, 88, 89, 90, 91, 990, 991] {
            let record = record("path", &"p".repeat(length));
            let (said, _) = record.split_once(' ').expect("a length");
            assert_eq!(said.parse(), Ok(record.len()));
        }
    }
}
