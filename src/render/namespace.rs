//! `00-namespaces`: every namespace that an object of the cluster needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::artifact::{Objects, fault};
use super::{Builder, Output, Scope, Stage};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::Diagnostics;
use crate::mesh::ISTIO_NAMESPACE;

pub(super) const TEMPLATE: &str = "namespaces/namespaces.yaml";

/// The builder.
pub(super) struct Namespaces;

#[derive(Serialize)]
struct Params<'a> {
    namespaces: Vec<Namespace<'a>>,
}

#[derive(Serialize)]
struct Namespace<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

fn params<'a>(scope: &Scope<'a>) -> Params<'a> {
    let cluster = scope.own();
    let settings = &*cluster.settings;
    let mut all: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for namespace in component_namespaces(&settings.istio.components) {
        all.entry(namespace).or_default();
    }
    // istiod reads the network of endpoints from this label (istio-facts: istioctl sets it only on a
    // namespace that it makes itself)
    all.entry(ISTIO_NAMESPACE)
        .or_default()
        .insert("topology.istio.io/network", cluster.network.as_str());
    if let Some(namespace) = settings.sample_namespace() {
        let label = match settings.revision() {
            Some(revision) => ("istio.io/rev", revision),
            None => ("istio-injection", "enabled"),
        };
        all.entry(namespace).or_default().insert(label.0, label.1);
    }
    Params {
        namespaces: all.into_iter().map(|(name, labels)| Namespace { name, labels }).collect(),
    }
}

/// The namespaces among these that [`Namespaces`] does not give, and every cluster does not have.
pub(super) fn others<'a>(
    scope: &Scope<'_>,
    used: impl Iterator<Item = &'a str>,
) -> Result<Vec<Output>, Diagnostics> {
    let own = params(scope);
    let is_given = |name: &str| own.namespaces.iter().any(|namespace| namespace.name == name);
    let missing = used.filter(|name| !OF_EVERY_CLUSTER.contains(name) && !is_given(name));
    let names: BTreeSet<&str> = missing.collect();
    let namespace = |name| Namespace { name, labels: BTreeMap::new() };
    let params = Params { namespaces: names.into_iter().map(namespace).collect() };
    if params.namespaces.is_empty() {
        return Ok(Vec::new());
    }
    split(scope, &params)
}

/// Namespaces that Kubernetes makes by itself.
const OF_EVERY_CLUSTER: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

fn split(scope: &Scope<'_>, params: &Params<'_>) -> Result<Vec<Output>, Diagnostics> {
    let text = scope.templates.render(TEMPLATE, params).map_err(fault)?;
    let objects = Objects {
        cluster: scope.own().name.as_str(),
        stage: Stage::Namespaces,
        template: TEMPLATE,
        plaintext: &[],
    };
    objects.split(&text, |_| ())
}

/// Namespaces that free-form components put gateways into.
fn component_namespaces(components: &serde_json::Map<String, Value>) -> Vec<&str> {
    components
        .values()
        .flat_map(|component| match component {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            other => vec![other],
        })
        .filter(|component| component.get("enabled") != Some(&Value::Bool(false)))
        .filter_map(|component| component.get("namespace").and_then(Value::as_str))
        .filter(|name| !OF_EVERY_CLUSTER.contains(name))
        .collect()
}

impl Builder for Namespaces {
    fn name(&self) -> &'static str {
        "namespaces"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[&["network"], &["istio", "revision"], &["istio", "components"], &["samples"]]
    }

    fn templates(&self) -> &'static [&'static str] {
        &[TEMPLATE]
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        RecipeBuilder::new(self.name(), Some(scope.own().name.as_str()), scope.build_id)
            .input(format!("template {TEMPLATE}"), scope.templates.digest(TEMPLATE))
            .part("mesh", &params(scope))
            .finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        split(scope, &params(scope))
    }
}
