//! `meshgen gitops flux`.

use std::path::PathBuf;

use super::flag;
use super::fleet::{self, FleetArgs, refused};
use crate::cli::{CommandError, Context, Exit};
use crate::gitops::{Flux, Pull, Reference, Share, flux, stream};
use crate::registry;

/// Write what points each cluster's Flux at a tree.
///
/// One file a cluster: an `OCIRepository` or `GitRepository`, and a Kustomization a stage. Each waits until all
/// that the one before brought is ready. Flux opens what SOPS sealed; fields that are handed over to
/// others, such as a webhook's caBundle, are taken out by patches; namespaces and definitions are never
/// pruned.
///
/// From a registry, the artifact of each cluster is named by its digest, which the tree alone decides:
/// `meshgen bundle push --flux` pushes those very bytes. From git, Flux reads the tree as it is committed;
/// commit these files with it.
///
/// Once a cluster, bring the identity that opens its keys, and after each change of remote secrets bring the
/// tokens; see the examples.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,

    /// Where Flux pulls from: `oci://HOST/REPOSITORY`, or a git repository `https://…`, `ssh://…`.
    #[arg(long, value_name = "URL")]
    source: String,

    /// The folder that gets a file for each cluster, `CLUSTER/MESH.yaml`. Else stdout, of one cluster.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Follow the artifact that is pushed last for the cluster, instead of the one that this tree makes.
    #[arg(long)]
    follow: bool,

    /// The branch of a git repository.
    #[arg(long, value_name = "NAME", default_value = "main")]
    branch: String,

    /// The folder of the tree in a git repository.
    #[arg(long, value_name = "PATH", default_value = "out")]
    path: String,

    /// The namespace of Flux's objects.
    #[arg(long, value_name = "NAME", default_value = "flux-system")]
    namespace: String,

    /// The Secret, in that namespace, with the age identity that opens what is sealed.
    #[arg(long, value_name = "NAME", default_value = "sops-age")]
    decryption_secret: String,

    /// The Secret, in that namespace, with credentials of the registry or repository.
    #[arg(long, value_name = "NAME")]
    pull_secret: Option<String>,

    /// Let Flux talk to the registry without TLS; meshgen too, where the tree lies in one.
    #[arg(long)]
    plain_http: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen gitops flux --source oci://registry.example/mesh --out fleet/clusters
  meshgen gitops flux --source https://git.example/mesh.git --only c1
  kubectl -n flux-system create secret generic sops-age --from-file=age.agekey=IDENTITY
  meshgen apply --only-bindings

Exit codes: 0; 2 if the tree has no such cluster, or holds what nobody may apply.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    flag::name("--namespace", &args.namespace)?;
    flag::name("--decryption-secret", &args.decryption_secret)?;
    if let Some(name) = &args.pull_secret {
        flag::name("--pull-secret", name)?;
    }
    let how = Flux {
        pull: pull(args)?,
        namespace: args.namespace.clone(),
        decryption_secret: args.decryption_secret.clone(),
        pull_secret: args.pull_secret.clone(),
    };
    let source = args.fleet.source(context, args.plain_http)?;
    let shares = args.fleet.shares(&source)?;
    let text = |share: &Share<'_>| flux(share, &how).map(|objects| stream(&objects));
    match (&args.out, shares.as_slice()) {
        (Some(folder), shares) => {
            let file = |share: &Share<'_>| {
                let path = format!("{}/{}.yaml", share.cluster.name, source.index.mesh);
                Ok((path, text(share)?))
            };
            let files: Result<Vec<_>, _> = shares.iter().map(file).collect();
            fleet::write(context, folder, &files.map_err(refused)?)?;
        }
        (None, [share]) => context.print(&text(share).map_err(refused)?),
        (None, _) => {
            return Err(CommandError::refused("each cluster's Flux gets objects of its own")
                .hint("`--out DIR` writes a file for each")
                .hint("`--only CLUSTER` prints those of one"));
        }
    }
    let left: usize = shares.iter().map(|share| share.left.len()).sum();
    if left > 0 {
        context.note(&format!(
            "{left} objects around live tokens are left to `meshgen apply --only-bindings`"
        ));
    }
    if shares.iter().any(|share| share.rows().any(|row| !row.sealed.is_empty())) {
        context.note(&format!(
            "Flux opens what is sealed with the identity in the Secret `{}/{}`, key `age.agekey`",
            args.namespace, args.decryption_secret
        ));
    }
    Ok(Exit::Done)
}

fn pull(args: &Args) -> Result<Pull, CommandError> {
    flag::without_password(&args.source)?;
    let url = args.source.trim_end_matches('/');
    if url.starts_with("oci://") {
        let whole = registry::Reference::parse(url).ok();
        if whole.is_none_or(|one| one.tag.is_some() || one.digest.is_some()) {
            return Err(CommandError::refused(format!(
                "{url:?} is no repository of a registry: oci://HOST/REPOSITORY, without tag or digest"
            )));
        }
        let reference = if args.follow { Reference::Tag } else { Reference::Digest };
        return Ok(Pull::Oci { url: url.to_owned(), reference, is_insecure: args.plain_http });
    }
    flag::git(url).map_err(|error| error.hint("or `oci://HOST/REPOSITORY`"))?;
    flag::revision("--branch", &args.branch)?;
    if args.follow || args.plain_http {
        let message = "`--follow` and `--plain-http` are about a registry, not about git";
        return Err(CommandError::refused(message));
    }
    let path = flag::path("--path", &args.path)?;
    Ok(Pull::Git { url: url.to_owned(), branch: args.branch.clone(), path })
}
