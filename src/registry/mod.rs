//! Registries, and HTTP as far as they and downloads need it: the OCI distribution specification 1.1
//! with the token flow that registries ask for, and docker's credentials.
//!
//! What is sent and got is named by its digest; whoever asks for it gets those bytes or an error. A
//! credential goes to the server that it is for alone, and into no message.

mod credentials;
mod error;
mod http;
mod reference;
mod referrer;
mod repository;
mod upload;
mod url;

use std::path::PathBuf;

pub use error::RegistryError;
pub use http::{Http, Method};
pub use reference::{Reference, ReferenceError};
pub use repository::{Access, Found, Repository};
pub use upload::Sent;
pub use url::{Url, UrlError};

/// How to reach registries.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether `http://` is allowed for hosts other than this machine, and used for them.
    pub plain_http: bool,
    /// The folder of docker's `config.json`, which knows the credentials.
    pub docker_config: Option<PathBuf>,
}
