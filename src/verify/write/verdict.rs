//! The verdict in one line.

use super::super::report::{CheckResult, Report, Status};
use super::{count, list};

/// How many clusters of a check are named.
const CLUSTERS: usize = 3;
/// How many checks are named.
const CHECKS: usize = 8;

/// What a report comes to, in one line: `verified: one mesh of 2 clusters, 23 checks passed, 1
/// warning`.
///
/// It is called one mesh only where traffic of every pair of clusters was looked at; else it is
/// `verified in part`. Checks that failed or could not be looked at are named with their clusters.
pub fn verdict(report: &Report) -> String {
    match report.status() {
        Status::Failed => {
            let (failed, dark) = (all(report, Status::Failed), all(report, Status::NotLooked));
            let mut text = format!(
                "not verified: {} failed: {}",
                count(failed.len(), "check"),
                named(&failed, Status::Failed)
            );
            if !dark.is_empty() {
                let dark = named(&dark, Status::NotLooked);
                text.push_str(&format!("; could not look: {dark}"));
            }
            text
        }
        Status::NotLooked => {
            let dark = all(report, Status::NotLooked);
            format!("could not look: {}", named(&dark, Status::NotLooked))
        }
        _ => good(report),
    }
}

fn good(report: &Report) -> String {
    let number = |status| all(report, status).len();
    let (passed, warnings) = (number(Status::Passed), number(Status::Warning));
    let clusters = count(report.clusters.len(), "cluster");
    if passed + warnings == 0 {
        return "nothing was verified: every check was skipped".to_owned();
    }
    let proven = report
        .check("traffic.versions")
        .is_some_and(|check| matches!(check.status, Status::Passed | Status::Warning))
        && report.left_out.is_empty();
    let checks = count(passed, "check");
    let mut text = if proven {
        format!("verified: one mesh of {clusters}, {checks} passed")
    } else {
        format!("verified in part: {checks} of {clusters} passed")
    };
    if warnings > 0 {
        text.push_str(&format!(", {}", count(warnings, "warning")));
    }
    let skipped = number(Status::Skipped);
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped"));
    }
    text
}

fn all(report: &Report, status: Status) -> Vec<&CheckResult> {
    report.checks.iter().filter(|check| check.status == status).collect()
}

/// The checks by id, each with the clusters where it came out so. What is all about the same
/// clusters names them once.
fn named(checks: &[&CheckResult], status: Status) -> String {
    let clusters: Vec<Vec<&str>> = checks.iter().map(|check| clusters(check, status)).collect();
    if let [first, rest @ ..] = clusters.as_slice()
        && rest.len() >= CHECKS
        && !first.is_empty()
        && rest.iter().all(|other| other == first)
    {
        return format!("{} of {}", count(checks.len(), "check"), list(first, CLUSTERS));
    }
    let names: Vec<String> = checks
        .iter()
        .zip(&clusters)
        .map(|(check, clusters)| match clusters.as_slice() {
            [] => check.id.clone(),
            clusters => format!("{} ({})", check.id, list(clusters, CLUSTERS)),
        })
        .collect();
    list(&names.iter().map(String::as_str).collect::<Vec<_>>(), CHECKS)
}

fn clusters(check: &CheckResult, status: Status) -> Vec<&str> {
    let mut clusters: Vec<&str> = Vec::new();
    for finding in check.findings.iter().filter(|finding| finding.status == status) {
        let name = finding.cluster.as_deref();
        clusters.extend(name.filter(|name| !clusters.contains(name)));
    }
    clusters
}
