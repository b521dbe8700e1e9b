//! A verification for a terminal.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::super::check::{CHECKS, GROUPS};
use super::super::report::{CheckResult, Report, Status, Traffic};
use super::gathered::{Gathered, gather, hints};
use super::matrix::{Matrix, Row};
use super::{count, list, mark, title, verdict};
use crate::diff::paint::{BOLD, DIM, GREEN, RED, YELLOW, paint};
use crate::diff::visible;

/// Clusters of which the whole matrix is shown; of more, what is not well.
const WHOLE: usize = 8;
/// Findings of one check that are shown.
const FINDINGS: usize = 10;
/// Lines of evidence of one finding that are shown.
const EVIDENCE: usize = 12;
/// Clusters that the first line names.
const NAMED: usize = 8;

/// A report for people: a line a check; what is not as it should be with what was seen and what to
/// do; who reaches whom; the verdict as the last line.
///
/// It is complete without colours. When all is well its length does not depend on the number of
/// clusters, beyond a few.
pub fn to_text(report: &Report, colour: bool) -> String {
    let mut out = Out { text: String::new(), colour };
    out.head(report);
    for group in groups(report) {
        out.group(report, group);
    }
    out.line("");
    let style = match report.status() {
        Status::Passed | Status::Skipped => GREEN,
        Status::Warning | Status::NotLooked => YELLOW,
        Status::Failed => RED,
    };
    let last = out.paint(style.bold(), &visible(&verdict(report)));
    out.line(&last);
    out.text
}

/// The groups of a report: those that we know in their order, then others.
fn groups(report: &Report) -> Vec<&str> {
    let mut groups: Vec<&str> = GROUPS.to_vec();
    for check in &report.checks {
        let group = check.id.split_once('.').map_or(check.id.as_str(), |(group, _)| group);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

struct Out {
    text: String,
    colour: bool,
}

fn style(status: Status) -> Style {
    match status {
        Status::Skipped => DIM,
        Status::Passed => GREEN,
        Status::Warning | Status::NotLooked => YELLOW,
        Status::Failed => RED,
    }
}

impl Out {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        paint(self.colour, style, text)
    }

    fn mark(&self, status: Status) -> String {
        self.paint(style(status), mark(status))
    }

    fn head(&mut self, report: &Report) {
        let clusters: Vec<&str> = report.clusters.iter().map(|row| row.name.as_str()).collect();
        let names = list(&clusters, NAMED);
        let number = count(clusters.len(), "cluster");
        let mut digest: String = report.tree.chars().take(19).collect();
        if !digest.is_empty() {
            digest = format!(" ({digest})");
        }
        let tree = format!("{}{digest}", report.label);
        let mesh = self.paint(BOLD, &visible(&report.mesh));
        let (tree, names) = (visible(&tree), visible(&names));
        self.line(&format!("mesh {mesh}, {tree}: {number}: {names}"));
    }

    fn group(&mut self, report: &Report, group: &str) {
        let checks: Vec<&CheckResult> = report.group(group).collect();
        if checks.is_empty() {
            return;
        }
        self.line("");
        let head = self.paint(BOLD, &visible(group));
        self.line(&head);
        if checks.iter().all(|check| check.status == Status::Skipped) {
            self.skipped(&checks);
        } else {
            for check in checks {
                self.check(check);
            }
        }
        if let ("traffic", Some(traffic)) = (group, &report.traffic) {
            self.traffic(report, traffic);
        }
    }

    /// A group of which nothing was looked at, in one line.
    fn skipped(&mut self, checks: &[&CheckResult]) {
        let mut reasons: Vec<&str> = Vec::new();
        for check in checks {
            let reason = Some(check.summary.as_str()).filter(|text| !text.is_empty());
            reasons.extend(reason.filter(|reason| !reasons.contains(reason)));
        }
        let mut line =
            format!("  {} {} skipped", mark(Status::Skipped), count(checks.len(), "check"));
        if !reasons.is_empty() {
            line.push_str(&format!(": {}", reasons.join("; ")));
        }
        let line = self.paint(DIM, &visible(&line));
        self.line(&line);
    }

    fn check(&mut self, check: &CheckResult) {
        let width = CHECKS.iter().map(|check| check.id.len()).max().unwrap_or_default();
        let is_good = check.status == Status::Passed;
        let said = match (check.status, check.summary.as_str()) {
            (Status::Skipped, "") => "skipped".to_owned(),
            (Status::Skipped, why) => format!("skipped: {why}"),
            (Status::Passed, summary) if !summary.is_empty() => summary.to_owned(),
            _ => title(&check.id).to_owned(),
        };
        let (id, said) = (visible(&check.id), visible(&said));
        let padding = " ".repeat(width.saturating_sub(id.width()));
        let said = if check.status == Status::Skipped { self.paint(DIM, &said) } else { said };
        let id = if check.status > Status::Passed { self.paint(BOLD, &id) } else { id };
        self.line(&format!("  {} {id}{padding}  {said}", self.mark(check.status)));
        if !is_good && check.status != Status::Skipped && !check.summary.is_empty() {
            let summary = self.paint(DIM, &visible(&check.summary));
            self.line(&format!("      {summary}"));
        }
        let gathered = gather(check);
        // one that is left out costs as much as it saves
        let most = if gathered.len() == FINDINGS + 1 { FINDINGS + 1 } else { FINDINGS };
        for finding in gathered.iter().take(most) {
            self.finding(finding);
        }
        if gathered.len() > most {
            let rest = &gathered[most..];
            let mut clusters: Vec<&str> =
                rest.iter().flat_map(|one| one.clusters.iter().copied()).collect();
            clusters.dedup();
            let names = if clusters.is_empty() { String::new() } else { list(&clusters, NAMED) };
            let more = format!("and {} more: {names}", rest.len());
            let more = visible(more.trim_end_matches([':', ' ']));
            self.line(&format!("      {more} (`-o json` has them all)"));
        }
        for hint in hints(check) {
            let label = self.paint(DIM, "hint");
            self.line(&format!("      {label}: {}", visible(hint)));
        }
    }

    fn finding(&mut self, gathered: &Gathered<'_>) {
        let sentence = gathered.sentence();
        for (at, line) in sentence.lines().enumerate() {
            let line = visible(line);
            if at == 0 {
                let mark = self.mark(gathered.finding.status);
                self.line(&format!("    {mark} {line}"));
            } else {
                self.line(&format!("      {line}"));
            }
        }
        let lines: Vec<&str> =
            gathered.finding.evidence.iter().flat_map(|text| text.lines()).collect();
        for line in lines.iter().take(EVIDENCE) {
            let line = self.paint(DIM, &visible(line));
            self.line(&format!("        {line}"));
        }
        if lines.len() > EVIDENCE {
            let rest = count(lines.len() - EVIDENCE, "more line");
            self.line(&format!("        … {rest} (`-o json` has them all)"));
        }
    }

    fn traffic(&mut self, report: &Report, traffic: &Traffic) {
        let matrix = Matrix::of(report, traffic, WHOLE);
        let requests = count(traffic.requests as usize, "request");
        let each = if traffic.clients.len() == 1 { "the client" } else { "each client" };
        self.line("");
        let target = visible(&traffic.target);
        self.line(&format!("  {requests} to {target} from {each}; who answered whom:"));
        for (status, sentence) in &matrix.sentences {
            let sentence = match status {
                Status::Passed => sentence.clone(),
                status => format!("{sentence}: {}", status.word()),
            };
            self.line(&format!("  {} {}", self.mark(*status), visible(&sentence)));
        }
        if !matrix.rows.is_empty() {
            self.table(&matrix);
        }
        if let Some(more) = matrix.more() {
            self.line(&format!("  {more} (`-o json` has them all)"));
        }
        if !traffic.fresh && !traffic.clients.is_empty() {
            let line = self.paint(DIM, &age(traffic));
            self.line(&format!("  {line}"));
        }
    }

    fn table(&mut self, matrix: &Matrix<'_>) {
        let failures = matrix.rows.iter().any(|row| row.failures.unwrap_or_default() > 0);
        let mut head = vec!["from".to_owned()];
        head.extend(matrix.columns.iter().map(|(name, versions)| {
            let versions = if versions.is_empty() { "nothing" } else { versions };
            visible(&format!("{name} ({versions})"))
        }));
        if failures {
            head.push("unanswered".to_owned());
        }
        let mut lines = vec![head.into_iter().map(|text| (None, text)).collect::<Vec<_>>()];
        lines.extend(matrix.rows.iter().map(|row| cells(row, failures)));
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|at| lines.iter().map(|line| line[at].1.width()).max().unwrap_or_default())
            .collect();
        for line in lines {
            let mut text = String::from("   ");
            for ((status, cell), width) in line.iter().zip(&widths) {
                let padding = " ".repeat(width - cell.width());
                let cell = match status {
                    Some(status) => self.paint(style(*status), cell),
                    None => cell.clone(),
                };
                text.push_str(&format!(" {cell}{padding} "));
            }
            self.line(&text);
        }
    }
}

/// The cells of a row, each with what it weighs.
fn cells(row: &Row<'_>, failures: bool) -> Vec<(Option<Status>, String)> {
    let mut cells = vec![(None, visible(row.cluster))];
    for pair in &row.cells {
        cells.push(match pair {
            None => (None, "-".to_owned()),
            Some(pair) if pair.status == Status::Skipped && pair.seen == 0 => {
                (Some(pair.status), mark(pair.status).to_owned())
            }
            Some(pair) => {
                let range = match pair.expected {
                    Some((least, most)) if pair.status > Status::Passed => {
                        format!(", not {least} to {most}")
                    }
                    _ => String::new(),
                };
                (Some(pair.status), format!("{} {}{range}", mark(pair.status), pair.seen))
            }
        });
    }
    if failures {
        let number = row.failures.unwrap_or_default();
        let status = if number > 0 { Status::Failed } else { Status::Skipped };
        cells.push((Some(status), number.to_string()));
    }
    cells
}

/// How old the connections may be that were used, in one line.
pub(super) fn age(traffic: &Traffic) -> String {
    let oldest = traffic.clients.iter().filter_map(|client| client.oldest_seconds).max();
    let opened: Option<u64> = traffic.clients.iter().map(|client| client.opened).sum();
    let old = match oldest {
        Some(seconds) => format!("connections may be {} old", span(seconds)),
        None => "how old the connections are is not known".to_owned(),
    };
    let opened = match opened {
        Some(0) => ", none was opened during these requests".to_owned(),
        Some(1) => ", 1 was opened during these requests".to_owned(),
        Some(number) => format!(", {number} were opened during these requests"),
        None => String::new(),
    };
    format!("{old}{opened}; `--fresh --yes` makes the client pods anew first")
}

/// A time as people say it, rounded down.
fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
