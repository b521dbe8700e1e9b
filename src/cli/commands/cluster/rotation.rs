//! What `pki rotate-tokens` and `retire --rotate-tokens` share.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::tell;
use super::session::Unconnected;
use super::who;
use crate::cli::{CommandError, Context, Format};
use crate::cluster::rotation::{Found, Phase, Rotation, look};
use crate::cluster::{Mesh, Refusal};

/// A rotation by this process, of clusters that were connected to.
pub fn rotation(
    context: &Context,
    mesh: &Arc<Mesh>,
    timeout: Duration,
    unseen: Option<Duration>,
) -> Rotation {
    let told = context.clone();
    Rotation {
        mesh: mesh.clone(),
        members: (0..mesh.members.len()).collect(),
        me: who::me(),
        timeout,
        tell: Arc::new(move |event| tell(&told, &event)),
        unseen,
        retired: None,
        distrusts: false,
    }
}

/// Refuses clusters that could not be connected to: each may read another.
pub fn connected(missing: &[Unconnected]) -> Result<(), CommandError> {
    let fault = |one: &Unconnected| {
        let (message, hint) = (one.error.to_string(), one.error.hint());
        (one.name.clone(), Refusal { key: None, message, hint })
    };
    let faults: Vec<_> = missing.iter().map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(refused(&faults)) }
}

/// Looks at tokens, and says what will be done. What stands against it ends the command.
pub async fn looked(
    context: &Context,
    rotation: &Rotation,
    names: &[String],
) -> Result<Vec<Found>, CommandError> {
    let found = look(rotation, names).await.map_err(|faults| refused(&faults))?;
    if context.output == Format::Text {
        for one in &found {
            context.note(&line(one));
            if !one.strangers.is_empty() {
                context.note(&format!(
                    "{}  no remote secret of it is in {}, which get none here",
                    one.subject.name,
                    one.strangers.join(", ")
                ));
            }
        }
    }
    Ok(found)
}

/// What a consent is asked for.
pub fn question(found: &[Found]) -> String {
    let names: Vec<String> = found.iter().map(|one| format!("`{}`", one.subject.name)).collect();
    format!("make the tokens of {} anew: the old ones end", names.join(", "))
}

fn line(found: &Found) -> String {
    let Found { subject, phase, readers, .. } = found;
    let readers = match readers.as_slice() {
        [] => "nobody reads it".to_owned(),
        some => format!("read by {}", some.join(", ")),
    };
    let steps = match phase {
        Phase::Begin => {
            "a second token goes out, then the account and its Secret are made anew and their token goes out, then the second one is deleted"
        }
        Phase::Spread => {
            "goes on with a rotation that was stopped: the second token goes out, then the account and its Secret are made anew"
        }
        Phase::Return => {
            "goes on with a rotation that was stopped: the new token goes out, then the second one is deleted"
        }
    };
    format!("{}  {readers}: {steps}", subject.name)
}

fn refused(faults: &[(String, Refusal)]) -> CommandError {
    let mut lines: Vec<String> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for (cluster, Refusal { key, message, hint }) in faults {
        let key = key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        let line = format!("{cluster}: {key}{message}");
        if !lines.contains(&line) {
            lines.push(line);
        }
        hints.extend(hint.iter().filter(|hint| !hints.contains(hint)).cloned().collect::<Vec<_>>());
    }
    let error = match lines.as_slice() {
        [one] => CommandError::refused(format!("nothing was changed: {one}")),
        many => CommandError::refused(format!("nothing was changed\n  {}", many.join("\n  "))),
    };
    hints.into_iter().fold(error, CommandError::hint)
}
