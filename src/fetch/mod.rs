//! Brings charts from outside: folders, archives, URLs, registries. Inputs come from the network here
//! alone, and only the command `lock` calls it.
//!
//! Whatever the source, the result is the same [`Content`] for the same files: what is only packing
//! (order, times, owners, compression, the outer folder's name) is left behind.

mod error;
mod folder;
mod oci;
mod source;
mod unpack;

use std::path::Path;

pub use error::FetchError;
pub use source::{Source, SourceError};
pub use unpack::{UnpackError, archive as unpack};

use crate::file::Disk;
use crate::pin::{Files, Pin, PinKind, archive, version};
use crate::registry::{self, Access, Http, Repository, Url};
use crate::store::Digest;

/// Where Istio's release archives are: `<base>/<version>/istio-<version>-linux-amd64.tar.gz`.
pub const ISTIO_RELEASES: &str = "https://github.com/istio/istio/releases/download";

/// The largest archive that is read: several times an Istio release.
const MAX_DOWNLOAD: u64 = 256 << 20;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Options {
    /// What stands before the version in the URL of a release archive.
    pub base: String,
    /// How to reach servers.
    pub registry: registry::Options,
}

/// What a source holds.
#[derive(Debug, Clone)]
pub struct Content {
    /// What it is.
    pub kind: PinKind,
    /// The version that it says it is of.
    pub version: Option<String>,
    /// Its canonical tar.
    pub archive: Vec<u8>,
    /// The sha256 of that.
    pub digest: Digest,
}

impl Content {
    /// Brings files into the canonical form.
    ///
    /// # Errors
    /// Where they are no content of a pin: an odd path, too much of them.
    pub fn new(kind: PinKind, files: &Files) -> Result<Self, archive::ArchiveError> {
        let archive = archive::encode(files)?;
        let digest = Digest::of(&archive);
        Ok(Self { kind, version: version(kind, files), archive, digest })
    }

    /// The entry of `meshgen.lock` for it.
    pub fn pin(&self, source: &Source) -> Pin {
        Pin {
            kind: self.kind,
            source: source.recorded(),
            version: self.version.clone(),
            digest: self.digest,
        }
    }
}

/// Fetches sources.
pub struct Fetcher<'a> {
    disk: &'a Disk,
    project: &'a Path,
    options: &'a Options,
    http: Http,
    progress: &'a dyn Fn(u64),
}

impl<'a> Fetcher<'a> {
    /// Starts without a connection. `progress` gets the bytes that have arrived of a download.
    pub fn new(
        disk: &'a Disk,
        project: &'a Path,
        options: &'a Options,
        progress: &'a dyn Fn(u64),
    ) -> Self {
        let http = Http::new(options.registry.plain_http);
        Self { disk, project, options, http, progress }
    }

    /// What a source holds. A path is relative to the project.
    ///
    /// # Errors
    /// When it cannot be reached or read, when it is neither a release nor a chart, when it is
    /// hostile: links, paths that leave the folder, sizes beyond the limits.
    pub fn fetch(&self, source: &Source) -> Result<Content, FetchError> {
        let (kind, files) = match source {
            Source::Path(path) => self.path(path)?,
            Source::Version(version) => {
                let url = self.release(version)?;
                unpack::archive(&self.get(&url)?)?
            }
            Source::Url(url) => unpack::archive(&self.get(url)?)?,
            Source::Oci(reference) => {
                let options = &self.options.registry;
                let repository = Repository::new(self.disk, options, reference, Access::Pull);
                unpack::archive(&oci::chart(&repository, reference, self.progress)?)?
            }
        };
        Ok(Content::new(kind, &files).map_err(UnpackError::Content)?)
    }

    fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        Ok(self.http.get(url, MAX_DOWNLOAD, self.progress)?)
    }

    fn path(&self, path: &str) -> Result<(PinKind, Files), FetchError> {
        let path = self.project.join(path);
        // a symlink to it is the user's own word
        if self.disk.is_folder(&path)? {
            return folder::read(self.disk, &path);
        }
        let bytes = self.disk.read_limited(&path, MAX_DOWNLOAD)?;
        Ok(unpack::archive(&bytes)?)
    }

    /// The URL of a release's archive. The charts in it are the same for every system.
    fn release(&self, version: &str) -> Result<Url, FetchError> {
        let base = self.options.base.trim_end_matches('/');
        let text = format!("{base}/{version}/istio-{version}-linux-amd64.tar.gz");
        Ok(Url::parse(&text).map_err(SourceError::from)?)
    }
}
