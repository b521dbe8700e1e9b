//! `70-samples`: helloworld, one version a cluster, and a client to call it with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::artifact::{Objects, fault};
use super::{Builder, Output, Scope, Stage, image};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::Diagnostics;

const TEMPLATES: [&str; 2] = ["samples/helloworld.yaml", "samples/sleep.yaml"];

/// The builder.
pub(super) struct Samples;

#[derive(Serialize)]
struct Params<'a> {
    namespace: &'a str,
    version: &'a str,
    helloworld_image: String,
    sleep_image: &'static str,
    images: &'a BTreeMap<String, Option<String>>,
}

fn params<'a>(scope: &Scope<'a>) -> Params<'a> {
    let cluster = scope.own();
    // there are images of v1 and v2 alone; the template names the others by a variable
    let version = cluster.helloworld.as_str();
    let image = if version == "v2" { "examples-helloworld-v2" } else { "examples-helloworld-v1" };
    // as the samples of that release have them (istio-facts, "helloworld / sleep / curl")
    let (hub, tag, sleep_image) = match cluster.istio.minor {
        ..=23 => ("docker.io/istio", "", "curlimages/curl"),
        24..=29 => ("docker.io/istio", ":1.0", "curlimages/curl"),
        _ => ("registry.istio.io/release", ":1.0", "docker.io/curlimages/curl:8.16.0"),
    };
    Params {
        namespace: cluster.settings.sample_namespace().unwrap_or("sample"),
        version,
        helloworld_image: format!("{hub}/{image}{tag}"),
        sleep_image,
        images: &cluster.settings.images,
    }
}

impl Builder for Samples {
    fn name(&self) -> &'static str {
        "samples"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[&["samples"], &["istio", "version"], &["images"]]
    }

    fn templates(&self) -> &'static [&'static str] {
        &TEMPLATES
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        let mut recipe =
            RecipeBuilder::new(self.name(), Some(scope.own().name.as_str()), scope.build_id);
        for template in TEMPLATES {
            let digest = scope.templates.digest(template);
            recipe = recipe.input(format!("template {template}"), digest);
        }
        recipe.part("mesh", &params(scope)).finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let params = params(scope);
        let mut outputs = Vec::new();
        for template in TEMPLATES {
            let text = scope.templates.render(template, &params).map_err(fault)?;
            let objects = Objects {
                cluster: scope.own().name.as_str(),
                stage: Stage::Samples,
                template,
                plaintext: &[],
            };
            outputs.extend(
                objects.split(&text, |object| image::rewrite_containers(object, params.images))?,
            );
        }
        Ok(outputs)
    }
}
