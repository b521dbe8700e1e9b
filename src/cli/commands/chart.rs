//! `meshgen chart …`: the engine below the control plane, by itself.

mod explain;
mod folder;
mod render;

use crate::cli::{CommandError, Context, Exit};

pub(super) use folder::refused;

/// Helm charts, without Helm.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Render(render::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Render(args) => render::run(context, args),
    }
}
