//! File names from an object's identity alone (product.md, "File names").

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Identity;

/// Groups that Kubernetes itself serves: their kinds need no group in a file name.
const OWN_GROUPS: [&str; 23] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Longest stem; `.yaml` comes on top.
const MAX_STEM: usize = 200;
/// What a cut stem ends in: a dash and 16 hex digits.
const CUT_TAIL: usize = 17;

/// Returns `<kind>[.<group>]_[<namespace>_]<name>.yaml`.
///
/// Kind in lower case, no group for Kubernetes' own groups, every byte outside `[a-z0-9.-]` as
/// `%xx`; a stem above 200 bytes is cut and ends in 16 hex digits of the sha256 of the whole.
pub fn file_name(identity: &Identity) -> String {
    let mut stem = encode_name(&identity.kind.to_lowercase());
    let group = identity.group();
    if !OWN_GROUPS.contains(&group) {
        stem.push('.');
        stem.push_str(&encode_name(group));
    }
    for part in identity.namespace.iter().chain([&identity.name]) {
        stem.push('_');
        stem.push_str(&encode_name(part));
    }
    cut(&mut stem);
    stem.push_str(".yaml");
    stem
}

/// Writes every byte outside `[a-z0-9.-]` as `%xx`.
pub fn encode_name(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02x}").expect("writing into a string cannot fail"),
        }
    }
    out
}

fn cut(stem: &mut String) {
    if stem.len() <= MAX_STEM {
        return;
    }
    let digest = hex::encode(&Sha256::digest(stem.as_bytes())[..8]);
    let mut keep = MAX_STEM - CUT_TAIL;
    // never inside a `%xx`
    if let Some(percent) = stem[..keep].rfind('%')
        && percent + 3 > keep
    {
        keep = percent;
    }
    stem.truncate(keep);
    stem.push('-');
    stem.push_str(&digest);
}
