//! `meshgen completions`.

use clap_complete::Shell;

use crate::cli::{self, CommandError, Context, Exit};

/// Print the completions for a shell: commands, flags and their values.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  meshgen completions bash > /etc/bash_completion.d/meshgen
  meshgen completions zsh > \"${fpath[1]}/_meshgen\"
  meshgen completions fish > ~/.config/fish/completions/meshgen.fish

Exit codes: 0; 2 if there are none for this shell.";

/// Runs it.
#[expect(clippy::unnecessary_wraps, reason = "as every command")]
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "meshgen", &mut text);
    context.print(&String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}
