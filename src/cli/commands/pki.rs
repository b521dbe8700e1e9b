//! `meshgen pki …`: the keyring, and tokens.

mod export;
mod identity;
mod import;
mod init;
mod ring;
mod rotate;
mod rotate_tokens;
mod status;
mod updatekeys;

pub(super) use identity::IdentityArgs;

use crate::cli::{CommandError, Context, Exit};

/// Arguments of `pki`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Init(init::Args),
    Status(status::Args),
    Rotate(rotate::Args),
    RotateTokens(Box<rotate_tokens::Args>),
    Import(import::Args),
    Export(export::Args),
    Updatekeys(updatekeys::Args),
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Init(args) => init::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Rotate(args) => rotate::run(context, args),
        Command::RotateTokens(args) => rotate_tokens::run(context, args),
        Command::Import(args) => import::run(context, args),
        Command::Export(args) => export::run(context, args),
        Command::Updatekeys(args) => updatekeys::run(context, args),
    }
}
