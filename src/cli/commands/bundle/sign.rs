//! `meshgen bundle sign`.

use std::path::PathBuf;

use serde_json::json;

use super::signing_key::PasswordArgs;
use crate::bundle::BundleFile;
use crate::bundle::sign;
use crate::cli::{CommandError, Context, Exit};

/// Sign a bundle with a private key.
///
/// Writes the signature beside the bundle: FILE.sigstore.json, a Sigstore bundle (v0.3) with a signature
/// over the sha256 of the file. What reads the bundle later (`bundle verify`, `bundle import`, `plan`,
/// `apply`, `diff`) looks for it there, so carry both. It says nothing of when, and asks no network:
/// no certificate, no transparency log.
///
/// Keys are those of cosign (`cosign generate-key-pair`), or PKCS#8 in PEM: ECDSA P-256, or RSA of 2048
/// bits or more. The password is never asked for on the command line.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The file with the private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    password: PasswordArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle sign --key cosign.key apac.tar
  COSIGN_PASSWORD=… meshgen bundle sign --key cosign.key apac.tar
  meshgen bundle sign --key plain.pem apac.tar
  cosign verify-blob --key cosign.pub --bundle apac.tar.sigstore.json --insecure-ignore-tlog apac.tar

Exit codes: 0; 2 if the key, its password or the bundle is wrong, and nothing was written.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    // whoever signs must not put his name under what nobody could take
    let bundle = BundleFile::open(&context.disk, &args.file)?;
    let key = args.password.key(context, &args.key)?;
    let signature = sign::sign_file(&key, &bundle.digest)
        .map_err(|error| CommandError::refused(error.to_string()))?;
    let path = sign::file_of(&args.file);
    context.disk.replace(&path, &signature)?;
    let fingerprint = key.public().fingerprint();
    context.note(&format!("signed by the key {fingerprint}: `{}`", path.display()));
    if context.json() {
        context.print_json(&json!({
            "file": args.file,
            "digest": bundle.digest,
            "signature": path,
            "key": fingerprint,
        }));
    }
    Ok(Exit::Done)
}
