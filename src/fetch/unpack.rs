//! Archives of others: what is taken out of them, and what is refused.

use std::collections::BTreeSet;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use crate::pin::archive::{ArchiveError, MAX_CONTENT, MAX_FILE, MAX_FILES, check_path};
use crate::pin::{Files, PinKind};

/// The most that an archive unpacks to: a release with its tools, several times.
const MAX_STREAM: u64 = 1 << 30;
/// The most entries of an archive.
const MAX_ENTRIES: usize = 50_000;
/// The longest path that is looked at, in bytes: all of an archive's are held at once.
const MAX_PATH: usize = 1024;

/// Why something is no content of a pin.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// No archive, or a damaged one.
    #[error("it is no `.tar.gz`: {0}")]
    NotAnArchive(String),
    /// It unpacks to more than any release does.
    #[error("it unpacks to more than {} MiB", MAX_STREAM >> 20)]
    Bomb,
    /// Too many entries.
    #[error("it has more than {MAX_ENTRIES} entries")]
    Entries,
    /// A link, a device, a pipe.
    #[error("`{}` is {what}, and no plain file", path.escape_debug())]
    NotPlain {
        /// Its path.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// Files that are in no common folder.
    #[error("`{}` and `{}` lie side by side at its top; charts are packed in one folder", first.escape_debug(), second.escape_debug())]
    Tops {
        /// One folder.
        first: String,
        /// The other.
        second: String,
    },
    /// Neither a release nor a chart.
    #[error("it is neither an Istio release nor a Helm chart")]
    Neither,
    /// Its files cannot be the content of a pin.
    #[error(transparent)]
    Content(#[from] ArchiveError),
}

/// What of a folder is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// What it is.
    pub kind: PinKind,
    /// What stands before the paths that are kept.
    pub prefix: &'static str,
}

/// The folders of a release's `manifests/` that are pinned.
pub(super) const RELEASE: [&str; 2] = ["charts", "profiles"];

impl Layout {
    /// Tells from what is there: `has("manifests/charts/")` asks for a folder, `has("Chart.yaml")` for
    /// a file.
    pub fn find<E>(mut has: impl FnMut(&str) -> Result<bool, E>) -> Result<Option<Self>, E> {
        if has("Chart.yaml")? {
            return Ok(Some(Self { kind: PinKind::Chart, prefix: "" }));
        }
        for prefix in ["manifests/", ""] {
            if has(&format!("{prefix}charts/"))? && has(&format!("{prefix}profiles/"))? {
                return Ok(Some(Self { kind: PinKind::Istio, prefix }));
            }
        }
        Ok(None)
    }

    /// The path in the pin of a file in the folder, if it is kept.
    fn keep<'a>(&self, path: &'a str) -> Option<&'a str> {
        let path = path.strip_prefix(self.prefix)?;
        match self.kind {
            PinKind::Chart => Some(path),
            PinKind::Istio => {
                let (first, _) = path.split_once('/')?;
                RELEASE.contains(&first).then_some(path)
            }
        }
    }
}

/// Unpacks an archive in memory: its charts, without the folder that they are packed in.
///
/// Whatever would not be a plain file at a plain path among them is refused, and so is an archive
/// with any path that leaves its folder. Nothing is written.
pub fn archive(bytes: &[u8]) -> Result<(PinKind, Files), UnpackError> {
    // first what it is, then what of it is kept: the programs in a release are never held
    let mut names = BTreeSet::new();
    let mut top: Option<String> = None;
    walk(bytes, |entry| {
        match &top {
            None => top = Some(entry.top.to_owned()),
            Some(first) if *first != entry.top => {
                let (first, second) = (first.clone(), entry.top.to_owned());
                return Err(UnpackError::Tops { first, second });
            }
            Some(_) => {}
        }
        names.insert(entry.path.to_owned());
        Ok(())
    })?;
    let below = |folder: &str| {
        names.range(folder.to_owned()..).next().is_some_and(|name| name.starts_with(folder))
    };
    let has = |path: &str| {
        Ok::<_, UnpackError>(if path.ends_with('/') { below(path) } else { names.contains(path) })
    };
    let layout = Layout::find(has)?.ok_or(UnpackError::Neither)?;
    let mut files = Files::new();
    let mut left = MAX_CONTENT;
    walk(bytes, |entry| {
        let Some(path) = layout.keep(entry.path) else { return Ok(()) };
        if let Some(what) = entry.odd {
            return Err(UnpackError::NotPlain { path: path.to_owned(), what });
        }
        check_path(path)?;
        if entry.size > MAX_FILE {
            return Err(ArchiveError::LargeFile(path.to_owned()).into());
        }
        left = left.checked_sub(entry.size).ok_or(ArchiveError::Large)?;
        if files.len() == MAX_FILES {
            return Err(ArchiveError::Many.into());
        }
        let mut content = Vec::new();
        entry.content.read_to_end(&mut content).map_err(|error| fault(&error))?;
        match files.insert(path.to_owned(), content) {
            None => Ok(()),
            Some(_) => Err(ArchiveError::Twice(path.to_owned()).into()),
        }
    })?;
    Ok((layout.kind, files))
}

/// A file of an archive, or what stands for one.
struct Entry<'a> {
    /// The folder at the top of the archive.
    top: &'a str,
    /// The path below it.
    path: &'a str,
    /// What it is, where it is no plain file.
    odd: Option<&'static str>,
    size: u64,
    content: &'a mut dyn Read,
}

/// Calls `each` for everything in an archive that is no folder and lies in one.
fn walk(
    bytes: &[u8],
    mut each: impl FnMut(Entry<'_>) -> Result<(), UnpackError>,
) -> Result<(), UnpackError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(UnpackError::NotAnArchive("it is not compressed with gzip".to_owned()));
    }
    let mut reader = Bounded { inner: MultiGzDecoder::new(bytes), left: MAX_STREAM };
    let mut archive = tar::Archive::new(&mut reader);
    let mut long = None;
    // raw, because the library would read extensions of any size into memory
    for (number, entry) in archive.entries().map_err(|error| fault(&error))?.raw(true).enumerate() {
        let mut entry = entry.map_err(|error| fault(&error))?;
        if number == MAX_ENTRIES {
            return Err(UnpackError::Entries);
        }
        let kind = entry.header().entry_type();
        if let Some(extension) = Extension::of(kind) {
            if let Some(path) = extension.path(&mut entry)? {
                long = Some(path);
            }
            continue;
        }
        let name = long.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8(name)
            .map_err(|_| UnpackError::NotAnArchive("a path in it is no UTF-8".to_owned()))?;
        if name.len() > MAX_PATH {
            return Err(UnpackError::NotAnArchive("a path in it is too long".to_owned()));
        }
        let name = name.trim_start_matches("./");
        if kind.is_dir() || name.is_empty() || name == "." {
            leaves(name)?;
            continue;
        }
        leaves(name)?;
        // what lies beside the one folder is none of ours
        let Some((top, path)) = name.split_once('/') else { continue };
        let size = entry.size();
        each(Entry { top, path, odd: odd(kind), size, content: &mut entry })?;
    }
    // the rest, for the checksum at its end: a truncated archive must not pass for a whole one
    io::copy(&mut reader, &mut io::sink()).map_err(|error| fault(&error))?;
    Ok(())
}

/// What stands before an entry and says more of it than its header can.
#[derive(Clone, Copy)]
enum Extension {
    Pax,
    LongName,
    Nothing,
}

impl Extension {
    /// More than any path.
    const MAX: u64 = 64 << 10;

    fn of(kind: EntryType) -> Option<Self> {
        match kind {
            EntryType::XHeader => Some(Self::Pax),
            EntryType::GNULongName => Some(Self::LongName),
            // of all entries; the target of a link
            EntryType::XGlobalHeader | EntryType::GNULongLink => Some(Self::Nothing),
            _ => None,
        }
    }

    /// The path of the next entry, if the extension gives it.
    fn path(self, entry: &mut tar::Entry<'_, impl Read>) -> Result<Option<Vec<u8>>, UnpackError> {
        let odd = |what: &str| UnpackError::NotAnArchive(what.to_owned());
        if matches!(self, Self::Nothing) {
            return Ok(None);
        }
        if entry.size() > Self::MAX {
            return Err(odd("a header in it is too large"));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| fault(&error))?;
        if matches!(self, Self::LongName) {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            bytes.truncate(end);
            return Ok(Some(bytes));
        }
        let mut path = None;
        for record in tar::PaxExtensions::new(&bytes) {
            let record = record.map_err(|error| fault(&error))?;
            match record.key_bytes() {
                b"path" => path = Some(record.value_bytes().to_vec()),
                key if key == b"size" || key.starts_with(b"GNU.sparse") => {
                    return Err(odd(
                        "a file in it is sparse, or of a size that needs a header of its own",
                    ));
                }
                _ => {}
            }
        }
        Ok(path)
    }
}

/// Refuses what would be written outside of the folder, be it kept or not.
fn leaves(name: &str) -> Result<(), UnpackError> {
    let reason = if name.starts_with('/') {
        "is absolute"
    } else if name.split(['/', '\\']).any(|part| part == "..") {
        "leaves the folder"
    } else {
        return Ok(());
    };
    Err(ArchiveError::Path { path: name.to_owned(), reason }.into())
}

fn odd(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Regular => None,
        EntryType::Symlink => Some("a symlink"),
        EntryType::Link => Some("a hard link"),
        EntryType::Char | EntryType::Block => Some("a device"),
        EntryType::Fifo => Some("a pipe"),
        _ => Some("something else"),
    }
}

fn fault(error: &io::Error) -> UnpackError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return UnpackError::Bomb;
    }
    UnpackError::NotAnArchive(error.to_string())
}

/// A reader that fails where a bomb goes on.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}
