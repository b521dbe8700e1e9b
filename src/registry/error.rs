//! Why a server does not give or take something.

use super::UrlError;
use crate::store::Digest;

/// Why a server does not give or take something. No variant holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A URL that is none: of a redirect, of a challenge.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The server cannot be reached, or stops half-way.
    #[error("{url}: {reason}")]
    Network {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server answers something else.
    #[error("{url}: the server answers {status}{}", said(.reason))]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What a registry says of it: its code and message.
        reason: String,
    },
    /// An unencrypted connection to another machine.
    #[error("{url}: plain http would let anybody on the way change what is sent")]
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
    /// More bytes than there should be.
    #[error("{url}: it is larger than {}", size(*.max))]
    Large {
        /// What was asked for.
        url: String,
        /// The limit in bytes.
        max: u64,
    },
    /// An answer that is not what it should be.
    #[error("{url}: {reason}")]
    Answer {
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
    /// Credentials that cannot be had.
    #[error("the credentials for {host}: {reason}")]
    Credentials {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// What was to be sent cannot be read.
    #[error("what was to be sent: {0}")]
    Content(String),
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

fn said(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

impl RegistryError {
    /// Whether the outside failed, and not the request: the same again may work.
    pub fn is_outside(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    /// Whether the server gave something, and it is not what was asked for.
    pub fn is_content(&self) -> bool {
        matches!(self, Self::Digest { .. } | Self::Large { .. } | Self::Answer { .. })
    }

    /// What to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Network { reason, .. } if reason.contains("InvalidContentType") => {
                Some("does the server speak plain http? then say `--plain-http`")
            }
            Self::Network { .. } => Some(
                "a proxy comes from HTTPS_PROXY; certificate authorities from the system, or from \
                 SSL_CERT_FILE alone where that is set",
            ),
            Self::Status { status: 401 | 403, .. } => Some(
                "`docker login` or `helm registry login` keeps credentials where meshgen looks",
            ),
            Self::Status { status: 404, .. } => Some("check host, repository, tag and digest"),
            Self::Status { status: 413, .. } => Some(
                "the registry takes no document of that size; a bundle's file has no such limit",
            ),
            Self::Plain { .. } => Some("use https, or say `--plain-http`"),
            _ => None,
        }
    }
}
