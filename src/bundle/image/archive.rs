//! Images in what `docker save` wrote: a tar with `manifest.json`, since Docker 25 an OCI layout too.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::layout;
use super::{Holder, MAX_DOCUMENT, Name, Root};
use crate::bundle::content::Piece;
use crate::bundle::{BundleError, Content};
use crate::file::{Disk, OpenFile};
use crate::store::oci::{self, Annotations, Descriptor, ImageIndex};
use crate::store::{Digest, Digester};

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// An archive, with where everything in it lies.
pub(super) struct Archive {
    inside: Arc<Inside>,
    /// Its layout's index, if it has one.
    index: Option<ImageIndex>,
    images: Vec<Saved>,
}

/// The plain files of an archive: where each begins, and its size.
struct Inside {
    file: OpenFile,
    places: BTreeMap<String, (u64, u64)>,
}

/// An image of `manifest.json` (moby, "image/tarexport").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageManifest {
    schema_version: u32,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

impl Archive {
    /// Looks at every header of an archive; contents are not read.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self, BundleError> {
        let bad = |why: String| BundleError::Origin { path: path.display().to_string(), why };
        let mut places = BTreeMap::new();
        let mut links = Vec::new();
        let mut archive = tar::Archive::new(disk.open(path)?.into_reader());
        for entry in archive.entries().map_err(|error| bad(error.to_string()))? {
            let entry = entry.map_err(|error| bad(error.to_string()))?;
            let name = entry.path().map_err(|error| bad(error.to_string()))?;
            let name = name.to_string_lossy().trim_start_matches("./").to_owned();
            let kind = entry.header().entry_type();
            if kind.is_file() {
                places.insert(name, (entry.raw_file_position(), entry.size()));
            } else if kind.is_symlink() || kind.is_hard_link() {
                let to = entry.link_name().ok().flatten();
                links.extend(to.map(|to| (name, to.to_string_lossy().into_owned())));
            }
        }
        // Docker before 25 wrote a layer that is there twice as a link: `../OTHER/layer.tar`
        for (name, to) in links {
            if let Some(place) = places.get(to.trim_start_matches("../")).copied() {
                places.insert(name, place);
            }
        }
        let inside = Arc::new(Inside { file: disk.open(path)?, places });
        let index = match inside.read("index.json")? {
            Some(bytes) if inside.places.contains_key("oci-layout") => {
                Some(layout::index(&bytes, path)?)
            }
            _ => None,
        };
        let images = match inside.read("manifest.json")? {
            Some(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?
            }
            None if index.is_some() => Vec::new(),
            None => return Err(bad("it is nothing that `docker save` wrote".to_owned())),
        };
        Ok(Self { inside, index, images })
    }

    /// Makes the manifest of an image that has none.
    fn manifest(&self, saved: &Saved) -> Result<(Vec<u8>, Named), BundleError> {
        let mut places = BTreeMap::new();
        let config = self.describe(&saved.config, Some(CONFIG_TYPE), &mut places)?;
        let layers: Result<Vec<Descriptor>, BundleError> =
            saved.layers.iter().map(|layer| self.describe(layer, None, &mut places)).collect();
        let bytes = oci::encode(&ImageManifest {
            schema_version: 2,
            media_type: oci::MANIFEST_TYPE,
            config,
            layers: layers?,
        });
        Ok((bytes, Named { inside: Arc::clone(&self.inside), places }))
    }

    fn describe(
        &self,
        name: &str,
        media_type: Option<&str>,
        places: &mut BTreeMap<Digest, (u64, u64)>,
    ) -> Result<Descriptor, BundleError> {
        let place = self.inside.places.get(name).copied();
        let (at, size) = place.ok_or_else(|| BundleError::Origin {
            path: self.inside.file.path().display().to_string(),
            why: format!("`{}` is not in it", name.escape_debug()),
        })?;
        let mut piece = vec![0; 1 << 18];
        let mut reader = Piece::new(&self.inside.file, at, size);
        let mut digester = Digester::default();
        let mut head = [0; 2];
        let mut first = true;
        loop {
            let count = reader.read(&mut piece).map_err(|error| BundleError::Origin {
                path: self.inside.file.path().display().to_string(),
                why: error.to_string(),
            })?;
            if count == 0 {
                break;
            }
            if first && count >= 2 {
                head.copy_from_slice(&piece[..2]);
                first = false;
            }
            digester.update(&piece[..count]);
        }
        let digest = digester.finish();
        places.insert(digest, (at, size));
        // RFC 1952: a gzip member begins so
        let layer =
            if head == [0x1f, 0x8b] { format!("{LAYER_TYPE}+gzip") } else { LAYER_TYPE.to_owned() };
        Ok(Descriptor {
            media_type: media_type.map_or(layer, str::to_owned),
            digest,
            size,
            annotations: Annotations::new(),
            platform: None,
            artifact_type: None,
        })
    }
}

impl Holder for Archive {
    fn find(&self, name: &Name) -> Result<Option<Root>, BundleError> {
        if let Some(descriptor) = self.index.as_ref().and_then(|index| layout::find(index, name)) {
            let content = Layered(Arc::clone(&self.inside));
            let size = descriptor.size.min(MAX_DOCUMENT);
            let bytes = crate::bundle::read_blob(&content, &descriptor.digest, size)?;
            let media_type = descriptor.media_type.clone();
            // Docker names every platform of an image, and saves those that it has
            let whole = oci::references(&bytes).is_ok_and(|all| {
                all.iter().all(|one| !one.is_document() || self.inside.has(&one.digest))
            });
            if whole {
                return Ok(Some(Root { bytes, media_type, content: Box::new(content) }));
            }
        }
        let is_it = |saved: &&Saved| {
            let mut tags = saved.repo_tags.iter().flatten();
            tags.any(|tag| Name::parse(tag).is_ok_and(|other| name.is_called(&other)))
        };
        let Some(saved) = self.images.iter().find(is_it) else { return Ok(None) };
        let (bytes, content) = self.manifest(saved)?;
        let media_type = oci::MANIFEST_TYPE.to_owned();
        Ok(Some(Root { bytes, media_type, content: Box::new(content) }))
    }
}

impl Inside {
    fn has(&self, digest: &Digest) -> bool {
        self.places.contains_key(&format!("blobs/sha256/{}", digest.hex()))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BundleError> {
        let Some((at, size)) = self.places.get(name) else { return Ok(None) };
        let size = usize::try_from((*size).min(MAX_DOCUMENT)).unwrap_or_default();
        let mut bytes = vec![0; size];
        let count = self.file.read_at(*at, &mut bytes)?;
        bytes.truncate(count);
        Ok(Some(bytes))
    }
}

/// The blobs of an archive's layout.
struct Layered(Arc<Inside>);

impl Content for Layered {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        let name = format!("blobs/sha256/{}", digest.hex());
        let (at, size) = self.0.places.get(&name).ok_or(BundleError::Missing(*digest))?;
        Ok(Box::new(Piece::new(&self.0.file, *at, *size)))
    }
}

/// Files of an archive by their digests.
struct Named {
    inside: Arc<Inside>,
    places: BTreeMap<Digest, (u64, u64)>,
}

impl Content for Named {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        let (at, size) = self.places.get(digest).ok_or(BundleError::Missing(*digest))?;
        Ok(Box::new(Piece::new(&self.inside.file, *at, *size)))
    }
}
