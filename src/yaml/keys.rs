//! The keys of a mapping that is being read.

use std::collections::BTreeSet;

use super::node::Entry;

/// The keys of a mapping, to find one that stands there twice: of one that has many, or had others
/// merged into it. Before, its entries tell.
#[derive(Default)]
pub(super) struct Keys(Option<BTreeSet<String>>);

impl Keys {
    /// So many are compared one by one.
    const FEW: usize = 12;

    /// Notes the keys of these entries, before others come between them.
    pub(super) fn keep(&mut self, entries: &[Entry]) -> &mut BTreeSet<String> {
        self.0.get_or_insert_with(|| entries.iter().map(|entry| entry.key.clone()).collect())
    }

    /// Notes a key that comes after these entries; says whether it is new.
    pub(super) fn insert(&mut self, entries: &[Entry], key: &str) -> bool {
        if self.0.is_none() && entries.len() < Self::FEW {
            return entries.iter().all(|entry| entry.key != key);
        }
        self.keep(entries).insert(key.to_owned())
    }
}
