//! From a file into a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Mutex;

use super::parallel::each;
use super::{RemoteError, attach};
use crate::bundle::{Bundle, BundleFile, Content, Entry};
use crate::registry::{RegistryError, Repository, Sent};
use crate::store::Digest;
use crate::store::oci;

/// What was brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blobs and manifests that were sent.
    pub sent: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Those that were there.
    pub there: usize,
    /// Those that another repository of the registry had.
    pub mounted: usize,
}

/// Brings a bundle into a repository, its index last; `tag` then means it. `signature` is the content of
/// the signature file beside it, if there is one: it is kept with it.
///
/// What is there is not sent again, so that broken off at any request, the same again does the rest;
/// until then there is no index, and nobody takes what is there for a bundle. `progress` gets how many
/// blobs are done. Refuses a delta.
pub fn push(
    bundle: &BundleFile,
    repository: &Repository,
    tag: Option<&str>,
    signature: Option<&[u8]>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Pushed, RemoteError> {
    let inside = &bundle.bundle;
    if inside.base.is_some() {
        return Err(RemoteError::Delta);
    }
    let types = types(inside);
    let push = Push { bundle, repository, progress, pushed: Mutex::default() };
    push.blobs(inside.blobs.iter().filter(|(digest, _)| !types.contains_key(*digest)))?;
    push.documents(&inside.entries, &types)?;
    let name = inside.digest.to_string();
    let is_there = repository.has_manifest(&name)?;
    if !is_there {
        repository.put_manifest(&name, oci::INDEX_TYPE, &inside.index)?;
    }
    push.count(if is_there { Sent::There } else { Sent::Sent }, inside.index.len() as u64);
    if let Some(signature) = signature {
        attach(repository, inside, signature)?;
    }
    if let Some(tag) = tag {
        repository.put_manifest(tag, oci::INDEX_TYPE, &inside.index)?;
    }
    Ok(push.done())
}

/// Brings one image of a bundle into a repository, under a tag if it has one.
pub fn push_image(
    bundle: &BundleFile,
    entry: &Entry,
    repository: &Repository,
    tag: Option<&str>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Pushed, RemoteError> {
    let inside = &bundle.bundle;
    let types = types(inside);
    let push = Push { bundle, repository, progress, pushed: Mutex::default() };
    let mut own = BTreeMap::new();
    for digest in push.order(std::slice::from_ref(entry), &types) {
        for reference in references(inside, &digest) {
            if !types.contains_key(&reference.digest) {
                own.insert(reference.digest, reference.size);
            }
        }
    }
    push.blobs(own.iter())?;
    push.documents(std::slice::from_ref(entry), &types)?;
    if let Some(tag) = tag
        && let Some(bytes) = inside.documents.get(&entry.descriptor.digest)
    {
        repository.put_manifest(tag, &entry.descriptor.media_type, bytes)?;
    }
    Ok(push.done())
}

struct Push<'a> {
    bundle: &'a BundleFile,
    repository: &'a Repository,
    progress: &'a (dyn Fn(usize) + Sync),
    pushed: Mutex<Pushed>,
}

impl Push<'_> {
    fn count(&self, what: Sent, size: u64) {
        let mut pushed = self.pushed.lock().expect("no holder panics");
        match what {
            Sent::There => pushed.there += 1,
            Sent::Mounted => pushed.mounted += 1,
            Sent::Sent => {
                pushed.sent += 1;
                pushed.bytes += size;
            }
        }
        (self.progress)(pushed.there + pushed.mounted + pushed.sent);
    }

    fn done(self) -> Pushed {
        self.pushed.into_inner().expect("no holder panics")
    }

    fn blobs<'d>(
        &self,
        blobs: impl Iterator<Item = (&'d Digest, &'d u64)>,
    ) -> Result<(), RemoteError> {
        let all: Vec<(&Digest, &u64)> = blobs.collect();
        each(&all, |(digest, size)| {
            let open = || -> Result<Box<dyn Read + '_>, RegistryError> {
                let blob = self.bundle.blob(digest);
                blob.map_err(|error| RegistryError::Content(error.to_string()))
            };
            let sent = self.repository.put_blob(digest, **size, &open)?;
            self.count(sent, **size);
            Ok(())
        })
    }

    /// Manifests and indexes, each after those that it names.
    fn documents(
        &self,
        entries: &[Entry],
        types: &BTreeMap<Digest, String>,
    ) -> Result<(), RemoteError> {
        let inside = &self.bundle.bundle;
        for digest in self.order(entries, types) {
            let (Some(bytes), Some(media_type)) =
                (inside.documents.get(&digest), types.get(&digest))
            else {
                continue;
            };
            let name = digest.to_string();
            let is_there = self.repository.has_manifest(&name)?;
            if !is_there {
                self.repository.put_manifest(&name, media_type, bytes)?;
            }
            self.count(if is_there { Sent::There } else { Sent::Sent }, bytes.len() as u64);
        }
        Ok(())
    }

    /// The documents that entries lead to, each after those that it names.
    fn order(&self, entries: &[Entry], types: &BTreeMap<Digest, String>) -> Vec<Digest> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        // a document is looked at twice: to find what it names, and when that is done
        let mut open: Vec<(Digest, bool)> =
            entries.iter().rev().map(|entry| (entry.descriptor.digest, false)).collect();
        while let Some((digest, done)) = open.pop() {
            if done {
                order.push(digest);
            } else if seen.insert(digest) {
                open.push((digest, true));
                let named = references(&self.bundle.bundle, &digest).into_iter();
                let named = named.filter(|one| types.contains_key(&one.digest));
                open.extend(named.map(|one| (one.digest, false)));
            }
        }
        order
    }
}

fn references(bundle: &Bundle, document: &Digest) -> Vec<oci::Reference> {
    let bytes = bundle.documents.get(document);
    bytes.and_then(|bytes| oci::references(bytes).ok()).unwrap_or_default()
}

/// The media type of every document, as what names it says.
fn types(bundle: &Bundle) -> BTreeMap<Digest, String> {
    let mut types = BTreeMap::new();
    for Entry { descriptor, .. } in &bundle.entries {
        types.insert(descriptor.digest, descriptor.media_type.clone());
    }
    for document in bundle.documents.keys() {
        for reference in references(bundle, document) {
            if reference.is_document() {
                types.insert(reference.digest, reference.media_type);
            }
        }
    }
    types
}
