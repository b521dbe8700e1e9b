//! `meshgen man`.

use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use crate::cli::{self, CommandError, Context, Exit};

/// Print the manual page of meshgen, or write the pages of all commands.
///
/// The pages hold what `--help` says. They carry no date, so that a package that is built again is
/// the same.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Write `meshgen.1`, `meshgen-render.1` and so on into this folder, over older ones.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  meshgen man | man -l -
  meshgen man --out /usr/local/share/man/man1

Exit codes: 0; 2 if the pages cannot be written.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut root = cli::command();
    // names of subcommands become `meshgen-facts-import`
    root.build();
    let Some(folder) = &args.out else {
        context.print(&page(root)?);
        return Ok(Exit::Done);
    };
    let mut pages = Vec::new();
    all(&root, &mut pages);
    context.disk.create_dir_all(folder)?;
    let count = pages.len();
    for command in pages {
        let name = format!("{}.1", file_name(&command));
        context.disk.replace(&folder.join(name), page(command)?.as_bytes())?;
    }
    context.note(&format!("wrote {count} pages to `{}`", folder.display()));
    Ok(Exit::Done)
}

fn file_name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

/// A command and all below it that are not hidden.
fn all(command: &Command, pages: &mut Vec<Command>) {
    pages.push(command.clone());
    let below = command.get_subcommands();
    for command in below.filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        all(command, pages);
    }
}

fn page(command: Command) -> Result<String, CommandError> {
    let mut text = Vec::new();
    Man::new(command)
        .render(&mut text)
        .map_err(|error| CommandError::refused(format!("the page cannot be made: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
