//! Images in an OCI image layout in a folder: what `skopeo`, `oras`, `crane` and `tar -xf` of a bundle
//! leave.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Holder, MAX_DOCUMENT, Name, Root};
use crate::bundle::{BundleError, Content, read_blob};
use crate::file::Disk;
use crate::store::oci::{self, ImageIndex};
use crate::store::{Digest, Import, Store};

/// A layout.
pub(super) struct Layout {
    index: ImageIndex,
    blobs: Arc<Blobs>,
}

struct Blobs {
    disk: Disk,
    folder: PathBuf,
}

impl Layout {
    pub fn open(disk: &Disk, folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join("index.json");
        let index = index(&disk.read_limited(&path, MAX_DOCUMENT)?, &path)?;
        let blobs = Blobs { disk: disk.clone(), folder: folder.join("blobs/sha256") };
        Ok(Self { index, blobs: Arc::new(blobs) })
    }

    /// What was imported into the store in a folder: a layout an import, those of this tree before others,
    /// and newer ones before older.
    pub fn imported(disk: &Disk, folder: &Path, tree: &Digest) -> Result<Vec<Self>, BundleError> {
        let store = Store::open(disk, folder)?;
        let blobs = Arc::new(Blobs { disk: disk.clone(), folder: folder.join("blobs/sha256") });
        let layout = |import: &Import| {
            let index = index(&store.read(&import.index)?, &store.blob_path(&import.index))?;
            Ok(Self { index, blobs: Arc::clone(&blobs) })
        };
        let mut imports = store.imports()?;
        imports.reverse();
        imports.sort_by_key(|import| import.tree != *tree);
        imports.iter().map(layout).collect()
    }
}

/// Reads the index of a layout, as somebody else wrote it.
pub(super) fn index(bytes: &[u8], path: &Path) -> Result<ImageIndex, BundleError> {
    #[derive(serde::Deserialize)]
    struct Document {
        manifests: Vec<oci::Descriptor>,
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        BundleError::Origin { path: path.display().to_string(), why: error.to_string() }
    })?;
    Ok(ImageIndex {
        schema_version: 2,
        media_type: oci::INDEX_TYPE.to_owned(),
        artifact_type: None,
        manifests: document.manifests,
        annotations: oci::Annotations::new(),
    })
}

/// What an index calls by that name, or by that digest: descriptors have the whole name in one
/// annotation or the other. A tag alone names nothing.
pub(super) fn find<'i>(index: &'i ImageIndex, name: &Name) -> Option<&'i oci::Descriptor> {
    let is_called = |descriptor: &&oci::Descriptor| {
        let names = [oci::IMAGE_NAME, oci::REF_NAME].into_iter();
        let mut names = names.filter_map(|key| descriptor.annotation(key));
        names.any(|text| Name::parse(text).is_ok_and(|other| name.is_called(&other)))
    };
    match name.digest {
        Some(digest) => index.manifests.iter().find(|descriptor| descriptor.digest == digest),
        None => index.manifests.iter().find(is_called),
    }
}

impl Holder for Layout {
    fn find(&self, name: &Name) -> Result<Option<Root>, BundleError> {
        let Some(descriptor) = find(&self.index, name) else { return Ok(None) };
        let content = Folder(Arc::clone(&self.blobs));
        let size = descriptor.size.min(MAX_DOCUMENT);
        let bytes = read_blob(&content, &descriptor.digest, size)?;
        let media_type = descriptor.media_type.clone();
        Ok(Some(Root { bytes, media_type, content: Box::new(content) }))
    }
}

/// The blobs of a layout.
struct Folder(Arc<Blobs>);

impl Content for Folder {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        match self.0.disk.open(&self.0.folder.join(digest.hex())) {
            Ok(file) => Ok(Box::new(file.into_reader())),
            Err(error) if error.is_not_found() => Err(BundleError::Missing(*digest)),
            Err(error) => Err(error.into()),
        }
    }
}
