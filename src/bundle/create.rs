//! From a tree to a bundle.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use rayon::prelude::*;

use super::delta::Base;
use super::files::{by_digest, wrong};
use super::index::{TABLE, encode};
use super::{Bundle, BundleError, Content, Entry, Part};
use crate::store::{Digest, GroupFile, oci};
use crate::tree::source::Source;
use crate::tree::{TreePath, images};

/// What goes into a bundle beside the tree.
#[derive(Default)]
pub struct Options {
    /// Only what this far side lacks.
    pub since: Option<Base>,
    /// Images, and meshgen itself: sorted, as `index.json` has them.
    pub parts: Vec<Part>,
}

/// A bundle that was made, and where its bytes are: for [`write`](super::write).
pub struct Created<'a> {
    /// What it says.
    pub bundle: Bundle,
    /// Where the bytes of its blobs are.
    pub content: Origin<'a>,
}

/// Where the blobs of a new bundle come from.
pub struct Origin<'a> {
    held: BTreeMap<Digest, Vec<u8>>,
    source: &'a Source,
    paths: BTreeMap<Digest, &'a TreePath>,
    parts: Vec<Part>,
}

impl Content for Origin<'_> {
    fn copy(
        &self,
        digest: &Digest,
        size: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        if !self.held.contains_key(digest)
            && !self.paths.contains_key(digest)
            && let Some(part) = self.parts.iter().find(|part| part.blobs.contains_key(digest))
        {
            return part.content.copy(digest, size, take);
        }
        let mut reader = self.blob(digest)?;
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| super::content::failed(digest, &error))?;
        take(&bytes)
    }

    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        if let Some(bytes) = self.held.get(digest) {
            return Ok(Box::new(bytes.as_slice()));
        }
        if let Some(path) = self.paths.get(digest) {
            return Ok(Box::new(Cursor::new(self.source.read(path)?)));
        }
        let part = self.parts.iter().find(|part| part.blobs.contains_key(digest));
        part.ok_or(BundleError::Missing(*digest))?.content.blob(digest)
    }
}

/// Makes a bundle of a tree: its closure, as far as the far side lacks it.
///
/// Every file is read and checked. A function of its arguments: the same tree gives the same bundle,
/// whether it comes from the view, the store, git or another bundle. Refuses a tree that was not
/// rendered, and a file with a private key in clear.
pub fn create(source: &Source, options: Options) -> Result<Created<'_>, BundleError> {
    let Options { since, parts } = options;
    if source.index.clusters.is_empty() {
        let why = "it names no cluster".to_owned();
        return Err(BundleError::NotRendered(source.name.clone(), why));
    }
    let rows = by_digest(&source.index.artifacts);
    let sizes: Result<BTreeMap<Digest, u64>, BundleError> = rows
        .par_iter()
        .map(|(digest, rows)| {
            let bytes = source.read(&rows[0].path)?;
            // a reader would not take it either
            if let Some(why) = wrong(rows, &bytes) {
                return Err(BundleError::NotRendered(source.name.clone(), why));
            }
            Ok((*digest, bytes.len() as u64))
        })
        .collect();
    let paths = rows.iter().map(|(digest, rows)| (*digest, &rows[0].path)).collect();
    let sizes = sizes?;
    let table = source.index_bytes();
    let mut files =
        vec![GroupFile { path: TABLE.to_owned(), digest: source.digest, size: table.len() as u64 }];
    files.extend(source.index.artifacts.iter().map(|row| GroupFile {
        path: row.path.to_string(),
        digest: row.digest,
        size: sizes[&row.digest],
    }));
    let manifest = oci::tree(&files);
    let tree = Entry::tree(&manifest);
    let always = Base::always(tree.descriptor.digest, source.digest);
    let held: BTreeMap<Digest, Vec<u8>> =
        always.into_iter().zip([manifest, table.to_vec(), oci::EMPTY.to_vec()]).collect();
    let mut all: BTreeMap<Digest, u64> = sizes;
    all.extend(parts.iter().flat_map(|part| part.blobs.clone()));
    if let Some(since) = &since {
        all.retain(|digest, _| !since.blobs.contains(digest));
    }
    all.extend(held.iter().map(|(digest, bytes)| (*digest, bytes.len() as u64)));

    let images: Vec<String> = images(source)?.into_iter().map(|one| one.reference).collect();
    // a list with a space between two would say something else
    if let Some(odd) = images.iter().find(|one| one.contains(char::is_whitespace)) {
        let why = format!("it names an image {odd:?}");
        return Err(BundleError::Malformed { what: source.name.clone(), why });
    }
    let entries: Vec<Entry> =
        std::iter::once(tree).chain(parts.iter().map(|part| part.entry.clone())).collect();
    let base = since.map(|since| since.tree);
    let index = encode(source.digest, base, &images, &entries);
    let content = Origin { held, source, paths, parts };
    let inside = |digest: &Digest| all.get(digest).copied();
    let document = |digest: &Digest, size| super::read_blob(&content, digest, size);
    let bundle = Bundle::read(index, &inside, &document)?;
    Ok(Created { bundle, content })
}
