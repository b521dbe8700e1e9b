//! The canonical tar: one form for one content, so that its sha256 names it.
//!
//! A [`ustar`]: plain files alone, sorted by the bytes of their path.

use super::Files;
use crate::store::ustar::{self, BLOCK, FILE, NAME, split};

/// The largest content that a pin has: bytes of all its files.
pub const MAX_CONTENT: u64 = 64 << 20;
/// The largest file of a pin.
pub const MAX_FILE: u64 = 16 << 20;
/// The most files that a pin has.
pub const MAX_FILES: usize = 10_000;
/// The largest canonical tar.
pub const MAX_ARCHIVE: u64 = MAX_CONTENT + (MAX_FILES as u64) * 2 * BLOCK as u64 + 2 * BLOCK as u64;

/// Why files cannot be the content of a pin, or bytes are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// A path that no file of a chart has.
    #[error("the path `{}` {reason}", shown(path))]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file and a folder, or two files, of one name.
    #[error("`{}` is there twice", shown(.0))]
    Twice(String),
    /// A file that is too large.
    #[error("`{}` is larger than {} MiB", shown(.0), MAX_FILE >> 20)]
    LargeFile(String),
    /// All files together are too large.
    #[error("its files are larger than {} MiB together", MAX_CONTENT >> 20)]
    Large,
    /// Too many files.
    #[error("it has more than {MAX_FILES} files")]
    Many,
    /// No file at all.
    #[error("there are no files in it")]
    Empty,
    /// Bytes that the writer of pins did not write.
    #[error("it is no canonical tar of meshgen's")]
    NotCanonical,
}

/// A hostile path in a form that no terminal acts on.
fn shown(path: &str) -> String {
    const SHOWN: usize = 200;
    path.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

/// Checks a path: parts between single `/`, none of them `.` or `..`, no backslash, no control
/// character, short enough for the form.
pub fn check_path(path: &str) -> Result<(), ArchiveError> {
    let refuse = |reason| Err(ArchiveError::Path { path: path.to_owned(), reason });
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return refuse("has a backslash or a control character");
    }
    for part in path.split('/') {
        match part {
            "" => return refuse("has an empty part"),
            ".." => return refuse("leaves the folder"),
            "." => return refuse("has a part `.`"),
            _ => {}
        }
    }
    if split(path).is_none() {
        return refuse("is too long");
    }
    Ok(())
}

/// Checks files as the content of a pin.
pub fn check(files: &Files) -> Result<(), ArchiveError> {
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    if files.len() > MAX_FILES {
        return Err(ArchiveError::Many);
    }
    let mut left = MAX_CONTENT;
    for (path, bytes) in files {
        check_path(path)?;
        let size = bytes.len() as u64;
        if size > MAX_FILE {
            return Err(ArchiveError::LargeFile(path.clone()));
        }
        left = left.checked_sub(size).ok_or(ArchiveError::Large)?;
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        if let Some(folder) = folders.into_iter().find(|folder| files.contains_key(*folder)) {
            return Err(ArchiveError::Twice(folder.to_owned()));
        }
    }
    Ok(())
}

/// Writes files as a canonical tar.
///
/// # Errors
/// Where they are no content of a pin: an odd path, too much of them.
pub fn encode(files: &Files) -> Result<Vec<u8>, ArchiveError> {
    check(files)?;
    let size: usize = files.values().map(|bytes| BLOCK + bytes.len().next_multiple_of(BLOCK)).sum();
    let mut out = Vec::with_capacity(size + 2 * BLOCK);
    for (path, bytes) in files {
        let (prefix, name) = split(path).expect("the path was checked");
        out.extend_from_slice(&ustar::header(prefix, name, FILE, bytes.len() as u64));
        ustar::put(&mut out, bytes);
    }
    ustar::end(&mut out);
    Ok(out)
}

/// Reads a canonical tar; whatever [`encode`] would not have written is refused.
pub fn decode(bytes: &[u8]) -> Result<Files, ArchiveError> {
    let mut files = Files::new();
    let mut rest = bytes;
    loop {
        let (header, tail) = take(rest, BLOCK)?;
        rest = tail;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let size = number(&header[124..136])?;
        let path = match (text(&header[345..500])?, text(&header[..NAME])?) {
            ("", name) => name.to_owned(),
            (prefix, name) => format!("{prefix}/{name}"),
        };
        let (content, tail) = take(rest, size)?;
        rest = take(tail, size.next_multiple_of(BLOCK) - size)?.1;
        if files.len() == MAX_FILES {
            return Err(ArchiveError::Many);
        }
        if files.insert(path.clone(), content.to_vec()).is_some() {
            return Err(ArchiveError::Twice(path));
        }
    }
    // one form: what reads as these files and is written otherwise is not it
    if encode(&files)? == bytes { Ok(files) } else { Err(ArchiveError::NotCanonical) }
}

fn take(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), ArchiveError> {
    bytes.split_at_checked(length).ok_or(ArchiveError::NotCanonical)
}

/// A field up to its first zero byte.
fn text(field: &[u8]) -> Result<&str, ArchiveError> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    str::from_utf8(&field[..end]).map_err(|_| ArchiveError::NotCanonical)
}

fn number(field: &[u8]) -> Result<usize, ArchiveError> {
    let digits = text(field)?;
    usize::from_str_radix(digits, 8).map_err(|_| ArchiveError::NotCanonical)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        all.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_is_written_is_read_by_us_and_by_others() {
        let long = format!("{}/{}/x.yaml", "a".repeat(90), "b".repeat(60));
        let all = files(&[("Chart.yaml", "name: a\n"), ("empty", ""), (&long, "x"), ("é/ü", "ü")]);
        let bytes = encode(&all).expect("good files");
        assert_eq!(decode(&bytes), Ok(all.clone()));
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut read = Files::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let (mode, time) = (entry.header().mode(), entry.header().mtime());
            assert_eq!((mode.expect("a mode"), time.expect("a time")), (0o644, 0));
            let path = String::from_utf8(entry.path_bytes().into_owned()).expect("text");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("content");
            read.insert(path, content);
        }
        assert_eq!(read, all);
    }

    #[test]
    fn any_other_byte_is_refused() {
        let bytes = encode(&files(&[("a", "x"), ("b/c", "")])).expect("good files");
        for at in 0..bytes.len() {
            // the content may be any: its digest tells
            if at != BLOCK {
                let mut other = bytes.clone();
                other[at] ^= 1;
                let read = decode(&other);
                assert!(
                    read.is_err() || encode(&read.expect("files")).as_ref() == Ok(&other),
                    "{at}"
                );
            }
        }
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(decode(&[&*bytes, &[0; BLOCK]].concat()).is_err());
        assert_eq!(decode(&[0; 2 * BLOCK]), Err(ArchiveError::Empty));
        assert!(decode(b"").is_err());
    }

    #[test]
    fn odd_content_is_refused() {
        for path in ["/a", "../a", "a/../b", "a//b", "a/", "", "./a", "a\\b", "a\nb", "a/."] {
            assert!(encode(&files(&[(path, "")])).is_err(), "{path:?}");
        }
        assert!(encode(&files(&[(&"a".repeat(101), "")])).is_err());
        assert!(encode(&files(&[(&"a/".repeat(128), "")])).is_err());
        let both = files(&[("a", ""), ("a/b", "")]);
        assert_eq!(encode(&both), Err(ArchiveError::Twice("a".into())));
        assert_eq!(encode(&Files::new()), Err(ArchiveError::Empty));
    }
}
