//! Rules beyond types: ports, ranges, and what values hand through to Kubernetes.

use std::net::IpAddr;

use serde_json::Value;

use super::fault::{Fault, Path};
use super::typed::{self, Mode};
use crate::istio::component::field;
use crate::istio::schema::Type;
use crate::istio::tree::{self, Tree};
use crate::istio::warning::Warning;

/// Values that are handed through to Kubernetes: path, whether it is a list, type.
const HANDED: [(&str, bool, &str); 23] = [
    ("cni.affinity", false, "Affinity"),
    ("cni.seccompProfile", false, "SeccompProfile"),
    ("gateways.istio-egressgateway.podAntiAffinityLabelSelector", true, "LabelSelector"),
    ("gateways.istio-egressgateway.podAntiAffinityTermLabelSelector", true, "LabelSelector"),
    ("gateways.istio-egressgateway.tolerations", true, "Toleration"),
    ("global.defaultTolerations", true, "Toleration"),
    ("gateways.istio-ingressgateway.podAntiAffinityLabelSelector", true, "LabelSelector"),
    ("gateways.istio-ingressgateway.podAntiAffinityTermLabelSelector", true, "LabelSelector"),
    ("gateways.istio-ingressgateway.tolerations", true, "Toleration"),
    ("pilot.tolerations", true, "Toleration"),
    ("pilot.affinity", false, "Affinity"),
    ("pilot.seccompProfile", false, "SeccompProfile"),
    ("pilot.topologySpreadConstraints", true, "TopologySpreadConstraint"),
    ("pilot.volumeMounts", true, "VolumeMount"),
    ("pilot.volumes", true, "Volume"),
    ("global.proxy.seccompProfile", false, "SeccompProfile"),
    ("global.proxy.lifecycle", false, "Lifecycle"),
    ("sidecarInjectorWebhook.neverInjectSelector", true, "LabelSelector"),
    ("sidecarInjectorWebhook.alwaysInjectSelector", true, "LabelSelector"),
    ("global.waypoint.affinity", false, "Affinity"),
    ("global.waypoint.topologySpreadConstraints", true, "TopologySpreadConstraint"),
    // a node selector of labels is refused: istioctl takes this one for the type of node affinities
    ("global.waypoint.nodeSelector", false, "NodeSelector"),
    ("global.waypoint.toleration", true, "Toleration"),
];

/// Finds what breaks these rules.
pub(super) fn check(operator: &Tree, faults: &mut Vec<Fault>) {
    let empty = Tree::new();
    let values = tree::map_at(operator, "spec.values").unwrap_or(&empty);
    for (place, is_list, kind) in HANDED {
        let Some(value) = tree::at(values, place) else { continue };
        let path = Path::keys(&format!("spec.values.{place}"));
        match value {
            Value::Array(items) if is_list => {
                for (index, item) in items.iter().enumerate() {
                    typed::check(item, Type::Struct(kind), Mode::Yaml, &path.index(index), faults);
                }
            }
            value => typed::check(value, Type::Struct(kind), Mode::Yaml, &path, faults),
        }
    }
    ranges(values, faults);
    ports(operator, values, faults);
}

/// Whether a text is what it should be.
type Fits<'a> = &'a dyn Fn(&str) -> bool;

fn ranges(values: &Tree, faults: &mut Vec<Fault>) {
    let is_port = |text: &str| {
        matches!(text, "" | "*")
            || text.parse::<i32>().is_ok_and(|port| (0..=65535).contains(&port))
    };
    let rules: [(&str, Fits<'_>, &str); 4] = [
        ("includeIPRanges", &is_range, "address ranges such as `10.0.0.0/8`, or `*`"),
        ("excludeIPRanges", &is_range, "address ranges such as `10.0.0.0/8`, or `*`"),
        ("includeInboundPorts", &is_port, "ports, or `*`"),
        ("excludeInboundPorts", &is_port, "ports, or `*`"),
    ];
    for (name, fits, what) in rules {
        let text = tree::text_at(values, &format!("global.proxy.{name}"));
        let is_free = matches!(text, "" | "*");
        if !is_free && !text.split(',').all(fits) {
            let path = Path::keys("spec.values.global.proxy").key(name);
            faults.push(path.fault(format!("it must be {what}, with commas between them")));
        }
    }
}

/// An address with the length of its network, as Go's `netip.ParsePrefix` takes it.
fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.rsplit_once('/') else { return false };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let is_plain = length == "0" || !length.starts_with('0');
    let is_digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let longest = if address.is_ipv4() { 32 } else { 128 };
    is_plain && is_digits && length.parse::<u8>().is_ok_and(|length| length <= longest)
}

/// A gateway that does not run as root cannot listen below 1024.
fn ports(operator: &Tree, values: &Tree, faults: &mut Vec<Fault>) {
    for (list, name) in
        [("ingressGateways", "istio-ingressgateway"), ("egressGateways", "istio-egressgateway")]
    {
        if tree::flag_at(values, &format!("gateways.{name}.runAsRoot")) {
            continue;
        }
        let gateways =
            tree::at(operator, &format!("spec.components.{list}")).and_then(Value::as_array);
        for (index, gateway) in gateways.into_iter().flatten().enumerate() {
            let service =
                gateway.as_object().and_then(|gateway| field(gateway, "k8s")?.as_object());
            let service = service.and_then(|k8s| field(k8s, "service")?.as_object());
            let ports = service.and_then(|service| field(service, "ports")?.as_array());
            let path = Path::keys("spec.components").key(list).index(index);
            let path = path.key("k8s").key("service").key("ports");
            for (index, port) in ports.into_iter().flatten().enumerate() {
                if let Some(port) = port.as_object().filter(|port| is_privileged(port)) {
                    faults.push(path.index(index).fault(needs_root(port, name)));
                }
            }
        }
    }
    let ports =
        tree::at(values, "gateways.istio-ingressgateway.ingressPorts").and_then(Value::as_array);
    for (index, port) in ports.into_iter().flatten().enumerate() {
        let path = Path::keys("spec.values.gateways.istio-ingressgateway.ingressPorts");
        if let Some(port) = port.as_object().filter(|port| is_privileged_value(port)) {
            faults.push(path.index(index).fault(needs_root(port, "istio-ingressgateway")));
        }
    }
}

fn needs_root(port: &Tree, gateway: &str) -> String {
    let number = |name: &str| field(port, name).and_then(Value::as_f64).unwrap_or_default();
    format!(
        "port {} listens on {}, which needs root: set a targetPort of 1024 or above, or values.gateways.{gateway}.runAsRoot",
        number("port"),
        if number("targetPort") == 0.0 { number("port") } else { number("targetPort") },
    )
}

fn is_privileged(port: &Tree) -> bool {
    let target = match field(port, "targetPort") {
        Some(Value::String(_)) => return false,
        target => target.and_then(Value::as_f64).unwrap_or_default(),
    };
    let number = field(port, "port").and_then(Value::as_f64).unwrap_or_default();
    !(target == 0.0 && number > 1024.0) && target < 1024.0
}

fn is_privileged_value(port: &Tree) -> bool {
    let target = match port.get("targetPort") {
        None | Some(Value::Null) => 0.0,
        Some(Value::Number(target)) => target.as_f64().unwrap_or_default().trunc(),
        Some(_) => return false,
    };
    let Some(number) = port.get("port").and_then(Value::as_f64) else { return false };
    !(target == 0.0 && number.trunc() > 1024.0) && target < 1024.0
}

/// Settings that work against each other: replicas beside an autoscaler.
pub(super) fn conflicts(operator: &Tree, warnings: &mut Vec<Warning>) {
    let scales =
        |name: &str| tree::flag_at(operator, &format!("spec.values.{name}.autoscaleEnabled"));
    let replicas = |component: &Value| {
        component.get("k8s").and_then(|k8s| k8s.get("replicaCount")?.as_f64()).unwrap_or_default()
    };
    let mut warn = |place: &str, switch: &str| {
        warnings.push(Warning::Conflict {
            place: format!("components.{place}.k8s.replicaCount"),
            why: format!("should not be set when values.{switch}.autoscaleEnabled is true"),
        });
    };
    let pilot = tree::at(operator, "spec.components.pilot");
    if scales("pilot") && pilot.is_some_and(|pilot| replicas(pilot) > 1.0) {
        warn("pilot", "pilot");
    }
    for (list, name) in [
        ("ingressGateways", "gateways.istio-ingressgateway"),
        ("egressGateways", "gateways.istio-egressgateway"),
    ] {
        let gateways =
            tree::at(operator, &format!("spec.components.{list}")).and_then(Value::as_array);
        for (index, gateway) in gateways.into_iter().flatten().enumerate() {
            if scales(name) && replicas(gateway) != 0.0 {
                warn(&format!("{list}[{index}]"), name);
            }
        }
    }
}
