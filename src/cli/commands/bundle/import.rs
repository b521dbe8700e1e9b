//! `meshgen bundle import`.

use std::path::PathBuf;

use serde_json::json;

use super::{SignerArgs, open};
use crate::bundle::{self, Imported};
use crate::cli::{CommandError, Context, Exit};

/// Bring a bundle into the project's store.
///
/// Checks it as `bundle verify` does. From then on `sha256:PREFIX` names its tree, for `diff`,
/// `plan` and `apply`, and deltas on it can be taken. out/ is not touched, and it is no generation:
/// nothing was rendered here. `meshgen generations` lists it, `meshgen gc` keeps the newest.
///
/// A delta is refused, with the tree that it needs, where that is not in the store or in out/.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    signers: SignerArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle import apac.tar
  meshgen bundle import delta.tar && meshgen diff out sha256:3254608287c1

Exit codes: 0; 2 if the bundle is not whole, not signed, or its base is not here.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let file = open(context, &args.file)?;
    args.signers.demand(context, &args.file, &file)?;
    let name = args.file.display().to_string();
    let Imported { tree, new, known } =
        bundle::import(&context.disk, &context.project, &file, &name)?;
    if context.json() {
        context.print_json(&json!({
            "tree": tree,
            "index": file.bundle.digest,
            "mesh": file.bundle.table.mesh,
            "new": new,
            "known": known,
        }));
        return Ok(Exit::Done);
    }
    context.print(&format!("{tree}\n"));
    context.note(&format!(
        "{name} is in the store: {new} blobs new, {known} known; `meshgen apply sha256:{}` takes it",
        tree.short()
    ));
    Ok(Exit::Done)
}
