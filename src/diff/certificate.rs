//! A certificate as people compare it.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::pki;

/// The facts of a certificate that are shown instead of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificate {
    /// `O=Istio, CN=Intermediate CA, L=c1`.
    pub subject: String,
    /// The issuer's name.
    pub issuer: String,
    /// In hex.
    pub serial: String,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// `ECDSA P-256`.
    pub key: String,
    /// The sha256 of its DER bytes.
    pub fingerprint: String,
}

impl Certificate {
    /// The facts with their names, in the order in which they are shown.
    pub fn facts(&self) -> [(&'static str, &str); 7] {
        [
            ("subject", &self.subject),
            ("issuer", &self.issuer),
            ("serial", &self.serial),
            ("notBefore", &self.not_before),
            ("notAfter", &self.not_after),
            ("key", &self.key),
            ("fingerprint", &self.fingerprint),
        ]
    }

    /// The facts as a mapping.
    pub fn to_value(&self) -> Value {
        let mut map = json!({});
        for (name, value) in self.facts() {
            map[name] = Value::from(value);
        }
        map
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a text that is PEM certificates and white space alone; `None` for anything
/// else, so that nothing can hide between or after them.
pub(super) fn read_all(text: &str) -> Option<Vec<Certificate>> {
    let mut rest = text.trim();
    let mut list = Vec::new();
    while !rest.is_empty() {
        if !rest.starts_with(BEGIN) {
            return None;
        }
        let end = rest.find(END)? + END.len();
        list.push(describe(&rest[..end])?);
        rest = rest[end..].trim_start();
    }
    (!list.is_empty()).then_some(list)
}

fn describe(pem: &str) -> Option<Certificate> {
    let info = pki::certificate::describe(pem)?;
    let time = |time: time::OffsetDateTime| time.format(&Rfc3339).ok();
    Some(Certificate {
        subject: info.subject,
        issuer: info.issuer,
        serial: info.serial,
        not_before: time(info.not_before)?,
        not_after: time(info.not_after)?,
        key: info.key,
        fingerprint: info.fingerprint,
    })
}
