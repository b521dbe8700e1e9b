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
    let listed = allowed.iter().any(|one| {
        Some(one.namespace.as_str()) == identity.namespace.as_deref() && one.name == identity.name
    });
    if listed {
        return Ok(());
    }
    if holds_private_key(object) {
        return Err(plaintext("a private key", identity));
    }
    if identity.kind != "Secret" {
        return Ok(());
    }
    let other = object.as_object().into_iter().flatten().find(|(key, value)| match key.as_str() {
        "data" | "stringData" => !value.is_object() && !value.is_null(),
        "apiVersion" | "kind" | "metadata" | "type" | "immutable" => false,
        // what opens the sealed values
        "sops" => sealed.is_empty(),
        _ => true,
    });
    // a copy of a whole Secret, values and all
    let copy =
        object.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(APPLIED));
    let other = other.map(|(key, _)| key.as_str()).or_else(|| copy.map(|_| APPLIED));
    if let Some(key) = other {
        return Err(plaintext(&format!("`{key}`"), identity));
    }
    for part in ["data", "stringData"] {
        for (key, value) in object.get(part).and_then(Value::as_object).into_iter().flatten() {
            let pointer = format!("/{part}/{}", key.replace('~', "~0").replace('/', "~1"));
            let is_bound = bindings.iter().any(|binding| binding.field == pointer);
            if is_bound || sealed.contains(&pointer) || is_harmless(value) {
                continue;
            }
            return Err(plaintext(&format!("`{key}`"), identity));
        }
    }
    Ok(())
}

/// What `kubectl apply` leaves behind.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The value itself must not reach the message.
fn plaintext(what: &str, identity: &Identity) -> Box<Diagnostic> {
    let message = format!("{what} of {identity} would be rendered in plaintext");
    Box::new(Diagnostic::new(&render_rules::PLAINTEXT_SECRET, message).hint(
        "leave it to another tool, or list the object under `plaintextSecrets` with a reason",
    ))
}

fn holds_private_key(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("PRIVATE KEY-----"),
        Value::Array(items) => items.iter().any(holds_private_key),
        Value::Object(map) => map.values().any(holds_private_key),
        _ => false,
    }
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
