//! A tree in a folder, with an index or without.

use std::path::Path;

use rayon::prelude::*;

use super::{Reader, Source, SourceError};
use crate::file::{Disk, FileKind};
use crate::object::Identity;
use crate::store::Digest;
use crate::tree::view::{MAX_FILE, MAX_INDEX};
use crate::tree::{ArtifactRow, Index, TreePath};
use crate::yaml::{self, Schema};

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 32;

/// A folder that the user named: with an index, a project with one in `out/`, or just files.
pub(super) fn open(disk: &Disk, folder: &Path, name: &str) -> Result<Source, SourceError> {
    if disk.exists(&folder.join("index.json"))? {
        return indexed(disk, folder, name);
    }
    let out = folder.join("out");
    if disk.exists(&folder.join("mesh.yaml"))? && disk.exists(&out.join("index.json"))? {
        return indexed(disk, &out, name);
    }
    plain(disk, folder, name)
}

/// A folder with an index.
pub(super) fn indexed(disk: &Disk, folder: &Path, name: &str) -> Result<Source, SourceError> {
    let bytes = match disk.read_input(folder, Path::new("index.json"), MAX_INDEX) {
        Err(error) if error.is_not_found() => return Err(SourceError::NoIndex(name.to_owned())),
        other => other?,
    };
    Source::new(name, bytes, Reader::Folder { disk: disk.clone(), folder: folder.to_owned() })
}

/// A folder without an index: its files are the tree, hidden ones left out.
fn plain(disk: &Disk, folder: &Path, name: &str) -> Result<Source, SourceError> {
    let mut paths = Vec::new();
    walk(disk, folder, "", 0, &mut paths)?;
    let rows: Result<Vec<ArtifactRow>, SourceError> =
        paths.into_par_iter().map(|path| row(disk, folder, path)).collect();
    let mut artifacts = rows?;
    artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    let index = Index {
        mesh: name.to_owned(),
        clusters: Vec::new(),
        examples: Vec::new(),
        pending: Vec::new(),
        artifacts,
    };
    let text = index.to_text().into_bytes();
    let digest = Digest::of(&text);
    let reader = Reader::Folder { disk: disk.clone(), folder: folder.to_owned() };
    Ok(Source { index, digest, name: name.to_owned(), text, reader })
}

fn walk(
    disk: &Disk,
    root: &Path,
    prefix: &str,
    depth: usize,
    paths: &mut Vec<TreePath>,
) -> Result<(), SourceError> {
    for entry in disk.list(&root.join(prefix))? {
        let fault =
            |why: String| SourceError::File { path: root.join(prefix).join(&entry.name), why };
        let Some(file_name) = entry.name.to_str() else {
            return Err(fault("its name is no UTF-8".to_owned()));
        };
        if file_name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{file_name}");
        match entry.kind {
            FileKind::Folder if depth < MAX_DEPTH => {
                walk(disk, root, &format!("{path}/"), depth + 1, paths)?;
            }
            FileKind::Folder => return Err(fault("it lies too deep".to_owned())),
            FileKind::File => {
                paths.push(path.parse::<TreePath>().map_err(|error| fault(error.to_string()))?);
            }
            other => return Err(fault(format!("it is {}, not a file", other.describe()))),
        }
    }
    Ok(())
}

fn row(disk: &Disk, folder: &Path, path: TreePath) -> Result<ArtifactRow, SourceError> {
    let bytes = disk.read_input(folder, Path::new(path.as_str()), MAX_FILE)?;
    // several documents, or no object at all: still a file to compare
    let object = str::from_utf8(&bytes)
        .ok()
        .and_then(|text| yaml::document(text, Schema::Go).ok())
        .and_then(|value| Identity::of(&value).ok());
    Ok(ArtifactRow {
        digest: Digest::of(&bytes),
        path,
        stage: None,
        targets: None,
        object,
        sealed: Vec::new(),
        bindings: Vec::new(),
        handover: Vec::new(),
    })
}
