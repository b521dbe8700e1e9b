//! `meshgen istio generate`.

use std::path::{Path, PathBuf};

use super::package;
use crate::cli::commands::{chart, layers};
use crate::cli::{CommandError, Context, Exit};
use crate::helm::KubeVersion;
use crate::istio::{
    Document, Explained, IstioError, IstioErrors, Request, Warning, explain, generate, print, sort,
};

/// Print what `istioctl manifest generate` prints.
///
/// Objects, their order and their text are those of istioctl 1.31 with the same charts, byte for byte, whatever
/// release the charts are of. No cluster is asked.
///
/// Settings go over each other in istioctl's order: the profile `default`, the profile that is asked
/// for, each -f, each --set, -r. Where istioctl says nothing about a mistake (an overlay that matches
/// nothing, a setting that nothing reads), this warns; --strict makes errors of warnings.
///
/// istioctl takes components in a random order. Here objects of the same kind and name in two
/// namespaces always stand in the order of components.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_override_self = true)]
pub struct Args {
    /// An `IstioOperator`; `-`: standard input. Can be repeated, or separated by commas; later ones go
    /// over earlier ones.
    #[arg(short = 'f', long, value_name = "FILE")]
    filename: Vec<String>,

    /// A value by its path below `spec`: `values.global.network=n1`, `components.egressGateways[0].enabled=true`.
    /// Can be repeated.
    #[arg(short, long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// The charts: the manifests folder of an Istio release, or the release's archive.
    #[arg(short = 'd', long, value_name = "PATH", alias = "charts")]
    manifests: Option<PathBuf>,

    /// The revision of the control plane.
    #[arg(short, long, value_name = "REVISION")]
    revision: Option<String>,

    /// Go on although the specification is invalid.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        value_parser = boolean,
    )]
    force: bool,

    /// Taken and not read, as by istioctl.
    #[arg(long, value_name = "COMPONENTS", hide = true)]
    filter: Vec<String>,

    /// Make errors of warnings.
    #[arg(long)]
    strict: bool,

    /// Print no objects, but where a setting comes from: every layer that has it, the weakest first.
    /// `values.global.hub`, `components.pilot.k8s.replicaCount`.
    #[arg(long, value_name = "PATH")]
    explain: Option<String>,

    /// The version of Kubernetes that charts see.
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,

    /// Refused: what is rendered never depends on a cluster.
    #[arg(long, hide = true)]
    cluster_specific: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen istio generate -d istio-1.31.0/manifests -f out/c1/istio-operator.yaml
  meshgen istio generate -d istio-1.31.0-linux-amd64.tar.gz --set profile=ambient --strict
  meshgen istio generate -d istio-1.31.0/manifests -f mesh.yaml --explain values.global.hub";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if args.cluster_specific {
        return Err(CommandError::refused(
            "`--cluster-specific` asks a cluster, and rendering never does",
        )
        .hint("say what it would find: `--kube-version`, `--set values.global.platform=gke`"));
    }
    let request = request(context, args)?;
    let path = manifests(args, &request)?;
    let package = package::load(context, &path)?;
    if let Some(path) = &args.explain {
        let explained = explain(&package, &request, path).map_err(|errors| refused(&errors))?;
        return layers(context, &explained);
    }
    let mut generated = generate(&package, &request).map_err(|errors| refused(&errors))?;
    warn(context, &generated.warnings, args.strict)?;
    sort(&mut generated.objects);
    let text = print(&generated.objects).map_err(|error| refused(&error.into()))?;
    context.print(&text);
    // the process ends: taking all of it apart piece by piece would only take time
    std::mem::forget((package, generated, text));
    Ok(Exit::Done)
}

/// Where the charts are: `-d`, or else `installPackagePath` of the last document that has one.
fn manifests(args: &Args, request: &Request) -> Result<PathBuf, CommandError> {
    if let Some(path) = &args.manifests {
        return Ok(path.clone());
    }
    let path = request.package_path().map_err(|errors| refused(&errors))?;
    path.map(PathBuf::from).ok_or_else(|| {
        CommandError::refused("meshgen brings no charts of Istio along")
            .hint("`-d` takes the manifests folder of a release, or its archive")
    })
}

fn request(context: &Context, args: &Args) -> Result<Request, CommandError> {
    let mut documents = Vec::new();
    let mut names = Vec::new();
    for given in &args.filename {
        let Some(separated) = separated(given) else {
            return Err(CommandError::refused(format!(
                "`-f {given}`: a quote stands where none may"
            )));
        };
        names.extend(separated);
    }
    for (index, name) in names.iter().enumerate() {
        if name == "-" && index + 1 != names.len() {
            return Err(CommandError::refused("standard input is only allowed as the last file"));
        }
        let name = name.trim();
        documents.push(Document::text(name, context.text_of(Path::new(name))?));
    }
    let kube_version = args.kube_version.as_deref().map(|version| {
        KubeVersion::parse(version).ok_or_else(|| {
            CommandError::refused(format!("`{version}` is no version of Kubernetes"))
                .hint("write it as `1.33` or `v1.33.4`")
        })
    });
    Ok(Request {
        documents,
        sets: args.set.clone(),
        revision: args.revision.clone(),
        force: args.force,
        kube_version: kube_version.transpose()?,
    })
}

/// The words that Go takes for a boolean.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

/// The names in the text of one `-f`: istioctl reads it as a line of CSV, where a name in quotes may
/// hold commas. `None` where a quote stands elsewhere.
fn separated(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text;
    while !rest.is_empty() || !names.is_empty() {
        let mut name = String::new();
        let mut quoted = rest.strip_prefix('"');
        if quoted.is_none() {
            let end = rest.find(',').unwrap_or(rest.len());
            name.push_str(&rest[..end]);
            rest = &rest[end..];
            if name.contains('"') {
                return None;
            }
        }
        while let Some(inside) = quoted {
            let (part, after) = inside.split_once('"')?;
            name.push_str(part);
            quoted = after.strip_prefix('"');
            if quoted.is_some() {
                name.push('"');
            }
            rest = after;
        }
        names.push(name);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.is_empty() => break,
            None => return None,
        }
    }
    Some(names)
}

fn layers(context: &Context, explained: &Explained) -> Result<Exit, CommandError> {
    let layers: Vec<_> = explained
        .layers
        .iter()
        .map(|layer| layers::Layer {
            name: layer.name.clone(),
            value: layer.value.clone(),
            wins: layer.wins,
        })
        .collect();
    layers::print(context, &explained.path, &layers)
}

/// What is wrong, a line each; a template's fault is drawn.
fn refused(errors: &IstioErrors) -> CommandError {
    if let [IstioError::Chart { source, .. }] = &errors.0[..] {
        return chart::refused(source);
    }
    CommandError::refused(errors.to_string())
}

/// Prints warnings; with `strict` the first of them ends the command.
fn warn(context: &Context, warnings: &[Warning], strict: bool) -> Result<(), CommandError> {
    for warning in warnings {
        context.note(&format!("warning: {warning}"));
        if let Some(hint) = warning.hint() {
            context.note(&format!("hint: {hint}"));
        }
    }
    if strict && !warnings.is_empty() {
        let count = warnings.len();
        let count = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
        return Err(CommandError::refused(format!("{count}, and `--strict`: nothing was printed")));
    }
    Ok(())
}
