//! `meshgen pki import`.

use std::path::{Path, PathBuf};

use super::identity::{refused, secret_text};
use super::ring;
use crate::cli::{CommandError, Context, Exit};
use crate::pki::{self, Import, Material, ROOT};

const MAX_CERTIFICATE: u64 = 1 << 20;

/// Bring in a root and intermediates that you have.
///
/// Certificates and keys are PEM; keys are PKCS#8, PKCS#1 (RSA) or SEC1 (EC), without a
/// passphrase: RSA from 2048 bits, ECDSA P-256 or P-384. Each key must fit its certificate, each
/// certificate must be a CA, and each intermediate must be signed by the root and end before it.
/// Everything is checked before anything is written.
///
/// A root can come without its key, if that is kept elsewhere; then all intermediates have to be
/// imported too.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(super) struct Args {
    /// The root's certificate.
    #[arg(long, value_name = "CERT", group = "what", env = "MESHGEN_ROOT")]
    root: Option<PathBuf>,

    /// The root's private key.
    #[arg(long, value_name = "KEY", requires = "root", env = "MESHGEN_ROOT_KEY")]
    root_key: Option<PathBuf>,

    /// A cluster's intermediate: its certificate and private key. Can be given several times.
    #[arg(
        long,
        num_args = 3,
        value_names = ["CLUSTER", "CERT", "KEY"],
        group = "what"
    )]
    intermediate: Vec<PathBuf>,

    /// A folder as Istio's certificate makefiles leave it: `root-cert.pem`, `root-key.pem` if it
    /// is there, and for every cluster of mesh.yaml `<cluster>/ca-cert.pem` and
    /// `<cluster>/ca-key.pem` if they are there.
    #[arg(long, value_name = "DIR", group = "what", conflicts_with_all = ["root", "intermediate"], env = "MESHGEN_FROM")]
    from: Option<PathBuf>,

    /// Replace what is in the keyring with another certificate.
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut inputs = ring::load(context);
    let policy = ring::policy(&mut inputs)?;
    let import = match &args.from {
        Some(folder) => from_folder(context, folder, &policy, args.replace)?,
        None => from_files(context, args)?,
    };
    let is_replaced = |name: &str| {
        import.replace
            && (name == ROOT && import.root.is_some()
                || import.intermediates.iter().any(|(own, _)| own == name))
    };
    ring::check_keyring(&inputs, |problem| {
        let names =
            std::iter::once(ROOT).chain(import.intermediates.iter().map(|(name, _)| name.as_str()));
        names.filter(|name| is_replaced(name)).any(|name| ring::is_about(problem, name))
    })?;
    let changes = pki::import(&inputs.keyring, &policy, &import, ring::now());
    ring::finish(context, &changes.map_err(|errors| ring::not_done(&errors))?, "nothing to import")
}

fn from_files(context: &Context, args: &Args) -> Result<Import, CommandError> {
    let root = match &args.root {
        Some(path) => Some(material(context, path, args.root_key.as_deref())?),
        None => None,
    };
    let mut intermediates = Vec::new();
    for three in args.intermediate.chunks(3) {
        let [cluster, certificate, key] = three else { continue };
        let name = cluster.to_string_lossy().into_owned();
        intermediates.push((name, material(context, certificate, Some(key))?));
    }
    Ok(Import { root, intermediates, replace: args.replace })
}

fn from_folder(
    context: &Context,
    folder: &Path,
    policy: &pki::Policy,
    replace: bool,
) -> Result<Import, CommandError> {
    let there = |path: PathBuf| {
        context.disk.exists(&path).map(|there| there.then_some(path)).map_err(refused)
    };
    let root_key = there(folder.join("root-key.pem"))?;
    let root = material(context, &folder.join("root-cert.pem"), root_key.as_deref())?;
    let mut intermediates = Vec::new();
    for cluster in &policy.clusters {
        let own = folder.join(&cluster.name);
        if let Some(certificate) = there(own.join("ca-cert.pem"))? {
            let key = own.join("ca-key.pem");
            let material = material(context, &certificate, Some(&key))?;
            intermediates.push((cluster.name.clone(), material));
        }
    }
    Ok(Import { root: Some(root), intermediates, replace })
}

fn material(
    context: &Context,
    certificate: &Path,
    key: Option<&Path>,
) -> Result<Material, CommandError> {
    let bytes = context.disk.read_limited(certificate, MAX_CERTIFICATE).map_err(refused)?;
    let key = key.map(|path| secret_text(context, path)).transpose()?;
    Ok(Material { certificate: String::from_utf8_lossy(&bytes).into_owned(), key })
}
