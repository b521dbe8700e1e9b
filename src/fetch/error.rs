//! Why charts cannot be brought.

use super::{SourceError, UnpackError};
use crate::file::FileError;
use crate::registry::RegistryError;

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
    /// A server does not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl FetchError {
    /// Whether the outside failed, and not the request: the same again may work.
    pub fn is_outside(&self) -> bool {
        matches!(self, FetchError::Registry(error) if error.is_outside())
    }

    /// What to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            FetchError::Registry(RegistryError::Network { .. }) => Some(
                "a proxy comes from HTTPS_PROXY, further certificate authorities from SSL_CERT_FILE, a mirror of \
                 Istio's releases from `--base-url`; without a network, copy the archive here and name its path",
            ),
            FetchError::Registry(RegistryError::Status { status: 404, .. }) => Some(
                "check name and version; a mirror of Istio's releases is named by `--base-url`",
            ),
            FetchError::Registry(error) => error.hint(),
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
