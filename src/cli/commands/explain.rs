//! `meshgen explain`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::{CommandError, Context, Exit};
use crate::diag::{Rule, find_rule, rules};
use crate::spec::closest;
use crate::verify::{CHECKS, Check, find};

/// Tell the story of a rule, or of a check of `meshgen verify`: what it asks for, what goes wrong
/// without it, and what to do.
///
/// Without a name, lists all rules (the code, how bad a breach is, whether `allow` in mesh.yaml can
/// lower it, and what the rule asks for), then all checks (the id, and what is asked). With the
/// name of a group, lists its checks. A code or an id never changes its meaning.
///
/// With `-o json` the same as data: a list of objects (or one object). A rule has `code`, `title`,
/// `severity` (`error` or `warning`), `lowerable` and `story`; a check has its id as `code`, and
/// `title`, `proves`, `hint` and `story`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The code that stands in a message: `MG0502`, or just `502`; the id of a check:
    /// `discovery.clusters`; a group of checks: `discovery`.
    #[arg(value_name = "CODE|CHECK-ID")]
    code: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  meshgen explain                      all rules and checks
  meshgen explain MG0306               why every network needs an east-west gateway
  meshgen explain discovery.clusters   what `meshgen verify` asks every istiod, and why

A rule that can be lowered is lowered in mesh.yaml, for one cluster or for all, with a reason:
  allow:
  - code: MG0502
    cluster: lab
    reason: a kind cluster on this laptop, which nobody dials

Exit codes: 0; 2 if there is no such rule or check.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let Some(code) = &args.code else {
        if context.json() {
            let rules = rules().map(rule_json);
            context.print_json(&rules.chain(CHECKS.iter().map(check_json)).collect());
        } else {
            context.print(&format!("{}\n{}", rule_list(), check_list(CHECKS)));
        }
        return Ok(Exit::Done);
    };
    let name = code.trim().to_ascii_lowercase();
    let group: Vec<Check> = CHECKS.iter().filter(|check| check.group() == name).copied().collect();
    if !group.is_empty() {
        if context.json() {
            context.print_json(&group.iter().map(check_json).collect());
        } else {
            context.print(&check_list(&group));
        }
    } else if let Some(check) = find(&name) {
        explain(context, &check_json(check), check.id, check.title, &words(check));
    } else {
        let rule = find_rule(&full(code)).ok_or_else(|| unknown(code))?;
        let said = format!("({})\n\n{}\n", standing(rule), rule.story);
        explain(context, &rule_json(rule), rule.code, rule.title, &said);
    }
    Ok(Exit::Done)
}

/// Prints one of them.
fn explain(context: &Context, json: &Value, code: &str, title: &str, said: &str) {
    if context.json() {
        context.print_json(json);
        return;
    }
    let (bold, reset) = if context.colour_out { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    context.print(&format!("{bold}{code}: {title}{reset}\n{said}"));
}

fn rule_list() -> String {
    let mut text = String::new();
    for rule in rules() {
        let lowerable = if rule.lowerable { "can be allowed" } else { "" };
        let severity = rule.severity.as_str();
        let _ = writeln!(text, "{}  {severity:<7}  {lowerable:<14}  {}", rule.code, rule.title);
    }
    text
}

fn check_list(checks: &[Check]) -> String {
    let width = CHECKS.iter().map(|check| check.id.len()).max().unwrap_or_default();
    checks.iter().map(|check| format!("{:<width$}  {}\n", check.id, check.title)).collect()
}

fn standing(rule: &Rule) -> String {
    let severity = rule.severity.as_str();
    if rule.lowerable {
        format!("{severity}; can be allowed in mesh.yaml")
    } else {
        format!("{severity}; cannot be allowed")
    }
}

fn words(check: &Check) -> String {
    let Check { proves, hint, story, .. } = check;
    format!("(a check of `meshgen verify`)\n\nproves: {proves}\n\n{story}\n\nhint: {hint}\n")
}

fn rule_json(rule: &Rule) -> Value {
    json!({
        "code": rule.code,
        "title": rule.title,
        "severity": rule.severity.as_str(),
        "lowerable": rule.lowerable,
        "story": rule.story,
    })
}

fn check_json(check: &Check) -> Value {
    json!({
        "code": check.id,
        "title": check.title,
        "proves": check.proves,
        "hint": check.hint,
        "story": check.story,
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
    let error = CommandError::refused(format!("there is no rule or check `{code}`"));
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    let codes: Vec<&str> = rules().map(|rule| rule.code).collect();
    let check = closest(&code.trim().to_ascii_lowercase(), &ids).and_then(find);
    let rule = closest(&full(code), &codes).and_then(find_rule);
    match (check, rule) {
        (Some(check), _) => error.hint(format!("the nearest is `{}`: {}", check.id, check.title)),
        (None, Some(rule)) => error.hint(format!("the nearest is `{}`: {}", rule.code, rule.title)),
        (None, None) => error,
    }
    .hint("`meshgen explain` lists the rules and checks")
}
