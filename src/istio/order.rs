//! The order and the text of `istioctl manifest generate`.
//!
//! Source of the rules: `operator/cmd/mesh/manifest-generate.go`.

use rayon::prelude::*;
use serde_json::Value;

use super::error::IstioError;
use super::generate::RenderedObject;
use crate::yaml;

/// What stands after every object.
const SEPARATOR: &str = "\n---\n";

/// Sorts objects as istioctl prints them: by class of kind, group, kind, name.
///
/// The sort is stable. istioctl takes components in a random order; here objects that are equal in all four (two
/// gateways of one name in two namespaces) stay in the order of components, instances and files.
pub fn sort(objects: &mut [RenderedObject]) {
    objects.sort_by_cached_key(|object| {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let group = group(&text(object.value.get("apiVersion"))).to_owned();
        let kind = text(object.value.get("kind"));
        let name = text(object.value.get("metadata").and_then(|metadata| metadata.get("name")));
        (class(&group, &kind), group, kind, name)
    });
}

fn group(api_version: &str) -> &str {
    match api_version.split_once('/') {
        // what has two slashes is no version, and has no group
        Some((_, rest)) if rest.contains('/') => "",
        Some((group, _)) => group,
        None => "",
    }
}

/// CRDs first, Services last. Secrets are among the rest: istioctl's table names a kind that does not exist.
fn class(group: &str, kind: &str) -> i32 {
    match (group, kind) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => -1000,
        ("", "ServiceAccount") | ("rbac.authorization.k8s.io", "ClusterRole") => 1,
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => 2,
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => 3,
        ("", "ConfigMap") => 100,
        ("autoscaling", "HorizontalPodAutoscaler") => 1001,
        ("", "Service") => 10000,
        _ => 1000,
    }
}

/// Prints objects in the order given, byte for byte as istioctl does.
///
/// # Errors
/// When a string holds a control character that YAML does not take.
pub fn print(objects: &[RenderedObject]) -> Result<String, IstioError> {
    let print = |object: &RenderedObject| {
        let fault = |error: yaml::ControlCharacter| IstioError::Object {
            template: object.template.to_string(),
            reason: error.to_string(),
        };
        yaml::go_compatible(&object.value).map(|text| text + SEPARATOR).map_err(fault)
    };
    let texts: Result<Vec<String>, IstioError> = objects.par_iter().map(print).collect();
    Ok(texts?.concat())
}
