//! A verification as tables: what was found where, and who reached whom.

use std::collections::BTreeMap;

use serde::Serialize;

use super::glyph::symbol;
use crate::verify::write::count;
use crate::verify::{Finding, GROUPS, Pair, Report, Status, Traffic};

/// Above this many clusters those of which nothing was found share a row.
const EACH: usize = 16;
/// Above this many clusters a cell of the pairs holds a sign and no number.
const NUMBERS: usize = 12;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The symbol of its status.
    pub symbol: &'static str,
    /// The class of its look.
    pub class: &'static str,
    /// The word for its status.
    pub word: &'static str,
    /// What stands in it.
    pub text: String,
    /// All that it means, in a sentence.
    pub title: String,
}

/// A table of cells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Matrix {
    /// Heads of columns.
    pub columns: Vec<String>,
    /// Head and cells of each row.
    pub rows: Vec<(String, Vec<Cell>)>,
    /// Whether cells hold signs alone.
    pub dense: bool,
    /// How many cells there are.
    pub count: usize,
    /// Whether each is as it should be.
    pub well: bool,
}

impl Matrix {
    fn new(columns: Vec<String>, rows: Vec<(String, Vec<Cell>)>, dense: bool) -> Self {
        let well = rows.iter().all(|(_, cells)| is_quiet(cells));
        let count = rows.iter().map(|(_, cells)| cells.len()).sum();
        Self { columns, rows, dense, count, well }
    }
}

fn is_quiet(cells: &[Cell]) -> bool {
    cells.iter().all(|cell| matches!(cell.class, "passed" | "skipped"))
}

/// What was found in each cluster, by group of checks.
pub fn groups(report: &Report) -> Matrix {
    let made = |group: &&&str| report.group(group).next().is_some();
    let columns: Vec<&str> = GROUPS.iter().filter(made).copied().collect();
    let row = |cluster: Option<&str>| -> Vec<Cell> {
        columns.iter().map(|group| group_cell(report, group, cluster)).collect()
    };
    let mut rows = Vec::new();
    let everywhere = row(None);
    if !is_quiet(&everywhere) {
        rows.push(("the mesh".to_owned(), everywhere));
    }
    let mut quiet: Vec<(String, Vec<Cell>)> = Vec::new();
    for cluster in &report.clusters {
        let cells = row(Some(&cluster.name));
        if report.clusters.len() > EACH && is_quiet(&cells) {
            quiet.push((cluster.name.clone(), cells));
        } else {
            rows.push((cluster.name.clone(), cells));
        }
    }
    let others = if rows.is_empty() { "all" } else { "the other" };
    let label = format!("{others} {}", count(quiet.len(), "cluster"));
    rows.extend(quiet.into_iter().next().map(|(_, cells)| (label, cells)));
    Matrix::new(columns.iter().map(|group| heading(group)).collect(), rows, false)
}

/// `control-plane` is `control plane` for people.
pub fn heading(group: &str) -> String {
    group.replace('-', " ")
}

fn group_cell(report: &Report, group: &str, cluster: Option<&str>) -> Cell {
    let is_about = |one: &&Finding| one.cluster.as_deref() == cluster;
    let found: Vec<&Finding> =
        report.group(group).flat_map(|check| &check.findings).filter(is_about).collect();
    let worst = found.iter().map(|finding| finding.status).max();
    let is_skipped = report.group(group).all(|check| check.status == Status::Skipped);
    let without = if is_skipped { Status::Skipped } else { Status::Passed };
    let status = worst.unwrap_or(without);
    let number = found.iter().filter(|finding| finding.status == status).count();
    let where_ = cluster.unwrap_or("the mesh");
    let title = match worst {
        Some(status) => format!("{where_}, {}: {number} {}", heading(group), status.word()),
        None if is_skipped => format!("{where_}, {}: skipped", heading(group)),
        None => format!("{where_}, {}: nothing was found", heading(group)),
    };
    let text = if worst.is_some() { number.to_string() } else { String::new() };
    cell(status, text, title)
}

fn cell(status: Status, text: String, title: String) -> Cell {
    let (symbol, class, _) = symbol(status);
    Cell { symbol, class, word: status.word(), text, title }
}

/// Who reached whom: a row a client, a column a cluster of servers.
pub fn pairs(report: &Report) -> Option<Matrix> {
    let traffic = report.traffic.as_ref().filter(|traffic| !traffic.pairs.is_empty())?;
    let by: BTreeMap<(&str, &str), &Pair> =
        traffic.pairs.iter().map(|pair| ((&pair.from[..], &pair.to[..]), pair)).collect();
    let names: Vec<&str> = report.clusters.iter().map(|row| row.name.as_str()).collect();
    let from = |name: &&&str| by.keys().any(|(from, _)| from == *name);
    let to = |name: &&&str| by.keys().any(|(_, to)| to == *name);
    let columns: Vec<&str> = names.iter().filter(to).copied().collect();
    let dense = columns.len() > NUMBERS;
    let row = |from: &str| -> Vec<Cell> {
        columns.iter().map(|to| pair_cell(from, to, by.get(&(from, *to)).copied(), dense)).collect()
    };
    let rows: Vec<(String, Vec<Cell>)> =
        names.iter().filter(from).map(|name| ((*name).to_owned(), row(name))).collect();
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    Some(Matrix::new(columns, rows, dense))
}

fn pair_cell(from: &str, to: &str, pair: Option<&Pair>, dense: bool) -> Cell {
    let Some(pair) = pair else {
        return cell(Status::Skipped, "–".to_owned(), format!("{from} to {to}: not asked"));
    };
    let answers = count(usize::try_from(pair.seen).unwrap_or(usize::MAX), "answer");
    let expected = pair.expected.map(|(low, high)| format!(", {low} to {high} expected"));
    let title = format!(
        "{from} to {to}: {}, {answers}{}",
        pair.status.word(),
        expected.unwrap_or_default()
    );
    let sign = match pair.status {
        Status::Skipped => "–",
        Status::Passed => "✓",
        Status::Warning => "!",
        Status::NotLooked => "?",
        Status::Failed => "×",
    };
    let number =
        if pair.status == Status::Skipped { "–".to_owned() } else { pair.seen.to_string() };
    cell(pair.status, if dense { sign.to_owned() } else { number }, title)
}

/// What one client saw, as texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientRow {
    /// Its cluster.
    pub cluster: String,
    /// Its pod.
    pub pod: String,
    /// `v1 48, v2 52`.
    pub answers: String,
    /// `503 × 4`, or nothing.
    pub failures: String,
    /// How old its connections may be.
    pub age: String,
}

/// What each client saw.
pub fn clients(traffic: &Traffic) -> Vec<ClientRow> {
    let row = |client: &crate::verify::ClientCount| {
        let answers = client
            .answers
            .iter()
            .map(|(version, by)| format!("{version} {}", by.values().sum::<u32>()));
        let failures = client.failures.iter().map(|(what, times)| format!("{what} × {times}"));
        ClientRow {
            cluster: client.cluster.clone(),
            pod: client.pod.clone(),
            answers: answers.collect::<Vec<_>>().join(", "),
            failures: failures.collect::<Vec<_>>().join(", "),
            age: client.oldest_seconds.map(age).unwrap_or_default(),
        }
    };
    traffic.clients.iter().map(row).collect()
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
