//! The values of an instance's chart, and the objects that it renders.
//!
//! Source of the rules: `operator/pkg/render/manifest.go` (`applyComponentValuesToHelmValues`), `operator/pkg/helm`.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::component::{Component, Instance, field};
use super::crds::Split;
use super::error::IstioError;
use super::generate::RenderedObject;
use super::package::Package;
use super::quantity::Quantity;
use super::set;
use super::text;
use super::tree::{self, Tree};
use super::value::display;
use super::warning::Warning;
use crate::helm::{self, Capabilities, Chart, KubeVersion, Limits, Release, Rendered};
use crate::yaml;

/// The oldest Kubernetes of istioctl 1.31, which stands for the cluster's own.
const KUBE_VERSION: &str = "v1.32.0";

/// What charts see of the cluster.
pub(super) fn capabilities(version: Option<&KubeVersion>) -> Capabilities {
    let version = version.cloned().or_else(|| KubeVersion::parse(KUBE_VERSION));
    let kube_version = version.expect("our own version is one");
    Capabilities { kube_version, ..Capabilities::default() }
}

/// The values for an instance's chart.
pub(super) fn values(operator: &Tree, instance: &Instance) -> Tree {
    let component = instance.component;
    let root = component.values_root();
    let values = tree::map_at(operator, "spec.values").cloned().unwrap_or_default();
    let mut values = Value::Object(values);
    if instance.given.is_some() || component.is_gateway() {
        tree::to_floats(&mut values);
    }
    let Value::Object(mut values) = values else { return Tree::new() };
    // istioctl drops what cannot be written here, too: a scalar or a null may stand on the way
    let mut put =
        |key: &str, value: Value| drop(set::set(&mut values, &format!("{root}.{key}"), value));
    if component.is_gateway() {
        put("name", instance.name.as_str().into());
        put("labels", instance.field("label").cloned().unwrap_or_else(|| Map::new().into()));
    }
    for (key, mut value) in from_settings(instance) {
        tree::to_floats(&mut value);
        put(key, value);
    }
    for key in ["hub", "tag"] {
        let Some(mut value) = instance.field(key).cloned() else { continue };
        tree::to_floats(&mut value);
        let text = display(&value);
        // typed anew from its text, so that a tag of digits is an integer
        if (key == "tag" || !text.is_empty())
            && let Some(value) = super::value::typed(text.trim())
        {
            put(key, value);
        }
    }
    if component == Component::Ztunnel { flattened(values) } else { values }
}

/// What of `k8s` charts see as values, because their conditions ask for it.
fn from_settings(instance: &Instance) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    let Some(k8s) = instance.settings() else { return found };
    let is_deployment =
        instance.component.workload().is_some_and(|(kind, ..)| kind == "Deployment");
    let ports = field(k8s, "service")
        .and_then(Value::as_object)
        .and_then(|service| field(service, "ports"));
    if let Some(Value::Array(ports)) = ports
        && instance.component.is_gateway()
        && !ports.is_empty()
    {
        found.push(("ports", Value::Array(ports.iter().map(port).collect())));
    }
    if is_deployment {
        let hpa = field(k8s, "hpaSpec").and_then(Value::as_object);
        let hpa = |name: &str| hpa.and_then(|hpa| field(hpa, name)).cloned();
        found.extend(hpa("minReplicas").map(|count| ("autoscaleMin", count)));
        let is_positive = |count: &Value| count.as_f64().is_some_and(|count| count > 0.0);
        found.extend(hpa("maxReplicas").filter(is_positive).map(|count| ("autoscaleMax", count)));
        let replicas = field(k8s, "replicaCount").filter(|count| is_positive(count));
        found.extend(replicas.map(|count| ("replicaCount", count.clone())));
    }
    let resources = field(k8s, "resources").and_then(Value::as_object);
    for (kind, key) in [("limits", "resources.limits.cpu"), ("requests", "resources.requests.cpu")]
    {
        let cpu = resources.and_then(|resources| field(resources, kind)?.as_object()?.get("cpu"));
        let cpu = cpu.and_then(Quantity::of).filter(|cpu| !cpu.is_zero());
        found.extend(cpu.map(|cpu| (key, cpu.to_string().into())));
    }
    found
}

/// A port as Go writes it: what is empty is left out, save the target port, which is then zero.
fn port(port: &Value) -> Value {
    let empty = Tree::new();
    let given = port.as_object().unwrap_or(&empty);
    let mut port = Tree::new();
    for name in ["name", "protocol", "appProtocol", "port", "targetPort", "nodePort"] {
        let value = field(given, name).cloned();
        let value = match (name, value) {
            ("port" | "targetPort", value) => Some(value.unwrap_or_else(|| 0.0.into())),
            ("appProtocol", value) => value,
            (_, value) => value.filter(|value| *value != "" && *value != 0.0),
        };
        if let Some(value) = value {
            port.insert(name.to_owned(), value);
        }
    }
    port.into()
}

/// Values for a chart that takes its own without a prefix: `global`, what is no map, and the chart's own over them.
fn flattened(values: Tree) -> Tree {
    let Some(Value::Object(own)) = values.get(Component::Ztunnel.values_root()).cloned() else {
        return values;
    };
    let mut flat = Tree::new();
    flat.insert("global".to_owned(), values.get("global").cloned().unwrap_or(Value::Null));
    flat.extend(values.into_iter().filter(|(_, value)| !value.is_object()));
    flat.extend(own);
    flat
}

/// Renders an instance's chart into objects, in the order of its files.
///
/// # Errors
/// When the chart fails, or gives what is no object.
pub(super) fn render(
    package: &Package,
    instance: &Instance,
    values: Tree,
    capabilities: &Capabilities,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<RenderedObject>, IstioError> {
    let component = instance.component;
    let chart = package.chart(component)?;
    let has_crds = chart.metadata.name != "base"
        || tree::at(&values, "base.enableIstioConfigCRDs").is_none_or(|flag| *flag != false);
    let job = Job { component, namespace: &instance.namespace, capabilities };
    let Some(split) = package.split(component) else {
        let (mut objects, files) = job.render(chart, values, warnings)?;
        objects.extend(if has_crds { files } else { Vec::new() });
        return Ok(objects);
    };
    let picked = split.values(&values);
    let key = format!("{} {capabilities:?} {}", instance.namespace, Value::Object(picked.clone()));
    let make = || job.crds(split, picked);
    let (crds, rest) =
        rayon::join(|| split.get(&key, make), || job.render(&split.rest, values, warnings));
    let (mut objects, files) = rest?;
    let place = objects.partition_point(|object| *object.template < *split.path);
    objects.splice(place..place, crds?.iter().cloned());
    objects.extend(if has_crds { files } else { Vec::new() });
    Ok(objects)
}

/// What a chart is rendered for.
struct Job<'a> {
    component: Component,
    namespace: &'a str,
    capabilities: &'a Capabilities,
}

type Objects = Vec<RenderedObject>;

impl Job<'_> {
    /// Renders a chart as Helm does.
    fn run(&self, chart: &Chart, values: Tree) -> Result<Rendered, IstioError> {
        let request = helm::Request {
            values,
            integers: true,
            release: Release {
                name: "istio".to_owned(),
                namespace: self.namespace.to_owned(),
                revision: 0,
                is_install: false,
                is_upgrade: false,
            },
            capabilities: self.capabilities.clone(),
            skip_schema: false,
            strict: false,
            limits: Limits::default(),
        };
        let folder = self.component.chart();
        helm::render(chart, &request)
            .map_err(|source| IstioError::Chart { chart: folder, source: source.into() })
    }

    /// Renders a chart: the objects of its templates, and those of the files in its `crds/`.
    fn render(
        &self,
        chart: &Chart,
        values: Tree,
        warnings: &mut Vec<Warning>,
    ) -> Result<(Objects, Objects), IstioError> {
        let rendered = self.run(chart, values)?;
        let mut objects = Vec::new();
        for (path, data) in &rendered.files {
            let text = String::from_utf8_lossy(data);
            if path.ends_with(".txt") {
                let warning = |line: &str| line.strip_prefix("WARNING: ").map(str::to_owned);
                warnings.extend(text.split('\n').filter_map(warning).map(Warning::Chart));
                continue;
            }
            objects.extend(self.objects(path, &text)?);
        }
        let mut files = Vec::new();
        for (path, data) in &rendered.crds {
            files.extend(self.objects(path, &String::from_utf8_lossy(data))?);
        }
        Ok((objects, files))
    }

    /// The CRDs of a base chart: from the file where the template is known, else by rendering it.
    fn crds(&self, split: &Split, values: Tree) -> Result<Objects, IstioError> {
        if let Some(known) = &split.known {
            let asked = self.run(known.probe(), values.clone())?;
            let asked = asked.files.get(&split.path).map(Vec::as_slice).unwrap_or_default();
            if let Some(values) = known.objects(asked) {
                let template: Arc<str> = split.path.as_str().into();
                let object = |value: Value| RenderedObject {
                    component: self.component,
                    template: template.clone(),
                    value: value.into(),
                };
                return Ok(values.into_iter().map(object).collect());
            }
        }
        self.render(&split.crds, values, &mut Vec::new()).map(|(objects, _)| objects)
    }

    /// The objects in a rendered file.
    fn objects(&self, template: &str, text: &str) -> Result<Objects, IstioError> {
        let template: Arc<str> = template.into();
        let read = |document: &&str| {
            let fault =
                |reason: String| IstioError::Object { template: template.to_string(), reason };
            if document.contains('\u{85}') {
                // a line end to Go's reader, after which the text of a ConfigMap is not indented
                return Err(fault("YAML 1.1 takes U+0085 for a line end".to_owned()));
            }
            let value = yaml::go_document(document)
                .map_err(|error| fault(error.with_position(document)))?;
            if value.is_null() {
                return Ok(None);
            }
            has_kind(&value).map_err(fault)?;
            let (component, template) = (self.component, template.clone());
            Ok(Some(RenderedObject { component, template, value: value.into() }))
        };
        let documents = text::documents(text);
        let read: Vec<Result<Option<RenderedObject>, IstioError>> = if documents.len() < MANY {
            documents.iter().map(read).collect()
        } else {
            documents.par_iter().map(read).collect()
        };
        read.into_iter().filter_map(Result::transpose).collect()
    }
}

/// So many documents in a file are read on several threads.
const MANY: usize = 8;

/// What Kubernetes takes for an object has a kind.
pub(super) fn has_kind(value: &Value) -> Result<(), String> {
    match value.get("kind").and_then(Value::as_str) {
        Some(kind) if !kind.is_empty() => Ok(()),
        _ => Err("it is no object: `kind` is missing".to_owned()),
    }
}
