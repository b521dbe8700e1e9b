//! Findings that say the same, told once.

use std::collections::BTreeMap;

use super::super::check::find;
use super::super::report::{CheckResult, Finding, Status};
use super::list;

/// How many clusters are named in front of a finding.
const NAMED: usize = 4;

/// A finding, and the clusters where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered<'a> {
    /// Where; empty if it is about all.
    pub clusters: Vec<&'a str>,
    /// One of them.
    pub finding: &'a Finding,
}

impl Gathered<'_> {
    /// The message with the clusters in front.
    pub fn sentence(&self) -> String {
        match self.clusters.as_slice() {
            [] => self.finding.message.clone(),
            clusters => format!("{}: {}", list(clusters, NAMED), self.finding.message),
        }
    }
}

/// The findings of a check, what weighs most first, those that differ in the cluster alone as one.
pub fn gather(check: &CheckResult) -> Vec<Gathered<'_>> {
    let mut places = BTreeMap::new();
    let mut all: Vec<Gathered<'_>> = Vec::new();
    for finding in &check.findings {
        let Finding { cluster, status, message, evidence, hint } = finding;
        let place = *places.entry((*status, message, evidence, hint)).or_insert(all.len());
        if place == all.len() {
            all.push(Gathered { clusters: Vec::new(), finding });
        }
        let clusters = &mut all[place].clusters;
        clusters.extend(cluster.as_deref().filter(|name| !clusters.contains(name)));
    }
    all.sort_by_key(|gathered| std::cmp::Reverse(gathered.finding.status));
    all
}

/// What to do, each thing once: what findings say, and the check's own hint where one that is no
/// good says nothing.
pub fn hints(check: &CheckResult) -> Vec<&str> {
    let mut hints: Vec<&str> = Vec::new();
    for finding in &check.findings {
        let own = match finding.status {
            Status::Failed | Status::Warning => find(&check.id).map(|check| check.hint),
            _ => None,
        };
        let hint = finding.hint.as_deref().or(own);
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
    }
    hints
}
