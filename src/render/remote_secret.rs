//! `remote-secrets/<cluster>.yaml`: what every peer of a cluster gets.

use serde::Serialize;

use super::artifact::{fault, identity, single};
use super::{Artifact, Builder, Delivery, Output, Pending, Scope, Stage, guard, kubeconfig, token};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::{Diagnostic, Diagnostics, render_rules};
use crate::mesh::ISTIO_NAMESPACE;
use crate::object::{Binding, BindingSource, Except, Identity, Targets, canonical};

const TEMPLATE: &str = "remote-secrets/remote-secret.yaml";

/// What stands for the token until apply puts it in. Exactly once in the string.
const PLACEHOLDER: &str = "MESHGEN-BINDING-TOKEN";

/// The builder.
pub(super) struct RemoteSecret;

#[derive(Serialize)]
struct Params<'a> {
    cluster: &'a str,
    kubeconfig: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<String>,
}

fn params<'a>(scope: &Scope<'a>) -> Params<'a> {
    let cluster = scope.own();
    let name = cluster.name.as_str();
    match reads(scope) {
        [Ok(server), Ok(ca)] => Params {
            cluster: name,
            kubeconfig: kubeconfig::text(name, server, ca, PLACEHOLDER),
            needs: Vec::new(),
        },
        missing => Params {
            cluster: name,
            kubeconfig: String::new(),
            needs: missing.into_iter().filter_map(Result::err).collect(),
        },
    }
}

/// The facts that [`params`] reads.
fn reads<'a>(scope: &Scope<'a>) -> [Result<&'a str, String>; 2] {
    let fact = |name| scope.inputs.fact(scope.own(), name);
    [fact("server"), fact("certificateAuthority")]
}

/// The identity that the object must have, so that pending rows can name it too.
fn expected(cluster: &str) -> Identity {
    Identity {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: Some(ISTIO_NAMESPACE.to_owned()),
        name: format!("istio-remote-secret-{cluster}"),
    }
}

impl Builder for RemoteSecret {
    fn name(&self) -> &'static str {
        "remote-secret"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[]
    }

    fn templates(&self) -> &'static [&'static str] {
        &[TEMPLATE]
    }

    fn facts(&self, _: &Scope<'_>) -> Vec<String> {
        vec!["server".to_owned(), "certificateAuthority".to_owned()]
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        RecipeBuilder::new(self.name(), Some(scope.own().name.as_str()), scope.build_id)
            .input(format!("template {TEMPLATE}"), scope.templates.digest(TEMPLATE))
            .part("facts", &reads(scope))
            .finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let params = params(scope);
        let cluster = params.cluster;
        let path = format!("remote-secrets/{cluster}.yaml");
        let targets = Targets::AllBut(Except { except: vec![cluster.to_owned()] });
        let object = expected(cluster);
        if !params.needs.is_empty() {
            return Ok(vec![Output::Pending(Pending {
                path,
                needs: params.needs,
                delivery: Some((Stage::RemoteSecrets, targets, object)),
            })]);
        }
        let text = scope.templates.render(TEMPLATE, &params).map_err(fault)?;
        let value = single(TEMPLATE, &text)?;
        let found = identity(TEMPLATE, &value).map_err(fault)?;
        if found != object {
            let message =
                format!("the template `{TEMPLATE}` gives {found}, but must give {object}");
            return Err(fault(Box::new(Diagnostic::new(&render_rules::OTHER_NAMESPACE, message))));
        }
        let bindings = vec![Binding {
            field: format!("/stringData/{cluster}"),
            placeholder: PLACEHOLDER.to_owned(),
            from: BindingSource {
                cluster: cluster.to_owned(),
                secret: format!("{ISTIO_NAMESPACE}/{}", token::SECRET),
                key: "token".to_owned(),
            },
        }];
        let bound = value.pointer(&bindings[0].field).and_then(serde_json::Value::as_str);
        if bound.is_none_or(|text| text.matches(PLACEHOLDER).count() != 1) {
            let message = format!(
                "the template `{TEMPLATE}` must hold the kubeconfig, with its placeholder once, under \
                 `stringData.{cluster}`"
            );
            return Err(fault(Box::new(Diagnostic::new(&render_rules::OTHER_NAMESPACE, message))));
        }
        let allowed = &scope.mesh().plaintext_secrets;
        guard::check(&value, &object, &[], &bindings, allowed).map_err(fault)?;
        Ok(vec![Output::Artifact(Artifact {
            path,
            bytes: canonical(&value).into_bytes(),
            delivery: Some(Delivery {
                stage: Stage::RemoteSecrets,
                targets,
                object,
                sealed: Vec::new(),
                bindings,
                handover: Vec::new(),
            }),
        })])
    }
}
