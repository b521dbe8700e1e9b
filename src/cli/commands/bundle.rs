//! `meshgen bundle …`: the hand-off.

mod sign;
mod signing_key;
mod trust;

use crate::cli::{CommandError, Context, Exit};

/// Arguments of `bundle`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Sign(sign::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Sign(args) => sign::run(context, args),
    }
}
