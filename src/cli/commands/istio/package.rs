//! A release's `manifests/` from disk: a folder or an archive.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use crate::cli::{CommandError, Context};
use crate::fetch;
use crate::file::FileKind;
use crate::istio::Package;
use crate::pin::PinKind;

/// More than any file of a package.
const MAX_FILE: u64 = 16 << 20;
/// More than any release: it holds istioctl as well.
const MAX_ARCHIVE: u64 = 512 << 20;

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

/// The package in a release's archive, unpacked as `lock` unpacks it.
fn archive(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    match fetch::unpack(bytes) {
        Ok((PinKind::Istio, files)) => Ok(files),
        Ok((kind, _)) => Err(format!("it is {}, and no Istio release", kind.describe())),
        Err(error) => Err(error.to_string()),
    }
}
