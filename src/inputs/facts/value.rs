//! The forms of facts: what a value must look like to be kept, and how it is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ServerFault, check_server};
use crate::diag::{Rule, facts_rules as rules};
use crate::pki::Certificate;

/// Why a value is not kept. Never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the value holds a private key, and is not taken")]
    PrivateKey,
    #[error("the output is marked sensitive, and facts are committed in clear")]
    Sensitive,
    #[error("the value is no https URL")]
    NotAUrl,
    #[error("the value is no certificate in PEM, nor base64 of one")]
    NotACertificate,
    #[error("the value is no identifier: one line of at most 1024 printable characters")]
    NotAnIdentifier,
}

impl Refusal {
    pub(super) fn rule(&self) -> &'static Rule {
        match self {
            Refusal::PrivateKey | Refusal::Sensitive => &rules::SECRET,
            Refusal::NotAUrl => &rules::BAD_SERVER,
            Refusal::NotACertificate => &rules::BAD_CA,
            Refusal::NotAnIdentifier => &rules::IMPORT,
        }
    }

    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Refusal::Sensitive => Some(
                "if it is no secret, Terraform's `nonsensitive(…)` in the output takes the mark away",
            ),
            Refusal::NotAUrl => Some("it has the form https://HOST:PORT"),
            _ => None,
        }
    }
}

/// The one form in which a fact is kept: a URL for `server`, PEM for `certificateAuthority`.
pub(super) fn canonical(fact: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if is_key_material(text) {
        return Err(Refusal::PrivateKey);
    }
    match fact {
        "server" => server(text),
        "certificateAuthority" => certificate_authority(text),
        _ => identifier(text),
    }
}

fn is_key_material(text: &str) -> bool {
    text.contains("PRIVATE KEY") || text.to_ascii_uppercase().contains("AGE-SECRET-KEY-")
}

/// `10.1.0.5:6443` and `https://10.1.0.5:6443/` are the same address.
fn server(text: &str) -> Result<String, Refusal> {
    let url = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = url.trim_end_matches('/').to_owned();
    match check_server(&url) {
        // whether a loopback address is wrong depends on the mesh
        Ok(()) | Err(ServerFault::Loopback) => Ok(url),
        Err(ServerFault::NotAUrl) => Err(Refusal::NotAUrl),
    }
}

/// Certificates only, written anew: what stood between them is not kept.
fn certificate_authority(text: &str) -> Result<String, Refusal> {
    let pem = if text.starts_with("-----BEGIN") {
        text.to_owned()
    } else {
        let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(packed).map_err(|_| Refusal::NotACertificate)?;
        String::from_utf8(bytes).map_err(|_| Refusal::NotACertificate)?
    };
    if is_key_material(&pem) {
        return Err(Refusal::PrivateKey);
    }
    match Certificate::all(&pem) {
        Ok(all) if !all.is_empty() => Ok(all.iter().map(Certificate::pem).collect()),
        _ => Err(Refusal::NotACertificate),
    }
}

fn identifier(text: &str) -> Result<String, Refusal> {
    let fits = !text.is_empty() && text.len() <= 1024 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refusal::NotAnIdentifier) }
}

/// A kept value as people want to see it.
pub(super) fn shown(fact: &str, text: &str) -> String {
    if fact != "certificateAuthority" {
        return text.to_owned();
    }
    match Certificate::all(text).ok().and_then(|all| all.into_iter().next()) {
        Some(first) => {
            let info = first.info();
            format!("certificate of {}, sha256 {}", info.subject, info.fingerprint)
        }
        None => "a certificate".to_owned(),
    }
}
