//! A bundle as a tree to read from.

use std::path::Path;
use std::sync::Arc;

use super::delta::Far;
use super::{Bundle, BundleError, BundleFile, Content, read_blob};
use crate::file::Disk;
use crate::store::Digest;
use crate::tree::source::{Blobs, Source, SourceError};

/// The blobs of a tree that lies in a bundle, and those that a delta leaves to the far side.
struct Inside<C> {
    content: Arc<C>,
    sizes: std::collections::BTreeMap<Digest, u64>,
    far: Option<Far>,
    name: String,
}

impl<C: Content + Send + Sync> Blobs for Inside<C> {
    fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, SourceError> {
        let failed = |error: BundleError| SourceError::Blobs {
            name: self.name.clone(),
            is_outside: error.is_outside(),
            why: error.to_string(),
        };
        match (self.sizes.get(digest), &self.far) {
            (Some(size), _) => read_blob(&*self.content, digest, *size).map(Some).map_err(failed),
            (None, Some(far)) => far.read(digest),
            (None, None) => Ok(None),
        }
    }
}

/// The tree of a bundle whose blobs `content` has.
pub(super) fn within<C: Content + Send + Sync + 'static>(
    bundle: &Bundle,
    content: &Arc<C>,
    name: &str,
    far: Option<Far>,
) -> Result<Source, SourceError> {
    let inside = Inside {
        content: Arc::clone(content),
        sizes: bundle.blobs.clone(),
        far,
        name: name.to_owned(),
    };
    Source::of_blobs(name, bundle.table_bytes.clone(), Box::new(inside))
}

impl BundleFile {
    /// Its tree, to be read: each file from the bundle, and of a delta the rest from what is in the project.
    ///
    /// Refuses a delta of which something is neither inside nor here, and says which tree it needs.
    pub fn source(&self, name: &str, disk: &Disk, project: &Path) -> Result<Source, BundleError> {
        let far = self.bundle.far(name, disk, project)?;
        Ok(within(&self.bundle, &self.blobs, name, far)?)
    }
}
