//! `meshgen chart render`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{explain, folder};
use crate::cli::commands::layers;
use crate::cli::{CommandError, Context, Exit};
use crate::gotmpl::Limits;
use crate::helm::{
    AssignKind, Capabilities, KubeVersion, Manifests, Release, Request, assign, assign_text, check,
    overlay, read_values, render,
};

/// The longest name of a release: Helm's.
const MAX_NAME: usize = 53;

/// Print what `helm template` prints.
///
/// CHART is a folder or a .tgz, with its dependencies in charts/. Manifests and their order are those
/// of Helm 4, byte for byte. No cluster is asked: `lookup` finds nothing, and what the cluster can do
/// is what Helm assumes, changed by --kube-version and --api-versions.
///
/// Rendering is pure: functions that look at the clock, at the environment, at the network or at
/// randomness (`now`, `env`, `getHostByName`, `randAlphaNum`, `genCA`, …) end it with an error. So do
/// limits on steps, memory, output and nesting, which keep a hostile chart from hanging the machine.
///
/// Values go over each other in Helm's order: the chart's own, each -f, then every --set-json, every
/// --set, every --set-string, every --set-file. A null takes a default away.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The chart: a folder, or a .tgz.
    #[arg(value_name = "CHART")]
    chart: PathBuf,

    /// A file of values; `-`: standard input. Can be repeated, later ones go over earlier ones.
    #[arg(short = 'f', long, value_name = "FILE")]
    values: Vec<PathBuf>,

    /// Values by their paths: `a.b=1,list[0]=x,c={p,q}`. Can be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// The same, but every value is a string.
    #[arg(long, value_name = "PATH=TEXT")]
    set_string: Vec<String>,

    /// The same, but values are JSON; also a whole JSON object.
    #[arg(long, value_name = "PATH=JSON")]
    set_json: Vec<String>,

    /// The same, but the value is the content of a file.
    #[arg(long, value_name = "PATH=FILE")]
    set_file: Vec<String>,

    /// Print no manifests, but where a value comes from: every layer that has it, the weakest first.
    /// `image.tag`, `list[0].name`.
    #[arg(long, value_name = "PATH")]
    explain: Option<String>,

    /// The namespace: `.Release.Namespace`.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,

    /// The name of the release: `.Release.Name`.
    #[arg(long, value_name = "RELEASE", default_value = "release-name")]
    name: String,

    /// The version of Kubernetes: `.Capabilities.KubeVersion`.
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,

    /// API versions that the cluster has beside Kubernetes' own: `example.org/v1`. Can be repeated,
    /// or separated by commas.
    #[arg(long, short = 'a', value_name = "VERSIONS", value_delimiter = ',')]
    api_versions: Vec<String>,

    /// Print the files in crds/ as well, first.
    #[arg(long)]
    include_crds: bool,

    /// Render as for an upgrade: `.Release.IsUpgrade`, and not `.Release.IsInstall`.
    #[arg(long)]
    is_upgrade: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen chart render charts/istiod -n istio-system -f values.yaml --set pilot.replicaCount=2
  meshgen chart render grafana-10.1.0.tgz --name grafana --kube-version 1.33 --include-crds";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let chart = folder::load(&context.disk, &args.chart)?;
    if let Some(path) = &args.explain {
        let found = explain::layers(&chart, &sources(context, args)?, path);
        return layers::print(context, path, &found);
    }
    let request = request(context, args)?;
    if chart.metadata.is_library() {
        return Err(CommandError::refused("library charts are not installable"));
    }
    let manifests = check(&chart, &request.capabilities)
        .and_then(|()| render(&chart, &request))
        .and_then(|rendered| Manifests::sort(&chart.metadata.name, &rendered))
        .map_err(|error| folder::refused(&error))?;
    context.print(&manifests.text(args.include_crds));
    Ok(Exit::Done)
}

fn request(context: &Context, args: &Args) -> Result<Request, CommandError> {
    if !is_release_name(&args.name) {
        return Err(CommandError::refused(format!("`{}` is no name of a release", args.name))
            .hint(format!("letters in lower case, digits, `-` and `.`, at most {MAX_NAME}")));
    }
    let mut capabilities = Capabilities::default();
    if let Some(version) = &args.kube_version {
        capabilities.kube_version = KubeVersion::parse(version).ok_or_else(|| {
            CommandError::refused(format!("`{version}` is no version of Kubernetes"))
                .hint("write it as `1.33` or `v1.33.4`")
        })?;
    }
    capabilities.api_versions.extend(args.api_versions.iter().cloned());
    Ok(Request {
        values: values(context, args)?,
        integers: true,
        release: Release {
            name: args.name.clone(),
            namespace: args.namespace.clone(),
            revision: 1,
            is_install: !args.is_upgrade,
            is_upgrade: args.is_upgrade,
        },
        capabilities,
        skip_schema: false,
        strict: false,
        limits: Limits::default(),
    })
}

/// Helm's rule: what a subdomain of DNS may be, and no longer than 53.
fn is_release_name(name: &str) -> bool {
    let part = |part: &str| {
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(inside)
    };
    name.len() <= MAX_NAME && name.split('.').all(part)
}

/// Everything that the user set, in Helm's order.
fn values(context: &Context, args: &Args) -> Result<Map<String, Value>, CommandError> {
    let mut values = Map::new();
    every(context, args, &mut |_, change| change(&mut values))?;
    Ok(values)
}

/// What each file and flag sets by itself, in Helm's order.
fn sources(context: &Context, args: &Args) -> Result<explain::Sources, CommandError> {
    let mut sources = Vec::new();
    every(context, args, &mut |name, change| {
        let mut values = Map::new();
        change(&mut values)?;
        sources.push((name, values));
        Ok(())
    })?;
    Ok(sources)
}

/// A change of values.
type Change<'a> = &'a dyn Fn(&mut Map<String, Value>) -> Result<(), CommandError>;

/// What is done with each: its name, and the change.
type Visit<'a> = &'a mut dyn FnMut(String, Change<'_>) -> Result<(), CommandError>;

/// Goes through everything that the user set, in Helm's order.
fn every(context: &Context, args: &Args, visit: Visit<'_>) -> Result<(), CommandError> {
    for path in &args.values {
        let name = path.display();
        let read = read_values(&context.text_of(path)?);
        let read = read.map_err(|reason| CommandError::refused(format!("{name}: {reason}")))?;
        visit(format!("-f {name}"), &|values| {
            overlay(values, read.clone());
            Ok(())
        })?;
    }
    let refused = |flag: &str, line: &str, reason: String| {
        CommandError::refused(format!("`{flag} {line}`: {reason}"))
    };
    for line in &args.set_json {
        let whole = line.trim_start().starts_with('{').then(|| format!("values={line}"));
        visit(format!("--set-json {line}"), &|values| {
            let mut read = Map::new();
            let into = if whole.is_some() { &mut read } else { &mut *values };
            assign(into, whole.as_deref().unwrap_or(line), AssignKind::Json)
                .map_err(|reason| refused("--set-json", line, reason))?;
            if let Some(Value::Object(read)) = read.remove("values") {
                overlay(values, read);
            }
            Ok(())
        })?;
    }
    for (flag, lines, kind) in [
        ("--set", &args.set, AssignKind::Typed),
        ("--set-string", &args.set_string, AssignKind::Text),
    ] {
        for line in lines {
            visit(format!("{flag} {line}"), &|values| {
                assign(values, line, kind).map_err(|reason| refused(flag, line, reason))
            })?;
        }
    }
    for pair in args.set_file.iter().flat_map(|line| line.split(',')) {
        let refused = |reason: String| refused("--set-file", pair, reason);
        let (path, file) =
            pair.split_once('=').ok_or_else(|| refused("it has the form PATH=FILE".to_owned()))?;
        let content = context.text_of(Path::new(file))?;
        visit(format!("--set-file {pair}"), &|values| {
            assign_text(values, path, &content).map_err(refused)
        })?;
    }
    Ok(())
}
