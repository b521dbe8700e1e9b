//! Why charts cannot be brought.

use super::{SourceError, UnpackError};
use crate::file::FileError;
use crate::store::Digest;

/// Why charts cannot be brought. No variant holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A folder or file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no release and no chart, or a hostile one.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The server cannot be reached, or stops half-way.
    #[error("{url}: {reason}")]
    Network {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server answers something else.
    #[error("{url}: the server answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// An unencrypted connection to another machine.
    #[error("{url}: plain http would let anybody on the way change what is pinned")]
    Plain {
        /// What was asked for.
        url: String,
    },
    /// A redirect that is not followed.
    #[error("{url}: {reason}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// What is wrong with where it leads.
        reason: String,
    },
    /// More bytes than any archive has.
    #[error("{url}: it is larger than {} MiB", max >> 20)]
    Large {
        /// What was asked for.
        url: String,
        /// The limit in bytes.
        max: u64,
    },
    /// A registry's answer that is no chart.
    #[error("{url}: {reason}")]
    Registry {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A registry gives other bytes than those that were asked for.
    #[error("{url}: the registry names {wanted}, but gives {found}")]
    Digest {
        /// What was asked for.
        url: String,
        /// The digest that was asked for.
        wanted: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// Credentials for a registry that cannot be had.
    #[error("the credentials for {host}: {reason}")]
    Credentials {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
}

impl FetchError {
    /// Whether the outside failed, and not the request: the same again may work.
    pub fn is_outside(&self) -> bool {
        match self {
            FetchError::Network { .. } => true,
            FetchError::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            FetchError::Network { .. } => Some(
                "a proxy comes from HTTPS_PROXY, further certificate authorities from SSL_CERT_FILE, a mirror of \
                 Istio's releases from `--base-url`; without a network, copy the archive here and name its path",
            ),
            FetchError::Status { status: 401 | 403, .. } => Some(
                "`docker login` or `helm registry login` keeps credentials where meshgen looks",
            ),
            FetchError::Status { status: 404, .. } => Some(
                "check name and version; a mirror of Istio's releases is named by `--base-url`",
            ),
            FetchError::Plain { .. } => Some("use https, or say `--plain-http`"),
            FetchError::Unpack(UnpackError::Neither) => Some(
                "a release has `manifests/charts` and `manifests/profiles`, a chart has a `Chart.yaml`",
            ),
            FetchError::Unpack(UnpackError::NotPlain { .. }) => Some(
                "put a copy of the file in its place: `cp -RL FOLDER COPY` does it for a folder",
            ),
            _ => None,
        }
    }
}
