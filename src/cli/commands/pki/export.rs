//! `meshgen pki export`.

use std::path::PathBuf;

use super::{identity, ring};
use crate::cli::{CommandError, Context, Exit};
use crate::pki::{ROOT, cacerts, path_of};

/// Write a cluster's cacerts Secret in plaintext, for `kubectl apply`.
///
/// For people who go on with istioctl. The file holds the private key: it is made with mode 0600,
/// and refused inside the project. Delete it once it is applied.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cluster, by its name in mesh.yaml.
    cluster: String,

    /// The new file, outside the project.
    #[arg(long, value_name = "FILE", env = "MESHGEN_OUT")]
    out: PathBuf,

    #[command(flatten)]
    identity: identity::IdentityArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let inputs = ring::load(context);
    ring::check_keyring(&inputs, |problem| {
        !(ring::is_about(problem, ROOT) || ring::is_about(problem, &args.cluster))
    })?;
    let missing = |name: &str| {
        let message = format!("`{}` is missing", path_of(name));
        CommandError::refused(message).hint("`meshgen pki init` makes what is missing")
    };
    let root = inputs.keyring.root().ok_or_else(|| missing(ROOT))?;
    let entry = inputs.keyring.entry(&args.cluster).ok_or_else(|| missing(&args.cluster))?;
    identity::check_private(context, &args.out, "a private key in plaintext")?;
    let identities = args.identity.read(context)?;
    let text = cacerts::plain(root, entry, &identities).map_err(|error| {
        ring::not_done(&[crate::pki::OperationError::new(&args.cluster, error)])
    })?;
    identity::write_private(context, &args.out, "a private key in plaintext", text.expose())?;
    let shown = args.out.display();
    context.note(&format!("{shown}: holds the private key of `{}` in plaintext", args.cluster));
    context.note(&format!("note: `kubectl apply -f {shown}`, then delete the file"));
    Ok(Exit::Done)
}
