//! Sets of clusters, small enough to keep one a changed file.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::tree::{Index, Targets};

/// The names of the clusters of both trees, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterNames(Vec<String>);

/// Some of the clusters of a [`ClusterNames`], by their place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterSet(Vec<u32>);

/// How many names may be missing before a set is no longer described by what it lacks.
const MAX_EXCEPT: usize = 3;

impl ClusterNames {
    /// The clusters of two trees, and whatever else their rows name as a target, so that no change
    /// can hide behind a name.
    pub(super) fn of(old: &Index, new: &Index) -> Self {
        let rows = old.clusters.iter().chain(&new.clusters);
        let mut names: BTreeSet<&String> = rows.map(|row| &row.name).collect();
        for row in old.artifacts.iter().chain(&new.artifacts) {
            if let Some(Targets::Only(targets)) = &row.targets {
                names.extend(targets);
            }
        }
        Self(names.into_iter().cloned().collect())
    }

    /// The names.
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// The name at a place.
    pub fn name(&self, place: u32) -> &str {
        &self.0[place as usize]
    }

    fn place(&self, name: &str) -> Option<u32> {
        let place = self.0.binary_search_by(|own| own.as_str().cmp(name)).ok()?;
        u32::try_from(place).ok()
    }

    /// The clusters that both trees have.
    pub(super) fn common(&self, old: &Index, new: &Index) -> ClusterSet {
        let old: BTreeSet<&str> = old.clusters.iter().map(|row| row.name.as_str()).collect();
        let both =
            new.clusters.iter().map(|row| row.name.as_str()).filter(|name| old.contains(name));
        ClusterSet::from(both.filter_map(|name| self.place(name)).collect::<BTreeSet<u32>>())
    }

    /// The clusters of a tree.
    pub(super) fn of_index(&self, index: &Index) -> ClusterSet {
        let names = index.clusters.iter().map(|row| row.name.as_str());
        ClusterSet::from(names.filter_map(|name| self.place(name)).collect::<BTreeSet<u32>>())
    }

    /// The clusters of a tree that get a file.
    pub(super) fn targets(&self, index: &Index, targets: Option<&Targets>) -> ClusterSet {
        let set: BTreeSet<u32> = match targets {
            None => BTreeSet::new(),
            Some(Targets::Only(names)) => {
                names.iter().filter_map(|name| self.place(name)).collect()
            }
            Some(targets) => {
                let names = index.clusters.iter().map(|row| row.name.as_str());
                names
                    .filter(|name| targets.contains(name))
                    .filter_map(|name| self.place(name))
                    .collect()
            }
        };
        ClusterSet::from(set)
    }

    /// A set in words: `all 12 clusters`, `all but c1`, `c1, c2`.
    pub fn describe(&self, set: &ClusterSet) -> String {
        let (all, some) = (self.0.len(), set.len());
        if some == all && all > 2 {
            return format!("all {all} clusters");
        }
        let names: Vec<&str> = set.iter().map(|place| self.name(place)).collect();
        if all - some <= MAX_EXCEPT && all > 3 * MAX_EXCEPT {
            return format!("all but {}", self.missing(set).join(", "));
        }
        names.join(", ")
    }

    /// A set for programs, as `targets` in the index: a list of names, or `{"except": […]}` where
    /// that is much shorter.
    pub fn to_json(&self, set: &ClusterSet) -> Value {
        if self.0.len() - set.len() <= MAX_EXCEPT && self.0.len() > 64 {
            return json!({"except": self.missing(set)});
        }
        set.iter().map(|place| self.name(place)).collect()
    }

    fn missing(&self, set: &ClusterSet) -> Vec<&str> {
        let rest = self.0.iter().zip(0..).filter(|(_, place)| !set.contains(*place));
        rest.map(|(name, _)| name.as_str()).collect()
    }
}

impl From<BTreeSet<u32>> for ClusterSet {
    fn from(set: BTreeSet<u32>) -> Self {
        Self(set.into_iter().collect())
    }
}

impl ClusterSet {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their places, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// Whether a place is in it.
    pub fn contains(&self, place: u32) -> bool {
        self.0.binary_search(&place).is_ok()
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(self.iter().filter(|place| !other.contains(*place)).collect())
    }

    /// Those in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from(self.iter().chain(other.iter()).collect::<BTreeSet<u32>>())
    }

    /// Those whose name fits.
    #[must_use]
    pub(super) fn filter(&self, fits: impl Fn(&str) -> bool, names: &ClusterNames) -> Self {
        Self(self.iter().filter(|place| fits(names.name(*place))).collect())
    }
}

impl FromIterator<u32> for ClusterSet {
    fn from_iter<T: IntoIterator<Item = u32>>(places: T) -> Self {
        Self::from(places.into_iter().collect::<BTreeSet<u32>>())
    }
}
