//! A verification as a comment on a pull request.

use super::super::check::find;
use super::super::report::{CheckResult, Report, Status, Traffic};
use super::gathered::{Gathered, gather, hints};
use super::matrix::Matrix;
use super::text::age;
use super::{count, mark, verdict};
use crate::diff::comment::{code, escape};

/// Clusters of which the whole matrix is shown; of more, what is not well.
const WHOLE: usize = 12;
/// Lines of evidence of one finding that are shown.
const EVIDENCE: usize = 20;
/// Room that is kept for the sentence on what was left out.
const RESERVE: usize = 240;

/// A report as GitHub-flavoured Markdown of at most `limit` bytes, which is
/// [`crate::diff::MARKDOWN_LIMIT`] for a comment.
///
/// The verdict comes first, then what is not as it should be, who reaches whom, and last, folded,
/// what is well. What does not fit is counted. Text of clusters cannot become markup, mentions or
/// links.
pub fn to_markdown(report: &Report, limit: usize) -> String {
    let mut out = Out { text: String::new(), left: limit.saturating_sub(RESERVE), missing: 0 };
    let state = match report.status() {
        Status::Failed => "not verified",
        Status::NotLooked => "could not look",
        Status::Skipped => "nothing verified",
        Status::Passed | Status::Warning => "verified",
    };
    let tree = format!("{} {}", report.label, report.tree.chars().take(19).collect::<String>());
    out.add(&format!(
        "### Mesh {}: {state}\n\n{}\n\n{} at {}\n",
        code(&report.mesh),
        said(&verdict(report)),
        code(tree.trim()),
        escape(&report.at)
    ));
    let mut bad: Vec<&CheckResult> =
        report.checks.iter().filter(|check| check.status > Status::Passed).collect();
    bad.sort_by_key(|check| std::cmp::Reverse(check.status));
    for check in bad {
        out.check(check);
    }
    if let Some(traffic) = &report.traffic {
        out.traffic(report, traffic);
    }
    out.good(report);
    if out.missing > 0 {
        let parts = count(out.missing, "part");
        out.text.push_str(&format!(
            "\n> [!WARNING]\n> This comment is full. Left out: {parts}. `meshgen verify` prints \
             more of it, `-o json` all.\n"
        ));
    }
    out.text
}

struct Out {
    text: String,
    left: usize,
    missing: usize,
}

impl Out {
    /// Adds a part, if it fits as a whole.
    fn add(&mut self, part: &str) {
        if part.len() > self.left {
            self.missing += 1;
            return;
        }
        self.left -= part.len();
        self.text.push_str(part);
    }

    fn check(&mut self, check: &CheckResult) {
        let mut head = format!("\n{} **{}**", mark(check.status), escape(&check.id));
        // what stands in the table of checks is our own text
        if let Some(known) = find(&check.id) {
            head.push_str(&format!(": {} ({})", known.title, check.status.word()));
        }
        if !check.summary.is_empty() {
            head.push_str(&format!("\\\n{}", said(&check.summary)));
        }
        self.add(&format!("{head}\n\n"));
        for finding in gather(check) {
            self.add(&item(&finding));
        }
        for hint in hints(check) {
            let own = find(&check.id).is_some_and(|known| known.hint == hint);
            let hint = if own { hint.to_owned() } else { said(hint) };
            self.add(&format!("- hint: {hint}\n"));
        }
    }

    fn traffic(&mut self, report: &Report, traffic: &Traffic) {
        let matrix = Matrix::of(report, traffic, WHOLE);
        let requests = count(traffic.requests as usize, "request");
        let target = code(&traffic.target);
        self.add(&format!("\n{requests} to {target} from each client; who answered whom:\n\n"));
        for (status, sentence) in &matrix.sentences {
            let word = match status {
                Status::Passed => String::new(),
                status => format!(": {}", status.word()),
            };
            self.add(&format!("- {} {}{word}\n", mark(*status), escape(sentence)));
        }
        if !matrix.rows.is_empty() {
            self.add(&table(&matrix));
        }
        if let Some(more) = matrix.more() {
            self.add(&format!("\n{more}\n"));
        }
        if !traffic.fresh && !traffic.clients.is_empty() {
            self.add(&format!("\n{}\n", said(&age(traffic))));
        }
    }

    fn good(&mut self, report: &Report) {
        for (status, name) in [(Status::Passed, "passed"), (Status::Skipped, "skipped")] {
            let checks: Vec<&CheckResult> =
                report.checks.iter().filter(|check| check.status == status).collect();
            if checks.is_empty() {
                continue;
            }
            let number = count(checks.len(), "check");
            let mut part = format!(
                "\n<details><summary>{number} {name}</summary>\n\n| check | what was looked at |\n|---|---|\n"
            );
            for check in checks {
                part.push_str(&format!("| {} | {} |\n", code(&check.id), said(&check.summary)));
            }
            part.push_str("\n</details>\n");
            self.add(&part);
        }
    }
}

fn item(gathered: &Gathered<'_>) -> String {
    let mark = mark(gathered.finding.status);
    let mut part = format!("- {mark} {}\n", said(&gathered.sentence()));
    let lines: Vec<&str> = gathered.finding.evidence.iter().flat_map(|text| text.lines()).collect();
    for line in lines.iter().take(EVIDENCE) {
        part.push_str(&format!("  - {}\n", said(line)));
    }
    if lines.len() > EVIDENCE {
        part.push_str(&format!("  - … {}\n", count(lines.len() - EVIDENCE, "more line")));
    }
    part
}

fn table(matrix: &Matrix<'_>) -> String {
    let failures = matrix.rows.iter().any(|row| row.failures.unwrap_or_default() > 0);
    let mut out = String::from("\n| from |");
    for (name, versions) in &matrix.columns {
        let versions = if versions.is_empty() { "nothing" } else { versions };
        out.push_str(&format!(" {} ({}) |", escape(name), escape(versions)));
    }
    if failures {
        out.push_str(" unanswered |");
    }
    out.push_str("\n|---|");
    out.push_str(&"---:|".repeat(matrix.columns.len() + usize::from(failures)));
    out.push('\n');
    for row in &matrix.rows {
        out.push_str(&format!("| {} |", escape(row.cluster)));
        for pair in &row.cells {
            out.push_str(&match pair {
                None => " - |".to_owned(),
                Some(pair) if pair.status == Status::Skipped && pair.seen == 0 => " - |".to_owned(),
                Some(pair) => {
                    let range = match pair.expected {
                        Some((least, most)) if pair.status > Status::Passed => {
                            format!(", not {least} to {most}")
                        }
                        _ => String::new(),
                    };
                    format!(" {} {}{range} |", mark(pair.status), pair.seen)
                }
            });
        }
        if failures {
            out.push_str(&format!(" {} |", row.failures.unwrap_or_default()));
        }
        out.push('\n');
    }
    out
}

/// A sentence, with what stands between back-ticks as code. Nothing in it is markup either way.
fn said(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(at, part): (usize, &&str)| match at % 2 {
        0 => escape(part),
        _ => code(part),
    };
    parts.iter().enumerate().map(part).collect()
}
