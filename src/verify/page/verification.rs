//! A verification as the page shows it: the tables, then what is not as it should be, then the rest.

use serde::Serialize;

use super::judge;
use super::matrix::{self, ClientRow, Matrix};
use super::model::{Page, short};
use super::view::{Mark, minute};
use crate::verify::write::{Gathered, gather, hints, list, title};
use crate::verify::{CheckResult, Report, Status};

/// How many clusters are named in front of a finding.
const NAMED: usize = 12;

/// A verification.
#[derive(Debug, Serialize)]
pub struct VerificationView {
    mark: Mark,
    at: String,
    tree: String,
    is_current: bool,
    counts: Vec<Mark>,
    groups: Matrix,
    pairs: Option<Matrix>,
    traffic: String,
    clients: Vec<ClientRow>,
    troubled: Vec<CheckView>,
    quiet: Vec<(String, Vec<CheckView>)>,
}

#[derive(Debug, Serialize)]
struct CheckView {
    id: String,
    title: String,
    mark: Mark,
    summary: String,
    hints: Vec<String>,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    mark: Mark,
    clusters: String,
    evidence: Vec<String>,
}

impl VerificationView {
    /// What a report says, beside the page that it is put into.
    pub fn of(page: &Page, report: &Report) -> Self {
        let of =
            |status: Status| report.checks.iter().filter(|check| check.status == status).count();
        let statuses =
            [Status::Failed, Status::NotLooked, Status::Warning, Status::Passed, Status::Skipped];
        let counts = statuses.into_iter().filter(|status| of(*status) > 0);
        let counts =
            counts.map(|status| Mark::new(status, format!("{} {}", of(status), status.word())));
        let is_quiet =
            |check: &&CheckResult| matches!(check.status, Status::Passed | Status::Skipped);
        let mut troubled: Vec<&CheckResult> =
            report.checks.iter().filter(|one| !is_quiet(one)).collect();
        troubled.sort_by_key(|check| std::cmp::Reverse(check.status));
        let mut quiet: Vec<(String, Vec<CheckView>)> = Vec::new();
        for check in report.checks.iter().filter(is_quiet) {
            let group = matrix::heading(check.id.split('.').next().unwrap_or_default());
            match quiet.last_mut().filter(|(last, _)| *last == group) {
                Some((_, checks)) => checks.push(CheckView::of(check)),
                None => quiet.push((group, vec![CheckView::of(check)])),
            }
        }
        let traffic = report.traffic.as_ref().map(|traffic| {
            let fresh = if traffic.fresh { ", from clients that were made anew" } else { "" };
            format!("{} requests of each client to {}{fresh}", traffic.requests, traffic.target)
        });
        VerificationView {
            mark: Mark::of(judge::verification(page).0),
            at: minute(&report.at),
            tree: format!("{} ({})", report.label, short(&report.tree)),
            is_current: page.verification_is_current,
            counts: counts.collect(),
            groups: matrix::groups(report),
            pairs: matrix::pairs(report),
            traffic: traffic.unwrap_or_default(),
            clients: report.traffic.as_ref().map(matrix::clients).unwrap_or_default(),
            troubled: troubled.into_iter().map(CheckView::of).collect(),
            quiet,
        }
    }
}

impl CheckView {
    fn of(check: &CheckResult) -> Self {
        let finding = |gathered: Gathered<'_>| FindingView {
            mark: Mark::new(gathered.finding.status, gathered.finding.message.clone()),
            clusters: list(&gathered.clusters, NAMED),
            evidence: gathered.finding.evidence.clone(),
        };
        Self {
            id: check.id.clone(),
            title: title(&check.id).to_owned(),
            mark: Mark::new(check.status, check.status.word()),
            summary: check.summary.clone(),
            hints: hints(check).into_iter().map(str::to_owned).collect(),
            findings: gather(check).into_iter().map(finding).collect(),
        }
    }
}
