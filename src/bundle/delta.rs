//! Deltas: what the far side has already, and whether it does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Bundle, BundleError};
use crate::file::Disk;
use crate::store::{Digest, Store, StoreError, oci};
use crate::tree::TreePath;
use crate::tree::source::{Source, SourceError, resolve};
use crate::tree::view;

/// What the far side of a delta has: a tree that it applied, or a bundle that it got.
#[derive(Debug, Clone)]
pub struct Base {
    /// The sha256 of the tree's table of contents.
    pub tree: Digest,
    /// Every blob that it has with it.
    pub blobs: BTreeSet<Digest>,
}

impl Base {
    /// The far side has this tree, and nothing else.
    pub fn of_tree(source: &Source) -> Self {
        let rows = source.index.artifacts.iter().map(|row| row.digest);
        Self { tree: source.digest, blobs: rows.chain([source.digest]).collect() }
    }

    /// The far side has what a bundle holds, and what that needed.
    pub fn of_bundle(bundle: &Bundle) -> Self {
        Self { tree: bundle.tree, blobs: bundle.closure() }
    }

    /// What a delta of a tree holds whatever the far side has: what says which tree it is.
    pub(super) fn always(manifest: Digest, tree: Digest) -> [Digest; 3] {
        [manifest, tree, Digest::of(oci::EMPTY)]
    }
}

/// What is here, on the far side: the store of a project, and its view.
#[derive(Debug)]
pub struct Far {
    store: Store,
    view: Option<Source>,
    rows: BTreeMap<Digest, TreePath>,
}

impl Far {
    /// What a project has. One without a store or a view has nothing there.
    fn of(disk: &Disk, project: &Path) -> Result<Self, StoreError> {
        let store = Store::open(disk, &view::store_folder(&project.join("out")))?;
        // a view that cannot be read gives nothing
        let view = resolve(disk, project, None).ok();
        let rows = view.iter().flat_map(|source| &source.index.artifacts);
        let rows = rows.map(|row| (row.digest, row.path.clone())).collect();
        Ok(Self { store, view, rows })
    }

    /// A blob, if it is here and sound.
    pub(super) fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, SourceError> {
        match self.store.read(digest) {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(StoreError::Missing(_) | StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match (&self.view, self.rows.get(digest)) {
            (Some(view), Some(path)) => match view.read(path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(SourceError::Differs { .. }) => Ok(None),
                Err(error) => Err(error),
            },
            (Some(view), None) if view.digest == *digest => Ok(Some(view.index_bytes().to_vec())),
            _ => Ok(None),
        }
    }

    /// Whether a blob is here. Does not read it.
    fn holds(&self, digest: &Digest) -> Result<bool, StoreError> {
        let in_view = self.view.as_ref().is_some_and(|view| view.digest == *digest);
        Ok(in_view || self.rows.contains_key(digest) || self.store.has(digest)?)
    }
}

impl Bundle {
    /// What a delta builds on, in a project; `None` for a whole bundle, which builds on nothing.
    ///
    /// Refuses a delta of which something is neither inside nor here.
    pub(super) fn far(
        &self,
        name: &str,
        disk: &Disk,
        project: &Path,
    ) -> Result<Option<Far>, BundleError> {
        let Some(base) = self.base else { return Ok(None) };
        let far = Far::of(disk, project)?;
        let mut missing = Vec::new();
        for digest in self.needs.keys() {
            if !far.holds(digest)? {
                missing.push(*digest);
            }
        }
        match missing.first() {
            None => Ok(Some(far)),
            Some(first) => Err(BundleError::NoBase {
                name: name.to_owned(),
                base,
                missing: missing.len(),
                first: *first,
            }),
        }
    }
}
