//! `meshgen bundle create`.

use std::path::PathBuf;

use serde_json::json;

use super::super::cluster::session;
use crate::bundle::{self, Base, BundleFile, Created, Kind, Options, Written};
use crate::cli::{CommandError, Context, Exit, tree};

/// Write a tree and all that belongs to it into one file.
///
/// The file is a tar with an OCI image layout: the tree's files as blobs, each once, with a README,
/// SHA256SUMS and the list of images before them; `tar`, `sha256sum`, `oras` and `crane` look
/// inside. The same tree gives the same bytes, wherever, whenever and from whatever source it is
/// made. The file appears when it is whole, and not before.
///
/// `--since` makes a delta: only what the far side lacks, which has that tree, or has got that
/// bundle. It says which tree it needs, and is refused where that is not.
///
/// What waits for facts is not in a tree, and clusters whose facts are examples are refused by
/// apply: both is said, here and in the bundle's README; with `--complete` it is refused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder or a bundle; what is in out/ if left
    /// out.
    tree: Option<String>,

    /// The file to write; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Only what a far side lacks that has this: a tree, or a bundle's file.
    #[arg(long, value_name = "TREE|BUNDLE")]
    since: Option<String>,

    /// Refuse a tree of which something waits for facts, or has example facts.
    #[arg(long)]
    complete: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle create --out apac.tar                        what is in out/
  meshgen bundle create git:v1.4 --out apac.tar               what was reviewed
  meshgen bundle create --since sha256:67eb1db1 --out delta.tar
  meshgen bundle create --since last-month.tar --out delta.tar

Exit codes: 0; 2 if the tree cannot be read, was edited by hand, or the file cannot be written.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, args.tree.as_deref(), None)?;
    let incomplete = !source.index.pending.is_empty() || !source.index.examples.is_empty();
    if args.complete && incomplete {
        let why = remarks(&source.index).join("; ");
        return Err(CommandError::refused(format!("{} is not complete: {why}", source.name))
            .hint("`meshgen facts import` brings facts in"));
    }
    let since = args.since.as_deref().map(|text| base(context, text)).transpose()?;
    let options = Options { since, ..Options::default() };
    let Created { bundle, content } = bundle::create(&source, options)?;
    let written = bundle::write(&context.disk, &args.out, &bundle, &content)?;
    for remark in remarks(&bundle.table) {
        context.note(&remark);
    }
    if context.json() {
        context.print_json(&to_json(&bundle, written));
        return Ok(Exit::Done);
    }
    context.print(&format!("tree   {}\nindex  {}\n", bundle.tree, bundle.digest));
    context.note(&said(&args.out.display().to_string(), &bundle, written));
    Ok(Exit::Done)
}

/// What the far side has.
fn base(context: &Context, text: &str) -> Result<Base, CommandError> {
    match tree::bundle_file(context, text)? {
        Some(path) => Ok(Base::of_bundle(&BundleFile::open(&context.disk, &path)?.bundle)),
        None => Ok(Base::of_tree(&session::tree(context, Some(text), None)?)),
    }
}

/// What whoever gets the bundle should know of its tree.
fn remarks(table: &crate::tree::Index) -> Vec<String> {
    let mut all = Vec::new();
    if !table.examples.is_empty() {
        let list = table.examples.join(", ");
        all.push(format!("example facts: apply will refuse {list}"));
    }
    if !table.pending.is_empty() {
        let paths: Vec<&str> = table.pending.iter().map(|row| row.path.as_str()).collect();
        all.push(format!("not inside, because they wait for facts: {}", paths.join(", ")));
    }
    all
}

fn said(file: &str, bundle: &bundle::Bundle, written: Written) -> String {
    let mut text = format!(
        "{file}: {} files of {} clusters in {} blobs, {} bytes",
        bundle.table.artifacts.len(),
        bundle.table.clusters.len(),
        bundle.blobs.len(),
        written.size,
    );
    if let Some(base) = bundle.base {
        text.push_str(&format!("; the far side must have {base}"));
    }
    text
}

/// The bundle as `-o json` shows it.
pub(super) fn to_json(bundle: &bundle::Bundle, written: Written) -> serde_json::Value {
    let images = bundle.images.iter().map(|reference| {
        let inside = bundle
            .entries
            .iter()
            .find(|entry| matches!(&entry.kind, Kind::Image(image) if image == reference));
        json!({"reference": reference, "digest": inside.map(|entry| entry.descriptor.digest)})
    });
    let pending: Vec<&str> = bundle.table.pending.iter().map(|row| row.path.as_str()).collect();
    json!({
        "mesh": bundle.table.mesh,
        "tree": bundle.tree,
        "index": bundle.digest,
        "file": written.digest,
        "size": written.size,
        "files": bundle.table.artifacts.len(),
        "blobs": bundle.blobs.len(),
        "images": images.collect::<Vec<_>>(),
        "base": bundle.base,
        "needs": bundle.needs.keys().collect::<Vec<_>>(),
        "examples": bundle.table.examples,
        "pending": pending,
    })
}
