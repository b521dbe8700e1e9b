//! The two places that a tree can go: into the view, or against it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::Sink;
use crate::derivation::Recipe;
use crate::file::{Disk, Stat};
use crate::inputs::Memory;
use crate::store::{self, Digest, Transaction};
use crate::tree::TreePath;
use crate::tree::view::{Comparison, ViewError, Writer};

impl Sink for Writer {
    type Error = ViewError;

    fn known(&self, recipe: &Recipe) -> Result<Option<Vec<store::Output>>, ViewError> {
        let Some(outputs) = self.derivations().get(&recipe.digest) else { return Ok(None) };
        for output in &outputs {
            let Some((digest, size)) = output.artifact else { continue };
            let Ok(path) = output.path.parse::<TreePath>() else { return Ok(None) };
            if !self.reuse(&path, digest, size)? {
                return Ok(None);
            }
        }
        Ok(Some(outputs))
    }

    fn add(&self, path: TreePath, bytes: Vec<u8>) -> Result<Digest, ViewError> {
        Writer::add(self, path, &bytes)
    }

    fn remember(&self, recipe: &Recipe, outputs: &[store::Output]) {
        self.derivations().insert(recipe.digest, outputs.to_vec());
    }
}

impl Sink for Comparison {
    type Error = ViewError;

    fn known(&self, _: &Recipe) -> Result<Option<Vec<store::Output>>, ViewError> {
        Ok(None)
    }

    fn add(&self, path: TreePath, bytes: Vec<u8>) -> Result<Digest, ViewError> {
        Comparison::add(self, path, &bytes)
    }

    fn remember(&self, _: &Recipe, _: &[store::Output]) {}
}

/// Remembers by the caches of the store.
pub(super) struct StoreMemory<'a> {
    disk: &'a Disk,
    project: PathBuf,
    caches: &'a Transaction,
    seen: Mutex<BTreeMap<String, Stat>>,
}

impl<'a> StoreMemory<'a> {
    pub(super) fn new(disk: &'a Disk, project: &Path, caches: &'a Transaction) -> Self {
        Self { disk, project: project.to_owned(), caches, seen: Mutex::default() }
    }
}

impl Memory for StoreMemory<'_> {
    fn digest(&self, path: &str) -> Option<Digest> {
        let stat = self.disk.stat(&self.project.join(path)).ok().flatten()?;
        let known = self.caches.inputs().get(path, &stat);
        if known.is_none() {
            // taken before the file is read, as the cache wants it
            self.seen.lock().expect("no holder panics").insert(path.to_owned(), stat);
        }
        known
    }

    fn note(&self, path: &str, digest: Digest) {
        let stat = self.seen.lock().expect("no holder panics").remove(path);
        if let Some(stat) = stat {
            self.caches.inputs().insert(path, &stat, digest, self.caches.started());
        }
    }

    fn is_good(&self, keyring: Digest) -> bool {
        self.caches.derivations().get(&keyring).is_some()
    }
}
