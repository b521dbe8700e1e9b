//! The certificates of a tree: the root, and what each istiod signs with.

use serde::Serialize;
use time::OffsetDateTime;

use crate::cluster::Files;
use crate::pki::Validity;
use crate::pki::certificate::{CertificateInfo, date, describe};
use crate::tree::source::Source;
use crate::tree::stage_name;

/// A certificate at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRow {
    /// `root`, or the cluster's name.
    pub name: String,
    /// The clusters that trust it; empty for a cluster's own.
    pub of: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The serial number, hex digits.
    pub serial: String,
    /// The first instant at which it is valid, UTC, RFC 3339.
    pub not_before: String,
    /// The last one.
    pub not_after: String,
    /// Whole days left; negative once it has ended.
    pub days_left: i64,
    /// How much of its life is left: 0 to 100.
    pub percent_left: u8,
    /// `valid`, `expired`, `not yet valid`.
    pub validity: String,
    /// The public key's kind and size.
    pub key: String,
    /// Its sha256, as openssl prints it.
    pub sha256: String,
}

/// Reads the clear parts of every `cacerts` in a tree. Sealed keys are not opened. What does not read
/// as a certificate is left out: `check` and `apply` say why.
pub fn certificates(source: &Source, files: &Files, now: OffsetDateTime) -> Vec<CertificateRow> {
    let mut roots: Vec<CertificateRow> = Vec::new();
    let mut own = Vec::new();
    let all = source.index.artifacts.iter();
    for row in all.filter(|row| row.stage.as_deref() == Some(stage_name::CACERTS)) {
        let is_cacerts = row.object.as_ref().is_some_and(|object| object.name == "cacerts");
        let named = source.index.clusters.iter().filter(|cluster| {
            row.targets.as_ref().is_some_and(|targets| targets.contains(&cluster.name))
        });
        let named: Vec<&str> = named.map(|cluster| cluster.name.as_str()).collect();
        let Ok(value) = files.get(source, &row.path, row.digest) else { continue };
        let certificate = |key: &str| describe(value.get("stringData")?.get(key)?.as_str()?);
        if !is_cacerts {
            continue;
        }
        if let Some(info) = certificate("ca-cert.pem") {
            own.extend(named.iter().map(|name| CertificateRow::of(name, &info, now)));
        }
        if let Some(info) = certificate("root-cert.pem") {
            let names = named.iter().map(|name| (*name).to_owned());
            if let Some(known) = roots.iter_mut().find(|known| known.sha256 == info.fingerprint) {
                known.of.extend(names);
            } else {
                let row = CertificateRow::of("root", &info, now);
                roots.push(CertificateRow { of: names.collect(), ..row });
            }
        }
    }
    roots.extend(own);
    roots
}

impl CertificateRow {
    /// A certificate as it stands at an instant.
    pub fn of(name: &str, info: &CertificateInfo, now: OffsetDateTime) -> Self {
        let rfc_3339 = |instant| date(instant).replacen(' ', "T", 1);
        let (life, left) = (info.not_after - info.not_before, info.not_after - now);
        let part = 100 * left.whole_seconds() / life.whole_seconds().max(1);
        Self {
            name: name.to_owned(),
            of: Vec::new(),
            subject: info.subject.clone(),
            issuer: info.issuer.clone(),
            serial: info.serial.clone(),
            not_before: rfc_3339(info.not_before),
            not_after: rfc_3339(info.not_after),
            days_left: left.whole_days(),
            percent_left: u8::try_from(part.clamp(0, 100)).unwrap_or(0),
            validity: Validity::at(info, now).as_str().to_owned(),
            key: info.key.clone(),
            sha256: info.fingerprint.clone(),
        }
    }
}
