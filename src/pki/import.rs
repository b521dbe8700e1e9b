//! `pki import`: an existing root or existing intermediates.

use time::OffsetDateTime;

use super::cacerts;
use super::certificate::{Certificate, date};
use super::change::{Cause, Changes, FileChange, OperationError};
use super::issue::{check_names, check_recipients, collect, sealed};
use super::key::PrivateKey;
use super::keyring::Keyring;
use super::mint::Pair;
use super::policy::{Policy, ROOT};
use super::secret::Secret;

/// A certificate and its key as the user has them, in PEM.
pub struct Material {
    /// The certificate.
    pub certificate: String,
    /// Its private key: PKCS#8, PKCS#1 or SEC1, without a passphrase. Only a root may lack it.
    pub key: Option<Secret<String>>,
}

/// What to import, all together.
#[derive(Default)]
pub struct Import {
    /// The root.
    pub root: Option<Material>,
    /// Intermediates by cluster.
    pub intermediates: Vec<(String, Material)>,
    /// Whether a file with another certificate is replaced.
    pub replace: bool,
}

/// Seals an existing root and existing intermediates.
///
/// Every key must fit its certificate, every certificate must be a CA, and every intermediate must
/// be signed by the root (that of this import, else the keyring's) and end no later than it. A file
/// that is there with another certificate is refused unless `replace` is set. A root without its
/// key can be imported; intermediates then have to be imported too. Gives all errors.
pub fn import(
    keyring: &Keyring,
    policy: &Policy,
    import: &Import,
    now: OffsetDateTime,
) -> Result<Changes, Vec<OperationError>> {
    check_names(policy)?;
    let with_key = import.root.iter().filter(|root| root.key.is_some()).map(|_| ROOT);
    let clusters = import.intermediates.iter().map(|(name, _)| name.as_str());
    check_recipients(policy, with_key.chain(clusters))?;
    let mut importer = Importer { keyring, policy, now, replace: import.replace };
    let mut results = Vec::new();
    let mut root = keyring.root().map(|root| root.entry().certificate().clone());
    if let Some(material) = &import.root {
        match importer.root(material) {
            Ok((certificate, change)) => {
                root = Some(certificate);
                results.extend(change.map(Ok));
            }
            Err(cause) => {
                // the intermediates are still read, so that all is reported at once
                root = Certificate::one(&material.certificate).ok();
                results.push(Err(OperationError::new(ROOT, cause)));
            }
        }
    }
    for (name, material) in &import.intermediates {
        let change = importer.intermediate(name, material, root.as_ref());
        let change = change.map_err(|cause| OperationError::new(name, cause));
        results.extend(change.transpose());
    }
    let mut changes = collect(results, Changes::default())?;
    importer.note(import, root.as_ref(), &mut changes);
    Ok(changes)
}

struct Importer<'a> {
    keyring: &'a Keyring,
    policy: &'a Policy,
    now: OffsetDateTime,
    replace: bool,
}

impl Importer<'_> {
    /// The root's certificate, and its file if that changes.
    fn root(&mut self, material: &Material) -> Result<(Certificate, Option<FileChange>), Cause> {
        let certificate = Certificate::one(&material.certificate)?;
        if !certificate.info().is_authority {
            return Err(Cause::NotAnAuthority("basicConstraints or keyUsage say so"));
        }
        if certificate.info().path_length == Some(0) {
            return Err(Cause::NotAnAuthority(
                "its path length is 0, and a root needs a CA below it",
            ));
        }
        certificate.check_issuer(&certificate)?;
        let old = self.keyring.root().map(super::entry::Root::entry);
        let is_same = old.is_some_and(|old| *old.certificate() == certificate);
        if self.keyring.holds(ROOT) && !is_same && !self.replace {
            return Err(Cause::Exists);
        }
        let end = date(certificate.info().not_after);
        let is_new = !self.keyring.holds(ROOT);
        let Some(text) = &material.key else {
            // a root that is there with its key keeps it
            let change = (!is_same).then(|| {
                let what = format!("imported the root without its key, valid until {end}");
                FileChange::new(ROOT, &cacerts::skeleton(&certificate), is_new, what)
            });
            return Ok((certificate, change));
        };
        let pair = pair(certificate.clone(), text)?;
        if is_same && old.is_some_and(super::Entry::has_key) {
            return Ok((certificate, None));
        }
        let what = format!("imported the root, valid until {end}");
        let change = sealed(ROOT, &pair, self.policy, self.now, is_new, what);
        Ok((certificate, Some(change.map_err(|error| error.cause)?)))
    }

    fn intermediate(
        &self,
        name: &str,
        material: &Material,
        root: Option<&Certificate>,
    ) -> Result<Option<FileChange>, Cause> {
        if self.policy.cluster(name).is_none() {
            return Err(Cause::UnknownCluster);
        }
        let certificate = Certificate::one(&material.certificate)?;
        if !certificate.info().is_authority {
            return Err(Cause::NotAnAuthority("basicConstraints or keyUsage say so"));
        }
        let root = root.ok_or(Cause::NoRoot)?;
        certificate.check_issuer(root)?;
        let (end, root_end) = (certificate.info().not_after, root.info().not_after);
        if end > root_end {
            return Err(Cause::OutlivesRoot(date(end), date(root_end)));
        }
        let text = material.key.as_ref().ok_or(super::KeyError::None)?;
        let pair = pair(certificate, text)?;
        let old = self.keyring.entry(name);
        if old.is_some_and(|old| *old.certificate() == pair.certificate) {
            return Ok(None);
        }
        if self.keyring.holds(name) && !self.replace {
            return Err(Cause::Exists);
        }
        let what = format!("imported the intermediate of `{name}`, valid until {}", date(end));
        let is_new = !self.keyring.holds(name);
        let change = sealed(name, &pair, self.policy, self.now, is_new, what);
        change.map(Some).map_err(|error| error.cause)
    }

    /// What the user still has to do.
    fn note(&self, import: &Import, root: Option<&Certificate>, changes: &mut Changes) {
        let brought = |name: &str| import.intermediates.iter().any(|(own, _)| own == name);
        let fits = |name: &str| {
            let entry = self.keyring.entry(name);
            entry
                .zip(root)
                .is_some_and(|(entry, root)| entry.certificate().check_issuer(root).is_ok())
        };
        let left: Vec<_> =
            self.policy.enabled().filter(|name| !brought(name) && !fits(name)).collect();
        if !left.is_empty() {
            changes
                .notes
                .push(format!("still without an intermediate of this root: {}", left.join(", ")));
        }
        if changes.files.is_empty() {
            changes.notes.push("everything given is in the keyring already".to_owned());
        } else {
            changes.notes.push(
                "the plaintext keys that were read are still where they were: delete them"
                    .to_owned(),
            );
        }
    }
}

fn pair(certificate: Certificate, text: &Secret<String>) -> Result<Pair, Cause> {
    let key = PrivateKey::from_pem(text.expose())?;
    if !key.fits(&certificate) {
        return Err(Cause::NotAPair);
    }
    Ok(Pair { certificate, key })
}
