//! Names: hub, tag, revision, gateways.

use serde_json::Value;

use super::fault::{Fault, Path};
use crate::istio::component::field;
use crate::istio::tree::{self, Tree};
use crate::istio::value::display;

/// Finds names that are none.
pub(super) fn check(operator: &Tree, faults: &mut Vec<Fault>) {
    let hub = tree::text_at(operator, "spec.hub");
    if !hub.is_empty()
        && let Err(reason) = repository(&format!("{hub}/pilot"))
    {
        faults.push(Path::keys("spec.hub").fault(format!("`{hub}` is no hub: {reason}")));
    }
    let tag = tree::at(operator, "spec.tag").filter(|tag| !tag.is_null()).map(display);
    if let Some(tag) = tag
        && !is_tag(&tag)
    {
        faults.push(Path::keys("spec.tag").fault(format!("`{tag}` is no tag of an image")));
    }
    let revision = tree::text_at(operator, "spec.revision");
    if !revision.is_empty() && !is_label(revision) {
        let reason = "it must be a DNS label: letters, digits and `-`, at most 63";
        faults.push(Path::keys("spec.revision").fault(reason));
    }
    for list in ["ingressGateways", "egressGateways"] {
        let path = Path::keys("spec.components").key(list);
        let gateways =
            tree::at(operator, &format!("spec.components.{list}")).and_then(Value::as_array);
        for (index, gateway) in gateways.into_iter().flatten().enumerate() {
            let name = gateway.as_object().and_then(|gateway| field(gateway, "name")?.as_str());
            if name.is_some_and(|name| !name.is_empty() && !is_gateway_name(name)) {
                let reason = "small letters, digits, `-` and `.`, at most 254";
                faults.push(path.index(index).key("name").fault(reason));
            }
        }
    }
}

/// A DNS-1123 label, or one in capitals, which istioctl takes as well.
pub(super) fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(|c| plain(c) || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_gateway_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    name.len() <= 254 && name.chars().all(fits)
}

/// A tag: letters, digits, `_`, `-`, `.`.
fn is_tag(tag: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !tag.is_empty() && tag.len() <= 128 && tag.chars().all(fits)
}

/// What a registry takes for a repository, with the registry before it.
fn repository(name: &str) -> Result<(), &'static str> {
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("", name),
    };
    let fits = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '/')
    };
    if !(2..=255).contains(&repository.len()) || !repository.chars().all(fits) {
        return Err("small letters, digits, `_`, `-`, `.` and `/`");
    }
    let (host, port) = registry.split_once(':').unwrap_or((registry, "0"));
    let host_fits =
        host.chars().all(|c| !c.is_ascii_control() && !" \"<>\\^`{|}/?#@[]%:".contains(c));
    if !host_fits || !port.chars().all(|c| c.is_ascii_digit()) {
        return Err("the registry is no HOST or HOST:PORT");
    }
    Ok(())
}
