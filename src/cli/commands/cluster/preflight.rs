//! Everything that stops a run before its first write, of all clusters at once.

use super::session::{ConnectArgs, Look};
use crate::cli::CommandError;
use crate::cluster::{Refusal, is_idle, missing as missing_rights, unfit};
use crate::tree::source::Source;

/// Refuses a tree that cannot be applied, before anybody is asked.
pub fn fit(connect: &ConnectArgs, source: &Source) -> Result<(), CommandError> {
    let mut all = Refused::default();
    for row in source.index.clusters.iter().filter(|row| connect.is_meant(&row.name)) {
        all.refusals(&row.name, &unfit(&source.index, &row.name));
    }
    all.end()
}

/// Refuses what was seen of the clusters, and what is not permitted.
pub async fn preflight(look: &Look) -> Result<(), CommandError> {
    let Look { mesh, missing, survey } = look;
    let mut all = Refused::default();
    for one in missing {
        all.say(&one.name, &one.error.to_string(), one.error.hint());
    }
    for (member, surveyed) in mesh.members.iter().zip(survey) {
        let name = &member.name;
        let surveyed = match surveyed {
            Ok(surveyed) => surveyed,
            Err(why) => {
                let hint = "`--only` leaves clusters out on purpose".to_owned();
                all.say(name, why, Some(hint));
                continue;
            }
        };
        all.refusals(name, &surveyed.plan.refusals);
        for (key, why) in &surveyed.plan.unreadable {
            all.say(name, &format!("{key} cannot be read: {why}"), None);
        }
        if is_idle(surveyed) {
            continue;
        }
        match missing_rights(member.client(), &member.kinds, &surveyed.plan).await {
            Ok(rights) => {
                for right in rights {
                    all.say(name, &format!("the right to {right} is missing"), None);
                }
            }
            Err(error) => all.say(name, &error.to_string(), None),
        }
    }
    all.end()
}

/// What stands against a run, a line each, and what to do about it.
#[derive(Default)]
struct Refused {
    lines: Vec<String>,
    hints: Vec<String>,
}

impl Refused {
    fn say(&mut self, cluster: &str, what: &str, hint: Option<String>) {
        self.lines.push(format!("{cluster}: {what}"));
        self.hints.extend(hint.filter(|hint| !self.hints.contains(hint)));
    }

    fn refusals(&mut self, cluster: &str, refusals: &[Refusal]) {
        for Refusal { key, message, hint } in refusals {
            let key = key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
            self.say(cluster, &format!("{key}{message}"), hint.clone());
        }
    }

    fn end(self) -> Result<(), CommandError> {
        let error = match self.lines.as_slice() {
            [] => return Ok(()),
            [one] => CommandError::refused(format!("nothing was changed: {one}")),
            many => CommandError::refused(format!("nothing was changed\n  {}", many.join("\n  "))),
        };
        Err(self.hints.into_iter().fold(error, CommandError::hint))
    }
}
