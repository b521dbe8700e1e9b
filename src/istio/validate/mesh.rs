//! The mesh configuration: its types, and the rules that are cheap to know.
//!
//! Source of the rules: `pkg/config/validation/agent`. Rules on load balancing, TLS settings, tracers and providers are
//! not among them: istiod checks them when it reads the configuration.

use std::net::IpAddr;

use serde_json::Value;

use super::fault::{Fault, Path};
use super::message::{self, duration};
use super::name::is_label;
use super::typed::integer;

/// Finds what is wrong. Unknown fields are none: istiod of another release may know them.
pub(super) fn check(mesh: &Value, path: &Path, faults: &mut Vec<Fault>) {
    let before = faults.len();
    message::check(mesh, "istio.mesh.v1alpha1.MeshConfig", false, path, faults);
    if faults.len() > before {
        return;
    }
    if mesh.as_str().is_some() {
        faults.push(path.fault("it must be a map"));
    }
    let mut rules = Rules { path, faults };
    rules.port(mesh, &["proxyListenPort"]);
    rules.port(mesh, &["defaultConfig", "proxyAdminPort"]);
    rules.port(mesh, &["defaultConfig", "statusPort"]);
    rules.duration(mesh, &["connectTimeout"], MILLISECOND, Some((MILLISECOND, HOUR)));
    rules.duration(
        mesh,
        &["defaultConfig", "drainDuration"],
        SECOND,
        Some((MILLISECOND, i128::MAX)),
    );
    rules.duration(mesh, &["protocolDetectionTimeout"], MILLISECOND, None);
    for keys in [
        ["defaultConfig", "discoveryAddress"],
        ["defaultConfig", "statsdUdpAddress"],
        ["defaultConfig", "envoyMetricsServiceAddress"],
    ] {
        rules.address(mesh, &keys);
    }
    rules.address(mesh, &["defaultConfig", "envoyMetricsService", "address"]);
    rules.address(mesh, &["defaultConfig", "envoyAccessLogService", "address"]);
    rules.trust_domains(mesh);
    if at(mesh, &["meshMTLS", "ecdhCurves"]).is_some_and(|curves| !curves.is_null()) {
        rules.fault(&["meshMTLS", "ecdhCurves"], "curves cannot be chosen for the mesh");
    }
}

const MILLISECOND: i128 = 1_000_000;
const SECOND: i128 = 1000 * MILLISECOND;
const HOUR: i128 = 3600 * SECOND;

fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |value, key| value.get(key)).filter(|value| !value.is_null())
}

struct Rules<'a> {
    path: &'a Path,
    faults: &'a mut Vec<Fault>,
}

impl Rules<'_> {
    fn fault(&mut self, keys: &[&str], reason: impl Into<String>) {
        let path = keys.iter().fold(self.path.clone(), |path, key| path.key(key));
        self.faults.push(path.fault(reason));
    }

    fn port(&mut self, mesh: &Value, keys: &[&str]) {
        let port = match at(mesh, keys) {
            Some(Value::Number(number)) => integer(number),
            Some(Value::String(text)) => text.parse().ok(),
            _ => return,
        };
        if !port.is_some_and(|port| (1..=65535).contains(&port)) {
            self.fault(keys, "a port is a number from 1 to 65535");
        }
    }

    fn duration(&mut self, mesh: &Value, keys: &[&str], unit: i128, range: Option<(i128, i128)>) {
        let Some(time) = at(mesh, keys).and_then(Value::as_str).and_then(duration) else { return };
        if time % unit != 0 {
            self.fault(keys, "the duration is too fine");
        } else if range.is_some_and(|(min, max)| time < min || time > max) {
            self.fault(keys, "the duration is out of its range");
        }
    }

    fn address(&mut self, mesh: &Value, keys: &[&str]) {
        let Some(address) = at(mesh, keys).and_then(Value::as_str) else { return };
        let is_needed = keys.ends_with(&["discoveryAddress"]);
        if address.is_empty() && !is_needed {
            return;
        }
        if !is_address(address) {
            self.fault(keys, format!("`{address}` is no HOST:PORT"));
        }
    }

    fn trust_domains(&mut self, mesh: &Value) {
        let domain = at(mesh, &["trustDomain"]).and_then(Value::as_str);
        if domain.is_some_and(|domain| !is_trust_domain(domain)) {
            self.fault(&["trustDomain"], "it is no domain name");
        }
        let aliases = at(mesh, &["trustDomainAliases"]).and_then(Value::as_array);
        for (index, alias) in aliases.into_iter().flatten().enumerate() {
            if alias.as_str().is_some_and(|alias| !is_trust_domain(alias)) {
                let path = self.path.key("trustDomainAliases").index(index);
                self.faults.push(path.fault("it is no domain name"));
            }
        }
    }
}

fn is_trust_domain(domain: &str) -> bool {
    !domain.is_empty() && are_labels(domain)
}

/// Labels with dots between them; the last may be empty.
fn are_labels(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain.is_empty() || domain.split('.').all(is_label)
}

fn is_address(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let port = port.parse::<i64>().is_ok_and(|port| (1..=65535).contains(&port));
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').unwrap_or_default(),
        None if host.contains(':') => return false,
        None => host,
    };
    let is_numeric = host.rsplit('.').next().is_some_and(|last| last.parse::<i64>().is_ok());
    let is_name = !host.is_empty() && host.len() <= 255 && !is_numeric && are_labels(host);
    port && (is_name || host.parse::<IpAddr>().is_ok())
}
