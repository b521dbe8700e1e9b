//! `meshgen bundle sign`.

use std::path::PathBuf;

use serde_json::json;

use super::remote;
use super::signing_key::PasswordArgs;
use crate::bundle::BundleFile;
use crate::bundle::registry::{self, Remote};
use crate::bundle::sign::{self, SigningKey};
use crate::cli::{CommandError, Context, Exit, registry_options};
use crate::registry::Access;
use crate::store::Digest;

/// Sign a bundle with a private key.
///
/// Writes the signature beside the bundle: FILE.sigstore.json, a Sigstore bundle (v0.3) with a signature
/// over the sha256 of the file. What reads the bundle later (`bundle verify`, `bundle import`, `plan`,
/// `apply`, `verify`, `diff`, `gitops`, `bundle push --flux`) looks for it there, so carry both. It says
/// nothing of when, and asks no network:
/// no certificate, no transparency log.
///
/// A bundle in a registry is named by its digest, and gets a referrer: a statement over that digest, as
/// `cosign sign` makes it. It counts where `oci://…@sha256:…` is taken as TREE.
///
/// Keys are those of cosign (`cosign generate-key-pair`), or PKCS#8 in PEM: ECDSA P-256, or RSA of 2048
/// bits or more. The password is never asked for on the command line.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle: a file, or `oci://HOST/REPOSITORY@sha256:DIGEST`.
    #[arg(value_name = "FILE|OCI")]
    bundle: PathBuf,

    /// The file with the private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    password: PasswordArgs,

    /// Reach the registry by `http://`. Without it, plain http is for this machine alone.
    #[arg(long)]
    plain_http: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle sign --key cosign.key apac.tar
  COSIGN_PASSWORD=… meshgen bundle sign --key cosign.key apac.tar
  meshgen bundle sign --key plain.pem apac.tar
  meshgen bundle sign --key cosign.key oci://registry.example/mesh/apac@sha256:…
  cosign verify-blob --key cosign.pub --bundle apac.tar.sigstore.json --insecure-ignore-tlog apac.tar
  cosign verify --key cosign.pub --insecure-ignore-tlog registry.example/mesh/apac@sha256:…

Exit codes: 0; 2 if the key, its password or the bundle is wrong; 3 if the registry cannot be reached;
nothing was written then.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if let Some(text) = args.bundle.to_str().filter(|text| text.starts_with("oci://")) {
        return remote(context, args, text);
    }
    let file = &args.bundle;
    // whoever signs must not put his name under what nobody could take
    let bundle = BundleFile::open(&context.disk, file)?;
    let key = args.password.key(context, &args.key)?;
    let signature = sign::sign_file(&key, &bundle.digest)
        .map_err(|error| CommandError::refused(error.to_string()))?;
    let path = sign::file_of(file);
    context.disk.replace(&path, &signature)?;
    say(context, &key, &bundle.digest, &format!("`{}`", path.display()));
    Ok(Exit::Done)
}

fn remote(context: &Context, args: &Args, text: &str) -> Result<Exit, CommandError> {
    let options = registry_options(args.plain_http);
    let (repository, reference, digest) = remote::pinned(context, text, &options, Access::Push)?;
    let remote = Remote::open(repository, &digest)?;
    let bar = context.progress("verifying, blobs");
    remote.check(&|done| bar.set(done))?;
    bar.finish();
    let key = args.password.key(context, &args.key)?;
    let referrer = registry::sign(&remote, &key)?;
    say(context, &key, &digest, &format!("`{}`", reference.at(referrer)));
    Ok(Exit::Done)
}

fn say(context: &Context, key: &SigningKey, digest: &Digest, signature: &str) {
    let fingerprint = key.public().fingerprint();
    context.note(&format!("signed {digest}\n  by the key {fingerprint}: {signature}"));
    if context.json() {
        let signature = signature.trim_matches('`');
        let value = json!({"digest": digest, "key": fingerprint, "signature": signature});
        context.print_json(&value);
    }
}
