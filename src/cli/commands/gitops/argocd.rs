//! `meshgen gitops argocd`.

use std::path::PathBuf;

use super::flag;
use super::fleet::{self, FleetArgs, refused};
use crate::cli::{CommandError, Context, Exit};
use crate::gitops::{Argocd, Sealed, applications, argocd, stream};

/// Write what points Argo CD at a tree in git.
///
/// A folder to commit: `applicationset.yaml`, which the Argo CD gets that has all clusters, and below it
/// `CLUSTER/applications.yaml`: an Application a stage, with its sync wave. They apply server-side, leave
/// handed-over fields alone once they are there, and never prune namespaces and definitions. The
/// destinations are the clusters by the names of the mesh: `argocd cluster add CONTEXT --name c1`.
///
/// A wave waits for the health of the one before only where Argo CD judges the health of Applications,
/// which it does not by default: see `argocd-cm`, `resource.customizations.health.argoproj.io_Application`.
///
/// Argo CD does not open what SOPS sealed: name a config management plugin that does, or bring those
/// stages in another way. The output is checked against Argo CD's schema; no Argo CD has run it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,

    /// The git repository, as Argo CD knows it.
    #[arg(long, value_name = "URL")]
    source: String,

    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// That folder's path in the repository.
    #[arg(long, value_name = "PATH", default_value = "argocd")]
    applications: String,

    /// The folder of the tree in the repository.
    #[arg(long, value_name = "PATH", default_value = "out")]
    path: String,

    /// The branch, tag or commit.
    #[arg(long, value_name = "NAME", default_value = "main")]
    revision: String,

    /// The config management plugin that opens what is sealed.
    #[arg(long, value_name = "NAME", conflicts_with = "without_sealed")]
    plugin: Option<String>,

    /// Leave out the stages with sealed values: they are brought in another way.
    #[arg(long)]
    without_sealed: bool,

    /// The namespace of Argo CD.
    #[arg(long, value_name = "NAME", default_value = "argocd")]
    namespace: String,

    /// The project of the Applications.
    #[arg(long, value_name = "NAME", default_value = "default")]
    project: String,
}

const EXAMPLES: &str = "\
Examples:
  meshgen gitops argocd --source https://git.example/mesh.git --out argocd --plugin ksops
  kubectl -n argocd apply -f argocd/applicationset.yaml
  meshgen apply --only-bindings

Exit codes: 0; 2 if the tree has no such cluster, or holds what nobody may apply.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if args.source.starts_with("oci://") {
        return Err(CommandError::refused(
            "Argo CD is pointed at a tree in git, not in a registry",
        ));
    }
    flag::git(&args.source)?;
    flag::revision("--revision", &args.revision)?;
    for (flag, name) in [("--namespace", &args.namespace), ("--project", &args.project)] {
        flag::name(flag, name)?;
    }
    if let Some(name) = &args.plugin {
        flag::name("--plugin", name)?;
    }
    let sealed = match (&args.plugin, args.without_sealed) {
        (Some(name), _) => Sealed::Plugin(name.clone()),
        (None, true) => Sealed::LeftOut,
        (None, false) => Sealed::Refused,
    };
    let how = Argocd {
        url: args.source.clone(),
        revision: args.revision.clone(),
        path: flag::path("--path", &args.path)?,
        applications: flag::path("--applications", &args.applications)?,
        namespace: args.namespace.clone(),
        project: args.project.clone(),
        sealed,
    };
    let source = args.fleet.source(context, false)?;
    let shares = args.fleet.shares(&source)?;
    let names: Vec<&str> = shares.iter().map(|share| share.cluster.name.as_str()).collect();
    let set = stream(&[argocd(&source.index.mesh, &names, &how)]);
    let mut files = vec![("applicationset.yaml".to_owned(), set)];
    for share in &shares {
        let text = stream(&applications(share, &how).map_err(refused)?);
        files.push((format!("{}/applications.yaml", share.cluster.name), text));
    }
    fleet::write(context, &args.out, &files)?;
    let left: usize = shares.iter().map(|share| share.left.len()).sum();
    if left > 0 {
        context.note(&format!(
            "{left} objects around live tokens are left to `meshgen apply --only-bindings`"
        ));
    }
    if how.sealed == Sealed::LeftOut {
        let steps = shares.iter().flat_map(|share| {
            let sealed = share.steps.iter().filter(|step| step.sealed().is_some());
            sealed.map(|step| step.folder)
        });
        let steps: Vec<&str> = steps.collect();
        if !steps.is_empty() {
            context.note(&format!(
                "left out, and to be there before istiod starts: {}",
                steps.join(", ")
            ));
        }
    }
    Ok(Exit::Done)
}
