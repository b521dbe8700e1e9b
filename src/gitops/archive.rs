//! The tar that an engine unpacks.
//!
//! A [`ustar`] of plain files, whose bytes make the artifact's digest. A path that the form has no room
//! for goes into an extended header of pax before its file (POSIX.1-2017, "pax Interchange Format"),
//! which every unpacker reads.

use crate::store::ustar::{self, EXTENDED, FILE, NAME, split};

/// What an extended header is called: nobody unpacks it.
const EXTENDED_NAME: &str = "pax";

/// The archive of files in the order given.
pub(super) fn archive<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, bytes) in files {
        if let Some((prefix, name)) = split(path) {
            out.extend_from_slice(&ustar::header(prefix, name, FILE, bytes.len() as u64));
        } else {
            let record = record("path", path);
            let size = record.len() as u64;
            out.extend_from_slice(&ustar::header("", EXTENDED_NAME, EXTENDED, size));
            ustar::put(&mut out, record.as_bytes());
            // the name in the header does for readers that know no pax; the record is the true one
            let mut end = path.len().min(NAME);
            while !path.is_char_boundary(end) {
                end -= 1;
            }
            out.extend_from_slice(&ustar::header("", &path[..end], FILE, bytes.len() as u64));
        }
        ustar::put(&mut out, bytes);
    }
    ustar::end(&mut out);
    out
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
