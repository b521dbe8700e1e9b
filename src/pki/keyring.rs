//! All keyring files together.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::entry::{self, Entry, Foreign, KeyringFile, Reading, Root};
use super::policy::ROOT;
use crate::diag::Diagnostics;

/// What stands in `pki/`, read without opening anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keyring {
    root: Option<Root>,
    entries: BTreeMap<String, Entry>,
    foreign: BTreeMap<String, Foreign>,
    unusable: BTreeSet<String>,
}

impl Keyring {
    /// Reads all files, in parallel. What is wrong with each by itself is in the diagnostics;
    /// [`super::check`] tells how they fit together.
    pub fn read(files: &[KeyringFile<'_>]) -> (Self, Diagnostics) {
        let readings: Vec<_> =
            files.par_iter().map(|file| (file.name, entry::read(*file))).collect();
        let mut keyring = Self::default();
        let mut problems = Diagnostics::new();
        for (name, reading) in readings {
            match reading {
                Reading::Ours(entry) if name == ROOT => keyring.root = Some(Root::new(*entry)),
                Reading::Ours(entry) => {
                    keyring.entries.insert(name.to_owned(), *entry);
                }
                Reading::Foreign(foreign, diagnostic) => {
                    problems.push(*diagnostic);
                    keyring.foreign.insert(name.to_owned(), foreign);
                }
                Reading::Unusable(found) => {
                    problems.extend(found);
                    keyring.unusable.insert(name.to_owned());
                }
            }
        }
        (keyring, problems)
    }

    /// The root, if its file is there and usable.
    pub fn root(&self) -> Option<&Root> {
        self.root.as_ref()
    }

    /// The intermediate of a cluster, if its file is there and usable.
    pub fn entry(&self, cluster: &str) -> Option<&Entry> {
        self.entries.get(cluster)
    }

    /// The usable intermediates, by cluster.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The root and the intermediates that are usable, the root first.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.root.iter().map(Root::entry).chain(self.entries.values())
    }

    /// Files that sops sealed in its own way, by name.
    pub fn foreign(&self) -> impl Iterator<Item = &Foreign> {
        self.foreign.values()
    }

    /// Whether there is a file of this name, usable or not.
    pub fn holds(&self, name: &str) -> bool {
        self.unusable.contains(name)
            || self.foreign.contains_key(name)
            || self.entries.contains_key(name)
            || (name == ROOT && self.root.is_some())
    }

    /// The names of all files, usable or not, the root's included.
    pub fn names(&self) -> BTreeSet<&str> {
        let all = self.all().map(Entry::name);
        all.chain(self.foreign.keys().map(String::as_str))
            .chain(self.unusable.iter().map(String::as_str))
            .collect()
    }
}
