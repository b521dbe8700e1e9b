//! The components of a control plane, and what an `IstioOperator` says of each.
//!
//! Source of the rules: `operator/pkg/component/component.go`.

use serde_json::Value;

use super::error::IstioError;
use super::tree::{self, Tree};

/// A component, in the order in which they are rendered and listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// CRDs, accounts, validation.
    Base,
    /// istiod.
    Pilot,
    /// Gateways at the entrance, and between clusters.
    IngressGateways,
    /// Gateways at the exit.
    EgressGateways,
    /// The node agent that redirects traffic.
    Cni,
    /// The node proxy of ambient meshes.
    Ztunnel,
}

impl Component {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Base,
        Self::Pilot,
        Self::IngressGateways,
        Self::EgressGateways,
        Self::Cni,
        Self::Ztunnel,
    ];

    /// istioctl's name for it, as it stands in the label `operator.istio.io/component`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "Base",
            Self::Pilot => "Pilot",
            Self::IngressGateways => "IngressGateways",
            Self::EgressGateways => "EgressGateways",
            Self::Cni => "Cni",
            Self::Ztunnel => "Ztunnel",
        }
    }

    /// Its key in `spec.components`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Pilot => "pilot",
            Self::IngressGateways => "ingressGateways",
            Self::EgressGateways => "egressGateways",
            Self::Cni => "cni",
            Self::Ztunnel => "ztunnel",
        }
    }

    /// The folder of its chart below `charts/`.
    pub fn chart(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Pilot => "istio-control/istio-discovery",
            Self::IngressGateways => "gateways/istio-ingress",
            Self::EgressGateways => "gateways/istio-egress",
            Self::Cni => "istio-cni",
            Self::Ztunnel => "ztunnel",
        }
    }

    /// Where its settings stand in `values`.
    pub(super) fn values_root(self) -> &'static str {
        match self {
            Self::Base => "global",
            Self::Pilot => "pilot",
            Self::IngressGateways => "gateways.istio-ingressgateway",
            Self::EgressGateways => "gateways.istio-egressgateway",
            Self::Cni => "cni",
            Self::Ztunnel => "ztunnel",
        }
    }

    /// The kind, name and container of its workload.
    pub(super) fn workload(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Base => None,
            Self::Pilot => Some(("Deployment", "istiod", "discovery")),
            Self::IngressGateways => Some(("Deployment", "istio-ingressgateway", "istio-proxy")),
            Self::EgressGateways => Some(("Deployment", "istio-egressgateway", "istio-proxy")),
            Self::Cni => Some(("DaemonSet", "istio-cni-node", "install-cni")),
            Self::Ztunnel => Some(("DaemonSet", "ztunnel", "istio-proxy")),
        }
    }

    /// Whether it is a list of gateways.
    pub(super) fn is_gateway(self) -> bool {
        matches!(self, Self::IngressGateways | Self::EgressGateways)
    }

    /// Whether it is on when `spec.components` does not name it.
    fn is_default(self) -> bool {
        matches!(self, Self::Base | Self::Pilot | Self::IngressGateways)
    }

    /// A switch in `values` that turns it on whatever `spec.components` says.
    fn other_switch(self) -> Option<&'static str> {
        match self {
            Self::IngressGateways => Some("spec.values.gateways.istio-ingressgateway.enabled"),
            Self::EgressGateways => Some("spec.values.gateways.istio-egressgateway.enabled"),
            _ => None,
        }
    }
}

/// One rendering of a component's chart: a gateway, or a component of which there is one.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) component: Component,
    /// `components.pilot`, `components.ingressGateways[0]`
    pub(super) place: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// What `spec.components` says; `None` where it does not name the component.
    pub(super) given: Option<Tree>,
}

impl Instance {
    /// A field as Go's JSON finds it: of this name, or one that differs in case alone. Null is none.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        field(self.given.as_ref()?, name)
    }

    /// The settings in `k8s`, as they were written.
    pub(super) fn settings(&self) -> Option<&Tree> {
        self.field("k8s")?.as_object()
    }
}

/// A field as Go's JSON finds it.
pub(super) fn field<'a>(map: &'a Tree, name: &str) -> Option<&'a Value> {
    let found = map.get(name).or_else(|| {
        let like = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
        map.iter().find(like).map(|(_, value)| value)
    });
    found.filter(|value| !value.is_null())
}

/// The instances of a component that are on.
///
/// # Errors
/// When `spec.components` has what is no component.
pub(super) fn instances(
    operator: &Tree,
    component: Component,
) -> Result<Vec<Instance>, IstioError> {
    let key = component.key();
    let default_namespace = tree::text_at(operator, "metadata.namespace");
    let forced = component.other_switch().is_some_and(|path| tree::flag_at(operator, path));
    let absent = || {
        let on = component.is_default() || forced;
        let namespace = default_namespace.to_owned();
        let place = format!("components.{key}");
        let instance = Instance { component, place, namespace, name: String::new(), given: None };
        if on { vec![instance] } else { Vec::new() }
    };
    let given = tree::at(operator, &format!("spec.components.{key}"));
    let place = |index: usize| {
        if component.is_gateway() {
            format!("components.{key}[{index}]")
        } else {
            format!("components.{key}")
        }
    };
    let items: Vec<&Value> = match given {
        None => return Ok(absent()),
        Some(Value::Array(items)) if component.is_gateway() => items.iter().collect(),
        Some(Value::Null) if !component.is_gateway() => return Ok(absent()),
        Some(value @ Value::Object(_)) if !component.is_gateway() => vec![value],
        Some(_) => {
            let wanted = if component.is_gateway() { "a list" } else { "a map" };
            let path = format!("spec.components.{key}");
            return Err(IstioError::Invalid { path, reason: format!("it must be {wanted}") });
        }
    };
    if let Some(index) = items.iter().position(|item| item.is_null()) {
        let path = format!("spec.{}", place(index));
        return Err(IstioError::Invalid { path, reason: "it must be a map".to_owned() });
    }
    let instances = items.into_iter().enumerate().map(|(index, item)| {
        let given = item.as_object().cloned().unwrap_or_default();
        let text = |name: &str| field(&given, name).and_then(Value::as_str).unwrap_or_default();
        let namespace = [text("namespace"), default_namespace, "istio-system"];
        let namespace =
            namespace.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned();
        let name = text("name").to_owned();
        Instance { component, place: place(index), namespace, name, given: Some(given) }
    });
    let is_on = |instance: &Instance| {
        forced || instance.field("enabled").and_then(Value::as_bool).unwrap_or(true)
    };
    Ok(instances.filter(is_on).collect())
}
