//! `meshgen pki init`.

use std::path::PathBuf;

use serde_json::json;

use super::{identity, ring};
use crate::cli::{CommandError, Context, Exit};
use crate::pki::{self, Recipient};

/// Make what is missing: the root, and an intermediate for every cluster that has none.
///
/// Keys that are there are never touched. A cluster that was added to mesh.yaml gets its
/// intermediate; for that the root's private key is opened, so an identity is needed. The first
/// run needs none.
///
/// Every private key is sealed (SOPS, age) for the recipients in mesh.yaml. Commit `pki/`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Make an age identity in this new file (mode 0600, outside the project), and print its
    /// recipient, which belongs under `pki.recipients` in mesh.yaml. If mesh.yaml lists nobody
    /// yet, this recipient is sealed for.
    #[arg(long, value_name = "FILE", env = "MESHGEN_NEW_IDENTITY")]
    new_identity: Option<PathBuf>,

    #[command(flatten)]
    identity: identity::IdentityArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut inputs = ring::load(context);
    let mut policy = ring::policy(&mut inputs)?;
    ring::check_keyring(&inputs, |_| false)?;
    let identities = args.identity.read(context)?;
    let someone_is_listed = !policy.recipients.is_empty();
    let new = match &args.new_identity {
        None => None,
        Some(path) => {
            identity::check_private(context, path, "the identity")?;
            let (text, recipient) = pki::new_identity();
            if !someone_is_listed {
                policy.recipients.push(recipient.clone());
            }
            Some((path, text, recipient))
        }
    };
    // the operation comes before any file, so that a refusal leaves no identity behind
    let changes = pki::init(&inputs.keyring, &policy, ring::now(), &identities);
    let changes = changes.map_err(|errors| ring::not_done(&errors))?;
    if let Some((path, text, _)) = &new {
        identity::write_private(context, path, "the identity", text.expose())?;
    }
    say(context, &changes, new.as_ref().map(|(_, _, recipient)| (recipient, someone_is_listed)))
}

fn say(
    context: &Context,
    changes: &pki::Changes,
    made: Option<(&Recipient, bool)>,
) -> Result<Exit, CommandError> {
    ring::write_and_say(context, changes, "nothing is missing: root and intermediates are there")?;
    if let Some((_, someone_is_listed)) = made {
        context.note(if someone_is_listed {
            "note: nothing is sealed for the new identity yet: put its recipient under `pki.recipients` in mesh.yaml, then `meshgen pki updatekeys`"
        } else {
            "note: put the new identity's recipient under `pki.recipients` in mesh.yaml, and keep the file: without it no key can be opened"
        });
    }
    if context.json() {
        let mut value = ring::to_json(changes);
        value["recipient"] = json!(made.map(|(recipient, _)| recipient.as_str()));
        context.print_json(&value);
    } else if let Some((recipient, _)) = made {
        context.print(&format!("{recipient}\n"));
    }
    Ok(Exit::Done)
}
