//! `pki init` and `pki rotate`: making what is missing, and replacing one intermediate.

use rayon::prelude::*;
use time::OffsetDateTime;

use super::cacerts;
use super::certificate::{Certificate, date};
use super::change::{Cause, Changes, FileChange, OperationError, open_root};
use super::key::PrivateKey;
use super::keyring::Keyring;
use super::mint::{self, Pair};
use super::policy::{Policy, ROOT};
use super::recipient::Identities;
use super::sops::SopsError;

/// Makes the root, if there is none, and an intermediate for every enabled cluster that has none.
///
/// What is there stays as it is. The root is opened only if it is there and something is missing.
/// Gives all errors, not the first.
pub fn init(
    keyring: &Keyring,
    policy: &Policy,
    now: OffsetDateTime,
    identities: &Identities,
) -> Result<Changes, Vec<OperationError>> {
    let missing: Vec<_> = policy.enabled().filter(|name| !keyring.holds(name)).collect();
    check_names(policy)?;
    let needs_root = !keyring.holds(ROOT);
    if missing.is_empty() && !needs_root {
        return Ok(Changes::default());
    }
    if needs_root && !keyring.names().is_empty() {
        return Err(vec![OperationError::new(ROOT, Cause::RootLost)]);
    }
    check_recipients(policy, missing.iter().copied().chain(needs_root.then_some(ROOT)))?;
    let mut changes = Changes::default();
    let (root, root_key) = if needs_root {
        let made = mint::root(policy.algorithm, policy.root_days, now);
        let pair = made.map_err(|error| vec![OperationError::new(ROOT, error)])?;
        let what = format!(
            "made the mesh's root, valid until {}",
            date(pair.certificate.info().not_after)
        );
        changes.files.push(sealed(ROOT, &pair, policy, now, true, what).map_err(|one| vec![one])?);
        (pair.certificate, pair.key)
    } else {
        let (root, key) = open_root(keyring, identities).map_err(|error| vec![error])?;
        (root.entry().certificate().clone(), key)
    };
    let made: Vec<_> =
        missing.par_iter().map(|name| issue(name, policy, now, (&root, &root_key), true)).collect();
    collect(made, changes)
}

/// Makes a new intermediate for a cluster under the same root, in place of the one it has.
///
/// Refuses a cluster that mesh.yaml does not have, and one without an intermediate.
pub fn rotate(
    keyring: &Keyring,
    policy: &Policy,
    cluster: &str,
    now: OffsetDateTime,
    identities: &Identities,
) -> Result<Changes, Vec<OperationError>> {
    let refuse = |cause: Cause| Err(vec![OperationError::new(cluster, cause)]);
    check_names(policy)?;
    if policy.cluster(cluster).is_none() {
        return refuse(Cause::UnknownCluster);
    }
    if !keyring.holds(cluster) {
        return refuse(Cause::Missing);
    }
    check_recipients(policy, std::iter::once(cluster))?;
    let (root, key) = open_root(keyring, identities).map_err(|error| vec![error])?;
    let made = issue(cluster, policy, now, (root.entry().certificate(), &key), false);
    let mut changes = collect(vec![made], Changes::default())?;
    changes.notes.push(format!(
        "render and apply `{cluster}`: istiod takes the new intermediate without a restart, and workloads move to it as their certificates renew (at most a day)"
    ));
    Ok(changes)
}

fn issue(
    name: &str,
    policy: &Policy,
    now: OffsetDateTime,
    (root, root_key): (&Certificate, &PrivateKey),
    is_new: bool,
) -> Result<FileChange, OperationError> {
    let days = policy.intermediate_days;
    let pair = mint::intermediate(name, policy.algorithm, days, now, root, root_key)
        .map_err(|error| OperationError::new(name, error))?;
    let end = pair.certificate.info().not_after;
    let cut = if end == root.info().not_after { ", when the root ends" } else { "" };
    let what = format!("made the intermediate of `{name}`, valid until {}{cut}", date(end));
    sealed(name, &pair, policy, now, is_new, what)
}

/// Seals a pair for whom mesh.yaml says.
pub(super) fn sealed(
    name: &str,
    pair: &Pair,
    policy: &Policy,
    now: OffsetDateTime,
    is_new: bool,
    what: String,
) -> Result<FileChange, OperationError> {
    let document = cacerts::seal(pair, &policy.recipients_of(name), now)
        .map_err(|error| OperationError::new(name, error))?;
    Ok(FileChange::new(name, &document, is_new, what))
}

/// All files, or all errors.
pub(super) fn collect(
    results: Vec<Result<FileChange, OperationError>>,
    mut changes: Changes,
) -> Result<Changes, Vec<OperationError>> {
    let mut errors = Vec::new();
    for result in results {
        match result {
            Ok(file) => changes.files.push(file),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(changes) } else { Err(errors) }
}

pub(super) fn check_names(policy: &Policy) -> Result<(), Vec<OperationError>> {
    match policy.cluster(ROOT) {
        None => Ok(()),
        Some(_) => Err(vec![OperationError::new(ROOT, Cause::ClusterCalledRoot)]),
    }
}

/// Refuses to seal anything for nobody, before any key is made.
pub(super) fn check_recipients<'a>(
    policy: &Policy,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), Vec<OperationError>> {
    let nobody = names.filter(|name| policy.recipients_of(name).is_empty());
    let errors: Vec<_> =
        nobody.map(|name| OperationError::new(name, SopsError::NoRecipients)).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
