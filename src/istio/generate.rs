//! From a request to objects.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::chart;
use super::component::{Component, Instance, instances};
use super::error::{IstioError, IstioErrors};
use super::input::Request;
use super::merge::merge_inputs;
use super::overlay;
use super::package::Package;
use super::patch;
use super::tree::{self, Tree};
use super::validate::{convert, validate};
use super::warning::Warning;
use crate::helm::Capabilities;

/// A control plane.
#[derive(Debug, Clone, Default)]
pub struct Generated {
    /// The objects: components in their order, instances in that of the document, in each the order of the chart's files.
    pub objects: Vec<RenderedObject>,
    /// What istioctl would not mention.
    pub warnings: Vec<Warning>,
}

/// An object, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedObject {
    /// The component that it belongs to.
    pub component: Component,
    /// The file of the chart that it came from: `base/templates/crds.yaml`.
    pub template: Arc<str>,
    /// The object. Objects that are the same for many requests (CRDs) are shared.
    pub value: Arc<Value>,
}

impl RenderedObject {
    /// Whether it has this kind and this name.
    pub(super) fn is(&self, kind: &str, name: &str) -> bool {
        let own = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default() == name;
        self.value.get("kind").is_some_and(|own| own == kind)
            && own(self.value.get("metadata").and_then(|metadata| metadata.get("name")))
    }
}

/// Makes the objects of a control plane, as `istioctl manifest generate` makes them.
///
/// The same input gives the same objects in the same order, for any number of threads.
///
/// # Errors
/// When a document is unreadable, the specification is wrong (all faults of validation together), or a chart fails.
pub fn generate(package: &Package, request: &Request) -> Result<Generated, IstioErrors> {
    let mut warnings = Vec::new();
    let merged = merge_inputs(package, request, &mut warnings)?;
    validate(&merged, request.force, &mut warnings)?;
    let operator = with_unvalidated(merged.operator);
    let mut all = Vec::new();
    for component in Component::ALL {
        all.extend(instances(&operator, component)?);
    }
    if request.force {
        all.iter().try_for_each(convert)?;
    }
    let capabilities = chart::capabilities(request.kube_version.as_ref());
    let render = |instance: &Instance| one(package, &operator, instance, &capabilities);
    let rendered: Vec<_> = all.par_iter().map(render).collect();
    let mut objects = Vec::new();
    for result in rendered {
        let (own, said) = result?;
        objects.extend(own);
        warnings.extend(said);
    }
    Ok(Generated { objects, warnings })
}

/// `spec.unvalidatedValues` goes over `spec.values` once that was checked.
fn with_unvalidated(mut operator: Tree) -> Tree {
    let over = tree::map_at(&operator, "spec.unvalidatedValues").cloned();
    if let (Some(over), Some(Value::Object(spec))) = (over, operator.get_mut("spec")) {
        match spec.entry("values").or_insert_with(|| Value::Object(Tree::new())) {
            Value::Object(values) => tree::merge(values, &over),
            other => *other = Value::Object(over),
        }
    }
    operator
}

fn one(
    package: &Package,
    operator: &Tree,
    instance: &Instance,
    capabilities: &Capabilities,
) -> Result<(Vec<RenderedObject>, Vec<Warning>), IstioError> {
    let mut warnings = Vec::new();
    let values = chart::values(operator, instance);
    let revision = values.get("revision").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut objects = chart::render(package, instance, values, capabilities, &mut warnings)?;
    if instance.settings().is_some() {
        patch::apply(instance, &revision, &mut objects, &mut warnings)?;
        overlay::apply(instance, &mut objects, &mut warnings)?;
    }
    Ok((objects, warnings))
}
