//! `meshgen bundle pull`.

use std::path::PathBuf;

use serde_json::json;

use super::trust::signature_beside;
use super::{TrustArgs, remote};
use crate::bundle::registry::{Remote, attached, pull};
use crate::bundle::sign::{self, TrustedKeys};
use crate::cli::{CommandError, Context, Exit};
use crate::registry::Access;
use crate::store::Digest;

/// Fetch a bundle from a registry into a file.
///
/// The file has the very bytes that were pushed, and is verified on the way. If a signature of it was
/// pushed too, it is written beside it (FILE.sigstore.json). The bundle is named by its digest: what
/// comes is that one or nothing. Whether somebody who is trusted signed it, `bundle verify` says, and
/// every command that takes the file asks; here the keys that are trusted only say which of several
/// signatures is taken.
///
/// What was fetched is kept in FILE.partial until all of it is here. If it is broken off, the same again
/// fetches the rest.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle: `oci://HOST/REPOSITORY@sha256:DIGEST`.
    #[arg(value_name = "OCI")]
    from: String,

    /// The file to write. One that stands there is replaced, once all of the new one is here.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    trust: TrustArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle pull oci://registry.example/mesh/apac@sha256:… --out apac.tar
  meshgen bundle verify apac.tar --key cosign.pub

Proxies, certificate authorities and credentials: as for `bundle push`.

Exit codes: 0; 2 if the request or an answer is wrong; 3 if the registry fails or cannot be reached:
run it again.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    context.refuse_inside(&args.out)?;
    let options = args.trust.registry();
    let (repository, _, digest) = remote::pinned(context, &args.from, &options, Access::Pull)?;
    let keys = args.trust.signers.trusted(context)?;
    let remote = Remote::open(repository, &digest)?;
    let bar = context.progress("pulling, blobs");
    let pulled = pull(&context.disk, &remote, &args.out, &|done| bar.set(done))?;
    bar.finish();
    let signature = attached(&remote, &pulled.written.digest, &keys)?;
    let path = sign::file_of(&args.out);
    let here = signature_beside(context, &path)?;
    let file = &pulled.written.digest;
    let [worth, worth_here] = [&signature, &here].map(|one| worth(one.as_deref(), file, &keys));
    // what somebody who is trusted signed is not given up for what anybody could have pushed
    let signature = signature.filter(|_| worth > worth_here);
    if let Some(signature) = &signature {
        context.disk.replace(&path, signature)?;
    }
    let shown = args.out.display();
    let (fetched, kept) = (pulled.fetched, pulled.here);
    context.note(&format!(
        "{shown}: {fetched} blobs fetched ({} bytes), {kept} were here; {} bytes in all",
        pulled.bytes, pulled.written.size,
    ));
    if signature.is_some() {
        context.note(&format!("its signature: `{}`", path.display()));
    } else if worth_here != Worth::Nothing {
        context.note(&format!("its signature was here: `{}`", path.display()));
    } else {
        context.note("no signature of this file was pushed with it");
        if here.is_some() {
            let path = path.display();
            context.note(&format!("`{path}` is not of this file: remove it"));
        }
    }
    if context.json() {
        context.print_json(&json!({
            "file": pulled.written.digest, "size": pulled.written.size, "index": digest,
            "fetched": fetched, "bytes": pulled.bytes, "here": kept,
            "signature": (worth.max(worth_here) != Worth::Nothing).then_some(path),
        }));
    }
    Ok(Exit::Done)
}

/// What a signature is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// There is none, or it is not of this file.
    Nothing,
    /// Somebody signed the file.
    Signed,
    /// Somebody who is trusted did.
    Trusted,
}

fn worth(signature: Option<&[u8]>, file: &Digest, keys: &TrustedKeys) -> Worth {
    match signature.map(|bytes| sign::verify_file(bytes, file, keys)) {
        Some(Ok(_)) => Worth::Trusted,
        Some(Err(error)) if error.is_unsigned() => Worth::Signed,
        _ => Worth::Nothing,
    }
}
