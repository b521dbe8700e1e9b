//! A bundle in a registry, as the command line names it.

use super::Reading;
use crate::bundle::registry::Remote;
use crate::cli::{CommandError, Context, registry_options};
use crate::registry::{Access, Options, Reference, Repository};
use crate::store::Digest;
use crate::tree::source::Source;

/// The repository and the digest that `oci://HOST/REPOSITORY@sha256:…` names.
///
/// A tag by itself is refused: what it means can change between two commands.
pub(super) fn pinned(
    context: &Context,
    text: &str,
    options: &Options,
    access: Access,
) -> Result<(Repository, Reference, Digest), CommandError> {
    let reference = reference(text)?;
    let digest = reference.pinned().map_err(|hint| {
        CommandError::refused(format!("`{text}` names no one bundle")).hint(hint)
    })?;
    let repository = Repository::new(&context.disk, options, &reference, access);
    Ok((repository, reference, digest))
}

/// What a text names in a registry.
pub(super) fn reference(text: &str) -> Result<Reference, CommandError> {
    Reference::parse(text).map_err(|error| {
        CommandError::refused(error.to_string()).hint("`oci://HOST/REPOSITORY:TAG`, `…@sha256:…`")
    })
}

/// The tree of a bundle in a registry; its files are fetched when they are asked for.
///
/// Where signers are asked for, a referrer by somebody who is trusted must sign it: that is looked at
/// before anything else of it.
pub fn resolve(
    context: &Context,
    text: &str,
    reading: Reading<'_>,
) -> Result<Source, CommandError> {
    Ok(open(context, text, reading)?.source(text)?)
}

/// As [`resolve`], with all that is in the bundle.
pub(super) fn open(
    context: &Context,
    text: &str,
    reading: Reading<'_>,
) -> Result<Remote, CommandError> {
    let options = registry_options(reading.plain_http);
    let (repository, _, digest) = pinned(context, text, &options, Access::Pull)?;
    if let Some(signers) = reading.signers {
        signers.demand_remote(context, text, &repository, &digest)?;
    }
    Ok(Remote::open(repository, &digest)?)
}
