//! No Secret is rendered in plaintext.

use serde_json::Value;

use crate::diag::{Diagnostic, render_rules};
use crate::mesh::PlaintextSecret;
use crate::object::{Binding, Identity};

/// Checks the data of a Secret: certificates, sealed values and rendered text around a binding may
/// stand there, and nothing else, save where mesh.yaml lists the object.
pub(super) fn check(
    object: &Value,
    identity: &Identity,
    sealed: &[String],
    bindings: &[Binding],
    allowed: &[PlaintextSecret],
) -> Result<(), Box<Diagnostic>> {
    let is_secret = identity.kind == "Secret" && identity.api_version == "v1";
    let listed = allowed.iter().any(|one| {
        Some(one.namespace.as_str()) == identity.namespace.as_deref() && one.name == identity.name
    });
    if !is_secret || listed {
        return Ok(());
    }
    for part in ["data", "stringData"] {
        for (key, value) in object.get(part).and_then(Value::as_object).into_iter().flatten() {
            let pointer = format!("/{part}/{}", key.replace('~', "~0").replace('/', "~1"));
            let is_bound = bindings.iter().any(|binding| binding.field == pointer);
            if is_bound || sealed.contains(&pointer) || is_harmless(value) {
                continue;
            }
            // the value itself must not reach the message
            let message = format!("`{key}` of {identity} would be rendered in plaintext");
            return Err(Box::new(Diagnostic::new(&render_rules::PLAINTEXT_SECRET, message).hint(
                "leave it to another tool, or list the object under `plaintextSecrets` with a reason",
            )));
        }
    }
    Ok(())
}

fn is_harmless(value: &Value) -> bool {
    match value.as_str() {
        Some(text) => text.is_empty() || is_certificates(text),
        None => value.is_null(),
    }
}

/// Whether a text is certificates in PEM and nothing else.
fn is_certificates(text: &str) -> bool {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut rest = text.trim();
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let Some(body) = rest.strip_prefix(BEGIN) else {
            return false;
        };
        let Some((body, after)) = body.split_once(END) else {
            return false;
        };
        if body.contains("-----") {
            return false;
        }
        rest = after.trim_start();
    }
    true
}
