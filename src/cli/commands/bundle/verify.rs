//! `meshgen bundle verify`.

use std::path::PathBuf;

use serde_json::json;

use super::TrustArgs;
use super::create::to_json;
use crate::bundle::{BundleError, BundleFile, Written};
use crate::cli::{CommandError, Context, Exit};

/// Say whether a bundle is whole, holds nothing else, and who signed it.
///
/// Reads the file once, needs no network and writes nothing. Every digest is checked, and that all
/// is inside that the tree and the images need. Then the file is built again from what was read and
/// compared byte by byte: padding, fields of headers, README and sums count too. What is wrong is
/// named with its place in the file.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    trust: TrustArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle verify apac.tar
  meshgen bundle verify apac.tar --allow-unsigned -o json

Exit codes: 0 if it is whole and signed; 1 if it is not; 2 if the file cannot be read.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let bundle = match BundleFile::open(&context.disk, &args.file) {
        Err(BundleError::Faults { faults, .. }) if context.json() => {
            context.print_json(&json!({"whole": false, "faults": faults}));
            return Ok(Exit::Different);
        }
        Err(error @ (BundleError::Faults { .. } | BundleError::Damaged(_))) => {
            return Err(CommandError { exit: Exit::Different, ..error.into() });
        }
        other => other?,
    };
    let signed = args.trust.demand(context, &args.file, &bundle);
    if context.json() {
        let written = Written { size: bundle.size, digest: bundle.digest };
        let mut value = to_json(&bundle.bundle, written);
        value["whole"] = true.into();
        value["accepted"] = signed.is_ok().into();
        value["faults"] = json!([]);
        context.print_json(&value);
        return Ok(if signed.is_ok() { Exit::Done } else { Exit::Different });
    }
    let inside = &bundle.bundle;
    context.print(&format!("tree   {}\nindex  {}\n", inside.tree, inside.digest));
    context.note(&format!(
        "{}: whole, {} blobs, {} bytes, nothing else inside",
        args.file.display(),
        inside.blobs.len(),
        bundle.size
    ));
    if let Some(base) = inside.base {
        let count = inside.needs.len();
        context.note(&format!("a delta: it needs {base}, of which {count} blobs are not inside"));
    }
    signed.map_err(|error| CommandError { exit: Exit::Different, ..error })?;
    Ok(Exit::Done)
}
