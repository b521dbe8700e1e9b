//! `pki updatekeys`: sealing for whom mesh.yaml says, values unchanged.

use serde_json::Value;
use time::OffsetDateTime;

use super::cacerts;
use super::certificate::Certificate;
use super::change::{Changes, FileChange, OperationError};
use super::entry::{Entry, Foreign};
use super::issue::{check_names, check_recipients, collect};
use super::keyring::Keyring;
use super::mint::Pair;
use super::policy::{Policy, ROOT};
use super::recipient::{Identities, Recipient};
use super::sops::{self, Metadata};

/// Brings every file to the recipients of mesh.yaml, and seals anew what sops sealed another way.
///
/// Where recipients are only added, the data key is wrapped for them and every other byte stays.
/// Where one is taken away, the values are sealed with a new data key; he may have kept the old
/// key's value all the same, and the notes say that only a rotation takes his power away. Files of
/// names that mesh.yaml does not know are left alone. Gives all errors, and changes nothing then.
pub fn update_keys(
    keyring: &Keyring,
    policy: &Policy,
    now: OffsetDateTime,
    identities: &Identities,
) -> Result<Changes, Vec<OperationError>> {
    check_names(policy)?;
    let is_ours = |name: &str| name == ROOT || policy.cluster(name).is_some();
    let sealed = keyring.all().filter(|entry| entry.has_key() && is_ours(entry.name()));
    let foreign = keyring.foreign().filter(|foreign| is_ours(&foreign.name));
    let (sealed, foreign): (Vec<_>, Vec<_>) = (sealed.collect(), foreign.collect());
    let names = sealed.iter().map(|entry| entry.name());
    check_recipients(policy, names.chain(foreign.iter().map(|one| one.name.as_str())))?;
    let mut results = Vec::new();
    let mut notes = Vec::new();
    for entry in sealed {
        let wanted = policy.recipients_of(entry.name());
        results.extend(update(entry, &wanted, now, identities, &mut notes).transpose());
    }
    for one in foreign {
        let wanted = policy.recipients_of(&one.name);
        results.push(seal_anew(one, &wanted, now, identities));
    }
    let mut changes = collect(results, Changes::default())?;
    changes.notes.extend(notes);
    Ok(changes)
}

fn update(
    entry: &Entry,
    wanted: &[Recipient],
    now: OffsetDateTime,
    identities: &Identities,
    notes: &mut Vec<String>,
) -> Result<Option<FileChange>, OperationError> {
    let name = entry.name();
    let has = entry.recipients();
    let is_wanted = |one: &String| wanted.iter().any(|other| other.as_str() == one);
    let added: Vec<_> =
        wanted.iter().filter(|one| !has.iter().any(|own| own == one.as_str())).cloned().collect();
    let removed: Vec<_> = has.iter().filter(|one| !is_wanted(one)).cloned().collect();
    if added.is_empty() && removed.is_empty() {
        return Ok(None);
    }
    let failed = |error| OperationError::new(name, error);
    let (opened, key) = cacerts::open(entry.document(), identities).map_err(failed)?;
    let mut what = Vec::new();
    if !added.is_empty() {
        what.push(format!("opens for {} now", join(&added)));
    }
    let document = if removed.is_empty() {
        wrap_for(entry.document(), opened.data_key(), &added)
    } else {
        what.push(format!("no longer opens for {}; new data key", removed.join(", ")));
        notes.push(taken_away(name, &removed));
        let pair = Pair { certificate: entry.certificate().clone(), key };
        let document = cacerts::seal(&pair, wanted, now);
        document.map_err(|error| OperationError::new(name, error))?
    };
    Ok(Some(FileChange::new(name, &document, false, what.join("; "))))
}

/// The document with the data key wrapped for more people; all else stays to the byte.
fn wrap_for(document: &Value, data_key: &sops::DataKey, added: &[Recipient]) -> Value {
    let mut document = document.clone();
    if let Ok(mut metadata) = Metadata::of(&document) {
        metadata.age.extend(sops::wrap(data_key, added));
        document["sops"]["age"] = metadata.to_value()["age"].take();
    }
    document
}

fn taken_away(name: &str, removed: &[String]) -> String {
    let whom = removed.join(", ");
    if name == ROOT {
        return format!(
            "`{whom}` could read the root's key and may have kept it: only a new root takes that power away"
        );
    }
    format!(
        "`{whom}` could read the key of `{name}` and may have kept it: only `meshgen pki rotate {name}` takes that power away"
    )
}

fn seal_anew(
    foreign: &Foreign,
    wanted: &[Recipient],
    now: OffsetDateTime,
    identities: &Identities,
) -> Result<FileChange, OperationError> {
    let name = foreign.name.as_str();
    let failed = |error: cacerts::OpenError| OperationError::new(name, error);
    let (opened, key) = cacerts::open(&foreign.document, identities).map_err(failed)?;
    let text = opened.document()["stringData"]["ca-cert.pem"].as_str().unwrap_or_default();
    let certificate = Certificate::one(text).map_err(|error| failed(error.into()))?;
    let document = cacerts::seal(&Pair { certificate, key }, wanted, now);
    let document = document.map_err(|error| OperationError::new(name, error))?;
    let what = "sealed anew as meshgen seals, key and certificate unchanged".to_owned();
    Ok(FileChange::new(name, &document, false, what))
}

fn join(recipients: &[Recipient]) -> String {
    recipients.iter().map(Recipient::as_str).collect::<Vec<_>>().join(", ")
}
