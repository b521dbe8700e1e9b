//! Roots: files outside the store that name a tree, which stays as long as they are there.
//!
//! A root is a small file in the folder `roots`, named by the sha256 of the absolute path of the
//! file outside. A tree that is no generation has a manifest of its own, which lists its blobs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::oci::{self, Manifest};
use super::{Catalogue, Digest, GroupFile, Store, StoreError, Transaction};
use crate::file::{FileKind, Stat};

/// Most that is read of a root: one that was replaced by a thousand killed runs is smaller.
const MAX_ROOT: u64 = 1 << 20;

/// What the file of a root says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Root {
    /// The file outside: absolute.
    pub path: PathBuf,
    pub tree: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// What the file outside named before: it still does if the one who replaces it is killed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Named>,
}

/// A tree that a root names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub tree: Digest,
    /// Lists its blobs; absent if it was a generation, which stays because of the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
}

impl Root {
    /// Everything that it names.
    pub fn all(&self) -> Vec<Named> {
        let now = Named { tree: self.tree, manifest: self.manifest };
        std::iter::once(now).chain(self.before.iter().copied()).collect()
    }
}

impl Store {
    /// The trees that files outside the store name: of those roots whose file is still there, and
    /// still a plain file. Sorted, none twice.
    ///
    /// Refuses a root that cannot be read: what it kept is not known.
    pub fn roots(&self) -> Result<Vec<Digest>, StoreError> {
        let (living, _) = self.living_roots()?;
        let mut trees: Vec<Digest> =
            living.iter().flat_map(Root::all).map(|named| named.tree).collect();
        trees.sort();
        trees.dedup();
        Ok(trees)
    }

    /// The trees of all roots and imports whose digest starts with these hex digits, sorted. A root
    /// whose file is gone counts until a collection takes its tree; one that cannot be read names
    /// none.
    pub fn rooted(&self, prefix: &str) -> Result<Vec<Digest>, StoreError> {
        let names = self.root_names()?;
        let roots = names.iter().filter_map(|name| self.read_root(name).ok());
        let mut trees: Vec<Digest> =
            roots.flat_map(|root| root.all()).map(|named| named.tree).collect();
        trees.extend(self.imports().unwrap_or_default().iter().map(|import| import.tree));
        trees.retain(|tree| tree.hex().starts_with(prefix));
        trees.sort();
        trees.dedup();
        Ok(trees)
    }

    /// The roots whose file is there, and the files of those whose is not.
    pub(super) fn living_roots(&self) -> Result<(Vec<Root>, Vec<PathBuf>), StoreError> {
        let (mut living, mut dead) = (Vec::new(), Vec::new());
        for name in self.root_names()? {
            let root = self.read_root(&name)?;
            if self.disk().stat(&root.path)?.as_ref().is_some_and(Stat::is_file) {
                living.push(root);
            } else {
                dead.push(self.root_folder().join(name));
            }
        }
        Ok((living, dead))
    }

    /// The blobs of a named tree that is no generation, its manifest and index among them, each
    /// with its path.
    ///
    /// Refuses one that has no manifest, or that lists no index of this tree.
    pub(super) fn blobs_of(&self, named: &Named) -> Result<Vec<(Digest, String)>, StoreError> {
        let Named { tree, manifest } = named;
        let digest = manifest.ok_or(StoreError::Missing(*tree))?;
        let path = self.blob_path(&digest);
        let document: Manifest = oci::decode(&self.read(&digest)?, &path)?;
        if document.layers.iter().all(|layer| layer.digest != *tree) {
            let message = format!("it is not the manifest of {tree}");
            return Err(StoreError::Malformed { path, message });
        }
        let title = |layer: &oci::Descriptor| {
            layer.annotation(oci::TITLE).unwrap_or("a file without a name").to_owned()
        };
        let mut all = vec![(digest, "its manifest".to_owned())];
        all.extend(document.layers.iter().map(|layer| (layer.digest, title(layer))));
        Ok(all)
    }

    fn root_folder(&self) -> PathBuf {
        self.folder().join("roots")
    }

    fn root_names(&self) -> Result<Vec<OsString>, StoreError> {
        let folder = self.root_folder();
        match self.disk().stat(&folder)?.map(|stat| stat.kind) {
            None => Ok(Vec::new()),
            Some(FileKind::Folder) => {
                Ok(self.disk().list(&folder)?.into_iter().map(|entry| entry.name).collect())
            }
            Some(kind) => Err(StoreError::NoFolder { path: folder, what: kind.describe() }),
        }
    }

    /// Reads a root, as hostile input.
    fn read_root(&self, name: &OsStr) -> Result<Root, StoreError> {
        let folder = self.root_folder();
        let bad = |message: String| StoreError::Root { path: folder.join(name), message };
        let bytes = self
            .disk()
            .read_input(&folder, Path::new(name), MAX_ROOT)
            .map_err(|error| bad(error.to_string()))?;
        let root: Root = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if !root.path.is_absolute() || name != OsStr::new(&file_name(&root.path)) {
            return Err(bad("it is named after another path than it holds".to_owned()));
        }
        Ok(root)
    }
}

fn file_name(path: &Path) -> String {
    Digest::of(path.as_os_str().as_bytes()).hex()
}

impl Transaction {
    /// Puts the manifest of a tree that is no generation, and whose files were put; gives its
    /// digest for [`Transaction::add_root`]. `files` are all files, `index.json` among them.
    pub fn put_manifest(&self, files: &[GroupFile]) -> Result<Digest, StoreError> {
        let bytes = oci::tree(files);
        let digest = Digest::of(&bytes);
        self.put(Digest::of(oci::EMPTY), oci::EMPTY)?;
        self.put(digest, &bytes)?;
        Ok(digest)
    }

    /// Makes a tree stay as long as the file at `path` is there. Durable before it returns.
    ///
    /// The tree's blobs are published already. `manifest` lists them; a tree that is a generation
    /// needs none. The file need not be there yet, its folder must; until it is, a collection that
    /// gets the lock drops the root. What the file named until now stays too, until
    /// [`Transaction::settle_root`]. Refuses a path that is no UTF-8.
    pub fn add_root(
        &self,
        path: &Path,
        tree: Digest,
        manifest: Option<Digest>,
    ) -> Result<(), StoreError> {
        let path = self.store().disk().absolute(path)?;
        let mut root = Root { path, tree, manifest, before: Vec::new() };
        // one that cannot be read, or whose file is gone, keeps nothing
        if let Ok(old) = self.store().read_root(OsStr::new(&file_name(&root.path)))
            && self.store().disk().stat(&root.path)?.as_ref().is_some_and(Stat::is_file)
        {
            root.before = old.all().into_iter().filter(|one| one.tree != tree).collect();
        }
        self.write_root(&root)
    }

    /// The file of a root has its new content: what it named before may go.
    pub fn settle_root(&self, path: &Path) -> Result<(), StoreError> {
        let path = self.store().disk().absolute(path)?;
        let mut root = self.store().read_root(OsStr::new(&file_name(&path)))?;
        if root.before.is_empty() {
            return Ok(());
        }
        root.before.clear();
        self.write_root(&root)
    }

    fn write_root(&self, root: &Root) -> Result<(), StoreError> {
        let (disk, folder) = (self.store().disk(), self.store().root_folder());
        let to = folder.join(file_name(&root.path));
        let bytes = serde_json::to_vec(root).map_err(|error| StoreError::Root {
            path: root.path.clone(),
            message: error.to_string(),
        })?;
        // refuses a symlink in its place
        self.store().root_names()?;
        disk.create_dir_all(&folder)?;
        let temporary = self.temporary(&bytes)?;
        disk.barrier(self.store().folder(), &[&temporary.path])?;
        disk.rename(&temporary.path, &to)?;
        Ok(disk.barrier(self.store().folder(), &[&to, &folder])?)
    }

    /// Prepares the documents that make a folder an OCI layout, where they are not there yet.
    pub fn stage_layout(&self) -> Result<(), StoreError> {
        let folder = self.store().folder();
        if !self.store().disk().exists(&folder.join("oci-layout"))? {
            self.stage_file("oci-layout", oci::LAYOUT)?;
        }
        if !self.store().disk().exists(&self.store().catalogue_path())? {
            self.stage_file("index.json", &Catalogue::default().encode())?;
        }
        Ok(())
    }
}
