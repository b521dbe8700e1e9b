//! `meshgen explain`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::{CommandError, Context, Exit};
use crate::diag::{Rule, find_rule, rules};
use crate::spec::closest;

/// Tell the story of a rule: what it asks for, what goes wrong without it, and what to do.
///
/// Without a code, lists all rules: the code, how bad a breach is, whether `allow` in mesh.yaml can
/// lower it, and what the rule asks for. A code never changes its meaning.
///
/// With `-o json` the same as data: a list of objects (or one object) with `code`, `title`,
/// `severity` (`error` or `warning`), `lowerable` and `story`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The code that stands in a message: `MG0502`, or just `502`.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  meshgen explain              all rules
  meshgen explain MG0306       why every network needs an east-west gateway

A rule that can be lowered is lowered in mesh.yaml, for one cluster or for all, with a reason:
  allow:
  - code: MG0502
    cluster: lab
    reason: a kind cluster on this laptop, which nobody dials

Exit codes: 0; 2 if there is no such rule.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let Some(code) = &args.code else {
        if context.json() {
            context.print_json(&rules().map(as_json).collect());
        } else {
            context.print(&list());
        }
        return Ok(Exit::Done);
    };
    let rule = find_rule(&full(code)).ok_or_else(|| unknown(code))?;
    if context.json() {
        context.print_json(&as_json(rule));
    } else {
        let (bold, reset) = if context.colour_out { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let Rule { code, title, story, .. } = rule;
        context.print(&format!("{bold}{code}: {title}{reset}\n({})\n\n{story}\n", standing(rule)));
    }
    Ok(Exit::Done)
}

fn list() -> String {
    let mut text = String::new();
    for rule in rules() {
        let lowerable = if rule.lowerable { "can be allowed" } else { "" };
        let severity = rule.severity.as_str();
        let _ = writeln!(text, "{}  {severity:<7}  {lowerable:<14}  {}", rule.code, rule.title);
    }
    text
}

fn standing(rule: &Rule) -> String {
    let severity = rule.severity.as_str();
    if rule.lowerable {
        format!("{severity}; can be allowed in mesh.yaml")
    } else {
        format!("{severity}; cannot be allowed")
    }
}

fn as_json(rule: &Rule) -> Value {
    json!({
        "code": rule.code,
        "title": rule.title,
        "severity": rule.severity.as_str(),
        "lowerable": rule.lowerable,
        "story": rule.story,
    })
}

/// `502` and `mg502` mean MG0502.
fn full(code: &str) -> String {
    let upper = code.trim().to_ascii_uppercase();
    match upper.strip_prefix("MG").unwrap_or(&upper).parse::<u16>() {
        Ok(number) => format!("MG{number:04}"),
        Err(_) => upper,
    }
}

fn unknown(code: &str) -> CommandError {
    let codes: Vec<&str> = rules().map(|rule| rule.code).collect();
    let error = CommandError::refused(format!("there is no rule `{code}`"));
    match closest(&full(code), &codes).and_then(find_rule) {
        Some(rule) => error.hint(format!("the nearest is `{}`: {}", rule.code, rule.title)),
        None => error,
    }
    .hint("`meshgen explain` lists the rules")
}
