//! `terraform/terraform.tfvars`: the variables of the OKE example.

use serde::Serialize;

use super::artifact::fault;
use super::{Artifact, Builder, Output, Scope};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::Diagnostics;
use crate::mesh::region;
use crate::mesh::{Provider, Terraform};

const TEMPLATE: &str = "terraform/terraform.tfvars";

/// The builder.
pub(super) struct Tfvars;

#[derive(Serialize)]
struct Params<'a> {
    terraform: &'a Terraform,
    home_region: Option<&'a str>,
    clusters: Vec<ClusterRow<'a>>,
    kubernetes_version: Option<&'a str>,
    istio_version: Option<&'a str>,
    mesh_id: &'a str,
}

#[derive(Serialize)]
struct ClusterRow<'a> {
    name: &'a str,
    region: &'a str,
    vcn: String,
    pods: String,
    services: String,
    enabled: bool,
}

fn params<'a>(scope: &Scope<'a>) -> Params<'a> {
    let mesh = scope.mesh();
    let text = |range: &Option<ipnet::IpNet>| range.map(|net| net.to_string()).unwrap_or_default();
    let mut clusters: Vec<ClusterRow<'a>> = mesh
        .clusters
        .iter()
        .filter(|cluster| cluster.provider == Provider::Oke)
        .map(|cluster| ClusterRow {
            name: cluster.name.as_str(),
            region: region::oke_short(cluster.region.as_deref().unwrap_or_default()),
            vcn: text(&cluster.vcn),
            pods: text(&cluster.pods),
            services: text(&cluster.services),
            enabled: cluster.enabled,
        })
        .collect();
    clusters.sort_by_key(|cluster| cluster.name);
    Params {
        terraform: &mesh.terraform,
        home_region: mesh.terraform.home_region.as_deref().map(region::oke_short),
        clusters,
        kubernetes_version: mesh.kubernetes_version.as_deref(),
        istio_version: mesh.istio_version.as_deref(),
        mesh_id: &mesh.mesh_id,
    }
}

impl Builder for Tfvars {
    fn name(&self) -> &'static str {
        "tfvars"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[&["terraform"], &["kubernetes", "version"], &["istio", "version"], &["istio", "meshID"]]
    }

    fn templates(&self) -> &'static [&'static str] {
        &[TEMPLATE]
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        RecipeBuilder::new(self.name(), None, scope.build_id)
            .input(format!("template {TEMPLATE}"), scope.templates.digest(TEMPLATE))
            .part("mesh", &params(scope))
            .finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let text = scope.templates.render(TEMPLATE, &params(scope)).map_err(fault)?;
        Ok(vec![Output::Artifact(Artifact {
            path: TEMPLATE.to_owned(),
            bytes: text.into_bytes(),
            delivery: None,
        })])
    }
}
