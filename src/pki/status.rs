//! `pki status`: what is in the keyring, and for how long.

use time::{Duration, OffsetDateTime};

use super::certificate::CertificateInfo;
use super::entry::Entry;
use super::keyring::Keyring;

/// One certificate of the keyring at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// [`super::ROOT`] or the cluster's name.
    pub name: String,
    /// The certificate.
    pub certificate: CertificateInfo,
    /// Whom the key is sealed for; empty for a root without a key.
    pub recipients: Vec<String>,
    /// Whether its private key is in the keyring.
    pub has_key: bool,
    /// Time left; negative once it has expired.
    pub left: Duration,
    /// Whether it is valid at this instant.
    pub validity: Validity,
}

/// How an instant lies to a certificate's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Before the first.
    NotYet,
    /// Between them.
    Valid,
    /// After the last.
    Expired,
}

impl Validity {
    /// How an instant lies to the dates of this certificate.
    pub fn at(certificate: &CertificateInfo, now: OffsetDateTime) -> Self {
        match now {
            now if now < certificate.not_before => Validity::NotYet,
            now if now > certificate.not_after => Validity::Expired,
            _ => Validity::Valid,
        }
    }

    /// A word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Validity::NotYet => "not yet valid",
            Validity::Valid => "valid",
            Validity::Expired => "expired",
        }
    }
}

/// Lists the root, then the intermediates by name.
pub fn status(keyring: &Keyring, now: OffsetDateTime) -> Vec<StatusRow> {
    keyring.all().map(|entry| row(entry, now)).collect()
}

fn row(entry: &Entry, now: OffsetDateTime) -> StatusRow {
    let info = entry.info();
    StatusRow {
        name: entry.name().to_owned(),
        certificate: info.clone(),
        recipients: entry.recipients().to_vec(),
        has_key: entry.has_key(),
        left: info.not_after - now,
        validity: Validity::at(info, now),
    }
}

/// Reads a span of time as `--fail-within` takes it: a number and `d`, `h` or `w`.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let refuse = || format!("`{text}` is no span of time: write `30d`, `12h` or `4w`");
    let units = [('h', 1), ('d', 24), ('w', 24 * 7)];
    let found = units.iter().find_map(|(unit, hours)| Some((text.strip_suffix(*unit)?, hours)));
    let (number, hours) = found.ok_or_else(refuse)?;
    let number: u32 = number.parse().map_err(|_| refuse())?;
    Ok(Duration::hours(i64::from(number) * hours))
}
