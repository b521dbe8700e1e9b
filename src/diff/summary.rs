//! The counts that stand first.

use std::collections::BTreeMap;

use super::cluster_set::{ClusterNames, ClusterSet};
use super::consequence::Consequence;
use super::entry::{Entry, What};

/// How much differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// A count for every cluster with a change, in the order of the names.
    pub clusters: Vec<(u32, Tally)>,
    /// Files that are not sent to a cluster.
    pub files: Tally,
}

/// The counts of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// Objects that are new.
    pub added: usize,
    /// Objects whose content differs.
    pub changed: usize,
    /// Objects that are gone.
    pub removed: usize,
    /// Objects of which only the index says something else.
    pub moved: usize,
    /// Objects that wait for facts now.
    pub postponed: usize,
    /// Workloads that replace their pods.
    pub restarts: usize,
    /// Objects that must be recreated.
    pub recreates: usize,
    /// Objects that allow more than before.
    pub widens: usize,
}

impl Tally {
    fn count(&mut self, entry: &Entry) {
        match entry.what {
            What::Added => self.added += 1,
            What::Changed => self.changed += 1,
            What::Removed => self.removed += 1,
            What::Moved => self.moved += 1,
            What::Postponed => self.postponed += 1,
        }
        for consequence in &entry.consequences {
            match consequence {
                Consequence::Restarts(_) => self.restarts += 1,
                Consequence::Recreates(_) => self.recreates += 1,
                Consequence::Widens(_) => self.widens += 1,
                _ => {}
            }
        }
    }

    /// The counts with their names, in the order of a table's columns.
    pub fn columns(&self) -> [(&'static str, usize); 8] {
        [
            ("added", self.added),
            ("changed", self.changed),
            ("removed", self.removed),
            ("restarts", self.restarts),
            ("recreated", self.recreates),
            ("widens RBAC", self.widens),
            ("index only", self.moved),
            ("postponed", self.postponed),
        ]
    }
}

impl Summary {
    pub(super) fn of(names: &ClusterNames, entries: &[Entry]) -> Self {
        let mut tallies = vec![Tally::default(); names.all().len()];
        let mut files = Tally::default();
        for entry in entries {
            for member in &entry.members {
                if member.clusters.is_empty() {
                    files.count(entry);
                }
                for place in member.clusters.iter() {
                    tallies[place as usize].count(entry);
                }
            }
        }
        let clusters = tallies.into_iter().zip(0..).filter(|(tally, _)| *tally != Tally::default());
        Self { clusters: clusters.map(|(tally, place)| (place, tally)).collect(), files }
    }

    /// Rows for a table: clusters with equal counts share one, in the order of their first name.
    pub fn rows(&self) -> Vec<(ClusterSet, Tally)> {
        let mut places: BTreeMap<Tally, Vec<u32>> = BTreeMap::new();
        for (place, tally) in &self.clusters {
            places.entry(*tally).or_default().push(*place);
        }
        let mut rows: Vec<(ClusterSet, Tally)> = places
            .into_iter()
            .map(|(tally, places)| (places.into_iter().collect(), tally))
            .collect();
        rows.sort();
        rows
    }
}
