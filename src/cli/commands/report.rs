//! `meshgen report`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::bundle::ReachArgs;
use super::cluster::session::{self, ConnectArgs};
use super::cluster::state::states;
use super::cluster::who;
use super::verify::kept;
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::{Files, State};
use crate::inputs;
use crate::tree::source::Source;
use crate::tree::view;
use crate::verify::Report;
use crate::verify::page::{Gathered, Page, TreeLabel, certificates, regions, to_html, versions};

/// More than any verification that is written: one of a thousand clusters has some 100 MB of pairs.
const MAX_VERIFICATION: u64 = 256 << 20;
/// Where the mesh's file is named on the page.
const FROM_MESH: &str = "mesh.yaml";
const FROM_TREE: &str = "terraform.tfvars of the tree";

/// Write one page about the mesh: topology, what is applied, certificates, the last verification.
///
/// The page is one HTML file for a browser, a phone or paper. It loads nothing, runs nothing, and
/// holds no value of a Secret, so that it can be sent to anybody who may know the mesh's shape.
///
/// The clusters are asked as `status` asks them; one that cannot be reached is shown as such. With
/// `--offline` nobody is asked, and the page says so. The verification is the last of `meshgen
/// verify` here, or the one that `--verification` names; of another tree, it is shown, and no cluster
/// is judged by it. Regions are those of the tree's terraform.tfvars, and of mesh.yaml where the tree
/// is what is in out/.
///
/// `-o json` gives the same as data: docs/report-json.md.
///
/// Exit 0 when the page is written, whatever it says, 2 when it is not, 3 when it is written and a
/// cluster could not be looked at.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV` or a folder; what is in out/ if left out.
    tree: Option<String>,

    /// Write to this file instead of stdout: whole or not at all. Not inside out/.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Ask no cluster.
    #[arg(long)]
    offline: bool,

    /// A verification, as `meshgen verify -o json` prints it; without it, the last one here.
    #[arg(long, value_name = "FILE")]
    verification: Option<PathBuf>,

    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen report --out mesh.html               what is in out/, and the clusters
  meshgen report git:HEAD --offline > a.html   what was committed, without asking anybody
  meshgen verify -o json > v.json; meshgen report --verification v.json --out mesh.html";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if context.output == Format::Markdown {
        return Err(CommandError::refused("a report is no Markdown")
            .hint("it is HTML without `-o`, and data with `-o json`"));
    }
    if let Some(path) = &args.out {
        context.refuse_inside(path)?;
    }
    let source = session::tree(context, args.tree.as_deref(), args.reach.reading())?;
    let verification = verification(context, args.verification.as_deref())?;
    let states = if args.offline {
        None
    } else {
        let asked = session::block_on(states(context, &source, &args.connect))
            .map_err(|error| error.hint("`--offline` asks no cluster"))?;
        Some(asked.clusters)
    };
    let is_partial =
        states.as_ref().is_some_and(|states| states.values().any(|state| !state.is_whole()));
    let page = page(context, &source, states, verification, who::now());
    let text =
        if context.json() { format!("{:#}\n", serde_json::json!(page)) } else { to_html(&page) };
    match &args.out {
        Some(path) => {
            context.disk.replace(path, text.as_bytes())?;
            context.note(&format!("written: {}", path.display()));
        }
        None => context.print(&text),
    }
    Ok(if is_partial { Exit::Partial } else { Exit::Done })
}

fn page(
    context: &Context,
    source: &Source,
    states: Option<BTreeMap<String, State>>,
    verification: Option<Report>,
    at: OffsetDateTime,
) -> Page {
    let files = Files::default();
    let (regions, regions_from) = all_regions(context, source);
    Page::of(Gathered {
        index: &source.index,
        tree: TreeLabel {
            name: source.name.clone(),
            digest: source.digest.to_string(),
            files: source.index.artifacts.len(),
        },
        regions,
        regions_from,
        istio: versions(source, &files),
        certificates: certificates(source, &files, at),
        states,
        verification,
        at,
    })
}

/// Regions by cluster, and where they are from. The tree's own go first; mesh.yaml may have been
/// edited since, so it counts only for the view, and only for clusters that it has as the tree has
/// them.
fn all_regions(context: &Context, source: &Source) -> (BTreeMap<String, String>, Option<String>) {
    let mut all = regions(source);
    let mut from: Vec<&str> = Vec::new();
    from.extend((!all.is_empty()).then_some(FROM_TREE));
    let digest = view::digest(&context.disk, &context.project.join("out")).ok().flatten();
    let mesh = (digest == Some(source.digest))
        .then(|| inputs::load_mesh(&context.disk, &context.project))
        .flatten()
        .filter(|mesh| mesh.name == source.index.mesh);
    for cluster in mesh.iter().flat_map(crate::mesh::Mesh::enabled) {
        let (name, network) = (cluster.name.as_str(), cluster.network.as_str());
        let is_known =
            source.index.clusters.iter().any(|row| row.name == name && row.network == network);
        if let (Some(region), true, false) = (&cluster.region, is_known, all.contains_key(name)) {
            all.insert(name.to_owned(), region.clone());
            if !from.contains(&FROM_MESH) {
                from.push(FROM_MESH);
            }
        }
    }
    (all, (!from.is_empty()).then(|| from.join(" and ")))
}

/// The verification that a flag names, else the last one here, if there is any. One that was kept
/// here and does not read is passed over, and said.
fn verification(context: &Context, named: Option<&Path>) -> Result<Option<Report>, CommandError> {
    let kept = kept(context);
    let path = named.unwrap_or(&kept);
    let bytes = match context.disk.read_limited(path, MAX_VERIFICATION) {
        Err(error) if named.is_none() && error.is_not_found() => return Ok(None),
        other => other?,
    };
    match serde_json::from_slice(&bytes) {
        Ok(report) => Ok(Some(report)),
        Err(error) => {
            let message = format!("`{}` is no verification: {error}", path.display());
            if named.is_some() {
                return Err(
                    CommandError::refused(message).hint("`meshgen verify -o json` prints one")
                );
            }
            context.note(&format!("{message}; it is left out"));
            Ok(None)
        }
    }
}
