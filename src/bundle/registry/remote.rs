//! A bundle that lies in a registry.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::RemoteError;
use super::parallel::each;
use crate::bundle::files::{by_digest, wrong};
use crate::bundle::open::OTHER_IMAGES;
use crate::bundle::source::within;
use crate::bundle::{Bundle, BundleError, Content};
use crate::registry::Repository;
use crate::store::{Digest, oci};
use crate::tree::source::Source;

/// Largest index of a bundle; registries take no larger manifest.
const MAX_INDEX: u64 = 4 << 20;

/// A bundle in a registry: what it says is here and was checked, its other blobs are there.
pub struct Remote {
    /// What it says.
    pub bundle: Bundle,
    repository: Arc<Repository>,
}

/// What documents that were read say of others.
#[derive(Default)]
struct Named {
    sizes: BTreeMap<Digest, u64>,
    documents: BTreeSet<Digest>,
}

impl Named {
    fn add(&mut self, document: &[u8]) {
        // what is no document is refused by whoever reads it
        for reference in oci::references(document).unwrap_or_default() {
            self.sizes.entry(reference.digest).or_insert(reference.size);
            if reference.is_document() {
                self.documents.insert(reference.digest);
            }
        }
    }
}

impl Remote {
    /// Reads what a bundle says: its index and every manifest, each checked against its digest.
    ///
    /// Refuses whatever no bundle says, and a delta. Its other blobs are not looked at: each is checked
    /// when it is read.
    pub fn open(repository: Repository, digest: &Digest) -> Result<Self, RemoteError> {
        let name = digest.to_string();
        let Some(found) = repository.manifest(&name, MAX_INDEX)? else {
            return Err(RemoteError::Absent(
                repository.url(&format!("manifests/{name}")).to_string(),
            ));
        };
        let named = RefCell::new(Named::default());
        named.borrow_mut().add(&found.bytes);
        let inside = |digest: &Digest| named.borrow().sizes.get(digest).copied();
        let document = |digest: &Digest, size: u64| {
            let is_document = named.borrow().documents.contains(digest);
            let bytes = if is_document {
                let found = repository.manifest(&digest.to_string(), size)?;
                let bytes = found.ok_or(BundleError::Missing(*digest))?.bytes;
                named.borrow_mut().add(&bytes);
                bytes
            } else {
                repository.blob(digest, size, &|_| {})?
            };
            if bytes.len() as u64 == size { Ok(bytes) } else { Err(BundleError::Damaged(*digest)) }
        };
        let bundle = Bundle::read(found.bytes, &inside, &document)?;
        if bundle.base.is_some() {
            return Err(RemoteError::Delta);
        }
        Ok(Self { bundle, repository: Arc::new(repository) })
    }

    /// Its tree, to be read: each file is fetched when it is asked for.
    pub fn source(&self, name: &str) -> Result<Source, BundleError> {
        let blobs = Arc::new(Blobs(Arc::clone(&self.repository), self.bundle.blobs.clone()));
        Ok(within(&self.bundle, &blobs, name, None)?)
    }

    /// Fetches every blob, and checks it against its digest; holds the files of the tree against its
    /// index, and the images that are named against the files, as [`BundleFile::open`] does. Nothing is
    /// kept. `progress` gets how many blobs are done.
    ///
    /// [`BundleFile::open`]: crate::bundle::BundleFile::open
    pub fn check(&self, progress: &(dyn Fn(usize) + Sync)) -> Result<(), RemoteError> {
        let Bundle { documents, blobs, table, .. } = &self.bundle;
        let rows = by_digest(&table.artifacts);
        let blobs: Vec<(&Digest, &u64)> =
            blobs.iter().filter(|(digest, _)| !documents.contains_key(digest)).collect();
        let done = AtomicUsize::new(0);
        each(&blobs, |(digest, size)| -> Result<(), RemoteError> {
            if let Some(rows) = rows.get(digest) {
                let bytes = self.repository.blob(digest, **size, &|_| {})?;
                if let Some(why) = wrong(rows, &bytes) {
                    let what = format!("blob {digest}");
                    return Err(BundleError::Malformed { what, why }.into());
                }
            } else {
                self.repository.copy_blob::<RemoteError>(digest, **size, |_| Ok(()))?;
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(())
        })?;
        let source = self.source("the bundle")?;
        if self.bundle.names_images_of(&source).map_err(BundleError::from)? {
            return Ok(());
        }
        let why = OTHER_IMAGES.to_owned();
        Err(BundleError::Malformed { what: "index.json".to_owned(), why }.into())
    }

    /// Where it lies.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }
}

/// The blobs of a bundle in a registry, with their sizes.
struct Blobs(Arc<Repository>, BTreeMap<Digest, u64>);

impl Content for Blobs {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        let size = self.1.get(digest).ok_or(BundleError::Missing(*digest))?;
        let bytes = self.0.blob(digest, *size, &|_| {})?;
        Ok(Box::new(Cursor::new(bytes)))
    }
}
