//! `meshgen bundle …`: hand-off in one file.

mod create;
mod flux;
mod import;
mod provenance;
mod pull;
mod push;
mod remote;
mod sbom;
mod sign;
mod signing_key;
mod trust;
mod verify;

pub(in crate::cli) use remote::resolve as resolve_remote;
pub(in crate::cli) use trust::{ReachArgs, Reading, SignerArgs, TrustArgs};

use std::path::Path;

use crate::bundle::BundleFile;
use crate::cli::{CommandError, Context, Exit};

/// Hand a tree over in one file: for sites without a network.
///
/// A bundle holds the rendered tree and what belongs to it, and nothing else: no facts, no keyring,
/// no key that is not sealed. It is an OCI image layout in a tar, and its bytes are a function of
/// what is in it, so that whoever gets it can say that it is what was reviewed. Wherever a command
/// takes a TREE, a bundle's file will do: `diff`, `plan` and `apply` read it as it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Create(create::Args),
    Verify(verify::Args),
    Import(import::Args),
    Sbom(sbom::Args),
    Provenance(provenance::Args),
    Sign(sign::Args),
    Push(push::Args),
    Pull(pull::Args),
}

/// Opens the file of a bundle, for commands that take nothing else.
fn open(context: &Context, path: &Path) -> Result<BundleFile, CommandError> {
    if path.to_str().is_some_and(|text| text.starts_with("oci://")) {
        let message = format!("`{}` lies in a registry: a file is needed here", path.display());
        return Err(CommandError::refused(message)
            .hint("`meshgen bundle pull OCI --out FILE` makes that very file"));
    }
    Ok(BundleFile::open(&context.disk, path)?)
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Create(args) => create::run(context, args),
        Command::Verify(args) => verify::run(context, args),
        Command::Import(args) => import::run(context, args),
        Command::Sbom(args) => sbom::run(context, args),
        Command::Provenance(args) => provenance::run(context, args),
        Command::Sign(args) => sign::run(context, args),
        Command::Push(args) => push::run(context, args),
        Command::Pull(args) => pull::run(context, args),
    }
}
