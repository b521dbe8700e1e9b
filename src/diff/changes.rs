//! The comparison of two trees.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::cluster_set::{ClusterNames, ClusterSet};
use super::consequence::{Consequence, consequences};
use super::content::Content;
use super::entry::{Entry, Member, What};
use super::field_change::{FieldChange, compare};
use super::group::{Item, group};
use super::index_change::{IndexChange, of_head, of_rows};
use super::matching::{Pair, pairs};
use super::redact::redact;
use super::side::{DiffError, Side};
use super::summary::Summary;
use crate::object::Identity;
use crate::store::Digest;
use crate::tree::{ArtifactRow, Index};

/// What differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The old tree.
    pub old: TreeName,
    /// The new tree.
    pub new: TreeName,
    /// The clusters of both.
    pub names: ClusterNames,
    /// The counts.
    pub summary: Summary,
    /// What the heads of the indexes say differently.
    pub index: Vec<IndexChange>,
    /// The changes: files that are not sent, then objects by stage and name.
    pub entries: Vec<Entry>,
}

/// How a tree is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeName {
    /// As people wrote it.
    pub label: String,
    /// The digest of its index.
    pub digest: Option<Digest>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.index.is_empty()
    }
}

/// What is known of a pair of files after reading them.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub fields: Vec<FieldChange>,
    pub content: Option<Content>,
    pub consequences: Vec<Consequence>,
}

/// Compares two trees.
///
/// A file whose digest is the same on both sides is not read, and a pair of digests is read once,
/// in however many clusters it stands. The result is the same whatever the order of the rows or
/// the number of threads.
pub fn diff(old: &Side<'_>, new: &Side<'_>) -> Result<Changes, DiffError> {
    let names = ClusterNames::of(&old.index, &new.index);
    let pairs = join_by_identity(old, new, pairs(&old.index, &new.index, &names))?;
    let known = Known::of(&old.index, &new.index);
    let mut work: BTreeMap<Key, &Pair> = BTreeMap::new();
    for pair in &pairs {
        if known.needs_reading(pair) {
            work.entry(Key::of(pair)).or_insert(pair);
        }
    }
    let work: Vec<(Key, &Pair)> = work.into_iter().collect();
    let done: Result<Vec<(Key, Comparison)>, DiffError> =
        work.into_par_iter().map(|(key, pair)| Ok((key, read(old, new, pair)?))).collect();
    let done: BTreeMap<Key, Comparison> = done?.into_iter().collect();
    let nothing = Comparison::default();
    let common = names.common(&old.index, &new.index);
    let items = pairs.iter().map(|pair| {
        let comparison = done.get(&Key::of(pair)).unwrap_or(&nothing);
        item(pair, comparison, &known, &common)
    });
    let items: Vec<Item> = items.filter(Item::says_something).collect();
    let mut entries = group(items, &owners(&old.index, &new.index));
    entries.sort_by_key(order);
    let index = of_head(&old.index, &new.index);
    let summary = Summary::of(&names, &entries);
    let name = |side: &Side| TreeName { label: side.label.clone(), digest: side.digest };
    Ok(Changes { old: name(old), new: name(new), names, summary, index, entries })
}

/// What decides the outcome of reading a pair: the digests, and what the rows say is secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key(Option<(Digest, String)>, Option<(Digest, String)>);

impl Key {
    fn of(pair: &Pair) -> Self {
        let side = |row: Option<&ArtifactRow>| {
            row.map(|row| {
                let end = row.path.as_str().rsplit('.').next().unwrap_or_default();
                let marks = (&row.sealed, &row.bindings, &row.handover, end);
                (row.digest, format!("{marks:?}"))
            })
        };
        Self(side(pair.old), side(pair.new))
    }
}

/// The rows of both indexes by path.
struct Known<'a> {
    old: BTreeMap<&'a str, &'a ArtifactRow>,
    new: BTreeMap<&'a str, &'a ArtifactRow>,
    pending: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(old: &'a Index, new: &'a Index) -> Self {
        let rows =
            |index: &'a Index| index.artifacts.iter().map(|row| (row.path.as_str(), row)).collect();
        let pending = new.pending.iter().map(|row| row.path.as_str()).collect();
        Self { old: rows(old), new: rows(new), pending }
    }

    /// Whether a file that comes or goes for some clusters is there on the other side too.
    fn same_file(&self, pair: &Pair) -> bool {
        let same = |rows: &BTreeMap<&str, &ArtifactRow>, row: &ArtifactRow| {
            rows.get(row.path.as_str()).is_some_and(|other| other.digest == row.digest)
        };
        match (pair.old, pair.new) {
            (Some(old), None) => same(&self.new, old),
            (None, Some(new)) => same(&self.old, new),
            _ => false,
        }
    }

    fn needs_reading(&self, pair: &Pair) -> bool {
        match (pair.old, pair.new) {
            (Some(old), Some(new)) => old.digest != new.digest,
            (Some(old), None) if self.pending.contains(old.path.as_str()) => false,
            _ => !self.same_file(pair) || is_telling(pair),
        }
    }
}

/// Whether an object's mere presence in a cluster has consequences, so that it is read even when
/// the same file goes to other clusters already.
fn is_telling(pair: &Pair) -> bool {
    let row = pair.old.or(pair.new);
    row.and_then(|row| row.object.as_ref())
        .is_some_and(|object| object.group() == "rbac.authorization.k8s.io" || pair.old.is_some())
}

/// Files without an object in their row (a folder without an index) that moved: matched by what
/// they hold, within their first folder.
fn join_by_identity<'a>(
    old: &Side<'_>,
    new: &Side<'_>,
    pairs: Vec<Pair<'a>>,
) -> Result<Vec<Pair<'a>>, DiffError> {
    let identity =
        |side: &Side, row: &ArtifactRow| -> Result<Option<(String, Identity)>, DiffError> {
            if row.object.is_some() || row.path.as_str().rsplit('.').next() != Some("yaml") {
                return Ok(None);
            }
            let value = redact(&side.bytes(row)?, row).to_shown();
            Ok(Identity::of(&value).ok().map(|object| (row.path.first().to_owned(), object)))
        };
    let lonely =
        |pair: &&Pair| pair.clusters.is_empty() && pair.old.is_some() != pair.new.is_some();
    let mut gone: BTreeMap<(String, Identity), &'a ArtifactRow> = BTreeMap::new();
    if !pairs.iter().filter(lonely).any(|pair| pair.old.is_some()) {
        return Ok(pairs);
    }
    for row in pairs.iter().filter(lonely).filter_map(|pair| pair.old) {
        if let Some(key) = identity(old, row)? {
            gone.insert(key, row);
        }
    }
    let mut joined = Vec::new();
    let mut matched: Vec<&str> = Vec::new();
    for pair in &pairs {
        let (true, Some(row)) = (lonely(&pair), pair.new) else { continue };
        let Some(key) = identity(new, row)? else { continue };
        if let Some(partner) = gone.remove(&key) {
            matched.extend([partner.path.as_str(), row.path.as_str()]);
            joined.push(Pair::of(Some(partner), Some(row), ClusterSet::default()));
        }
    }
    let path = |pair: &Pair<'a>| pair.old.or(pair.new).map_or("", |row| row.path.as_str());
    let rest = pairs.into_iter().filter(|pair| !(lonely(&pair) && matched.contains(&path(pair))));
    joined.extend(rest);
    Ok(joined)
}

fn read(old: &Side<'_>, new: &Side<'_>, pair: &Pair) -> Result<Comparison, DiffError> {
    let content = |side: &Side, row: Option<&ArtifactRow>| {
        row.map(|row| Ok(redact(&side.bytes(row)?, row))).transpose()
    };
    let (before, after) = (content(old, pair.old)?, content(new, pair.new)?);
    let mut comparison = Comparison::default();
    if let (Some(before), Some(after)) = (&before, &after) {
        comparison.fields = compare(before, after);
        let pointers: Vec<&String> =
            [pair.old, pair.new].into_iter().flatten().flat_map(|row| &row.handover).collect();
        for field in &mut comparison.fields {
            field.handed_over = pointers.iter().any(|pointer| field.path.is_within(pointer));
        }
    }
    let object = pair.new.or(pair.old).and_then(|row| row.object.as_ref());
    if let (Some(object), false) = (object, pair.clusters.is_empty()) {
        comparison.consequences =
            consequences(object, before.as_ref(), after.as_ref(), &comparison.fields);
    }
    if before.is_none() || after.is_none() {
        comparison.content = after.or(before);
    }
    Ok(comparison)
}

fn item<'a>(
    pair: &Pair<'a>,
    comparison: &'a Comparison,
    known: &Known,
    common: &ClusterSet,
) -> Item<'a> {
    let what = match (pair.old, pair.new) {
        (Some(old), Some(new)) if old.digest == new.digest => What::Moved,
        (Some(old), None) if known.pending.contains(old.path.as_str()) => What::Postponed,
        (Some(_), None) => What::Removed,
        (None, _) => What::Added,
        _ => What::Changed,
    };
    let index = match (pair.old, pair.new) {
        (Some(old), Some(new)) => of_rows(old, new, pair.whole),
        _ => Vec::new(),
    };
    // nothing is deleted in a cluster that leaves the mesh
    let leaves = what == What::Removed && pair.clusters.minus(common) == pair.clusters;
    let row = pair.new.or(pair.old);
    Item {
        what,
        member: Member {
            object: row.and_then(|row| row.object.clone()),
            old_path: pair.old.map(|row| row.path.clone()),
            new_path: pair.new.map(|row| row.path.clone()),
            stage: row.and_then(|row| row.stage.clone()),
            clusters: pair.clusters.clone(),
        },
        comparison,
        index,
        silent: leaves || what == What::Postponed,
        same_file: known.same_file(pair),
    }
}

/// Cluster to network, for names that stand in values.
fn owners(old: &Index, new: &Index) -> BTreeMap<String, String> {
    let rows = old.clusters.iter().chain(&new.clusters);
    rows.map(|row| (row.name.clone(), row.network.clone())).collect()
}

fn order(entry: &Entry) -> impl Ord + use<> {
    let first = entry.members.first();
    let stage = first.and_then(|member| member.stage.clone());
    let title = first.map(Member::title);
    let path = first.map(|member| member.path().to_owned());
    (entry.is_sent(), stage, title, entry.what, path)
}
