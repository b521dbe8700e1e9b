//! Everything that an index leads to.

use std::collections::BTreeMap;

use super::{BundleError, Entry, ReadDocument};
use crate::store::Digest;
use crate::store::oci::{self, Reference};

/// Largest document of an image; registries take no larger manifest.
const MAX_DOCUMENT: u64 = 4 << 20;
/// Largest file of a tree, its table of contents and its manifest included, which is one of some 200,000
/// files. They are held whole, before anybody could know who signed them.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// Blobs that belong together.
#[derive(Debug, Default)]
pub(super) struct Closure {
    /// Indexes and manifests that are inside.
    pub documents: BTreeMap<Digest, Vec<u8>>,
    /// All blobs that are inside, with their sizes.
    pub blobs: BTreeMap<Digest, u64>,
    /// Blobs that are named and not inside.
    pub needs: BTreeMap<Digest, u64>,
}

/// Follows entries, as far as documents are inside.
///
/// Refuses a size that is not true, a document that is none, or that is too large.
pub(super) fn follow(
    entries: &[Entry],
    inside: &dyn Fn(&Digest) -> Option<u64>,
    document: &ReadDocument<'_>,
) -> Result<Closure, BundleError> {
    let mut closure = Closure::default();
    let mut open: Vec<(Reference, bool)> = Vec::new();
    for Entry { descriptor, .. } in entries {
        let is_ours = descriptor.artifact_type.as_deref() == Some(oci::TREE_TYPE);
        let reference = Reference {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest,
            size: descriptor.size,
            platform: None,
        };
        if !reference.is_document() {
            let what = format!("what index.json says of {}", descriptor.digest);
            let why = format!("{:?} is no type of a manifest", descriptor.media_type);
            return Err(BundleError::Malformed { what, why });
        }
        open.push((reference, is_ours));
    }
    while let Some((reference, is_ours)) = open.pop() {
        let Reference { digest, size, .. } = reference;
        let known = closure.blobs.get(&digest).or(closure.needs.get(&digest));
        if let Some(known) = known.copied().or_else(|| inside(&digest))
            && known != size
        {
            let what = format!("what is said of {digest}");
            let why = format!("its size is {known}, not {size}");
            return Err(BundleError::Malformed { what, why });
        }
        if inside(&digest).is_none() {
            closure.needs.insert(digest, size);
            continue;
        }
        let max = match (is_ours, reference.is_document()) {
            (true, _) => MAX_FILE,
            (false, true) => MAX_DOCUMENT,
            (false, false) => u64::MAX,
        };
        if size > max {
            let why = format!("it is larger than {max} bytes");
            return Err(BundleError::Malformed { what: format!("what {digest} holds"), why });
        }
        closure.blobs.insert(digest, size);
        if !reference.is_document() || closure.documents.contains_key(&digest) {
            continue;
        }
        let bytes = document(&digest, size)?;
        let references = oci::references(&bytes).map_err(|error| BundleError::Malformed {
            what: format!("manifest {digest}"),
            why: error.to_string(),
        })?;
        open.extend(references.into_iter().map(|one| (one, is_ours)));
        closure.documents.insert(digest, bytes);
    }
    Ok(closure)
}
