//! Builders: one file an artifact kind.
//!
//! A builder reads what its recipe names and nothing else: [`Builder::recipe`] and [`Builder::build`]
//! share one parameter type, so that they cannot part.

mod artifact;
mod cacerts;
mod control_plane;
mod crd;
mod expose;
mod guard;
mod hcl;
mod image;
mod kubeconfig;
mod namespace;
mod operator;
mod package;
mod remote_secret;
mod sample;
mod stage;
mod template;
mod tfvars;
mod token;

pub use artifact::{Artifact, Delivery, Output, Pending};
pub use control_plane::setting_place;
pub use crd::{FOLDER as CRDS_FOLDER, Shared};
pub use image::rewrite as rewrite_image;
pub use package::Packages;
pub use stage::Stage;
pub use template::{BUILT_IN as BUILT_IN_TEMPLATES, Templates};

use crate::derivation::Recipe;
use crate::diag::Diagnostics;
use crate::inputs::Inputs;
use crate::mesh::Provider;
use crate::mesh::{Cluster, Mesh};

/// Makes artifacts of one kind.
pub trait Builder: Sync {
    /// Its name, in recipes and in `why`.
    fn name(&self) -> &'static str;

    /// The settings of mesh and profiles that it reads, as paths: `["istio", "values"]`.
    fn settings(&self) -> &'static [&'static [&'static str]];

    /// The template that it renders, if it renders one.
    fn templates(&self) -> &'static [&'static str];

    /// The facts that it reads, by name.
    fn facts(&self, _scope: &Scope<'_>) -> Vec<String> {
        Vec::new()
    }

    /// The file of a chart that gives an artifact, with its pin, if one does.
    fn chart_file(&self, _scope: &Scope<'_>, _path: &str) -> Option<String> {
        None
    }

    /// Everything that [`Builder::build`] reads, by digest.
    fn recipe(&self, scope: &Scope<'_>) -> Recipe;

    /// Builds the artifacts.
    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics>;
}

/// What a builder works on.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// All inputs.
    pub inputs: &'a Inputs,
    /// The templates.
    pub templates: &'a Templates,
    /// The cluster; absent for what the mesh has once.
    pub cluster: Option<&'a Cluster>,
    /// The charts of the mesh's pins.
    pub packages: &'a Packages,
    /// What clusters share of a pin; absent but for what is written once a pin.
    pub shared: Option<&'a Shared>,
    /// Names the executable in recipes.
    pub build_id: &'a str,
}

impl<'a> Scope<'a> {
    fn mesh(&self) -> &'a Mesh {
        &self.inputs.mesh
    }

    fn shared(&self) -> &'a Shared {
        self.shared.expect("a task of a pin has what clusters share of it")
    }

    fn pinned(&self, pin: &str) -> &'a package::Pinned {
        self.packages.get(pin).expect("the pins of clusters were checked")
    }

    /// The cluster of a builder that has one.
    fn own(&self) -> &'a Cluster {
        self.cluster.expect("a task of a cluster has its cluster")
    }
}

/// One derivation to realise.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Who builds.
    pub builder: &'static dyn Builder,
    /// What it works on.
    pub scope: Scope<'a>,
}

/// Every builder; those that a cluster has, and the one that the mesh has once.
static TFVARS: tfvars::Tfvars = tfvars::Tfvars;
static OPERATOR: operator::Operator = operator::Operator;
static CONTROL_PLANE: control_plane::ControlPlane = control_plane::ControlPlane;
static CRDS: crd::Crds = crd::Crds;
static NAMESPACES: namespace::Namespaces = namespace::Namespaces;
static CACERTS: cacerts::Cacerts = cacerts::Cacerts;
static EXPOSE: expose::Expose = expose::Expose;
static TOKEN: token::Token = token::Token;
static REMOTE_SECRET: remote_secret::RemoteSecret = remote_secret::RemoteSecret;
static SAMPLES: sample::Samples = sample::Samples;

/// The derivations of a mesh.
///
/// What exists for pairs of clusters is one derivation a cluster: their number grows with the number
/// of clusters alone.
pub fn derive<'a>(
    inputs: &'a Inputs,
    templates: &'a Templates,
    packages: &'a Packages,
    build_id: &'a str,
) -> Vec<Task<'a>> {
    let mesh = &inputs.mesh;
    let whole = Scope { inputs, templates, cluster: None, packages, shared: None, build_id };
    let mut tasks = Vec::new();
    if mesh.clusters.iter().any(|cluster| cluster.provider == Provider::Oke) {
        tasks.push(Task { builder: &TFVARS, scope: whole });
    }
    let several_networks = mesh.networks().len() > 1;
    let has_peers = mesh.has_peers();
    for cluster in mesh.enabled() {
        let scope = Scope { cluster: Some(cluster), ..whole };
        let mut add = |builder: &'static dyn Builder| tasks.push(Task { builder, scope });
        add(&OPERATOR);
        if cluster.settings.charts().is_some() {
            add(&CONTROL_PLANE);
        }
        add(&NAMESPACES);
        add(&CACERTS);
        if several_networks && cluster.has_east_west {
            add(&EXPOSE);
        }
        if has_peers {
            add(&TOKEN);
            add(&REMOTE_SECRET);
        }
        if cluster.settings.sample_namespace().is_some() {
            add(&SAMPLES);
        }
    }
    tasks
}

/// The derivations of what clusters share, which come from what those of the clusters gave.
pub fn derive_shared<'a>(
    inputs: &'a Inputs,
    templates: &'a Templates,
    packages: &'a Packages,
    build_id: &'a str,
    shared: &'a [Shared],
) -> Vec<Task<'a>> {
    let whole = Scope { inputs, templates, cluster: None, packages, shared: None, build_id };
    let task =
        |one: &'a Shared| Task { builder: &CRDS, scope: Scope { shared: Some(one), ..whole } };
    shared.iter().map(task).collect()
}
