//! `meshgen bundle verify`.

use std::path::PathBuf;

use serde_json::json;

use super::create::to_json;
use super::{TrustArgs, remote};
use crate::bundle::registry::{Remote, RemoteError};
use crate::bundle::sign::TrustedKey;
use crate::bundle::{BundleError, BundleFile, Written};
use crate::cli::{CommandError, Context, Exit};
use crate::registry::Access;

/// Say whether a bundle is whole, holds nothing else, and who signed it.
///
/// Reads the file once, needs no network and writes nothing. Every digest is checked, and that all
/// is inside that the tree and the images need. Then the file is built again from what was read and
/// compared byte by byte: padding, fields of headers, README and sums count too. What is wrong is
/// named with its place in the file.
///
/// A bundle in a registry is verified where it lies: every digest, the closure, and the signature that
/// is its referrer; each blob is fetched, and none is kept.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle: a file, or `oci://HOST/REPOSITORY@sha256:DIGEST`.
    #[arg(value_name = "FILE|OCI")]
    file: PathBuf,

    #[command(flatten)]
    trust: TrustArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle verify apac.tar
  meshgen bundle verify apac.tar --key cosign.pub
  meshgen bundle verify apac.tar --allow-unsigned -o json
  meshgen bundle verify oci://registry.example/mesh/apac@sha256:… --key cosign.pub

Exit codes: 0 if it is whole and signed; 1 if it is not; 2 if the file cannot be read; 3 if the registry
fails or cannot be reached.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if let Some(text) = args.file.to_str().filter(|text| text.starts_with("oci://")) {
        return remote(context, args, text);
    }
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
    // keys that cannot be read are a wrong request, not a wrong signature
    args.trust.signers.trusted(context)?;
    let signed = args.trust.signers.demand(context, &args.file, &bundle);
    if context.json() {
        let written = Written { size: bundle.size, digest: bundle.digest };
        let mut value = to_json(&bundle.bundle, written);
        value["whole"] = true.into();
        value["accepted"] = signed.is_ok().into();
        value["why"] = json!(signed.as_ref().err().map(|error| error.message.clone()));
        value["signer"] = json!(signer(&signed).map(|key| key.key.fingerprint()));
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
    accepted(context, signed)
}

fn signer(signed: &Result<Option<TrustedKey>, CommandError>) -> Option<&TrustedKey> {
    signed.as_ref().ok()?.as_ref()
}

/// Says who signed it, or that nobody who counts did.
fn accepted(
    context: &Context,
    signed: Result<Option<TrustedKey>, CommandError>,
) -> Result<Exit, CommandError> {
    if let Some(key) = signer(&signed) {
        context.note(&format!("signed by {key}"));
    }
    signed.map_err(|error| CommandError { exit: Exit::Different, ..error })?;
    Ok(Exit::Done)
}

/// As [`run`], where the bundle lies in a registry.
fn remote(context: &Context, args: &Args, text: &str) -> Result<Exit, CommandError> {
    let options = args.trust.registry();
    let (repository, _, digest) = remote::pinned(context, text, &options, Access::Pull)?;
    let signed = args.trust.signers.demand_remote(context, text, &repository, &digest);
    // a registry that cannot be asked says nothing of a signature
    let signed = match signed {
        Err(error) if error.exit == Exit::Partial => return Err(error),
        other => other,
    };
    let unwhole = |error: RemoteError| {
        let is_outside = error.is_outside() || matches!(error, RemoteError::Absent(_));
        let exit = match &error {
            _ if is_outside => return CommandError::from(error),
            // it answers, and what it gives is not the bundle
            RemoteError::Registry(error) | RemoteError::Bundle(BundleError::Registry(error)) => {
                if error.is_content() {
                    Exit::Different
                } else {
                    Exit::Refused
                }
            }
            RemoteError::Bundle(_) => Exit::Different,
            _ => Exit::Refused,
        };
        CommandError { exit, ..error.into() }
    };
    let bar = context.progress("verifying, blobs");
    let checked = Remote::open(repository, &digest)
        .and_then(|remote| remote.check(&|done| bar.set(done)).map(|()| remote))
        .map_err(unwhole);
    bar.finish();
    let remote = match checked {
        Err(error) if error.exit == Exit::Different && context.json() => {
            let fault = json!({"entry": text, "what": error.message});
            context.print_json(&json!({"whole": false, "faults": [fault]}));
            return Ok(Exit::Different);
        }
        other => other?,
    };
    let inside = &remote.bundle;
    if context.json() {
        context.print_json(&json!({
            "mesh": inside.table.mesh, "tree": inside.tree, "index": inside.digest,
            "blobs": inside.blobs.len(), "whole": true, "accepted": signed.is_ok(),
            "why": signed.as_ref().err().map(|error| error.message.clone()),
            "signer": signer(&signed).map(|key| key.key.fingerprint()), "faults": [],
        }));
        return Ok(if signed.is_ok() { Exit::Done } else { Exit::Different });
    }
    context.print(&format!("tree   {}\nindex  {}\n", inside.tree, inside.digest));
    context.note(&format!("{text}: whole, {} blobs", inside.blobs.len()));
    accepted(context, signed)
}
