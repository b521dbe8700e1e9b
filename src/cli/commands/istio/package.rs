//! A release's `manifests/` from disk: a folder or an archive.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use rayon::prelude::*;

use crate::cli::{CommandError, Context};
use crate::file::FileKind;
use crate::istio::Package;

/// More than any file of a package.
const MAX_FILE: u64 = 16 << 20;
/// More than all of them together.
const MAX_TOTAL: u64 = 128 << 20;
/// More than any release, packed and unpacked: it holds istioctl as well.
const MAX_ARCHIVE: u64 = 512 << 20;
const MAX_UNPACKED: u64 = 2 << 30;

/// Loads a package: a `manifests/` folder, a folder that holds one, or the archive of a release.
pub fn load(context: &Context, path: &Path) -> Result<Package, CommandError> {
    let name = path.display();
    if !context.disk.exists(path)? {
        return Err(CommandError::refused(format!("there is no `{name}`"))
            .hint("-d takes the manifests folder of an Istio release, or the release's archive"));
    }
    let files = match context.disk.list(path) {
        Ok(_) => folder(context, path)?,
        Err(_) => archive(&context.disk.read_limited(path, MAX_ARCHIVE)?)
            .map_err(|reason| CommandError::refused(format!("{name}: {reason}")))?,
    };
    if files.is_empty() {
        return Err(CommandError::refused(format!("`{name}` holds no charts of Istio")).hint(
            "-d takes a folder in which charts/ and profiles/ lie: manifests/ of a release",
        ));
    }
    Ok(Package::new(files))
}

fn folder(context: &Context, path: &Path) -> Result<BTreeMap<String, Vec<u8>>, CommandError> {
    let inner = path.join("manifests");
    let path = if context.disk.exists(&inner)? { &inner } else { path };
    let mut names = Vec::new();
    for part in ["charts", "profiles"] {
        let folder = path.join(part);
        if !context.disk.exists(&folder)? {
            continue;
        }
        for (name, kind) in context.disk.walk(&folder)? {
            let full = format!("{part}/{name}");
            let is_link_to_folder =
                || kind == FileKind::Symlink && context.disk.list(&folder.join(&name)).is_ok();
            if Package::reads(&full) && !is_link_to_folder() {
                names.push(full);
            }
        }
    }
    let read = |name: String| {
        let data = context.disk.read_limited(&path.join(&name), MAX_FILE)?;
        Ok((name, data))
    };
    names.into_par_iter().map(read).collect()
}

/// Takes the files below `manifests/` out of a release's archive.
fn archive(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err("it is neither a folder nor compressed with gzip".to_owned());
    }
    let fault = |error: std::io::Error| format!("not an archive: {error}");
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(MAX_UNPACKED));
    let mut files = BTreeMap::new();
    let mut left = MAX_TOTAL;
    for entry in archive.entries().map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(path) = inner(&name).filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        let size = entry.size();
        if size > left || size > MAX_FILE {
            return Err(format!("`{name}` is too large"));
        }
        left -= size;
        let mut data = Vec::new();
        entry.take(size).read_to_end(&mut data).map_err(fault)?;
        files.insert(path, data);
    }
    Ok(files)
}

/// The path below `manifests/` of a file that a package reads.
fn inner(name: &str) -> Option<String> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let below = name
        .strip_prefix("manifests/")
        .or_else(|| name.split_once("/manifests/").map(|(_, rest)| rest));
    let path = below.unwrap_or(name);
    let is_plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    (is_plain && Package::reads(path)).then(|| path.to_owned())
}
