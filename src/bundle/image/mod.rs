//! Images for a bundle: by digest, from wherever they are.
//!
//! What a reference names is looked up once; from there on everything goes by digest. An image for
//! several platforms is kept as it is, or only some of its platforms are taken: then the bundle has
//! another index of it, or the one manifest, because the far side would ask for the rest.

mod archive;
mod layout;
mod name;
mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

pub use name::Name;

use self::archive::Archive;
use self::layout::Layout;
use self::remote::Registry;
use super::part::Held;
use super::{BundleError, BundleFile, Content, Entry, Kind, Part, read_blob};
use crate::file::Disk;
use crate::registry;
use crate::store::Digest;
use crate::store::oci::{self, Annotations, Descriptor, ImageIndex, Platform, Reference};
use crate::tree::view::store_folder;

/// Largest document of an image, and config.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Where images are taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From the registries that their references name.
    Registry,
    /// From an OCI image layout in a folder.
    Layout(PathBuf),
    /// From what `docker save` wrote.
    DockerArchive(PathBuf),
    /// From another bundle.
    Bundle(PathBuf),
    /// From what bundles that were imported brought.
    Store,
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text.split_once(':').map_or("", |(_, path)| path));
        match text.split_once(':').map_or(text, |(kind, _)| kind) {
            "registry" if path.as_os_str().is_empty() => Ok(Self::Registry),
            "oci-layout" => Ok(Self::Layout(path)),
            "docker-archive" => Ok(Self::DockerArchive(path)),
            "bundle" => Ok(Self::Bundle(path)),
            "store" if path.as_os_str().is_empty() => Ok(Self::Store),
            _ => Err(
                "it is `registry`, `oci-layout:DIR`, `docker-archive:FILE`, `bundle:FILE` or `store`"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.write_str("its registry"),
            Self::Layout(path) => write!(f, "oci-layout:{}", path.display()),
            Self::DockerArchive(path) => write!(f, "docker-archive:{}", path.display()),
            Self::Bundle(path) => write!(f, "bundle:{}", path.display()),
            Self::Store => f.write_str("what was imported"),
        }
    }
}

/// A platform as people write it: `linux/amd64`, `linux/arm/v7`.
pub fn platform(text: &str) -> Result<Platform, String> {
    let parts: Vec<&str> = text.split('/').collect();
    if !(2..=3).contains(&parts.len()) || parts.iter().any(|part| part.is_empty()) {
        return Err("a platform is OS/ARCH or OS/ARCH/VARIANT: `linux/amd64`".to_owned());
    }
    Ok(Platform {
        os: parts[0].to_owned(),
        architecture: parts[1].to_owned(),
        variant: parts.get(2).map(|variant| (*variant).to_owned()),
    })
}

/// What a reference names at an origin.
pub(super) struct Root {
    /// Its index or manifest.
    bytes: Vec<u8>,
    media_type: String,
    /// Its other documents and its blobs.
    content: Box<dyn Content>,
}

/// Something that holds images.
trait Holder {
    /// What a reference names there; `None` if it names nothing.
    fn find(&self, name: &Name) -> Result<Option<Root>, BundleError>;
}

/// Origins that were opened.
pub struct Images {
    holders: Vec<Box<dyn Holder>>,
    names: Vec<String>,
    platforms: Vec<Platform>,
}

impl Images {
    /// Opens origins; they are asked in their order. Without platforms, all that an image has are
    /// taken. The store is that of the project; what came with this tree is asked first there.
    pub fn open(
        disk: &Disk,
        project: &Path,
        tree: &Digest,
        origins: &[Origin],
        platforms: Vec<Platform>,
        options: &registry::Options,
    ) -> Result<Self, BundleError> {
        let mut holders: Vec<Box<dyn Holder>> = Vec::new();
        for origin in origins {
            holders.push(match origin {
                Origin::Registry => Box::new(Registry::new(disk, options)),
                Origin::Layout(folder) => Box::new(Layout::open(disk, folder)?),
                Origin::DockerArchive(file) => Box::new(Archive::open(disk, file)?),
                Origin::Bundle(file) => {
                    Box::new(Bundled(std::sync::Arc::new(BundleFile::open(disk, file)?)))
                }
                Origin::Store => {
                    let all = Layout::imported(disk, &store_folder(&project.join("out")), tree)?;
                    holders.extend(all.into_iter().map(|one| Box::new(one) as Box<dyn Holder>));
                    continue;
                }
            });
        }
        let names = origins.iter().map(Origin::to_string).collect();
        Ok(Self { holders, names, platforms })
    }

    /// Takes an image, by the reference that the tree has. Its layers are not read yet.
    ///
    /// Refuses one that is nowhere, one without an asked platform, and less than all platforms of
    /// one that the tree names by digest: what has that digest names them all.
    pub fn take(&self, reference: &str) -> Result<Part, BundleError> {
        let image = reference.to_owned();
        let bad = |why| BundleError::Image { reference: image.clone(), why, is_outside: false };
        let of_image = |error: BundleError| BundleError::Image {
            reference: image.clone(),
            why: error.to_string(),
            is_outside: error.is_outside(),
        };
        let name = Name::parse(reference).map_err(&bad)?;
        let mut other = None;
        for holder in &self.holders {
            let found = holder.find(&name).map_err(&of_image)?;
            let Some(Root { bytes, media_type, content }) = found else { continue };
            let digest = Digest::of(&bytes);
            if name.digest.is_some_and(|wanted| wanted != digest) {
                // another one of that name; the next origin may have the right one
                other = Some(digest);
                continue;
            }
            let root = Descriptor {
                media_type,
                digest,
                size: bytes.len() as u64,
                annotations: Annotations::new(),
                platform: None,
                artifact_type: None,
            };
            let held = BTreeMap::from([(digest, bytes)]);
            let mut image = Image { held, content, blobs: BTreeMap::new() };
            let descriptor =
                image.choose(root, &self.platforms, name.digest.is_some()).map_err(&bad)?;
            image.follow(&descriptor).map_err(&of_image)?;
            let Image { held, content, blobs } = image;
            let entry = Entry::image(reference, descriptor);
            return Ok(Part { entry, blobs, content: Box::new(Held { held, rest: content }) });
        }
        let names = self.names.join(", ");
        Err(bad(match other {
            Some(digest) => format!("it has the digest {digest} in {names}"),
            None => format!("it is not in {names}"),
        }))
    }
}

/// An image that is being taken.
struct Image {
    /// Documents.
    held: BTreeMap<Digest, Vec<u8>>,
    content: Box<dyn Content>,
    /// All that belongs to it, with sizes.
    blobs: BTreeMap<Digest, u64>,
}

/// What a config says of what it runs on.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    #[serde(default)]
    variant: Option<String>,
}

impl Image {
    /// The descriptor of what is taken: the image as it is, one of its platforms, or some of them.
    fn choose(
        &mut self,
        root: Descriptor,
        wanted: &[Platform],
        by_digest: bool,
    ) -> Result<Descriptor, String> {
        if wanted.is_empty() {
            return Ok(root);
        }
        let bytes = &self.held[&root.digest];
        let all = oci::references(bytes).map_err(|error| error.to_string())?;
        let children: Vec<&Reference> = all.iter().filter(|one| one.is_document()).collect();
        if children.is_empty() {
            // a manifest: its config knows
            let config = all.first().ok_or("its manifest names no config")?;
            let config = self.read(config).map_err(|error| error.to_string())?;
            let config: Config =
                serde_json::from_slice(&config).map_err(|error| format!("its config: {error}"))?;
            let Config { architecture, os, variant } = config;
            let platform = Platform { architecture, os, variant };
            return match wanted {
                [one] if fits(&platform, one) => Ok(root),
                _ => Err(format!("it is for {} alone", shown(&platform))),
            };
        }
        let mut chosen: Vec<Descriptor> = Vec::new();
        for one in wanted {
            let found = children
                .iter()
                .find(|child| child.platform.as_ref().is_some_and(|is| fits(is, one)));
            let Some(found) = found else {
                let known: Vec<String> = children
                    .iter()
                    .filter_map(|child| child.platform.as_ref())
                    .map(shown)
                    .collect();
                return Err(format!("it is not for {}, but for {}", shown(one), known.join(", ")));
            };
            if chosen.iter().all(|descriptor| descriptor.digest != found.digest) {
                chosen.push(Descriptor {
                    media_type: found.media_type.clone(),
                    digest: found.digest,
                    size: found.size,
                    annotations: Annotations::new(),
                    platform: found.platform.clone(),
                    artifact_type: None,
                });
            }
        }
        if by_digest {
            return Err(
                "the tree names it by the digest of all its platforms: `--platform` cannot \
                        leave any out"
                    .to_owned(),
            );
        }
        if chosen.len() == 1 {
            return chosen.pop().ok_or_else(|| "nothing was chosen".to_owned());
        }
        chosen.sort_by(|a, b| a.platform.cmp(&b.platform));
        let bytes = oci::encode(&ImageIndex {
            schema_version: 2,
            media_type: oci::INDEX_TYPE.to_owned(),
            artifact_type: None,
            manifests: chosen,
            annotations: Annotations::new(),
        });
        let digest = Digest::of(&bytes);
        let size = bytes.len() as u64;
        self.held.insert(digest, bytes);
        Ok(Descriptor {
            media_type: oci::INDEX_TYPE.to_owned(),
            digest,
            size,
            annotations: Annotations::new(),
            platform: None,
            artifact_type: None,
        })
    }

    /// Everything that a descriptor leads to: documents are read, other blobs are only named.
    fn follow(&mut self, root: &Descriptor) -> Result<(), BundleError> {
        let mut open = vec![Reference {
            media_type: root.media_type.clone(),
            digest: root.digest,
            size: root.size,
            platform: None,
        }];
        let mut seen = BTreeSet::new();
        while let Some(reference) = open.pop() {
            self.blobs.insert(reference.digest, reference.size);
            if !reference.is_document() || !seen.insert(reference.digest) {
                continue;
            }
            let bytes = self.read(&reference)?;
            let more = oci::references(&bytes).map_err(|error| BundleError::Malformed {
                what: format!("manifest {}", reference.digest),
                why: error.to_string(),
            })?;
            open.extend(more);
            self.held.insert(reference.digest, bytes);
        }
        self.held.retain(|digest, _| self.blobs.contains_key(digest));
        Ok(())
    }

    /// A document, or a config.
    fn read(&self, reference: &Reference) -> Result<Vec<u8>, BundleError> {
        if let Some(bytes) = self.held.get(&reference.digest) {
            return Ok(bytes.clone());
        }
        if reference.size > MAX_DOCUMENT {
            let what = format!("document {}", reference.digest);
            let why = format!("it is larger than {MAX_DOCUMENT} bytes");
            return Err(BundleError::Malformed { what, why });
        }
        read_blob(&*self.content, &reference.digest, reference.size)
    }
}

fn fits(platform: &Platform, wanted: &Platform) -> bool {
    let Platform { architecture, os, variant } = wanted;
    platform.architecture == *architecture
        && platform.os == *os
        && (variant.is_none() || platform.variant == *variant)
}

fn shown(platform: &Platform) -> String {
    let variant = platform.variant.iter().map(|variant| format!("/{variant}"));
    format!("{}/{}{}", platform.os, platform.architecture, variant.collect::<String>())
}

/// The images of another bundle.
struct Bundled(std::sync::Arc<BundleFile>);

impl Content for Bundled {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn std::io::Read + '_>, BundleError> {
        self.0.blob(digest)
    }
}

impl Holder for Bundled {
    fn find(&self, name: &Name) -> Result<Option<Root>, BundleError> {
        let is_it = |entry: &&Entry| {
            let is_named = matches!(&entry.kind, Kind::Image(reference)
                if Name::parse(reference).is_ok_and(|other| name.is_called(&other)));
            is_named && name.digest.is_none_or(|digest| digest == entry.descriptor.digest)
        };
        let Some(entry) = self.0.bundle.entries.iter().find(is_it) else { return Ok(None) };
        let Descriptor { digest, size, media_type, .. } = &entry.descriptor;
        let bytes = read_blob(&*self.0, digest, *size)?;
        let content = Box::new(Self(std::sync::Arc::clone(&self.0)));
        Ok(Some(Root { bytes, media_type: media_type.clone(), content }))
    }
}
