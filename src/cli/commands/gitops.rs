//! `meshgen gitops`.

mod argocd;
mod flag;
mod fleet;
mod flux;

use crate::cli::{CommandError, Context, Exit};

/// Point an engine that pulls at a tree, for fleets that outgrow one machine.
///
/// Writes what Flux or Argo CD needs to bring a tree to its clusters by themselves, stage by stage. The
/// objects are a function of the tree and of the flags: commit them, and review them with it.
///
/// Remote secrets hold tokens that exist only in live clusters: they, and the Secrets that the tokens are
/// written to, stay with `meshgen apply --only-bindings`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Flux(flux::Args),
    Argocd(argocd::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Flux(args) => flux::run(context, args),
        Command::Argocd(args) => argocd::run(context, args),
    }
}
