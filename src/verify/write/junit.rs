//! A verification for a CI server: JUnit's XML.
//!
//! There is no one standard. What is written is inside what Jenkins' schema (junit-10.xsd), GitLab
//! and the readers of GitHub have in common: `testsuites`, a `testsuite` a group, a `testcase` a
//! check with at most one of `failure`, `error` and `skipped`, and `system-out`.

use super::super::report::{CheckResult, Report, Status};
use super::gathered::{gather, hints};
use super::{title, verdict};
use crate::diff::visible;

/// A report as JUnit's XML.
///
/// `classname` is the mesh and the group, `name` the check's id: what CI servers know a test by
/// never changes while the id does not. What could not be looked at is an error, a warning a test
/// that passed with a remark. No times are given, because checks are looked at together.
/// Characters that XML 1.0 cannot hold are written as escapes.
pub fn to_junit(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let number = |status| of(&report.checks, status);
    out.push_str(&format!(
        "<testsuites name=\"meshgen verify\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
        report.checks.len(),
        number(Status::Failed),
        number(Status::NotLooked)
    ));
    let mut rest = report.checks.as_slice();
    while let Some(first) = rest.first() {
        let end = rest.iter().position(|check| group(check) != group(first));
        let (suite, after) = rest.split_at(end.unwrap_or(rest.len()));
        out.push_str(&test_suite(report, group(first), suite));
        rest = after;
    }
    out.push_str("</testsuites>\n");
    out
}

fn group(check: &CheckResult) -> &str {
    check.id.split_once('.').map_or(check.id.as_str(), |(group, _)| group)
}

fn of(checks: &[CheckResult], status: Status) -> usize {
    checks.iter().filter(|check| check.status == status).count()
}

fn test_suite(report: &Report, group: &str, checks: &[CheckResult]) -> String {
    let mut out = format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        attribute(group),
        checks.len(),
        of(checks, Status::Failed),
        of(checks, Status::NotLooked),
        of(checks, Status::Skipped)
    );
    if !report.at.is_empty() {
        out.push_str(&format!(" timestamp=\"{}\"", attribute(&report.at)));
    }
    out.push_str(">\n    <properties>\n");
    let verdict = verdict(report);
    for (name, value) in [
        ("mesh", report.mesh.as_str()),
        ("tree", report.label.as_str()),
        ("digest", report.tree.as_str()),
        ("verdict", verdict.as_str()),
    ] {
        let value = attribute(value);
        out.push_str(&format!("      <property name=\"{name}\" value=\"{value}\"/>\n"));
    }
    out.push_str("    </properties>\n");
    let class = format!("{}.{group}", report.mesh);
    for check in checks {
        out.push_str(&test_case(&class, check));
    }
    out.push_str("  </testsuite>\n");
    out
}

fn test_case(class: &str, check: &CheckResult) -> String {
    let (class, id) = (attribute(class), attribute(&check.id));
    let mut out = format!("    <testcase classname=\"{class}\" name=\"{id}\"");
    let details = details(check);
    let inner = match check.status {
        Status::Passed if check.summary.is_empty() => String::new(),
        Status::Passed => element("system-out", None, &check.summary),
        Status::Warning => element("system-out", None, &format!("warning\n{details}")),
        Status::Skipped => element("skipped", Some((None, &check.summary)), ""),
        Status::Failed => element("failure", Some((Some("failed"), &message(check))), &details),
        Status::NotLooked => element("error", Some((Some("notLooked"), &message(check))), &details),
    };
    if inner.is_empty() {
        out.push_str("/>\n");
    } else {
        out.push_str(&format!(">\n{inner}    </testcase>\n"));
    }
    out
}

/// What CI servers show in a list: the worst finding, or what was asked.
fn message(check: &CheckResult) -> String {
    let found = gather(check);
    match found.as_slice() {
        [] => title(&check.id).to_owned(),
        [one] => one.sentence(),
        [first, rest @ ..] => format!("{} (and {} more)", first.sentence(), rest.len()),
    }
}

fn details(check: &CheckResult) -> String {
    let mut lines = vec![title(&check.id).to_owned()];
    lines.extend(Some(check.summary.clone()).filter(|text| !text.is_empty()));
    for gathered in gather(check) {
        lines.push(format!("{}: {}", gathered.finding.status.word(), gathered.sentence()));
        lines.extend(gathered.finding.evidence.iter().map(|line| format!("  {line}")));
    }
    lines.extend(hints(check).iter().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

/// An element with `type` and `message`, and text.
fn element(name: &str, told: Option<(Option<&str>, &str)>, text: &str) -> String {
    let mut out = format!("      <{name}");
    if let Some((kind, message)) = told {
        if let Some(kind) = kind {
            out.push_str(&format!(" type=\"{kind}\""));
        }
        if !message.is_empty() {
            out.push_str(&format!(" message=\"{}\"", attribute(message)));
        }
    }
    if text.is_empty() {
        out.push_str("/>\n");
    } else {
        let lines: Vec<String> = text.lines().map(plain).collect();
        out.push_str(&format!(">{}</{name}>\n", lines.join("\n")));
    }
    out
}

/// Text that stands in an attribute, in one line.
fn attribute(text: &str) -> String {
    plain(text).replace('"', "&quot;").replace('\t', "&#9;")
}

/// Text that XML 1.0 can hold, and in which nothing is markup.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{FFFE}' => out.push_str("\\u{fffe}"),
            '\u{FFFF}' => out.push_str("\\u{ffff}"),
            other => out.push(other),
        }
    }
    out
}
