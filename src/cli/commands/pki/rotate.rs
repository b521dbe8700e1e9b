//! `meshgen pki rotate`.

use super::{identity, ring};
use crate::cli::{CommandError, Context, Exit};
use crate::pki;

/// Make a new intermediate for a cluster, under the same root.
///
/// The root's private key is opened for it, so an identity is needed. The old key is gone from the
/// file, and stays in git's history, sealed.
///
/// istiod takes the new intermediate without a restart, because the root stays the same.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cluster, by its name in mesh.yaml.
    cluster: String,

    #[command(flatten)]
    identity: identity::IdentityArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut inputs = ring::load(context);
    let policy = ring::policy(&mut inputs)?;
    ring::check_keyring(&inputs, |problem| ring::is_about(problem, &args.cluster))?;
    let identities = args.identity.read(context)?;
    let changes = pki::rotate(&inputs.keyring, &policy, &args.cluster, ring::now(), &identities);
    ring::finish(context, &changes.map_err(|errors| ring::not_done(&errors))?, "nothing to do")
}
