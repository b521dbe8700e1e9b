//! HTTP, as far as registries and downloads need it.

use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, SendBody};

use super::url::is_loopback;
use super::{RegistryError, Url};

const MAX_REDIRECTS: usize = 5;
/// From the name to the open connection.
const CONNECT: Duration = Duration::from_secs(20);
/// From the request to the first byte of the answer, and between two bytes.
const SILENCE: Duration = Duration::from_secs(60);
/// The whole of one download, or upload.
const WHOLE: Duration = Duration::from_secs(30 * 60);
/// How many connections to a host are kept open.
pub(super) const CONNECTIONS: usize = 8;

/// A client. Connects when it is first asked. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Http {
    plain: bool,
    agent: OnceLock<Agent>,
}

/// What is asked to be done.
pub type Method = ureq::http::Method;

/// A request's headers that are ours.
#[derive(Default, Clone, Copy)]
pub(super) struct Headers<'a> {
    /// `Authorization`; goes to the first host alone, never to where it redirects.
    pub authorization: Option<&'a str>,
    /// `Accept`.
    pub accept: Option<&'a str>,
    /// `Content-Type`, of what is sent.
    pub content_type: Option<&'a str>,
}

/// What is sent.
pub(super) enum Payload<'a> {
    Bytes(&'a [u8]),
    /// So many bytes.
    Stream(Box<dyn Read + 'a>, u64),
}

impl Http {
    /// A client; `plain` allows `http://` for hosts other than this machine.
    pub fn new(plain: bool) -> Self {
        Self { plain, agent: OnceLock::new() }
    }

    /// Downloads what a URL names, at most `max` bytes. `progress` gets the bytes that have arrived.
    pub fn get(
        &self,
        url: &Url,
        max: u64,
        progress: &dyn Fn(u64),
    ) -> Result<Vec<u8>, RegistryError> {
        let basic = url.basic();
        let headers = Headers { authorization: basic.as_deref(), ..Headers::default() };
        let response = self.ask(&Method::GET, url, headers)?;
        if response.status() != 200 {
            return Err(status(url, response));
        }
        body(url, response, max, progress)
    }

    /// Asks for a URL (GET, HEAD), following redirects; the answer can have any status.
    pub(super) fn ask(
        &self,
        method: &Method,
        url: &Url,
        headers: Headers<'_>,
    ) -> Result<Response<Body>, RegistryError> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.allow(&at)?;
            let own = Headers {
                authorization: headers.authorization.filter(|_| at.same_origin(url)),
                ..headers
            };
            let response = self.run(method, &at, own, SendBody::none(), None)?;
            if !is_redirect(&response) {
                return Ok(response);
            }
            let redirect = |reason: &str| RegistryError::Redirect {
                url: at.to_string(),
                reason: reason.to_owned(),
            };
            let location = header(&response, "location");
            let next = location.ok_or_else(|| redirect("a redirect to nowhere"))?;
            let next = at.join(next).map_err(|error| redirect(&format!("a redirect: {error}")))?;
            if at.is_secure() && !next.is_secure() {
                return Err(redirect("a redirect from https to plain http is not followed"));
            }
            at = next;
        }
        let reason = format!("more than {MAX_REDIRECTS} redirects");
        Err(RegistryError::Redirect { url: url.to_string(), reason })
    }

    /// Sends something (POST, PUT). A redirect is refused: what is sent goes where it was meant to.
    pub(super) fn send(
        &self,
        method: &Method,
        url: &Url,
        headers: Headers<'_>,
        payload: Payload<'_>,
    ) -> Result<Response<Body>, RegistryError> {
        self.allow(url)?;
        let response = match payload {
            Payload::Bytes(bytes) => {
                let mut reader = bytes;
                let body = SendBody::from_reader(&mut reader);
                self.run(method, url, headers, body, Some(bytes.len() as u64))?
            }
            Payload::Stream(mut reader, size) => {
                let body = SendBody::from_reader(&mut *reader);
                self.run(method, url, headers, body, Some(size))?
            }
        };
        if is_redirect(&response) {
            let reason = "a redirect of what is sent is not followed".to_owned();
            return Err(RegistryError::Redirect { url: url.to_string(), reason });
        }
        Ok(response)
    }

    fn allow(&self, url: &Url) -> Result<(), RegistryError> {
        if url.is_secure() || self.plain || is_loopback(url.host()) {
            return Ok(());
        }
        Err(RegistryError::Plain { url: url.to_string() })
    }

    fn run(
        &self,
        method: &Method,
        url: &Url,
        headers: Headers<'_>,
        body: SendBody<'_>,
        size: Option<u64>,
    ) -> Result<Response<Body>, RegistryError> {
        let odd = |reason: &str| RegistryError::Network {
            url: url.to_string(),
            reason: reason.to_owned(),
        };
        let mut request = Request::builder().method(method).uri(url.request());
        for (name, value) in [
            ("authorization", headers.authorization),
            ("accept", headers.accept),
            ("content-type", headers.content_type),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(size) = size {
            request = request.header("content-length", size);
        }
        let request = request.body(body).map_err(|_| odd("the request cannot be sent"))?;
        let agent = self.agent();
        let sent = if is_loopback(url.host()) {
            agent.run(agent.configure_request(request).proxy(None).build())
        } else {
            agent.run(request)
        };
        sent.map_err(|error| odd(&reason(&error)))
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
                .max_idle_connections_per_host(CONNECTIONS)
                .timeout_resolve(Some(CONNECT))
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .timeout_per_write(Some(SILENCE))
                .timeout_send_body(Some(WHOLE))
                .timeout_recv_body(Some(WHOLE));
            config.build().new_agent()
        })
    }
}

/// Reads an answer, at most `max` bytes.
pub(super) fn body(
    url: &Url,
    response: Response<Body>,
    max: u64,
    progress: &dyn Fn(u64),
) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Vec::new();
    pieces::<RegistryError>(url, response, max, |piece| {
        bytes.extend_from_slice(piece);
        progress(bytes.len() as u64);
        Ok(())
    })?;
    Ok(bytes)
}

/// Hands on an answer in pieces, at most `max` bytes; gives how many there were.
pub(super) fn pieces<E: From<RegistryError>>(
    url: &Url,
    response: Response<Body>,
    max: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<u64, E> {
    let large = || RegistryError::Large { url: url.to_string(), max };
    let body = response.into_body();
    if body.content_length().is_some_and(|length| length > max) {
        return Err(large().into());
    }
    let mut reader = body.into_reader();
    let mut count = 0_u64;
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = match reader.read(&mut piece) {
            Ok(0) => return Ok(count),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let reason = format!("it breaks off after {count} bytes: {error}");
                return Err(RegistryError::Network { url: url.to_string(), reason }.into());
            }
        };
        count += read as u64;
        if count > max {
            return Err(large().into());
        }
        take(&piece[..read])?;
    }
}

fn is_redirect(response: &Response<Body>) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// A header of an answer.
pub(super) fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// What the machine trusts; `SSL_CERT_FILE` names another file.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    let roots = found.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned());
    RootCerts::Specific(Arc::new(roots.collect()))
}

/// The errors that a registry's answer can hold (distribution-spec, "Error Codes").
#[derive(Deserialize)]
struct Said {
    errors: Vec<SaidOne>,
}

#[derive(Deserialize)]
struct SaidOne {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The answer as an error, with what a registry says of it.
pub(super) fn status(url: &Url, response: Response<Body>) -> RegistryError {
    let status = response.status().as_u16();
    let bytes = body(url, response, 64 << 10, &|_| {}).unwrap_or_default();
    let said = serde_json::from_slice::<Said>(&bytes).ok();
    let said = said.and_then(|said| said.errors.into_iter().next());
    let reason = said.map(|one| format!("{}: {}", one.code, one.message)).unwrap_or_default();
    let reason = reason.chars().take(200).flat_map(char::escape_debug).collect();
    RegistryError::Status { url: url.to_string(), status, reason }
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
