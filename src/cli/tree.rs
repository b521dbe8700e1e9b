//! What a command takes as TREE: what the project has, or a bundle.

use std::path::{Path, PathBuf};

use super::commands::bundle::{Reading, resolve_remote};
use super::{CommandError, Context};
use crate::bundle::BundleFile;
use crate::file::FileKind;
use crate::tree::source::{self, Source, SourceError};

/// The tree that a text names: as [`source::resolve`], or that of a bundle's file, or of one in a
/// registry (`oci://…@sha256:…`).
///
/// A bundle is checked to its last byte before anything is taken from it, and `reading` says who must
/// have signed it.
pub fn resolve(
    context: &Context,
    text: Option<&str>,
    reading: Reading<'_>,
) -> Result<Source, CommandError> {
    if text == Some("") {
        return Err(CommandError::refused("the TREE is empty")
            .hint("leave it out for what is in out/; is a variable not set?"));
    }
    match source::resolve(&context.disk, &context.project, text) {
        Err(error @ SourceError::Unknown(..)) => match bundle(context, text, reading)? {
            Some(source) => Ok(source),
            None => Err(error.into()),
        },
        other => Ok(other?),
    }
}

/// The tree of a bundle, if a text names a file, or one in a registry.
pub fn bundle(
    context: &Context,
    text: Option<&str>,
    reading: Reading<'_>,
) -> Result<Option<Source>, CommandError> {
    let Some(text) = text else { return Ok(None) };
    if text.starts_with("oci://") {
        return resolve_remote(context, text, reading).map(Some);
    }
    let Some(path) = bundle_file(context, text)? else { return Ok(None) };
    let bundle = BundleFile::open(&context.disk, &path)?;
    if let Some(signers) = reading.signers {
        signers.demand(context, &path, &bundle)?;
    }
    Ok(Some(bundle.source(text, &context.disk, &context.project)?))
}

/// The file that a text names, if it names one. As any file of the command line, it is looked up
/// from where the command runs, not from the project.
pub fn bundle_file(context: &Context, text: &str) -> Result<Option<PathBuf>, CommandError> {
    let is_other = ["gen:", "sha256:", "git:", "oci://"].iter().any(|one| text.starts_with(one));
    if is_other || context.disk.is_folder(&context.project.join(text))? {
        return Ok(None);
    }
    let path = Path::new(text);
    match context.disk.stat(path)?.map(|stat| stat.kind) {
        Some(FileKind::File | FileKind::Symlink) => Ok(Some(path.to_owned())),
        _ => Ok(None),
    }
}
