//! `meshgen images`.

use super::bundle::ReachArgs;
use crate::cli::{CommandError, Context, Exit, tree};
use crate::tree::{Image, images};

/// List every image that the mesh will run, and where each comes from.
///
/// Images of containers, and those that istiod puts into pods: proxies, gateways, what templates of
/// the injector name. For a cluster whose control plane is left to istioctl, those that its
/// istio-operator.yaml stands for. References are those of the tree, after the `images` map of
/// mesh.yaml. With -q, one reference a line and nothing else.
///
/// A tree is `gen:N`, `sha256:PREFIX`, `git:REV`, a folder, a bundle or `oci://…@sha256:…`; without
/// one, it is what is in out/.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree.
    tree: Option<String>,

    #[command(flatten)]
    reach: ReachArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = tree::resolve(context, args.tree.as_deref(), args.reach.reading())?;
    let images = images(&source)?;
    if context.json() {
        context.print_json(&serde_json::json!({ "tree": source.digest, "images": images }));
        return Ok(Exit::Done);
    }
    for image in &images {
        context.print(&text(image, context.quiet));
    }
    let waiting = source.index.pending.iter().filter(|row| row.path.as_str().ends_with(".yaml"));
    let waiting = waiting.count();
    if waiting > 0 {
        context.note(&format!("{waiting} files wait for facts; their images are not among these"));
    }
    Ok(Exit::Done)
}

/// So many places are shown of an image.
const SHOWN: usize = 6;

fn text(image: &Image, is_quiet: bool) -> String {
    let mut text = format!("{}\n", image.reference);
    if is_quiet {
        return text;
    }
    for place in image.uses.iter().take(SHOWN) {
        text.push_str(&format!("  {} {}\n", place.path, place.field));
    }
    if image.uses.len() > SHOWN {
        text.push_str(&format!("  and {} more; `-o json` has all\n", image.uses.len() - SHOWN));
    }
    text
}
