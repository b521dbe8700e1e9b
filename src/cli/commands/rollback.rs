//! `meshgen rollback`.

use serde_json::json;

use crate::cli::{CommandError, Context, Exit};
use crate::store::Store;
use crate::tree::view;

/// Bring an earlier generation back into out/.
///
/// out/ becomes exactly what that generation was, and the generation becomes the current one.
/// mesh.yaml and the other inputs stay as they are: `check` then says that out/ is older than they
/// are, and `render` brings their tree again. A file under out/ that somebody edited by hand stops
/// it (exit 2), and nothing is changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The generation's number, as `meshgen generations` lists it.
    #[arg(value_name = "N", value_parser = number)]
    generation: u64,

    /// Replace files under out/ that were edited by hand.
    #[arg(long)]
    overwrite_edits: bool,
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("gen:").unwrap_or(text);
    digits.parse().map_err(|_| "a generation is a number, as in `3` or `gen:3`".to_owned())
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let out = context.project.join("out");
    // looked up before anything is locked or made: a fresh clone stays as it is
    let store = Store::open(&context.disk, &view::store_folder(&out))?;
    let catalogue = store.generations()?;
    if catalogue.generations.is_empty() {
        return Err(CommandError::refused(
            "there are no generations here: the store is local, and this one is empty",
        )
        .hint("`git checkout REV -- out` brings a committed tree back"));
    }
    catalogue.get(args.generation)?;
    let written = view::rollback(&context.disk, &out, args.generation, args.overwrite_edits)?;
    if context.json() {
        context.print_json(&json!({
            "generation": args.generation,
            "tree": written.digest,
            "written": written.files_written,
            "removed": written.files_removed,
            "unchanged": written.unchanged,
        }));
        return Ok(Exit::Done);
    }
    context.print(&format!("{}\n", written.digest));
    context.note(&format!(
        "out/ is generation {} again: {} files written, {} removed, {} unchanged",
        args.generation, written.files_written, written.files_removed, written.unchanged,
    ));
    context.note("the inputs stay as they are; `meshgen render` brings their tree again");
    Ok(Exit::Done)
}
