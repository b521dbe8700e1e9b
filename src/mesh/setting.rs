//! What a cluster's settings come to, where profile, mesh and cluster leave a setting open.

use serde_json::{Map, Value};

use super::version;
use crate::spec::model::Settings;

/// First Istio minor whose images are published under `registry.istio.io/release`.
const NEW_REGISTRY: u64 = 30;

impl Settings {
    /// The registry and path of Istio's images, before `images` rewrites them.
    pub fn hub(&self, istio: &semver::Version) -> String {
        let published = if istio.minor >= NEW_REGISTRY {
            "registry.istio.io/release"
        } else {
            "docker.io/istio"
        };
        self.istio.hub.clone().unwrap_or_else(|| published.to_owned())
    }

    /// The tag of Istio's images.
    pub fn tag(&self) -> Option<String> {
        self.istio.tag.clone().or_else(|| self.istio.version.clone())
    }

    /// The name of the pin whose charts render the control plane.
    pub fn charts(&self) -> Option<&str> {
        self.istio.charts.as_deref()
    }

    /// The revision, if the control plane has one: neither empty nor `default`.
    pub fn revision(&self) -> Option<&str> {
        self.istio.revision.as_deref().filter(|name| !name.is_empty() && *name != "default")
    }

    /// The `IstioOperator` profile.
    pub fn operator_profile(&self) -> &str {
        self.istio.profile.as_deref().unwrap_or("default")
    }

    /// Namespace of the samples, if they are wanted.
    pub fn sample_namespace(&self) -> Option<&str> {
        let wanted = self.samples.enabled.unwrap_or(true);
        wanted.then(|| self.samples.namespace.as_deref().unwrap_or("sample"))
    }

    /// The Kubernetes version, as far as it can be read.
    pub fn kubernetes(&self) -> Option<version::Minor> {
        version::parse_kubernetes(self.kubernetes.version.as_deref()?)
    }

    /// A free-form Istio value by its path below `values`.
    pub fn istio_value(&self, path: &[&str]) -> Option<&Value> {
        lookup(&self.istio.values, path)
    }

    /// The trust domain that proxies get: `istio.trustDomain`, or the free-form settings' own.
    pub fn trust_domain(&self) -> &str {
        self.istio
            .trust_domain
            .as_deref()
            .or_else(|| lookup(&self.istio.mesh_config, &["trustDomain"])?.as_str())
            .or_else(|| self.istio_value(&["meshConfig", "trustDomain"])?.as_str())
            .or_else(|| self.istio_value(&["global", "trustDomain"])?.as_str())
            .unwrap_or("cluster.local")
    }
}

fn lookup<'a>(map: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(map.get(*first)?, |value, key| value.get(key))
}
