//! HTTP, as far as downloads need it.

use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};

use super::url::is_loopback;
use super::{FetchError, Url};

const MAX_REDIRECTS: usize = 5;
/// From the name to the open connection.
const CONNECT: Duration = Duration::from_secs(20);
/// From the request to the first byte of the answer, and between two bytes.
const SILENCE: Duration = Duration::from_secs(60);
/// The whole of one download.
const WHOLE: Duration = Duration::from_secs(30 * 60);

/// A client. Connects when it is first asked.
pub(super) struct Http<'a> {
    plain: bool,
    progress: &'a dyn Fn(u64),
    agent: OnceLock<Agent>,
}

/// A request's headers that are ours.
#[derive(Default, Clone, Copy)]
pub(super) struct Headers<'a> {
    /// `Authorization`; goes to the first host alone, never to where it redirects.
    pub authorization: Option<&'a str>,
    /// `Accept`.
    pub accept: Option<&'a str>,
}

impl<'a> Http<'a> {
    pub fn new(plain: bool, progress: &'a dyn Fn(u64)) -> Self {
        Self { plain, progress, agent: OnceLock::new() }
    }

    /// Downloads what a URL names, at most `max` bytes.
    pub fn get(&self, url: &Url, max: u64) -> Result<Vec<u8>, FetchError> {
        let basic = url.basic();
        let headers = Headers { authorization: basic.as_deref(), accept: None };
        let response = self.ask(url, headers)?;
        if response.status() != 200 {
            return Err(status(url, &response));
        }
        self.body(url, response, max)
    }

    /// Asks for a URL, following redirects; the answer can have any status.
    pub fn ask(&self, url: &Url, headers: Headers<'_>) -> Result<Response<Body>, FetchError> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.allow(&at)?;
            let own = at.same_origin(url);
            let response = self.send(&at, headers, own)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let redirect = |reason: &str| FetchError::Redirect {
                url: at.to_string(),
                reason: reason.to_owned(),
            };
            let location = response.headers().get("location").and_then(|value| value.to_str().ok());
            let next = location.ok_or_else(|| redirect("a redirect to nowhere"))?;
            let next = at.join(next).map_err(|error| redirect(&format!("a redirect: {error}")))?;
            if at.is_secure() && !next.is_secure() {
                return Err(redirect("a redirect from https to plain http is not followed"));
            }
            at = next;
        }
        let reason = format!("more than {MAX_REDIRECTS} redirects");
        Err(FetchError::Redirect { url: url.to_string(), reason })
    }

    /// Reads an answer, at most `max` bytes.
    pub fn body(
        &self,
        url: &Url,
        response: Response<Body>,
        max: u64,
    ) -> Result<Vec<u8>, FetchError> {
        let large = || FetchError::Large { url: url.to_string(), max };
        let body = response.into_body();
        if body.content_length().is_some_and(|length| length > max) {
            return Err(large());
        }
        let mut reader = body.into_reader();
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let reason = format!("it breaks off after {} bytes: {error}", bytes.len());
                    return Err(FetchError::Network { url: url.to_string(), reason });
                }
            }
            if bytes.len() as u64 > max {
                return Err(large());
            }
            (self.progress)(bytes.len() as u64);
        }
    }

    fn allow(&self, url: &Url) -> Result<(), FetchError> {
        if url.is_secure() || self.plain || is_loopback(url.host()) {
            return Ok(());
        }
        Err(FetchError::Plain { url: url.to_string() })
    }

    fn send(
        &self,
        url: &Url,
        headers: Headers<'_>,
        own: bool,
    ) -> Result<Response<Body>, FetchError> {
        let mut request = self.agent().get(url.request());
        if let Some(value) = headers.authorization.filter(|_| own) {
            request = request.header("authorization", value);
        }
        if let Some(value) = headers.accept {
            request = request.header("accept", value);
        }
        let sent = if is_loopback(url.host()) {
            request.config().proxy(None).build().call()
        } else {
            request.call()
        };
        sent.map_err(|error| FetchError::Network { url: url.to_string(), reason: reason(&error) })
    }

    fn agent(&self) -> &Agent {
        self.agent.get_or_init(|| {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let tls = TlsConfig::builder()
                .provider(TlsProvider::Rustls)
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(roots())
                .build();
            let config = Agent::config_builder()
                .tls_config(tls)
                .user_agent(concat!("meshgen/", env!("CARGO_PKG_VERSION")))
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_resolve(Some(CONNECT))
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .timeout_recv_body(Some(WHOLE));
            config.build().new_agent()
        })
    }
}

/// What the machine trusts; `SSL_CERT_FILE` names another file.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    let roots = found.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned());
    RootCerts::Specific(Arc::new(roots.collect()))
}

/// The answer as an error.
pub(super) fn status(url: &Url, response: &Response<Body>) -> FetchError {
    FetchError::Status { url: url.to_string(), status: response.status().as_u16() }
}

/// What went wrong, without the URL: the library's texts may hold all of it.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the host is not known".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Timeout(what) => format!("no answer in time ({what})"),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Tls(what) => format!("TLS: {what}"),
        ureq::Error::Protocol(error) => format!("HTTP: {error}"),
        ureq::Error::ConnectProxyFailed(_) => "the proxy refuses the connection".to_owned(),
        ureq::Error::InvalidProxyUrl => "the proxy in the environment is no URL".to_owned(),
        _ => "the request cannot be sent".to_owned(),
    }
}
