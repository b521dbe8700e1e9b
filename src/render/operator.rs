//! `<cluster>/istio-operator.yaml`: for people who go on with istioctl.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::artifact::{fault, single};
use super::{Artifact, Builder, Output, Pending, Scope, image};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::{Diagnostic, Diagnostics, render_rules};
use crate::mesh::{Annotation, Gateway, lay_free_form};
use crate::object::canonical;

pub(super) const TEMPLATE: &str = "istio-operator/istio-operator.yaml";

/// The builder.
pub(super) struct Operator;

/// The settings of mesh and profiles that an `IstioOperator` is made of.
pub(super) const SETTINGS: &[&[&str]] = &[&["istio"], &["gateways"], &["images"], &["network"]];

/// All that an `IstioOperator` is made of, but the template.
#[derive(Serialize)]
pub(super) struct Params<'a> {
    mesh: &'a str,
    cluster: &'a str,
    network: &'a str,
    mesh_id: &'a str,
    profile: &'a str,
    hub: String,
    tag: String,
    revision: Option<&'a str>,
    trust_domain: Option<&'a str>,
    ingress: GatewayParams<'a>,
    egress: GatewayParams<'a>,
    east_west: GatewayParams<'a>,
    /// Laid on top of what the template gives.
    values: &'a Map<String, Value>,
    mesh_config: &'a Map<String, Value>,
    components: &'a Map<String, Value>,
    images: &'a BTreeMap<String, Option<String>>,
    /// Facts that are asked for and not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) needs: Vec<String>,
}

#[derive(Serialize)]
struct GatewayParams<'a> {
    enabled: bool,
    annotations: BTreeMap<&'a str, Cow<'a, str>>,
}

/// What stands for a fact that is missing.
pub(super) fn mark(need: &str) -> String {
    format!("MESHGEN_MISSING__{need}__")
}

pub(super) fn params<'a>(scope: &Scope<'a>) -> Params<'a> {
    let cluster = scope.own();
    let settings = &*cluster.settings;
    let mut needs = Vec::new();
    let mut gateway = |gateway: &'a Gateway, enabled: bool| GatewayParams {
        enabled,
        annotations: if enabled {
            annotations(scope, gateway, &mut needs)
        } else {
            BTreeMap::new()
        },
    };
    let gateways = &settings.gateways;
    let ingress = gateway(&gateways.ingress, gateways.ingress.enabled.unwrap_or(true));
    let egress = gateway(&gateways.egress, gateways.egress.enabled.unwrap_or(true));
    let east_west = gateway(&gateways.east_west, cluster.has_east_west);
    needs.sort();
    needs.dedup();
    Params {
        mesh: &scope.mesh().name,
        cluster: cluster.name.as_str(),
        network: cluster.network.as_str(),
        mesh_id: settings.istio.mesh_id.as_deref().unwrap_or(&scope.mesh().name),
        profile: settings.operator_profile(),
        // rewritten with all others, where the document is whole
        hub: settings.hub(&cluster.istio),
        tag: settings.tag().unwrap_or_else(|| cluster.istio.to_string()),
        revision: settings.revision(),
        trust_domain: settings.istio.trust_domain.as_deref(),
        ingress,
        egress,
        east_west,
        values: &settings.istio.values,
        mesh_config: &settings.istio.mesh_config,
        components: &settings.istio.components,
        images: &settings.images,
        needs,
    }
}

fn annotations<'a>(
    scope: &Scope<'a>,
    gateway: &'a Gateway,
    needs: &mut Vec<String>,
) -> BTreeMap<&'a str, Cow<'a, str>> {
    let mut all = BTreeMap::new();
    for (key, value) in &gateway.annotations {
        let text = match value {
            None => continue,
            Some(Annotation::Text(text)) => Cow::Borrowed(text.as_str()),
            Some(Annotation::Fact(reference)) => {
                match scope.inputs.fact(scope.own(), &reference.fact) {
                    Ok(text) => Cow::Borrowed(text),
                    Err(need) => {
                        let mark = mark(&need);
                        needs.push(need);
                        Cow::Owned(mark)
                    }
                }
            }
        };
        all.insert(key.as_str(), text);
    }
    all
}

impl Builder for Operator {
    fn name(&self) -> &'static str {
        "istio-operator"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        SETTINGS
    }

    fn templates(&self) -> &'static [&'static str] {
        &[TEMPLATE]
    }

    fn facts(&self, scope: &Scope<'_>) -> Vec<String> {
        facts(scope)
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        RecipeBuilder::new(self.name(), Some(scope.own().name.as_str()), scope.build_id)
            .input(format!("template {TEMPLATE}"), scope.templates.digest(TEMPLATE))
            .part("mesh and facts", &params(scope))
            .finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let params = params(scope);
        let path = format!("{}/istio-operator.yaml", params.cluster);
        if !params.needs.is_empty() {
            return Ok(vec![Output::Pending(Pending {
                path,
                needs: params.needs,
                delivery: None,
            })]);
        }
        let document = document(scope, &params)?;
        Ok(vec![Output::Artifact(Artifact {
            path,
            bytes: canonical(&document).into_bytes(),
            delivery: None,
        })])
    }
}

/// The facts that gateways ask for.
pub(super) fn facts(scope: &Scope<'_>) -> Vec<String> {
    let gateways = &scope.own().settings.gateways;
    let all = [&gateways.ingress, &gateways.egress, &gateways.east_west];
    let values = all.iter().flat_map(|gateway| gateway.annotations.values());
    values
        .filter_map(|value| match value {
            Some(Annotation::Fact(reference)) => Some(reference.fact.clone()),
            _ => None,
        })
        .collect()
}

/// The `IstioOperator`; where facts are missing, [`mark`]s stand in it.
pub(super) fn document(scope: &Scope<'_>, params: &Params<'_>) -> Result<Value, Diagnostics> {
    check_gateways(scope, params.components)?;
    let text = scope.templates.render(TEMPLATE, params).map_err(fault)?;
    let mut document = single(TEMPLATE, &text)?;
    if let Some(spec) = document.get_mut("spec").and_then(Value::as_object_mut) {
        lay(spec, "values", params.values);
        lay(spec, "meshConfig", params.mesh_config);
        lay_components(spec, params.components);
    }
    image::rewrite_operator(&mut document, params.images);
    Ok(document)
}

/// Lists of gateways merge by name: what is no list, or names one twice, would be lost in that.
fn check_gateways(scope: &Scope<'_>, components: &Map<String, Value>) -> Result<(), Diagnostics> {
    let spec = &scope.inputs.spec;
    let own = &spec.clusters[scope.own().index];
    let mut diagnostics = Diagnostics::new();
    for key in GATEWAYS {
        let why = match components.get(key) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(gateways)) => {
                let mut names: Vec<_> = gateways.iter().map(|one| one.get("name")).collect();
                names.sort_by_key(|name| name.map(Value::to_string));
                match names.windows(2).find(|pair| pair[0] == pair[1]) {
                    Some([Some(name), _]) => format!("`{key}` names {name} twice"),
                    Some(_) => format!("`{key}` has gateways without a name"),
                    None => continue,
                }
            }
            Some(_) => format!("`{key}` is no list"),
        };
        diagnostics.push(
            Diagnostic::new(&render_rules::CONTROL_PLANE, why)
                .at_maybe(spec.setting_place(own, &["istio", "components", key]), "")
                .hint("write each gateway as `- name: …`")
                .of_cluster(scope.own().name.as_str()),
        );
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// The components that are lists.
const GATEWAYS: [&str; 2] = ["ingressGateways", "egressGateways"];

fn lay(spec: &mut Map<String, Value>, key: &str, over: &Map<String, Value>) {
    if over.is_empty() {
        return;
    }
    let under = spec.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(under) = under {
        lay_free_form(under, over);
    }
}

/// Components merge like values, save that the lists of gateways merge by their name: istioctl
/// itself replaces lists whole, so that naming one gateway would take away the others.
fn lay_components(spec: &mut Map<String, Value>, over: &Map<String, Value>) {
    let mut rest = over.clone();
    for key in GATEWAYS {
        let Some(Value::Array(gateways)) = rest.remove(key) else {
            continue;
        };
        let components = spec.entry("components").or_insert_with(|| Value::Object(Map::new()));
        let Some(components) = components.as_object_mut() else {
            return;
        };
        let ours = components.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        let Some(ours) = ours.as_array_mut() else {
            return;
        };
        for gateway in gateways {
            let same =
                |one: &&mut Value| one.get("name").is_some_and(|n| Some(n) == gateway.get("name"));
            match (ours.iter_mut().find(same), &gateway) {
                (Some(Value::Object(own)), Value::Object(over)) => lay_free_form(own, over),
                _ => ours.push(gateway),
            }
        }
    }
    lay(spec, "components", &rest);
}
