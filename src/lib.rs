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
//! makes a control plane of an `IstioOperator` and a release's charts.

pub mod cli;
pub mod derivation;
pub mod diag;
pub mod diff;
pub mod file;
pub mod gotmpl;
pub mod helm;
pub mod inputs;
pub mod istio;
pub mod mesh;
pub mod object;
pub mod pki;
pub mod render;
pub mod spec;
pub mod store;
pub mod tree;
pub mod ui;
pub mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use derivation::{Built, Recipe};
use diag::{Diagnostic, Diagnostics, Sources, render_rules};
use file::Disk;
use inputs::{Inputs, Memory};
use render::{Output, Task, Templates};
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
}

/// Reads and checks all inputs of a project. Changes nothing.
pub fn prepare(disk: &Disk, folder: &Path, memory: &dyn Memory, build_id: &str) -> Prepared {
    let inputs::Loaded { inputs, mut diagnostics, mut sources } =
        inputs::load(disk, folder, memory, build_id);
    let project = inputs.map(|inputs| {
        let templates = Templates::new(&inputs.templates, &mut sources, &mut diagnostics);
        Project { inputs, templates }
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
    let tasks = render::derive(&project.inputs, &project.templates, build_id);
    let recipe = |task: &Task<'_>| task.builder.recipe(&task.scope);
    let build = |task: &Task<'_>, recipe: &Recipe| {
        let result = build(task, recipe, sink);
        tick();
        result
    };
    let known = |recipe: &Recipe| sink.known(recipe).map_err(RealiseError::Sink);
    let done = derivation::realise(&tasks, recipe, known, build).map_err(first_of)?;
    let built = done.iter().filter(|(_, outputs)| matches!(outputs, Built::Fresh(_))).count();
    let mut derivations = BTreeMap::new();
    let mut outputs = Vec::with_capacity(done.len() * 2);
    for (recipe, result) in done {
        let name = match &recipe.cluster {
            Some(cluster) => format!("{cluster}/{}", recipe.builder),
            None => recipe.builder.to_owned(),
        };
        derivations.insert(name, recipe.digest);
        outputs.extend(result.into_inner());
    }
    outputs.sort_by(|a, b| a.path.cmp(&b.path));
    let mut diagnostics = Diagnostics::new();
    unique_objects(&outputs, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(RealiseError::Invalid(diagnostics));
    }
    let examples = examples(&project.inputs);
    let index = assemble(&project.inputs, &examples, &outputs);
    let inputs = project.inputs.files.iter().map(|file| (file.path.clone(), file.digest)).collect();
    let record = Record { meshgen: env!("CARGO_PKG_VERSION").to_owned(), inputs, derivations };
    let pending = outputs.iter().filter_map(pending_needs).collect();
    let artifacts = outputs.iter().filter(|output| output.artifact.is_some()).count();
    Ok(Realised { index, record, pending, examples, artifacts, built, derivations: tasks.len() })
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
fn unique_objects(outputs: &[store::Output], diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for output in outputs {
        let mut parts = output.path.splitn(3, '/');
        let (Some(cluster), Some(_), Some(file)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if let Some(first) = seen.insert((cluster, file), &output.path) {
            let message = format!("`{first}` and `{}` hold one object of `{cluster}`", output.path);
            diagnostics.push(
                Diagnostic::new(&render_rules::DUPLICATE_OBJECT, message).of_cluster(cluster),
            );
        }
    }
}

fn examples(inputs: &Inputs) -> Vec<String> {
    let is_example = |name: &str| inputs.facts.get(name).is_some_and(|facts| facts.example);
    let mut names: Vec<String> = inputs
        .mesh
        .enabled()
        .map(|cluster| cluster.name.as_str())
        .filter(|name| is_example(name))
        .map(str::to_owned)
        .collect();
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
    };
    tree::assemble(&inputs.mesh.name, &clusters, examples, rows(true), rows(false))
}

fn pending_needs(output: &store::Output) -> Option<(String, Vec<String>)> {
    if output.artifact.is_some() {
        return None;
    }
    let row: PendingRow = serde_json::from_str(&output.row).ok()?;
    Some((output.path.clone(), row.needs))
}
