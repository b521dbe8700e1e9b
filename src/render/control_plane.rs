//! `20-base` to `45-ztunnel`: the objects of the control plane, from the pinned charts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::package::{Pinned, is_crd};
use super::{Artifact, Builder, Delivery, Output, Pending, Scope, Stage};
use super::{artifact, crd, guard, image, namespace, operator};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::{Diagnostic, Diagnostics, Span, render_rules};
use crate::inputs::Inputs;
use crate::istio::{self, Component, Document, Generated, IstioError, RenderedObject, Request};
use crate::mesh;
use crate::object::{Identity, Targets, canonical, file_name};
use crate::yaml::Step;

/// The builder.
pub(super) struct ControlPlane;

impl Builder for ControlPlane {
    fn name(&self) -> &'static str {
        "control-plane"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        operator::SETTINGS
    }

    fn templates(&self) -> &'static [&'static str] {
        &[operator::TEMPLATE, namespace::TEMPLATE]
    }

    fn facts(&self, scope: &Scope<'_>) -> Vec<String> {
        operator::facts(scope)
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        let pin = pinned(scope).input();
        let settings = &scope.own().settings;
        RecipeBuilder::new(self.name(), Some(scope.own().name.as_str()), scope.build_id)
            .input(format!("pin {}", pin.name), pin.digest)
            .input(
                format!("template {}", operator::TEMPLATE),
                scope.templates.digest(operator::TEMPLATE),
            )
            .input(
                format!("template {}", namespace::TEMPLATE),
                scope.templates.digest(namespace::TEMPLATE),
            )
            .part("mesh and facts", &operator::params(scope))
            .part("namespaces", &settings.sample_namespace())
            .part("images", &(&settings.istio.hub, &settings.istio.tag))
            .part("plaintext secrets", &scope.mesh().plaintext_secrets)
            .finish()
    }

    fn chart_file(&self, scope: &Scope<'_>, path: &str) -> Option<String> {
        let generated = generate(scope, &operator::params(scope)).ok()?;
        let file = path.rsplit('/').next()?;
        let is_it = |object: &&RenderedObject| {
            Identity::of(&object.value).is_ok_and(|identity| file_name(&identity) == file)
        };
        let object = generated.objects.iter().find(is_it)?;
        Some(format!("{} of the pin {}", object.template, pinned(scope).input().name))
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let pinned = pinned(scope);
        let params = operator::params(scope);
        let generated = generate(scope, &params)?;
        let cluster = Cluster { scope, pinned, needs: &params.needs, objects: &generated.objects };
        let mut outputs = cluster.outputs()?;
        for warning in generated.warnings {
            outputs.push(Output::Warning {
                setting: warning.setting().unwrap_or("charts").to_owned(),
                message: warning.to_string(),
                hint: warning.hint().map(str::to_owned),
            });
        }
        Ok(outputs)
    }
}

fn generate(scope: &Scope<'_>, params: &operator::Params<'_>) -> Result<Generated, Diagnostics> {
    let package = pinned(scope).package()?;
    names_images(scope, package)?;
    let name = format!("{}/istio-operator.yaml", scope.own().name);
    let document = Document::value(name, operator::document(scope, params)?);
    let request = Request { documents: vec![document], ..Request::default() };
    istio::generate(package, &request).map_err(|errors| refused(scope, &errors.0))
}

fn pinned<'a>(scope: &Scope<'a>) -> &'a Pinned {
    scope.pinned(scope.own().settings.charts().expect("a task for clusters with charts"))
}

/// Charts from git name images that do not last: mesh.yaml must name others.
fn names_images(scope: &Scope<'_>, package: &istio::Package) -> Result<(), Diagnostics> {
    let settings = &scope.own().settings.istio;
    let (hub, tag) = package.default_images();
    let is_unreleased = hub.is_some_and(|hub| {
        hub.contains("istio-testing") || hub.trim_end_matches('/').ends_with("/testing")
    }) || tag.is_some_and(|tag| tag == "latest");
    if !is_unreleased || (settings.hub.is_some() && settings.tag.is_some()) {
        return Ok(());
    }
    let pin = scope.own().settings.charts().unwrap_or_default();
    let message = format!(
        "the charts of the pin `{pin}` are of no release: their own images are `{}` with tag `{}`",
        hub.unwrap_or_default(),
        tag.unwrap_or_default()
    );
    let spec = &scope.inputs.spec;
    let place = spec.setting_place(&spec.clusters[scope.own().index], &["istio", "charts"]);
    Err(artifact::fault(Box::new(
        Diagnostic::new(&render_rules::UNRELEASED, message)
            .at_maybe(place, "the charts")
            .hint("set `istio.hub` and `istio.tag` to images that you built from the same commit")
            .of_cluster(scope.own().name.as_str()),
    )))
}

/// What istioctl would refuse, where mesh.yaml says it.
fn refused(scope: &Scope<'_>, errors: &[IstioError]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for error in errors {
        let (path, message) = match error {
            IstioError::Invalid { path, reason } => (path.as_str(), format!("`{path}`: {reason}")),
            IstioError::Patch { place, .. } | IstioError::Overlay { place, .. } => {
                (place.as_str(), error.to_string())
            }
            IstioError::NoProfile { .. } => ("profile", error.to_string()),
            other => ("charts", other.to_string()),
        };
        diagnostics.push(
            Diagnostic::new(&render_rules::CONTROL_PLANE, message)
                .at_maybe(place(scope, path), "")
                .of_cluster(scope.own().name.as_str()),
        );
    }
    diagnostics
}

fn place(scope: &Scope<'_>, path: &str) -> Option<Span> {
    setting_place(scope.inputs, scope.own(), path)
}

/// The line of mesh.yaml or a profile that is nearest to a setting of a cluster's `IstioOperator`.
pub fn setting_place(inputs: &Inputs, cluster: &mesh::Cluster, path: &str) -> Option<Span> {
    let path = path.strip_prefix("spec.").unwrap_or(path);
    let keys = path.split(['.', '[', ']']).filter(|key| !key.is_empty());
    let step = |key| str::parse(key).map_or(Step::Key(key), Step::Index);
    let mut steps: Vec<Step<'_>> =
        std::iter::once(Step::Key("istio")).chain(keys.map(step)).collect();
    // gateways merge by name: theirs are not the places of mesh.yaml
    let is_gateways =
        |step: &Step<'_>| matches!(step, Step::Key("ingressGateways" | "egressGateways"));
    if let Some(list) = steps.iter().position(is_gateways) {
        steps.truncate(list + 1);
    }
    let spec = &inputs.spec;
    let own = &spec.clusters[cluster.index];
    let place = |length| {
        let start = &steps[..length];
        spec.layers(own).find_map(|layer| layer.at(start.iter().copied())).map(|node| node.span)
    };
    (2..=steps.len()).rev().find_map(place)
}

/// The step that sends an object.
fn stage(component: Component, identity: &Identity) -> Stage {
    let kind = identity.kind.as_str();
    if kind == "Namespace" {
        return Stage::Namespaces;
    }
    if kind.ends_with("WebhookConfiguration") {
        return Stage::Istiod;
    }
    match component {
        Component::Base | Component::Pilot => match kind {
            "CustomResourceDefinition"
            | "ServiceAccount"
            | "ClusterRole"
            | "ClusterRoleBinding" => Stage::Base,
            _ => Stage::Istiod,
        },
        Component::Cni => Stage::Cni,
        Component::IngressGateways | Component::EgressGateways => Stage::Gateways,
        Component::Ztunnel => Stage::Ztunnel,
    }
}

/// A cluster's control plane, on its way into files.
struct Cluster<'a> {
    scope: &'a Scope<'a>,
    pinned: &'a Pinned,
    /// Facts that were not there: marks stand for them.
    needs: &'a [String],
    objects: &'a [RenderedObject],
}

impl Cluster<'_> {
    fn outputs(&self) -> Result<Vec<Output>, Diagnostics> {
        let mut outputs = Vec::with_capacity(self.objects.len());
        let mut diagnostics = Diagnostics::new();
        let mut seen = BTreeSet::new();
        for object in self.objects {
            let output = artifact::identity(&object.template, &object.value).and_then(|identity| {
                if !seen.insert(file_name(&identity)) {
                    return Err(self.twice(&identity));
                }
                self.output(object, identity)
            });
            match output {
                Ok(output) => outputs.push(output),
                Err(fault) => diagnostics.push(*fault),
            }
        }
        match self.namespaces() {
            Ok(namespaces) => outputs.extend(namespaces),
            Err(faults) => diagnostics.extend(faults),
        }
        if diagnostics.is_empty() { Ok(outputs) } else { Err(diagnostics) }
    }

    /// The namespaces of objects that neither mesh.yaml names nor the charts give.
    fn namespaces(&self) -> Result<Vec<Output>, Diagnostics> {
        let text = |object: &'_ RenderedObject, pointer: &str| {
            object.value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
        };
        let is_namespace = |object: &&RenderedObject| {
            object.value.get("kind").is_some_and(|kind| kind == "Namespace")
        };
        let given: BTreeSet<String> = (self.objects.iter().filter(is_namespace))
            .filter_map(|object| text(object, "/metadata/name"))
            .collect();
        let used: BTreeSet<String> =
            self.objects.iter().filter_map(|object| text(object, "/metadata/namespace")).collect();
        namespace::others(self.scope, used.difference(&given).map(String::as_str))
    }

    /// Two objects of one identity, wherever their files would stand.
    fn twice(&self, identity: &Identity) -> Box<Diagnostic> {
        let name = self.scope.own().name.as_str();
        let message = format!("the charts give {identity} twice for `{name}`");
        Box::new(
            Diagnostic::new(&render_rules::DUPLICATE_OBJECT, message)
                .at_maybe(place(self.scope, "components"), "")
                .hint("do two gateways have one name in one namespace?")
                .of_cluster(name),
        )
    }

    fn output(
        &self,
        object: &RenderedObject,
        identity: Identity,
    ) -> Result<Output, Box<Diagnostic>> {
        let name = self.scope.own().name.as_str();
        let file = file_name(&identity);
        let shared = self.pinned.crds().get(&file).filter(|_| is_crd(&identity));
        if shared.is_some_and(|shared| shared.value == object.value) {
            return Ok(Output::Shared(crd::path(&self.pinned.input().name, &file)));
        }
        guard::check(&object.value, &identity, &[], &[], &self.scope.mesh().plaintext_secrets)?;
        let images = &self.scope.own().settings.images;
        let text = if images.is_empty() {
            canonical(&object.value)
        } else {
            let mut value = Value::clone(&object.value);
            image::rewrite_rest(&mut value, images);
            if identity.kind == "ConfigMap" && identity.name.starts_with("istio-sidecar-injector") {
                image::rewrite_injector(&mut value, images);
            }
            canonical(&value)
        };
        let stage = stage(object.component, &identity);
        let targets = Targets::Only(vec![name.to_owned()]);
        let path = format!("{name}/{}/{file}", stage.as_str());
        let needs: Vec<String> = if self.needs.is_empty() {
            Vec::new()
        } else {
            let marked = |need: &&String| text.contains(&operator::mark(need));
            self.needs.iter().filter(marked).cloned().collect()
        };
        if !needs.is_empty() {
            return Ok(Output::Pending(Pending {
                path,
                needs,
                delivery: Some((stage, targets, identity)),
            }));
        }
        let handover = self.handover(&object.value, &identity);
        Ok(Output::Artifact(Artifact {
            path,
            bytes: text.into_bytes(),
            delivery: Some(Delivery {
                stage,
                targets,
                object: identity,
                sealed: Vec::new(),
                bindings: Vec::new(),
                handover,
            }),
        }))
    }

    /// The fields that others write once the object is there: istiod patches its webhooks, an
    /// autoscaler the replicas of its target.
    fn handover(&self, value: &Value, identity: &Identity) -> Vec<String> {
        let fields: &[&str] = match identity.kind.as_str() {
            // pilot/pkg/webhooks: the validation controller sets both, the injector's the CA alone
            "ValidatingWebhookConfiguration" => {
                &["/webhooks/*/failurePolicy", "/webhooks/*/clientConfig/caBundle"]
            }
            "MutatingWebhookConfiguration" => &["/webhooks/*/clientConfig/caBundle"],
            "Deployment" if value.pointer("/spec/replicas").is_some() => {
                if self.autoscaled().contains(&(identity.namespace.as_deref(), &*identity.name)) {
                    &["/spec/replicas"]
                } else {
                    &[]
                }
            }
            _ => &[],
        };
        fields.iter().map(|field| (*field).to_owned()).collect()
    }

    /// Namespace and name of the Deployments that an autoscaler scales.
    fn autoscaled(&self) -> BTreeSet<(Option<&str>, &str)> {
        self.objects
            .iter()
            .filter_map(|object| {
                let value = &*object.value;
                let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
                let is_ours = text("/kind") == Some("HorizontalPodAutoscaler")
                    && text("/spec/scaleTargetRef/kind") == Some("Deployment");
                let name = text("/spec/scaleTargetRef/name").filter(|_| is_ours)?;
                Some((text("/metadata/namespace"), name))
            })
            .collect()
    }
}
