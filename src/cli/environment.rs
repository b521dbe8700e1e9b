//! Every flag also from the environment, save those that lift a guard.

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Command};

/// Flags that lift a guard: somebody must write them where he means them, so that a variable which
/// was forgotten in a shell or a CI job never overrides anything.
const GUARDS: [&str; 13] = [
    "adopt",
    "adopt-leftovers",
    "change-root",
    "gone",
    "key",
    "overwrite-edits",
    "pin",
    "plain-http",
    "prune",
    "recreate",
    "update",
    "without-sealed",
    "yes",
];

/// Whether a flag, by its long name, lifts a guard.
fn lifts_a_guard(flag: &str) -> bool {
    GUARDS.contains(&flag)
        || flag == "force"
        || flag.starts_with("force-")
        || flag.starts_with("allow-")
}

/// Gives every flag of a command tree its variable `MESHGEN_<FLAG>`.
///
/// A variable that is empty counts as not set. A switch takes `1`, `true`, `yes`, `on` and their
/// opposites; a flag that can be repeated takes one value.
#[expect(clippy::disallowed_methods, reason = "flags alone, and only whether they are empty")]
pub(super) fn bind(command: Command) -> Command {
    // elsewhere these flags are about clusters
    let of_checks = command.get_name() == "verify" && command.get_subcommands().next().is_none();
    let command = command.mut_args(|arg| {
        let flag = match arg.get_long() {
            Some("help" | "version") | None => return arg,
            Some("only" | "skip") if of_checks => return arg.env(None::<&str>),
            Some(flag) if lifts_a_guard(flag) => return arg.env(None::<&str>),
            Some(flag) => flag.to_owned(),
        };
        let variable = format!("MESHGEN_{}", flag.to_uppercase().replace('-', "_"));
        if std::env::var_os(&variable).is_some_and(|value| value.is_empty()) {
            return arg.env(None::<&str>);
        }
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
        let arg = if is_switch { arg.value_parser(BoolishValueParser::new()) } else { arg };
        // hidden, because one sentence says the same for all of them; and a value may be a secret
        arg.env(variable).hide_env(true).hide_env_values(true)
    });
    command.mut_subcommands(bind)
}
