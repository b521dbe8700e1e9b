//! `50-expose`: the Gateway that lets other networks in.

use serde::Serialize;

use super::artifact::{Objects, fault};
use super::{Builder, Output, Scope, Stage};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::Diagnostics;

const TEMPLATE: &str = "expose/expose-services.yaml";

/// First Istio minor that serves `networking.istio.io/v1`.
const V1_SINCE: u64 = 22;

/// The builder.
pub(super) struct Expose;

#[derive(Serialize)]
struct Params {
    api_version: &'static str,
}

fn params(scope: &Scope<'_>) -> Params {
    let istio = &scope.own().istio;
    let is_old = istio.major == 1 && istio.minor < V1_SINCE;
    Params {
        api_version: if is_old { "networking.istio.io/v1alpha3" } else { "networking.istio.io/v1" },
    }
}

impl Builder for Expose {
    fn name(&self) -> &'static str {
        "expose"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[&["istio", "version"], &["network"], &["gateways", "eastWest", "enabled"]]
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
        let text = scope.templates.render(TEMPLATE, &params(scope)).map_err(fault)?;
        let objects = Objects {
            cluster: scope.own().name.as_str(),
            stage: Stage::Expose,
            template: TEMPLATE,
            plaintext: &[],
        };
        objects.split(&text, |_| ())
    }
}
