//! `meshgen pki …`: the keyring.

mod export;
mod identity;
mod import;
mod init;
mod ring;
mod rotate;
mod status;
mod updatekeys;

use crate::cli::{CommandError, Context, Exit};

/// Arguments of `pki`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make what is missing: the root, and an intermediate for every cluster that has none.
    Init(init::Args),
    /// Show every certificate: subject, expiry, days left, fingerprint.
    Status(status::Args),
    /// Make a new intermediate for a cluster, under the same root.
    Rotate(rotate::Args),
    /// Bring in a root and intermediates that you have.
    Import(import::Args),
    /// Write a cluster's cacerts Secret in plaintext, for `kubectl apply`.
    Export(export::Args),
    /// Seal every file for the recipients in mesh.yaml, values unchanged.
    Updatekeys(updatekeys::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Init(args) => init::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Rotate(args) => rotate::run(context, args),
        Command::Import(args) => import::run(context, args),
        Command::Export(args) => export::run(context, args),
        Command::Updatekeys(args) => updatekeys::run(context, args),
    }
}
