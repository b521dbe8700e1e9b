//! `meshgen istio …`: the engine of the control plane, by itself.

mod generate;
mod package;

use crate::cli::{CommandError, Context, Exit};

/// Istio's control plane, without istioctl.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Generate(generate::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Generate(args) => generate::run(context, args),
    }
}
