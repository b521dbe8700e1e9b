//! `meshgen facts`.

mod import;
mod pin;

pub(super) use import::pair;

use crate::cli::{CommandError, Context, Exit};

/// Bring in what only the infrastructure knows.
///
/// Facts are values that mesh.yaml cannot know before the clusters are there: the address and the CA
/// of each API server, the load balancers' NSGs and subnets. They lie in facts/<cluster>.json, are
/// committed, and are an input like any other: `render` reads them and asks nobody. What needs a
/// fact that is not there is pending, and never rendered with a made-up value.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Import(import::Args),
    Pin(pin::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Import(args) => import::run(context, args),
        Command::Pin(args) => pin::run(context, args),
    }
}
