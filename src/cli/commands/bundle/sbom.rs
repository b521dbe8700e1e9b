//! `meshgen bundle sbom`.

use super::{ReachArgs, remote};
use crate::bundle::{BundleFile, bill};
use crate::cli::tree::{bundle_file, resolve};
use crate::cli::{CommandError, Context, Exit};
use crate::tree::images;

/// Print the bill of materials of a tree, as `CycloneDX` 1.6.
///
/// Every rendered file with its sha256, and every image that the mesh runs: by digest where the tree names
/// one, or where the tree is a bundle with the image inside. A function of the tree alone, so that two who
/// have it print the same bytes. A bundle holds it as sbom.cdx.json; a delta does not.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder or a bundle; what is in out/ if left out.
    tree: Option<String>,

    #[command(flatten)]
    reach: ReachArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let text = args.tree.as_deref();
    if let Some(path) = text.map(|text| bundle_file(context, text)).transpose()?.flatten() {
        context.print(&BundleFile::open(&context.disk, &path)?.bundle.bill());
        return Ok(Exit::Done);
    }
    let reading = args.reach.reading();
    if let Some(name) = text.filter(|text| text.starts_with("oci://")) {
        context.print(&remote::open(context, name, reading)?.bundle.bill());
        return Ok(Exit::Done);
    }
    let source = resolve(context, text, reading)?;
    let images = images(&source)?.into_iter().map(|image| (image.reference, None)).collect();
    context.print(&bill(&source.digest, &source.index, &images));
    Ok(Exit::Done)
}
