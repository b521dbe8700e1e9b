//! Brings charts from outside: folders, archives, URLs, registries. The only room that uses the
//! network for inputs, and only the command `lock` calls it.
//!
//! Whatever the source, the result is the same [`Content`] for the same files: what is only packing
//! (order, times, owners, compression, the outer folder's name) is left behind.

mod credentials;
mod error;
mod folder;
mod http;
mod oci;
mod source;
mod unpack;
mod url;

use std::path::{Path, PathBuf};

pub use error::FetchError;
pub use source::{Source, SourceError};
pub use unpack::{UnpackError, archive as unpack};
pub use url::Url;

use crate::file::Disk;
use crate::pin::{Files, Pin, PinKind, archive, version};
use crate::store::Digest;
use http::Http;

/// Where Istio's release archives are: `<base>/<version>/istio-<version>-linux-amd64.tar.gz`.
pub const ISTIO_RELEASES: &str = "https://github.com/istio/istio/releases/download";

/// The largest archive that is read: several times an Istio release.
const MAX_DOWNLOAD: u64 = 256 << 20;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Options {
    /// What stands before the version in the URL of a release archive.
    pub base: String,
    /// Whether `http://` is allowed for hosts other than this machine, and used for registries.
    pub plain_http: bool,
    /// The folder of docker's `config.json`, which knows the credentials of registries.
    pub docker_config: Option<PathBuf>,
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
    http: Http<'a>,
}

impl<'a> Fetcher<'a> {
    /// Starts without a connection. `progress` gets the bytes that have arrived of a download.
    pub fn new(
        disk: &'a Disk,
        project: &'a Path,
        options: &'a Options,
        progress: &'a dyn Fn(u64),
    ) -> Self {
        Self { disk, project, options, http: Http::new(options.plain_http, progress) }
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
                unpack::archive(&self.http.get(&url, MAX_DOWNLOAD)?)?
            }
            Source::Url(url) => unpack::archive(&self.http.get(url, MAX_DOWNLOAD)?)?,
            Source::Oci(reference) => {
                let config = self.options.docker_config.as_deref();
                let pull = oci::Pull::new(&self.http, reference, self.options.plain_http);
                unpack::archive(&pull.chart(&|host| credentials::of(self.disk, config, host))?)?
            }
        };
        Ok(Content::new(kind, &files).map_err(UnpackError::Content)?)
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
        Ok(Url::parse(&format!("{base}/{version}/istio-{version}-linux-amd64.tar.gz"))?)
    }
}
