//! `meshgen bundle create`.

use std::path::PathBuf;

use serde_json::json;

use super::super::cluster::session;
use super::{Reading, remote};
use crate::bundle::image::{Images, Origin, platform};
use crate::bundle::{self, Base, BundleFile, Created, Options, Part, Written};
use crate::cli::{CommandError, Context, Exit, registry_options, tree};
use crate::store::oci::Platform;
use crate::tree::source::Source;

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
/// `--images` takes the images too, each by digest: from the registries that their references name,
/// or from where `--from` says: from `store` where a delta was imported, which makes the very bundle that
/// it stands for. An image for several platforms is kept as it is, unless `--platform`
/// names those that are wanted.
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

    /// With every image that the mesh runs, as `meshgen images` lists them.
    #[arg(long)]
    images: bool,

    /// Where images are taken from: `registry`, `oci-layout:DIR`, `docker-archive:FILE`, `bundle:FILE`,
    /// or `store`: what was imported. Can be repeated: the first that has one is taken.
    #[arg(long = "from", value_name = "ORIGIN", requires = "images", default_value = "registry")]
    origins: Vec<Origin>,

    /// Only this platform of each image: `linux/amd64`. Can be repeated; else all that it has.
    #[arg(long = "platform", value_name = "OS/ARCH", requires = "images", value_parser = platform)]
    platforms: Vec<Platform>,

    /// Reach registries by http, without encryption: for images, and for bundles that lie there.
    #[arg(long)]
    plain_http: bool,

    /// With meshgen itself: this program, or another one for Linux.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    with_binary: Option<String>,

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
  meshgen bundle create --images --platform linux/amd64 --with-binary --out apac.tar
  meshgen bundle create --images --from oci-layout:mirror --from registry --out apac.tar
  meshgen bundle create sha256:67eb1db1 --images --from store --out whole.tar

Exit codes: 0; 2 if the tree cannot be read, was edited by hand, or the file cannot be written.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    context.refuse_inside(&args.out)?;
    let source = session::tree(context, args.tree.as_deref(), reading(args))?;
    let incomplete = !source.index.pending.is_empty() || !source.index.examples.is_empty();
    if args.complete && incomplete {
        let why = remarks(&source.index).join("; ");
        return Err(CommandError::refused(format!("{} is not complete: {why}", source.name))
            .hint("`meshgen facts import` brings facts in"));
    }
    let since = args.since.as_deref().map(|text| base(context, text, reading(args))).transpose()?;
    let mut parts = Vec::new();
    if args.images {
        parts.extend(images(context, args, &source)?);
    }
    if let Some(program) = &args.with_binary {
        let path = if program.is_empty() { own_program()? } else { program.into() };
        parts.push(Part::binary(&context.disk, &path)?);
    }
    let options = Options { since, parts };
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

/// Every image of a tree: what each names is looked up here, its layers are read when they are
/// written.
fn images(context: &Context, args: &Args, source: &Source) -> Result<Vec<Part>, CommandError> {
    let options = registry_options(args.plain_http);
    let from = Images::open(
        &context.disk,
        &context.project,
        &source.digest,
        &args.origins,
        args.platforms.clone(),
        &options,
    )?;
    let mut parts = Vec::new();
    for image in crate::tree::images(source)? {
        context.detail(&format!("looking up {}", image.reference));
        parts.push(from.take(&image.reference)?);
    }
    Ok(parts)
}

/// The program that runs.
fn own_program() -> Result<PathBuf, CommandError> {
    std::env::current_exe().map_err(|error| {
        CommandError::refused(format!("where this program lies is not known: {error}"))
            .hint("`--with-binary FILE` names one")
    })
}

/// How bundles in a registry are reached; whoever makes one only reads.
fn reading(args: &Args) -> Reading<'static> {
    Reading { signers: None, plain_http: args.plain_http }
}

/// What the far side has.
fn base(context: &Context, text: &str, reading: Reading<'_>) -> Result<Base, CommandError> {
    if text.starts_with("oci://") {
        return Ok(Base::of_bundle(&remote::open(context, text, reading)?.bundle));
    }
    match tree::bundle_file(context, text)? {
        Some(path) => Ok(Base::of_bundle(&BundleFile::open(&context.disk, &path)?.bundle)),
        None => Ok(Base::of_tree(&session::tree(context, Some(text), reading)?)),
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
    let images = bundle
        .at_hand()
        .map(|(reference, digest)| json!({"reference": reference, "digest": digest}));
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
