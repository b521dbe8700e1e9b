//! `meshgen schema`.

use crate::cli::{CommandError, Context, Exit};
use crate::spec;

/// Print the JSON Schema of mesh.yaml: what editors complete and check while you type.
///
/// It is made from the very types that `check` reads the file with, so the two cannot part. `init`
/// writes it as `mesh.schema.json` beside mesh.yaml, whose first line points editors with a YAML
/// language server to it. Reads nothing and needs no project.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The schema of a profile (`profiles/<name>.yaml`) instead.
    #[arg(long)]
    profile_file: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen schema > mesh.schema.json       after an upgrade of meshgen
  meshgen schema --profile-file > profile.schema.json

Exit codes: 0.";

/// Runs it.
#[expect(clippy::unnecessary_wraps, reason = "as every command")]
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    context.print(&if args.profile_file { spec::profile_schema() } else { spec::mesh_schema() });
    Ok(Exit::Done)
}
