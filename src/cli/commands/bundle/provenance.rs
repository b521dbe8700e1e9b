//! `meshgen bundle provenance`.

use super::ReachArgs;
use crate::bundle::{Subject, provenance};
use crate::cli::tree::resolve;
use crate::cli::{CommandError, Context, Exit};
use crate::store::{Digest, Record, Store};
use crate::tree::view;

/// Print how a tree came to be: SLSA provenance v1, as an in-toto statement.
///
/// Every input by its sha256, the recipes, the version of meshgen. It comes from the record of the
/// generation, which only the store has where the tree was rendered; a clone has none.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder or a bundle; what is in out/ if left out.
    tree: Option<String>,

    #[command(flatten)]
    reach: ReachArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = resolve(context, args.tree.as_deref(), args.reach.reading())?;
    let Some(record) = record(context, &source.digest)? else {
        return Err(CommandError::refused(format!("the store has no record of {}", source.digest))
            .hint("the record is where the tree was rendered; `meshgen generations` lists trees"));
    };
    context.print(&provenance(&source.index.mesh, &[subject(source.digest)], &record));
    Ok(Exit::Done)
}

/// The tree, as a statement names it.
pub fn subject(tree: Digest) -> Subject {
    Subject { name: "out/index.json".to_owned(), digest: tree }
}

/// The record of a tree, if it was rendered in this project.
pub fn record(context: &Context, tree: &Digest) -> Result<Option<Record>, CommandError> {
    let store = Store::open(&context.disk, &view::store_folder(&context.project.join("out")))?;
    let catalogue = store.generations()?;
    let found = catalogue.of_tree(tree).map(|generation| store.record(generation));
    Ok(found.transpose()?)
}
