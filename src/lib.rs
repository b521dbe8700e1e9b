//! meshgen: one `mesh.yaml` becomes a content-addressed tree of everything that an Istio mesh
//! across clusters and regions needs.
//!
//! One way through, each arrow a function:
//!
//! ```text
//! mesh.yaml, profiles/, templates/, facts/, pki/
//!   ─ load ─▶ Spec ─ resolve ─▶ Mesh ─ derive ─▶ tasks ─ realise ─▶ artifacts ─ assemble ─▶ index ─ write ─▶ out/
//! ```
//!
//! [`prepare`] loads, resolves and checks; [`realise`] derives, builds and assembles. Both are
//! functions of the inputs: no clock, no randomness, no environment, no network. ARCHITECTURE.md is
//! the map of the rooms.
//!
//! Beside that flow stand [`gotmpl`], Go's text/template, [`helm`], which renders charts with it, and [`istio`], which
//! makes a control plane of an `IstioOperator` and a release's charts. [`cluster`] brings a tree to
//! live clusters.

pub mod bundle;
pub mod cli;
pub mod cluster;
pub mod derivation;
pub mod diag;
pub mod diff;
pub mod fetch;
pub mod file;
pub mod gitops;
pub mod gotmpl;
pub mod helm;
pub mod inputs;
pub mod istio;
pub mod mesh;
pub mod object;
pub mod pin;
pub mod pki;
pub mod registry;
pub mod render;
pub mod spec;
pub mod store;
pub mod tree;
pub mod ui;
pub mod verify;
pub mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use derivation::{Built, Recipe};
use diag::{Diagnostic, Diagnostics, Sources, render_rules};
use file::Disk;
use inputs::{Inputs, Memory};
use render::{Output, Packages, Shared, Task, Templates};
use store::{Digest, Record};
use tree::{ArtifactRow, ClusterRow, PendingRow, TreePath, TreePathError};

/// Names this executable in recipes: another one may build otherwise. It is made at compile time
/// from the sources, the dependencies and the compiler (build.rs).
pub const BUILD_ID: &str = env!("MESHGEN_BUILD_ID");

/// A project that was read and checked.
#[derive(Debug)]
pub struct Prepared {
    /// Its inputs and templates; `None` where they cannot be understood.
    pub project: Option<Project>,
    /// Everything that was found wrong.
    pub diagnostics: Diagnostics,
    /// The texts that diagnostics point into.
    pub sources: Sources,
}

/// Inputs and templates of a mesh.
#[derive(Debug)]
pub struct Project {
    /// The inputs.
    pub inputs: Inputs,
    /// The templates, overridden by the project's own.
    pub templates: Templates,
    /// The charts of its pins.
    pub packages: Packages,
}

impl Project {
    /// The derivations of clusters and of the mesh; those of what clusters share come from theirs.
    pub fn tasks<'a>(&'a self, build_id: &'a str) -> Vec<Task<'a>> {
        render::derive(&self.inputs, &self.templates, &self.packages, build_id)
    }

    /// The derivations of what clusters share.
    pub fn shared_tasks<'a>(&'a self, build_id: &'a str, shared: &'a [Shared]) -> Vec<Task<'a>> {
        render::derive_shared(&self.inputs, &self.templates, &self.packages, build_id, shared)
    }
}

/// Reads and checks all inputs of a project. Changes nothing.
pub fn prepare(disk: &Disk, folder: &Path, memory: &dyn Memory, build_id: &str) -> Prepared {
    let inputs::Loaded { inputs, mut diagnostics, mut sources } =
        inputs::load(disk, folder, memory, build_id);
    let project = inputs.map(|inputs| {
        let templates = Templates::new(&inputs.templates, &mut sources, &mut diagnostics);
        let packages = Packages::new(&inputs);
        Project { inputs, templates, packages }
    });
    Prepared { project, diagnostics, sources }
}

/// Where artifacts go as they are built, and where known ones come from.
pub trait Sink: Sync {
    /// Why an artifact cannot be taken.
    type Error: Send;

    /// The outputs of a recipe that was realised before, if all of them are still there.
    fn known(&self, recipe: &Recipe) -> Result<Option<Vec<store::Output>>, Self::Error>;

    /// Takes an artifact.
    fn add(&self, path: TreePath, bytes: Vec<u8>) -> Result<Digest, Self::Error>;

    /// Remembers what a recipe gave.
    fn remember(&self, recipe: &Recipe, outputs: &[store::Output]);
}

/// Why a tree cannot be made.
#[derive(Debug)]
pub enum RealiseError<E> {
    /// Inputs, templates or objects are at fault.
    Invalid(Diagnostics),
    /// The sink is at fault.
    Sink(E),
}

/// A tree whose artifacts the sink has.
#[derive(Debug, Clone)]
pub struct Realised {
    /// The text of `index.json`; its sha256 is the tree's digest.
    pub index: String,
    /// How it came to be.
    pub record: Record,
    /// Files that wait for facts: path, and what is missing.
    pub pending: Vec<(String, Vec<String>)>,
    /// Clusters whose facts are made up.
    pub examples: Vec<String>,
    /// Clusters whose control plane is left to istioctl.
    pub without_charts: Vec<String>,
    /// What has no effect, or not the one that it looks like.
    pub warnings: Diagnostics,
    /// How many artifacts there are.
    pub artifacts: usize,
    /// How many derivations were built, and not known.
    pub built: usize,
    /// How many derivations there are.
    pub derivations: usize,
}

/// Derives, builds what is not known, and assembles the index.
///
/// Runs on all threads of the current pool; the result does not depend on their number. All faults
/// of all builders are collected.
pub fn realise<S: Sink>(
    project: &Project,
    sink: &S,
    build_id: &str,
    tick: &(dyn Fn() + Sync),
) -> Result<Realised, RealiseError<S::Error>> {
    let inputs = &project.inputs;
    let tasks = project.tasks(build_id);
    let recipe = |task: &Task<'_>| task.builder.recipe(&task.scope);
    let build = |task: &Task<'_>, recipe: &Recipe| {
        let result = build(task, recipe, sink);
        tick();
        result
    };
    let known = |recipe: &Recipe| sink.known(recipe).map_err(RealiseError::Sink);
    let mut done = derivation::realise(&tasks, recipe, known, build).map_err(first_of)?;
    let (warnings, shared) = remarks(inputs, &mut done);
    let shared = project.shared_tasks(build_id, &shared);
    done.extend(derivation::realise(&shared, recipe, known, build).map_err(first_of)?);
    let derivations = done.len();
    let built = done.iter().filter(|(_, outputs)| matches!(outputs, Built::Fresh(_))).count();
    let (recipes, outputs): (Vec<Recipe>, Vec<_>) = done.into_iter().unzip();
    let mut outputs: Vec<_> = outputs.into_iter().flat_map(Built::into_inner).collect();
    outputs.par_sort_by(|a, b| a.path.cmp(&b.path));
    let examples = names_of(inputs, |cluster| {
        inputs.facts.get(cluster.name.as_str()).is_some_and(|facts| facts.example)
    });
    let without_charts = names_of(inputs, |cluster| cluster.settings.charts().is_none());
    let (index, (diagnostics, record)) = rayon::join(
        || assemble(inputs, &examples, &outputs),
        || (unique_objects(&outputs), record(inputs, &recipes)),
    );
    if diagnostics.has_errors() {
        return Err(RealiseError::Invalid(diagnostics));
    }
    let pending = outputs.iter().filter_map(pending_needs).collect();
    let artifacts = outputs.iter().filter(|output| output.artifact.is_some()).count();
    Ok(Realised {
        index,
        record,
        pending,
        examples,
        without_charts,
        warnings,
        artifacts,
        built,
        derivations,
    })
}

/// What a builder says beside its files, in the cache of derivations too: on a line of its own,
/// without an artifact.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Remark {
    /// The cluster gets a file that clusters share.
    Shares(String),
    /// Something has no effect.
    Warning {
        /// The setting of the `IstioOperator`.
        setting: String,
        message: String,
        hint: Option<String>,
    },
}

impl Remark {
    fn to_output(&self) -> store::Output {
        let row = serde_json::to_string(self).expect("a remark holds strings alone");
        store::Output { path: String::new(), artifact: None, row }
    }

    fn of(output: &store::Output) -> Option<Self> {
        if !output.path.is_empty() {
            return None;
        }
        serde_json::from_str(&output.row).ok()
    }
}

/// Takes the remarks out of what derivations gave.
fn remarks(
    inputs: &Inputs,
    done: &mut [(Recipe, Built<Vec<store::Output>>)],
) -> (Diagnostics, Vec<Shared>) {
    let mut warnings = Diagnostics::new();
    let mut shares: Vec<(String, &str)> = Vec::new();
    for (recipe, outputs) in done {
        let cluster = recipe.cluster.as_deref().unwrap_or_default();
        let outputs = match outputs {
            Built::Known(outputs) | Built::Fresh(outputs) => outputs,
        };
        outputs.retain(|output| {
            let Some(remark) = Remark::of(output) else { return true };
            match remark {
                Remark::Shares(path) => shares.push((path, cluster)),
                Remark::Warning { setting, message, hint } => {
                    warnings.push(warning(inputs, cluster, &setting, &message, hint));
                }
            }
            false
        });
    }
    mesh::allow_rendered(&inputs.spec, &mut warnings);
    warnings.sort();
    (warnings, Shared::group(shares.iter().map(|(path, cluster)| (path.as_str(), *cluster))))
}

/// A warning with the place in mesh.yaml, which may have moved since it was remembered.
fn warning(
    inputs: &Inputs,
    cluster: &str,
    setting: &str,
    message: &str,
    hint: Option<String>,
) -> Diagnostic {
    let own = inputs.mesh.enabled().find(|one| one.name.as_str() == cluster);
    let place = own.and_then(|own| render::setting_place(inputs, own, setting));
    let warning = Diagnostic::new(&render_rules::UNUSED_SETTING, format!("`{cluster}`: {message}"))
        .in_file(format!("out/{cluster}/istio-operator.yaml"))
        .at_maybe(place, "")
        .of_cluster(cluster);
    match hint {
        Some(hint) => warning.hint(hint),
        None => warning,
    }
}

fn record(inputs: &Inputs, recipes: &[Recipe]) -> Record {
    let name = |recipe: &Recipe| match &recipe.cluster {
        Some(cluster) => format!("{cluster}/{}", recipe.builder),
        None => recipe.builder.to_owned(),
    };
    Record {
        meshgen: env!("CARGO_PKG_VERSION").to_owned(),
        inputs: inputs.files.iter().map(|file| (file.path.clone(), file.digest)).collect(),
        derivations: recipes.iter().map(|recipe| (name(recipe), recipe.digest)).collect(),
    }
}

/// A sink's fault stops everything; faults of builders are told together.
fn first_of<E>(failures: Vec<derivation::Failure<RealiseError<E>>>) -> RealiseError<E> {
    let mut diagnostics = Diagnostics::new();
    for failure in failures {
        match failure.error {
            RealiseError::Invalid(found) => diagnostics.extend(found),
            fault @ RealiseError::Sink(_) => return fault,
        }
    }
    diagnostics.sort();
    RealiseError::Invalid(diagnostics)
}

fn build<S: Sink>(
    task: &Task<'_>,
    recipe: &Recipe,
    sink: &S,
) -> Result<Vec<store::Output>, RealiseError<S::Error>> {
    let outputs = task.builder.build(&task.scope).map_err(RealiseError::Invalid)?;
    let mut lines = Vec::with_capacity(outputs.len());
    for output in outputs {
        lines.push(match output {
            Output::Artifact(artifact) => {
                let path = tree_path(&artifact.path).map_err(RealiseError::Invalid)?;
                let size = artifact.bytes.len() as u64;
                let digest = sink.add(path.clone(), artifact.bytes).map_err(RealiseError::Sink)?;
                let row = artifact_row(path, digest, artifact.delivery);
                store::Output { path: artifact.path, artifact: Some((digest, size)), row }
            }
            Output::Pending(pending) => {
                let path = tree_path(&pending.path).map_err(RealiseError::Invalid)?;
                let (stage, targets, object) = match pending.delivery {
                    Some((stage, targets, object)) => (Some(stage), Some(targets), Some(object)),
                    None => (None, None, None),
                };
                let stage = stage.map(|stage| stage.as_str().to_owned());
                let row = PendingRow { path, needs: pending.needs, stage, targets, object };
                store::Output { path: pending.path, artifact: None, row: row.to_line() }
            }
            Output::Shared(path) => Remark::Shares(path).to_output(),
            Output::Warning { setting, message, hint } => {
                Remark::Warning { setting, message, hint }.to_output()
            }
        });
    }
    sink.remember(recipe, &lines);
    Ok(lines)
}

fn tree_path(path: &str) -> Result<TreePath, Diagnostics> {
    path.parse().map_err(|error: TreePathError| {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(Diagnostic::new(&render_rules::NO_NAME, error.to_string()));
        diagnostics
    })
}

fn artifact_row(path: TreePath, digest: Digest, delivery: Option<render::Delivery>) -> String {
    let row = match delivery {
        Some(delivery) => ArtifactRow {
            path,
            digest,
            stage: Some(delivery.stage.as_str().to_owned()),
            targets: Some(delivery.targets),
            object: Some(delivery.object),
            sealed: delivery.sealed,
            bindings: delivery.bindings,
            handover: delivery.handover,
        },
        None => ArtifactRow {
            path,
            digest,
            stage: None,
            targets: None,
            object: None,
            sealed: Vec::new(),
            bindings: Vec::new(),
            handover: Vec::new(),
        },
    };
    row.to_line()
}

/// No two objects of one cluster have one identity: their file names, which come from it alone,
/// would be equal.
fn unique_objects(outputs: &[store::Output]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut of = "";
    for output in outputs {
        let mut parts = output.path.splitn(3, '/');
        let (Some(cluster), Some(_), Some(file)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        // a cluster gets the files of one pin alone, and its builder sees to those
        if cluster == render::CRDS_FOLDER {
            continue;
        }
        // sorted by path: the files of a cluster stand together
        if cluster != of {
            (of, seen) = (cluster, BTreeMap::new());
        }
        if let Some(first) = seen.insert(file, &output.path) {
            let message = format!("`{first}` and `{}` hold one object of `{cluster}`", output.path);
            diagnostics.push(
                Diagnostic::new(&render_rules::DUPLICATE_OBJECT, message).of_cluster(cluster),
            );
        }
    }
    diagnostics
}

/// The names of the enabled clusters of which something holds, sorted.
fn names_of(inputs: &Inputs, holds: impl Fn(&mesh::Cluster) -> bool) -> Vec<String> {
    let clusters = inputs.mesh.enabled().filter(|cluster| holds(cluster));
    let mut names: Vec<String> = clusters.map(|cluster| cluster.name.to_string()).collect();
    names.sort();
    names
}

fn assemble(inputs: &Inputs, examples: &[String], outputs: &[store::Output]) -> String {
    let mut clusters: Vec<ClusterRow> = inputs
        .mesh
        .enabled()
        .map(|cluster| ClusterRow {
            name: cluster.name.as_str().to_owned(),
            network: cluster.network.as_str().to_owned(),
            context: cluster.context.clone(),
            uid: inputs
                .facts
                .get(cluster.name.as_str())
                .and_then(|facts| facts.uid())
                .map(str::to_owned),
        })
        .collect();
    clusters.sort_by(|a, b| a.name.cmp(&b.name));
    let rows = |pending: bool| {
        outputs
            .iter()
            .filter(move |output| output.artifact.is_none() == pending)
            .map(|output| output.row.as_str())
            .collect::<Vec<&str>>()
    };
    tree::assemble(&inputs.mesh.name, &clusters, examples, &rows(true), &rows(false))
}

fn pending_needs(output: &store::Output) -> Option<(String, Vec<String>)> {
    if output.artifact.is_some() {
        return None;
    }
    let row: PendingRow = serde_json::from_str(&output.row).ok()?;
    Some((output.path.clone(), row.needs))
}
