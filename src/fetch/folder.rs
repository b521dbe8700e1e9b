//! Folders: a release, its `manifests/`, or a chart.

use std::path::Path;

use super::FetchError;
use super::unpack::{Layout, RELEASE, UnpackError};
use crate::file::{Disk, FileError, FileKind};
use crate::pin::archive::{ArchiveError, MAX_CONTENT, MAX_FILE, MAX_FILES};
use crate::pin::{Files, PinKind};

/// Reads a folder. Symlinks in it are refused; `.git` is no part of a chart.
pub(super) fn read(disk: &Disk, folder: &Path) -> Result<(PinKind, Files), FetchError> {
    let has = |path: &str| match path.strip_suffix('/') {
        Some(path) => disk.is_folder(&folder.join(path)),
        None => Ok(disk.exists(&folder.join(path))?),
    };
    let layout = Layout::find::<FileError>(has)?.ok_or(UnpackError::Neither)?;
    let root = folder.join(layout.prefix);
    let mut paths = Vec::new();
    match layout.kind {
        PinKind::Chart => paths.extend(disk.walk(&root)?),
        PinKind::Istio => {
            refuse_link(disk, folder, layout.prefix)?;
            for part in RELEASE {
                refuse_link(disk, &root, part)?;
                let found = disk.walk(&root.join(part))?;
                paths
                    .extend(found.into_iter().map(|(path, kind)| (format!("{part}/{path}"), kind)));
            }
        }
    }
    paths.retain(|(path, _)| !path.split('/').any(|part| part == ".git"));
    if paths.len() > MAX_FILES {
        return Err(UnpackError::from(ArchiveError::Many).into());
    }
    let mut files = Files::new();
    let mut left = MAX_CONTENT;
    for (path, kind) in paths {
        if kind != FileKind::File {
            return Err(UnpackError::NotPlain { path, what: kind.describe() }.into());
        }
        let content = match disk.read_input(&root, Path::new(&path), MAX_FILE) {
            Ok(content) => content,
            Err(FileError::TooLarge { .. }) => {
                return Err(UnpackError::from(ArchiveError::LargeFile(path)).into());
            }
            Err(error) => return Err(error.into()),
        };
        let size = content.len() as u64;
        left = left.checked_sub(size).ok_or(UnpackError::from(ArchiveError::Large))?;
        files.insert(path, content);
    }
    Ok((layout.kind, files))
}

/// Refuses a symlink on the way to what is kept.
fn refuse_link(disk: &Disk, folder: &Path, part: &str) -> Result<(), FetchError> {
    let part = part.trim_end_matches('/');
    match disk.stat(&folder.join(part))? {
        Some(stat) if stat.kind == FileKind::Symlink && !part.is_empty() => {
            Err(UnpackError::NotPlain { path: part.to_owned(), what: stat.kind.describe() }.into())
        }
        _ => Ok(()),
    }
}
