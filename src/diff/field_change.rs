//! What differs between two documents, field by field.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::content::Content;
use super::field_path::{FieldPath, Step};
use super::merge_key::{ItemKey, item_keys};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub path: FieldPath,
    /// How.
    pub change: Change,
    /// Whether the index hands the field over, so that `apply` sends it at creation alone.
    pub handed_over: bool,
}

/// How a field differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(Content),
    /// It is gone.
    Removed(Content),
    /// It has another value.
    Changed {
        /// What it was.
        old: Content,
        /// What it is.
        new: Content,
    },
    /// The same items in another order, in a list that is merged by key.
    Reordered,
    /// It means the same and is written otherwise: white space of a PEM or a kubeconfig.
    Rewritten,
}

/// What differs, in the order of the paths.
pub(super) fn compare(old: &Content, new: &Content) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(&mut changes, &FieldPath::root(), old, new);
    changes
}

fn push(changes: &mut Vec<FieldChange>, path: FieldPath, change: Change) {
    changes.push(FieldChange { path, change, handed_over: false });
}

fn walk(changes: &mut Vec<FieldChange>, path: &FieldPath, old: &Content, new: &Content) {
    if old == new {
        return;
    }
    match (old, new) {
        (Content::Map(old), Content::Map(new)) => maps(changes, path, old, new),
        (Content::List(old), Content::List(new)) => lists(changes, path, old, new),
        (Content::Document(old, _), Content::Document(new, _)) if old != new => {
            walk(changes, &path.then(Step::Inside), old, new);
        }
        (Content::Document(..), Content::Document(..)) => {
            push(changes, path.clone(), Change::Rewritten);
        }
        (Content::Certificates(a, _), Content::Certificates(b, _)) if a == b => {
            push(changes, path.clone(), Change::Rewritten);
        }
        _ => push(changes, path.clone(), Change::Changed { old: old.clone(), new: new.clone() }),
    }
}

fn maps(
    changes: &mut Vec<FieldChange>,
    path: &FieldPath,
    old: &BTreeMap<String, Content>,
    new: &BTreeMap<String, Content>,
) {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let path = path.then(Step::Key(key.clone()));
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => walk(changes, &path, old, new),
            (Some(old), None) => push(changes, path, Change::Removed(old.clone())),
            (None, Some(new)) => push(changes, path, Change::Added(new.clone())),
            (None, None) => {}
        }
    }
}

fn lists(changes: &mut Vec<FieldChange>, path: &FieldPath, old: &[Content], new: &[Content]) {
    let field = match path.steps().last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    match item_keys(field, old, new) {
        Some((old_keys, new_keys)) => keyed(changes, path, (old, &old_keys), (new, &new_keys)),
        None => aligned(changes, path, old, new),
    }
}

/// Items matched by their merge key.
fn keyed(
    changes: &mut Vec<FieldChange>,
    path: &FieldPath,
    (old, old_keys): (&[Content], &[ItemKey]),
    (new, new_keys): (&[Content], &[ItemKey]),
) {
    let old_places: BTreeMap<&ItemKey, usize> = old_keys.iter().zip(0..).collect();
    let new_places: BTreeMap<&ItemKey, usize> = new_keys.iter().zip(0..).collect();
    let stays = |key: &&ItemKey| old_places.contains_key(key) && new_places.contains_key(key);
    if old_keys.iter().filter(stays).ne(new_keys.iter().filter(stays)) {
        push(changes, path.clone(), Change::Reordered);
    }
    for (key, item) in old_keys.iter().zip(old) {
        let path = path.then(Step::Item(key.clone()));
        match new_places.get(key) {
            Some(place) => walk(changes, &path, item, &new[*place]),
            None => push(changes, path, Change::Removed(item.clone())),
        }
    }
    for (key, item) in new_keys.iter().zip(new) {
        if !old_places.contains_key(key) {
            push(changes, path.then(Step::Item(key.clone())), Change::Added(item.clone()));
        }
    }
}

/// Items matched by the longest common subsequence, so that an insert is one change.
fn aligned(changes: &mut Vec<FieldChange>, path: &FieldPath, old: &[Content], new: &[Content]) {
    let mut seen: Vec<&Content> = Vec::new();
    let mut number = |item| {
        seen.iter().position(|one| *one == item).unwrap_or_else(|| {
            seen.push(item);
            seen.len() - 1
        })
    };
    let old_numbers: Vec<usize> = old.iter().map(&mut number).collect();
    let new_numbers: Vec<usize> = new.iter().map(&mut number).collect();
    for op in capture_diff_slices(Algorithm::Myers, &old_numbers, &new_numbers) {
        if !matches!(op, DiffOp::Equal { .. }) {
            let (old_range, new_range) = (op.old_range(), op.new_range());
            let old: Vec<_> = old_range.clone().zip(&old[old_range]).collect();
            let new: Vec<_> = new_range.clone().zip(&new[new_range]).collect();
            replaced(changes, path, &old, &new);
        }
    }
}

/// A run of items that gave way to another: alike ones are compared in pairs, in order.
fn replaced(
    changes: &mut Vec<FieldChange>,
    path: &FieldPath,
    old: &[(usize, &Content)],
    new: &[(usize, &Content)],
) {
    let mut rest = new.iter().peekable();
    let insert = |changes: &mut Vec<FieldChange>, (index, item): &(usize, &Content)| {
        push(changes, path.then(Step::Index(*index)), Change::Added((*item).clone()));
    };
    for (old_index, old_item) in old {
        let partner = rest.clone().position(|(_, item)| is_alike(old_item, item));
        let Some(skip) = partner else {
            let path = path.then(Step::Index(*old_index));
            push(changes, path, Change::Removed((*old_item).clone()));
            continue;
        };
        rest.by_ref().take(skip).for_each(|new| insert(changes, new));
        if let Some((index, item)) = rest.next() {
            walk(changes, &path.then(Step::Index(*index)), old_item, item);
        }
    }
    rest.for_each(|new| insert(changes, new));
}

/// Whether two items look like one that was changed: scalars, or mappings of which at least half of
/// the fields are equal.
fn is_alike(old: &Content, new: &Content) -> bool {
    match (old, new) {
        (Content::Map(old), Content::Map(new)) => {
            let equal = old.iter().filter(|(key, value)| new.get(*key) == Some(*value)).count();
            2 * equal >= old.len().max(new.len())
        }
        (Content::List(_), Content::List(_)) | (Content::Scalar(_), Content::Scalar(_)) => true,
        _ => false,
    }
}
