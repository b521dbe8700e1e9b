//! `meshgen why`.

use std::fmt::Write;

use serde_json::json;

use crate::cli::{CommandError, Context, Exit};
use crate::diag::Sources;
use crate::inputs::NoMemory;
use crate::render::{Output, Shared, Task};
use crate::spec::Origin;
use crate::{BUILD_ID, Project};

/// Say what is behind a rendered file: recipe, inputs, and the lines that gave its settings.
///
/// PATH is a path under out/, with or without `out/` in front. Prints the builder and the digest of
/// its recipe, every input with its digest, and for each setting that the builder reads the line of
/// mesh.yaml or of a profile that gives it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A rendered file: `c1/istio-operator.yaml`.
    path: String,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let prepared = crate::prepare(&context.disk, &context.project, &NoMemory, BUILD_ID);
    let (project, sources) = super::render::accepted(context, prepared)?;
    let path = args.path.trim_start_matches("./").trim_start_matches("out/");
    let Some(behind) = find(&project, &sources, path) else {
        return Err(CommandError::refused(format!("nothing renders `{path}`"))
            .hint("`meshgen show` lists what is rendered"));
    };
    if context.json() {
        context.print_json(&behind.to_json(path));
    } else {
        context.print(&behind.to_text(path));
    }
    Ok(Exit::Done)
}

/// What is behind a file, if anything gives it.
fn find(project: &Project, sources: &Sources, path: &str) -> Option<Behind> {
    let stem = path.strip_prefix("remote-secrets/").and_then(|file| file.strip_suffix(".yaml"));
    let first = path.split('/').next().unwrap_or(path);
    let cluster = stem.unwrap_or(first);
    // what clusters share comes from what all of them ask for
    let is_shared = first == "crds";
    let is_near = |task: &Task<'_>| {
        is_shared || task.scope.cluster.is_none_or(|own| own.name.as_str() == cluster)
    };
    let mut shares = Vec::new();
    for task in project.tasks(BUILD_ID).iter().filter(|task| is_near(task)) {
        let Ok(outputs) = task.builder.build(&task.scope) else { continue };
        if outputs.iter().any(|output| output.path() == Some(path)) {
            return Some(Behind::new(project, sources, task, path, &outputs));
        }
        if let Some(cluster) = task.scope.cluster.filter(|_| is_shared) {
            shares.extend(outputs.into_iter().filter_map(|output| match output {
                Output::Shared(path) => Some((path, cluster.name.as_str())),
                _ => None,
            }));
        }
    }
    let shared = Shared::group(shares.iter().map(|(path, cluster)| (path.as_str(), *cluster)));
    project.shared_tasks(BUILD_ID, &shared).iter().find_map(|task| {
        let outputs = task.builder.build(&task.scope).ok()?;
        let gives = outputs.iter().any(|output| output.path() == Some(path));
        gives.then(|| Behind::new(project, sources, task, path, &outputs))
    })
}

/// What is behind a file.
struct Behind {
    builder: &'static str,
    cluster: Option<String>,
    derivation: crate::store::Digest,
    outputs: usize,
    chart_file: Option<String>,
    inputs: Vec<(String, crate::store::Digest)>,
    templates: Vec<(String, &'static str)>,
    facts: Vec<(String, String)>,
    settings: Vec<(String, String, String)>,
}

impl Behind {
    fn new(
        project: &Project,
        sources: &Sources,
        task: &Task<'_>,
        path: &str,
        outputs: &[Output],
    ) -> Self {
        let recipe = task.builder.recipe(&task.scope);
        let inputs = &project.inputs;
        let templates = task
            .builder
            .templates()
            .iter()
            .map(|path| {
                let own = project.templates.get(path).is_some_and(|text| text.own);
                (format!("templates/{path}"), if own { "the project's own" } else { "built in" })
            })
            .collect();
        let facts = task.scope.cluster.map_or_else(Vec::new, |cluster| {
            let names = task.builder.facts(&task.scope);
            let place = |name: &String| {
                let there = inputs.fact(cluster, name).is_ok();
                let file = format!("facts/{}.json", cluster.name);
                (name.clone(), if there { file } else { format!("missing in {file}") })
            };
            names.iter().map(place).collect()
        });
        Self {
            builder: recipe.builder,
            cluster: recipe.cluster,
            derivation: recipe.digest,
            outputs: outputs.iter().filter(|output| output.path().is_some()).count(),
            chart_file: task.builder.chart_file(&task.scope, path),
            inputs: recipe.inputs.into_iter().map(|input| (input.name, input.digest)).collect(),
            templates,
            facts,
            settings: settings(project, sources, task),
        }
    }

    fn to_text(&self, path: &str) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(path.to_owned());
        let cluster = self.cluster.as_ref().map_or_else(String::new, |name| format!(" of {name}"));
        line(format!("  built by {}{cluster}, which gives {} files", self.builder, self.outputs));
        line(format!("  derivation {}", self.derivation));
        for (name, digest) in &self.inputs {
            line(format!("  reads {name} {digest}"));
        }
        for (path, whose) in &self.templates {
            line(format!("  template {path} ({whose})"));
        }
        if let Some(file) = &self.chart_file {
            line(format!("  chart {file}"));
        }
        for (name, place) in &self.facts {
            line(format!("  fact {name} ({place})"));
        }
        let width = self.settings.iter().map(|(place, ..)| place.len()).max().unwrap_or(0);
        for (place, path, value) in &self.settings {
            let mut text = String::new();
            let _ = write!(text, "  {place:width$}  {path}: {value}");
            line(text);
        }
        out
    }

    fn to_json(&self, path: &str) -> serde_json::Value {
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|(name, digest)| json!({"name": name, "digest": digest}))
            .collect();
        let templates: Vec<_> = self
            .templates
            .iter()
            .map(|(path, whose)| json!({"path": path, "origin": whose}))
            .collect();
        let facts: Vec<_> =
            self.facts.iter().map(|(name, place)| json!({"name": name, "place": place})).collect();
        let settings: Vec<_> = self
            .settings
            .iter()
            .map(|(place, path, value)| json!({"path": path, "value": value, "place": place}))
            .collect();
        json!({
            "path": path,
            "builder": self.builder,
            "cluster": self.cluster,
            "derivation": self.derivation,
            "inputs": inputs,
            "templates": templates,
            "chart": self.chart_file,
            "facts": facts,
            "settings": settings,
        })
    }
}

/// The settings that a task reads: place, path, value.
fn settings(
    project: &Project,
    sources: &Sources,
    task: &Task<'_>,
) -> Vec<(String, String, String)> {
    let spec = &project.inputs.spec;
    let cluster = task.scope.cluster.map(|cluster| &spec.clusters[cluster.index]);
    let origins = task.builder.settings().iter().flat_map(|prefix| spec.origins(cluster, prefix));
    let row = |origin: Origin| {
        let position = sources.position(origin.span.source, origin.span.start);
        let place = format!("{}:{}", sources.name(origin.span.source), position.line);
        (place, origin.path, origin.value)
    };
    origins.map(row).collect()
}
