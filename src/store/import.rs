//! Imports: trees that came in bundles, and what came with them.
//!
//! An import is a small file in the folder `imports`, named by a number that says what came later.
//! It names the `index.json` of the bundle, a blob, from which everything is found that the bundle
//! held. An import is no generation: nothing was rendered here, and the view was not touched.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Digest, Store, StoreError, Transaction, oci};
use crate::file::FileKind;

/// Most that is read of an import's file.
const MAX_IMPORT: u64 = 64 << 10;

/// A tree that came in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Orders imports; no name for people.
    pub number: u64,
    /// The tree.
    pub tree: Digest,
    /// The `index.json` of the bundle.
    pub index: Digest,
    /// The bundle's file, as it was named.
    pub from: String,
}

/// What the file of an import says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    tree: Digest,
    index: Digest,
    from: String,
}

impl Store {
    /// The imports, oldest first.
    ///
    /// Refuses one that cannot be read: what it keeps is not known.
    pub fn imports(&self) -> Result<Vec<Import>, StoreError> {
        let folder = self.import_folder();
        let names = match self.disk().stat(&folder)?.map(|stat| stat.kind) {
            None => return Ok(Vec::new()),
            Some(FileKind::Folder) => self.disk().list(&folder)?,
            Some(kind) => {
                return Err(StoreError::NoFolder { path: folder, what: kind.describe() });
            }
        };
        let imports: Result<Vec<Import>, StoreError> =
            names.iter().map(|entry| self.read_import(&entry.name)).collect();
        let mut imports = imports?;
        imports.sort_by_key(|import| import.number);
        Ok(imports)
    }

    /// When an import was made, in nanoseconds since 1970: the time of its file, for people only.
    pub fn imported(&self, import: &Import) -> Result<Option<i128>, StoreError> {
        Ok(self.disk().stat(&self.import_path(import.number))?.map(|stat| stat.modified))
    }

    /// Every blob of an import, its documents among them.
    ///
    /// Refuses one of which a document is not there, or is none.
    pub(super) fn blobs_of_import(&self, import: &Import) -> Result<BTreeSet<Digest>, StoreError> {
        let mut all = BTreeSet::from([import.index]);
        let mut open = vec![import.index];
        while let Some(digest) = open.pop() {
            let bytes = self.read(&digest)?;
            let references = oci::references(&bytes).map_err(|error| StoreError::Malformed {
                path: self.blob_path(&digest),
                message: error.to_string(),
            })?;
            for reference in references {
                if all.insert(reference.digest) && reference.is_document() {
                    open.push(reference.digest);
                }
            }
        }
        Ok(all)
    }

    fn import_folder(&self) -> PathBuf {
        self.folder().join("imports")
    }

    pub(super) fn import_path(&self, number: u64) -> PathBuf {
        self.import_folder().join(number.to_string())
    }

    fn read_import(&self, name: &OsStr) -> Result<Import, StoreError> {
        let folder = self.import_folder();
        let bad = |message: String| StoreError::Root { path: folder.join(name), message };
        let bytes = self
            .disk()
            .read_input(&folder, Path::new(name), MAX_IMPORT)
            .map_err(|error| bad(error.to_string()))?;
        let number = name.to_str().and_then(|name| name.parse().ok());
        let number = number.ok_or_else(|| bad("its name is no number".to_owned()))?;
        let Document { tree, index, from } =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        Ok(Import { number, tree, index, from })
    }
}

impl Transaction {
    /// Makes what came in a bundle stay, until a collection takes it as one of the older imports.
    /// Durable before it returns.
    ///
    /// All blobs are published already, `index` among them. One that is there already is the
    /// newest from then on.
    pub fn add_import(&self, tree: Digest, index: Digest, from: &str) -> Result<(), StoreError> {
        let store = self.store();
        let disk = store.disk();
        let imports = store.imports()?;
        let number = imports.last().map_or(1, |import| import.number + 1);
        let document = Document { tree, index, from: from.to_owned() };
        let bytes = serde_json::to_vec(&document).expect("an import holds strings alone");
        let (folder, to) = (store.import_folder(), store.import_path(number));
        disk.create_dir_all(&folder)?;
        let temporary = self.temporary(&bytes)?;
        disk.barrier(store.folder(), &[&temporary.path])?;
        disk.rename(&temporary.path, &to)?;
        disk.barrier(store.folder(), &[&to, &folder])?;
        for same in imports.iter().filter(|import| import.index == index) {
            disk.remove(&store.import_path(same.number))?;
        }
        Ok(())
    }
}
