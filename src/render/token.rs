//! `55-tokens`: the Secret that the reader account's token is written to.

use serde::Serialize;

use super::artifact::{Objects, fault};
use super::{Builder, Output, Scope, Stage};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::Diagnostics;

const TEMPLATE: &str = "tokens/reader-token.yaml";

/// The account that peers read a cluster with (Istio's base chart makes it).
pub(super) const SERVICE_ACCOUNT: &str = "istio-reader-service-account";
/// The Secret that its token is written to, named as `istioctl create-remote-secret` names it.
pub(super) const SECRET: &str = "istio-reader-service-account-istio-remote-secret-token";

/// The builder.
pub(super) struct Token;

#[derive(Serialize)]
struct Params {
    service_account: &'static str,
    secret: &'static str,
}

const PARAMS: Params = Params { service_account: SERVICE_ACCOUNT, secret: SECRET };

impl Builder for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[]
    }

    fn templates(&self) -> &'static [&'static str] {
        &[TEMPLATE]
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        RecipeBuilder::new(self.name(), Some(scope.own().name.as_str()), scope.build_id)
            .input(format!("template {TEMPLATE}"), scope.templates.digest(TEMPLATE))
            .finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let text = scope.templates.render(TEMPLATE, &PARAMS).map_err(fault)?;
        let objects = Objects {
            cluster: scope.own().name.as_str(),
            stage: Stage::Tokens,
            template: TEMPLATE,
            plaintext: &[],
        };
        objects.split(&text, |_| ())
    }
}
