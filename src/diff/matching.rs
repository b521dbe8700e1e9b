//! Which file of one tree is which of the other, and in which clusters.

use std::collections::{BTreeMap, BTreeSet};

use super::cluster_set::{ClusterNames, ClusterSet};
use crate::tree::{ArtifactRow, Index, TreePath};

/// A file on both sides, or on one, for some clusters.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    pub old: Option<&'a ArtifactRow>,
    pub new: Option<&'a ArtifactRow>,
    /// The clusters in which the old and the new one meet; empty for files that are not sent.
    pub clusters: ClusterSet,
    /// Whether these are all clusters of both files.
    pub whole: bool,
}

impl<'a> Pair<'a> {
    /// A pair that is about all clusters of its files.
    pub fn of(
        old: Option<&'a ArtifactRow>,
        new: Option<&'a ArtifactRow>,
        clusters: ClusterSet,
    ) -> Self {
        Self { old, new, clusters, whole: true }
    }
}

/// What identifies an object in a cluster: group, kind, namespace, name.
type ObjectKey<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);

#[derive(Default)]
struct Rows<'a> {
    old: Vec<&'a ArtifactRow>,
    new: Vec<&'a ArtifactRow>,
}

/// All pairs of which something differs, equal rows left out.
///
/// Work and size grow with the rows and with the clusters of rows that differ, so that a cluster
/// that joins costs a step a row, not a step a pair of clusters.
pub(super) fn pairs<'a>(old: &'a Index, new: &'a Index, names: &ClusterNames) -> Vec<Pair<'a>> {
    let mut files: BTreeMap<&str, Rows> = BTreeMap::new();
    let mut objects: BTreeMap<ObjectKey, Rows> = BTreeMap::new();
    for row in &old.artifacts {
        rows_of(row, &mut files, &mut objects).old.push(row);
    }
    for row in &new.artifacts {
        rows_of(row, &mut files, &mut objects).new.push(row);
    }
    let mut pairs = Vec::new();
    for Rows { old, new } in files.into_values() {
        let (old, new) = (old.first().copied(), new.first().copied());
        if old != new {
            pairs.push(Pair::of(old, new, ClusterSet::default()));
        }
    }
    let common = names.common(old, new);
    let matcher = Matcher {
        left: names.of_index(old).minus(&common),
        joined: names.of_index(new).minus(&common),
        old,
        new,
        names,
        common,
    };
    for rows in objects.into_values() {
        matcher.object(rows, &mut pairs);
    }
    pairs
}

fn rows_of<'m, 'a>(
    row: &'a ArtifactRow,
    files: &'m mut BTreeMap<&'a str, Rows<'a>>,
    objects: &'m mut BTreeMap<ObjectKey<'a>, Rows<'a>>,
) -> &'m mut Rows<'a> {
    match (&row.object, &row.targets) {
        (Some(object), Some(_)) => {
            let namespace = object.namespace.as_deref();
            objects.entry((object.group(), &object.kind, namespace, &object.name)).or_default()
        }
        _ => files.entry(row.path.as_str()).or_default(),
    }
}

struct Matcher<'m, 'a> {
    old: &'a Index,
    new: &'a Index,
    names: &'m ClusterNames,
    /// Clusters that both trees have.
    common: ClusterSet,
    /// Clusters that only the old tree has.
    left: ClusterSet,
    /// Clusters that only the new tree has.
    joined: ClusterSet,
}

impl<'a> Matcher<'_, 'a> {
    fn object(&self, rows: Rows<'a>, pairs: &mut Vec<Pair<'a>>) {
        // rows that stay in place with the same targets: no need to look at each cluster
        let mut by_path: BTreeMap<&TreePath, &'a ArtifactRow> =
            rows.new.into_iter().map(|row| (&row.path, row)).collect();
        let mut rest = Rows::default();
        for old in rows.old {
            match by_path.get(&old.path) {
                Some(new) if new.targets == old.targets => {
                    self.in_place(old, new, pairs);
                    by_path.remove(&old.path);
                }
                _ => rest.old.push(old),
            }
        }
        rest.new = by_path.into_values().collect();
        self.by_cluster(&rest, pairs);
    }

    fn in_place(&self, old: &'a ArtifactRow, new: &'a ArtifactRow, pairs: &mut Vec<Pair<'a>>) {
        let reached = |set: &ClusterSet| set.filter(|name| reaches(old, name), self.names);
        if old != new {
            pairs.push(Pair::of(Some(old), Some(new), reached(&self.common)));
        }
        let (left, joined) = (reached(&self.left), reached(&self.joined));
        if !left.is_empty() {
            pairs.push(Pair::of(Some(old), None, left));
        }
        if !joined.is_empty() {
            pairs.push(Pair::of(None, Some(new), joined));
        }
    }

    /// The rows that moved or whose targets differ, cluster by cluster.
    fn by_cluster(&self, rows: &Rows<'a>, pairs: &mut Vec<Pair<'a>>) {
        let mut owner: BTreeMap<u32, usize> = BTreeMap::new();
        for (place, row) in rows.new.iter().enumerate() {
            for cluster in self.names.targets(self.new, row.targets.as_ref()).iter() {
                owner.entry(cluster).or_insert(place);
            }
        }
        for old in &rows.old {
            let mut met: BTreeMap<Option<usize>, BTreeSet<u32>> = BTreeMap::new();
            for cluster in self.names.targets(self.old, old.targets.as_ref()).iter() {
                met.entry(owner.remove(&cluster)).or_default().insert(cluster);
            }
            for (place, clusters) in met {
                let clusters = ClusterSet::from(clusters);
                let new = place.map(|place| rows.new[place]);
                if let Some(new) = new {
                    let all = |index: &Index, row: &ArtifactRow| {
                        self.names.targets(index, row.targets.as_ref()) == clusters
                    };
                    let whole = all(self.old, old) && all(self.new, new);
                    pairs.push(Pair { whole, ..Pair::of(Some(old), Some(new), clusters) });
                    continue;
                }
                // clusters that left the mesh apart: nothing is deleted there
                let left = clusters.minus(&self.common);
                let stay = clusters.minus(&left);
                for clusters in [stay, left].into_iter().filter(|set| !set.is_empty()) {
                    pairs.push(Pair::of(Some(old), None, clusters));
                }
            }
        }
        let mut added: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for (cluster, place) in owner {
            added.entry(place).or_default().insert(cluster);
        }
        for (place, clusters) in added {
            pairs.push(Pair::of(None, Some(rows.new[place]), ClusterSet::from(clusters)));
        }
    }
}

fn reaches(row: &ArtifactRow, cluster: &str) -> bool {
    row.targets.as_ref().is_some_and(|targets| targets.contains(cluster))
}
