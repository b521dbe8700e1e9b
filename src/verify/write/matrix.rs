//! Who reaches whom: rows are clients, columns the clusters that serve.

use std::collections::BTreeMap;

use super::super::report::{Pair, Report, Status, Traffic};
use super::{count, list};

/// How many clusters of one kind are named in a sentence.
const NAMED: usize = 6;

/// What is shown of the pairs of clusters.
///
/// Everything, where there are few clusters; of many only what is not as it should be: clusters
/// that nobody reaches, or that reach nobody, in a sentence, and of the rest the rows and columns
/// in which something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix<'a> {
    /// What is not drawn because a sentence says it, with what it weighs.
    pub sentences: Vec<(Status, String)>,
    /// The clusters that serve, with the versions that they serve.
    pub columns: Vec<(&'a str, String)>,
    /// The clients' clusters, with a cell a column.
    pub rows: Vec<Row<'a>>,
    /// Rows and columns in which something is wrong, and that are not drawn.
    pub hidden: (usize, usize),
}

/// What the client of one cluster saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its cluster.
    pub cluster: &'a str,
    /// The pairs; nothing where there is no verdict.
    pub cells: Vec<Option<&'a Pair>>,
    /// Requests without an answer; nothing where there was no client.
    pub failures: Option<u32>,
}

impl<'a> Matrix<'a> {
    /// What is to be shown of a report's traffic: all of it with up to `whole` clusters, else at
    /// most so many rows and columns.
    pub fn of(report: &'a Report, traffic: &'a Traffic, whole: usize) -> Self {
        let grid = Grid::of(report, traffic);
        if grid.from.len() <= whole && grid.to.len() <= whole {
            let (from, to) = (grid.from.clone(), grid.to.clone());
            return Self { sentences: Vec::new(), hidden: (0, 0), ..grid.part(&from, &to) };
        }
        let mut sentences = Vec::new();
        let (servers, clients) = (grid.whole_columns(), grid.whole_rows());
        for (status, names) in by_status(&servers) {
            let names = list(&names, NAMED);
            sentences.push((status, format!("to {names}: from the clients of all other clusters")));
        }
        for (status, names) in by_status(&clients) {
            let names = list(&names, NAMED);
            sentences.push((status, format!("from {names}: to all other clusters")));
        }
        let bad = |from: &&'a str, to: &&'a str| {
            let told = (clients.contains_key(from) || servers.contains_key(to)) && from != to;
            !told && grid.is_bad(from, to)
        };
        let mut from = grid.from.clone();
        from.retain(|from| grid.to.iter().any(|to| bad(from, to)));
        let mut to = grid.to.clone();
        to.retain(|to| grid.from.iter().any(|from| bad(from, to)));
        if sentences.is_empty() && from.is_empty() {
            sentences.push((Status::Passed, grid.good()));
        }
        let hidden = (from.len().saturating_sub(whole), to.len().saturating_sub(whole));
        from.truncate(whole);
        to.truncate(whole);
        Self { sentences, hidden, ..grid.part(&from, &to) }
    }
}

impl Matrix<'_> {
    /// What is not drawn, if anything is not.
    pub fn more(&self) -> Option<String> {
        let (rows, columns) = self.hidden;
        let part = |number: usize, what: &str| (number > 0).then(|| count(number, what));
        let parts: Vec<String> =
            [part(rows, "more row"), part(columns, "more column")].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("and {} with failures", parts.join(", ")))
    }
}

/// All that is known, by place.
struct Grid<'a> {
    from: Vec<&'a str>,
    to: Vec<&'a str>,
    pairs: BTreeMap<(&'a str, &'a str), &'a Pair>,
    traffic: &'a Traffic,
}

impl<'a> Grid<'a> {
    fn of(report: &'a Report, traffic: &'a Traffic) -> Self {
        let pairs: BTreeMap<_, _> = traffic
            .pairs
            .iter()
            .map(|pair| ((pair.from.as_str(), pair.to.as_str()), pair))
            .collect();
        let judged = |name: &str| {
            pairs.values().any(|pair| pair.to == name && pair.status != Status::Skipped)
        };
        let names = report.clusters.iter().map(|row| row.name.as_str());
        let from = names
            .clone()
            .filter(|name| {
                traffic.clients.iter().any(|client| client.cluster == *name)
                    || pairs.keys().any(|(from, _)| from == name)
            })
            .collect();
        let to = names
            .filter(|name| {
                judged(name) || traffic.servers.values().any(|at| at.contains_key(*name))
            })
            .collect();
        Self { from, to, pairs, traffic }
    }

    fn status(&self, from: &str, to: &str) -> Option<Status> {
        self.pairs.get(&(from, to)).map(|pair| pair.status)
    }

    fn is_bad(&self, from: &str, to: &str) -> bool {
        self.status(from, to).is_some_and(|status| status > Status::Passed)
    }

    /// Clusters that the clients of all others judge alike, and badly.
    fn whole_columns(&self) -> BTreeMap<&'a str, Status> {
        let whole = |to: &&'a str| Some((*to, self.same(&self.from, to, |from| (from, to))?));
        self.to.iter().filter_map(whole).collect()
    }

    /// Clients that judge all other clusters alike, and badly.
    fn whole_rows(&self) -> BTreeMap<&'a str, Status> {
        let whole = |from: &&'a str| Some((*from, self.same(&self.to, from, |to| (from, to))?));
        self.from.iter().filter_map(whole).collect()
    }

    fn same<'b>(
        &self,
        all: &'b [&str],
        own: &str,
        place: impl Fn(&'b str) -> (&'b str, &'b str),
    ) -> Option<Status> {
        let others: Vec<Option<Status>> = all
            .iter()
            .filter(|other| **other != own)
            .map(|other| {
                let (from, to) = place(other);
                self.status(from, to)
            })
            .collect();
        let first = others.first().copied().flatten().filter(|status| *status > Status::Passed)?;
        // two are a row like any other
        (others.len() > 2 && others.iter().all(|status| *status == Some(first))).then_some(first)
    }

    fn part(&self, from: &[&'a str], to: &[&'a str]) -> Matrix<'a> {
        let row = |from: &&'a str| Row {
            cluster: from,
            cells: to.iter().map(|to| self.pairs.get(&(*from, *to)).copied()).collect(),
            failures: self
                .traffic
                .clients
                .iter()
                .find(|client| client.cluster == *from)
                .map(|client| client.failures.values().sum()),
        };
        let versions = |name: &str| {
            let at = self.traffic.servers.iter().filter(|(_, at)| at.contains_key(name));
            at.map(|(version, _)| version.as_str()).collect::<Vec<_>>().join(", ")
        };
        Matrix {
            columns: to.iter().map(|to| (*to, versions(to))).collect(),
            rows: from.iter().map(row).collect(),
            ..Matrix::default()
        }
    }

    /// How it is when all is well.
    fn good(&self) -> String {
        let seen = self.pairs.values().filter(|pair| pair.status == Status::Passed);
        let seen: Vec<u32> = seen.map(|pair| pair.seen).collect();
        let (least, most) = (seen.iter().min().unwrap_or(&0), seen.iter().max().unwrap_or(&0));
        let (from, to) = (count(self.from.len(), "client"), count(self.to.len(), "cluster"));
        let pairs = count(seen.len(), "pair");
        format!("{from}, {to} that serve: {pairs} connected, {least} to {most} answers each")
    }
}

/// Names by how they came out, the worst first.
fn by_status<'a>(all: &BTreeMap<&'a str, Status>) -> Vec<(Status, Vec<&'a str>)> {
    let mut found: BTreeMap<Status, Vec<&str>> = BTreeMap::new();
    for (name, status) in all {
        found.entry(*status).or_default().push(name);
    }
    found.into_iter().rev().collect()
}
