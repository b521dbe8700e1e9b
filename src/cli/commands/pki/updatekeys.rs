//! `meshgen pki updatekeys`.

use super::{identity, ring};
use crate::cli::{CommandError, Context, Exit};
use crate::diag::keyring_rules;
use crate::pki;

/// Seal every file for the recipients in mesh.yaml, values unchanged.
///
/// Where recipients were only added, the data key is wrapped for them and nothing else changes.
/// Where one was taken away, the values are sealed with a new data key. He may have kept what he
/// read before: only `meshgen pki rotate` takes his power away.
///
/// Files that sops sealed in another way (without `mac_only_encrypted`, or with more values sealed
/// than the private key) are sealed anew.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    identity: identity::IdentityArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut inputs = ring::load(context);
    let policy = ring::policy(&mut inputs)?;
    ring::check_keyring(&inputs, |problem| *problem.rule == keyring_rules::NOT_SEALED_OUR_WAY)?;
    let identities = args.identity.read(context)?;
    let changes = pki::update_keys(&inputs.keyring, &policy, ring::now(), &identities);
    let nothing = "every file is sealed for whom mesh.yaml says";
    ring::finish(context, &changes.map_err(|errors| ring::not_done(&errors))?, nothing)
}
