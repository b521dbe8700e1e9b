//! The kubeconfig inside of a remote secret, byte for byte as `istioctl create-remote-secret` writes
//! it (istioctl/pkg/multicluster: client-go's encoder, keys sorted).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::yaml::{self, Schema};

/// Writes a kubeconfig with one cluster, one user and one context, all of one name.
///
/// `ca` is PEM text. The token stands exactly once in the text.
pub(super) fn text(cluster: &str, server: &str, ca: &str, token: &str) -> String {
    let name = go_scalar(cluster);
    let server = go_scalar(server);
    let ca = STANDARD.encode(ca);
    format!(
        "apiVersion: v1\n\
         clusters:\n\
         - cluster:\n    certificate-authority-data: {ca}\n    server: {server}\n  name: {name}\n\
         contexts:\n\
         - context:\n    cluster: {name}\n    user: {name}\n  name: {name}\n\
         current-context: {name}\n\
         kind: Config\n\
         users:\n\
         - name: {name}\n  user:\n    token: {token}\n"
    )
}

/// A DNS label or URL as Go's YAML encoder writes it: in quotes where it would be read as something
/// else than a string (`on`, `123`, `1e3`).
fn go_scalar(text: &str) -> String {
    match yaml::document(text, Schema::Go) {
        Ok(Value::String(same)) if same == text => text.to_owned(),
        _ => Value::from(text).to_string(),
    }
}
