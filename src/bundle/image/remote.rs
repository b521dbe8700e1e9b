//! Images in the registries that their references name.

use std::io::{Cursor, Read};

use super::{Holder, MAX_DOCUMENT, Name, Root};
use crate::bundle::{BundleError, Content};
use crate::file::Disk;
use crate::registry::{Access, Options, Reference, Repository};
use crate::store::Digest;

/// All registries.
pub(super) struct Registry {
    disk: Disk,
    options: Options,
}

impl Registry {
    pub fn new(disk: &Disk, options: &Options) -> Self {
        Self { disk: disk.clone(), options: options.clone() }
    }
}

impl Holder for Registry {
    fn find(&self, name: &Name) -> Result<Option<Root>, BundleError> {
        let reference = Reference::parse(&name.to_registry()).map_err(|error| {
            BundleError::Malformed { what: error.reference, why: error.reason.to_owned() }
        })?;
        let repository = Repository::new(&self.disk, &self.options, &reference, Access::Pull);
        let asked = reference.manifest().unwrap_or_else(|| "latest".to_owned());
        let Some(found) = repository.manifest(&asked, MAX_DOCUMENT)? else { return Ok(None) };
        let (bytes, media_type) = (found.bytes, found.media_type);
        Ok(Some(Root { bytes, media_type, content: Box::new(Remote(repository)) }))
    }
}

/// The blobs of a repository.
struct Remote(Repository);

impl Content for Remote {
    /// Documents and configs alone, which are small.
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        let found = self.0.manifest(&digest.to_string(), MAX_DOCUMENT)?;
        let bytes = match found {
            Some(found) => found.bytes,
            None => self.0.blob(digest, MAX_DOCUMENT, &|_| {})?,
        };
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn copy(
        &self,
        digest: &Digest,
        size: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        self.0.copy_blob(digest, size, take)
    }
}
