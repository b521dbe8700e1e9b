//! `components.*.k8s`: settings that are patches of the rendered objects.
//!
//! Source of the rules: `operator/pkg/render/postprocess.go`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::component::{Component, Instance};
use super::error::IstioError;
use super::generate::RenderedObject;
use super::strategic::strategic_merge;
use super::tree::{self, Tree};
use super::warning::Warning;

/// Where a setting goes.
enum Target {
    /// Keys of the workload's pod.
    Pod(&'static [&'static str]),
    /// A key of the workload's container.
    Container(&'static str),
    /// Keys of the workload itself.
    Workload(&'static [&'static str]),
    /// Keys of another object of that name.
    Other(&'static str, &'static [&'static str]),
}

/// The settings, each with its target.
const SETTINGS: [(&str, Target); 16] = [
    ("affinity", Target::Pod(&["spec", "affinity"])),
    ("env", Target::Container("env")),
    ("hpaSpec", Target::Other("HorizontalPodAutoscaler", &["spec"])),
    ("imagePullPolicy", Target::Container("imagePullPolicy")),
    ("nodeSelector", Target::Pod(&["spec", "nodeSelector"])),
    ("podAnnotations", Target::Pod(&["metadata", "annotations"])),
    ("podDisruptionBudget", Target::Other("PodDisruptionBudget", &["spec"])),
    ("priorityClassName", Target::Pod(&["spec", "priorityClassName"])),
    ("readinessProbe", Target::Container("readinessProbe")),
    ("replicaCount", Target::Workload(&["spec", "replicas"])),
    ("resources", Target::Container("resources")),
    ("securityContext", Target::Pod(&["spec", "securityContext"])),
    ("service", Target::Other("Service", &["spec"])),
    ("serviceAnnotations", Target::Other("Service", &["metadata", "annotations"])),
    ("strategy", Target::Workload(&["spec", "strategy"])),
    ("tolerations", Target::Pod(&["spec", "tolerations"])),
];

/// Settings that the types have and nothing reads.
const UNUSED: [&str; 2] = ["volumes", "volumeMounts"];

/// Applies the settings of an instance to its objects.
///
/// # Errors
/// When a setting does not fit its object.
pub(super) fn apply(
    instance: &Instance,
    revision: &str,
    objects: &mut [RenderedObject],
    warnings: &mut Vec<Warning>,
) -> Result<(), IstioError> {
    // as it was written: a key in other letters is known to the types, but not to the patches
    let raw = instance.given.as_ref().and_then(|given| given.get("k8s")?.as_object());
    let Some(raw) = raw else { return Ok(()) };
    let name = target_name(instance, revision);
    for unused in UNUSED.into_iter().filter(|unused| raw.contains_key(*unused)) {
        let place = format!("{}.k8s.{unused}", instance.place);
        let instead = "istioctl ignores it; use an overlay";
        warnings.push(Warning::Unused { place, instead });
    }
    for (setting, target) in SETTINGS {
        let Some(value) = value_of(instance, raw, setting) else { continue };
        let place = format!("{}.k8s.{setting}", instance.place);
        let Some((kind, patch)) = target.patch(instance.component, value) else {
            let instead = "this component has no workload; use an overlay";
            warnings.push(Warning::Unused { place, instead });
            continue;
        };
        let mut matched = false;
        for object in objects.iter_mut().filter(|object| object.is(kind, &name)) {
            matched = true;
            strategic_merge(kind, Arc::make_mut(&mut object.value), &patch)
                .map_err(|source| IstioError::Patch { place: place.clone(), source })?;
            if setting == "podDisruptionBudget" {
                one_limit(Arc::make_mut(&mut object.value));
            }
        }
        if !matched && raw.contains_key(setting) {
            warnings.push(Warning::NoTarget { place, kind, name: name.clone() });
        }
    }
    Ok(())
}

/// The name of the objects that are patched.
fn target_name(instance: &Instance, revision: &str) -> String {
    let own = instance.component.workload().map_or("", |(_, name, _)| name);
    let name = if instance.name.is_empty() { own } else { &instance.name };
    if instance.component == Component::Pilot && !matches!(revision, "" | "default") {
        return format!("{name}-{revision}");
    }
    name.to_owned()
}

/// The value of a setting. A gateway's ports went into the values of its chart already, so that its Service is patched
/// with none.
fn value_of(instance: &Instance, raw: &Tree, setting: &str) -> Option<Value> {
    let mut value = raw.get(setting).cloned();
    if setting == "service"
        && instance.component.is_gateway()
        && let Value::Object(service) = value.get_or_insert_with(|| Tree::new().into())
    {
        service.insert("ports".to_owned(), json!([]));
    }
    let mut value = value?;
    tree::to_integers(&mut value);
    Some(value)
}

impl Target {
    /// The kind that is patched, and the patch; `None` where the component has no workload.
    fn patch(&self, component: Component, value: Value) -> Option<(&'static str, Value)> {
        let workload = component.workload();
        let nested = |keys: &[&str], value: Value| {
            keys.iter().rev().fold(value, |inner, key| json!({*key: inner}))
        };
        Some(match self {
            Self::Other(kind, keys) => (*kind, nested(keys, value)),
            Self::Workload(keys) => (workload?.0, nested(keys, value)),
            Self::Pod(keys) => (workload?.0, nested(&["spec", "template"], nested(keys, value))),
            Self::Container(key) => {
                let (kind, _, container) = workload?;
                let container = json!([{"name": container, *key: value}]);
                (kind, nested(&["spec", "template", "spec", "containers"], container))
            }
        })
    }
}

/// A disruption budget may have one limit; the user's maximum takes the chart's minimum away.
fn one_limit(budget: &mut Value) {
    let Some(Value::Object(spec)) = budget.get_mut("spec") else { return };
    if spec.contains_key("maxUnavailable") && spec.contains_key("minAvailable") {
        spec.insert("minAvailable".to_owned(), Value::Null);
    }
}
