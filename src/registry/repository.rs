//! A repository of a registry: what is in it, and the right to see it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ureq::Body;
use ureq::http::Response;

use super::credentials;
use super::http::{Headers, Method, Payload, body, header, pieces, status};
use super::url::is_loopback;
use super::{Http, Options, Reference, RegistryError, Url};
use crate::file::Disk;
use crate::store::{Digest, Digester, oci};

const MAX_TOKEN: u64 = 1 << 20;
/// How often a request is made, if the server is busy or the connection breaks.
const ATTEMPTS: u32 = 5;
/// How often a request is made as somebody else, if the registry wants that.
const LOGINS: u32 = 4;
/// How long after the first failure; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest that a server can ask to be left alone.
const MAX_PAUSE: u64 = 30;

type Answer = Result<Response<Body>, RegistryError>;

/// What is to be done with a repository: what a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
}

impl Access {
    fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// A manifest or index that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The sha256 of them.
    pub digest: Digest,
    /// Its media type, as the registry says it.
    pub media_type: String,
}

/// A repository. Asks when it is first used; can be used from several threads.
pub struct Repository {
    pub(super) http: Http,
    disk: Disk,
    docker_config: Option<PathBuf>,
    host: String,
    name: String,
    secure: bool,
    access: Access,
    /// Another repository of the registry, from which blobs are taken over.
    pub(super) from: Option<String>,
    authorization: Mutex<Option<Arc<str>>>,
}

impl Repository {
    /// The repository that a reference names.
    pub fn new(disk: &Disk, options: &Options, reference: &Reference, access: Access) -> Self {
        Self {
            http: Http::new(options.plain_http),
            disk: disk.clone(),
            docker_config: options.docker_config.clone(),
            host: reference.host.clone(),
            name: reference.repository.clone(),
            secure: !options.plain_http && !is_loopback(&reference.host),
            access,
            from: None,
            authorization: Mutex::default(),
        }
    }

    /// Blobs that another repository of the same registry has need not be sent again.
    #[must_use]
    pub fn mounting_from(mut self, repository: &str) -> Self {
        self.from = (repository != self.name).then(|| repository.to_owned());
        self
    }

    /// A URL of the repository: `manifests/…`, `blobs/…`.
    pub fn url(&self, rest: &str) -> Url {
        // Docker's registry answers on another host than images are named by
        let host = match self.host.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        Url::of_host(self.secure, host, &format!("/v2/{}/{rest}", self.name))
    }

    /// The manifest or index of this tag or digest, of at most `max` bytes; `None` if there is none.
    ///
    /// Refuses bytes that are not those of the digest, be it asked for or what the registry says.
    pub fn manifest(&self, name: &str, max: u64) -> Result<Option<Found>, RegistryError> {
        let url = self.url(&format!("manifests/{name}"));
        // it can break off on its way too
        retried(|| {
            let response = self.once(&Method::GET, &url, Some(&accepted()))?;
            if response.status() == 404 {
                return Ok(None);
            }
            let response = expect(&url, response, &[200])?;
            let named =
                header(&response, "docker-content-digest").and_then(|text| text.parse().ok());
            let media_type = header(&response, "content-type").unwrap_or_default().to_owned();
            let bytes = body(&url, response, max, &|_| {})?;
            let digest = Digest::of(&bytes);
            for wanted in name.parse::<Digest>().ok().into_iter().chain(named) {
                check(&url, wanted, digest)?;
            }
            Ok(Some(Found { bytes, digest, media_type }))
        })
    }

    /// Whether a manifest or index is there.
    pub fn has_manifest(&self, name: &str) -> Result<bool, RegistryError> {
        let url = self.url(&format!("manifests/{name}"));
        let response = self.ask(&Method::HEAD, &url, Some(&accepted()))?;
        let found = response.status() == 200;
        if !found && response.status() != 404 {
            return Err(status(&url, response));
        }
        Ok(found)
    }

    /// A blob whole, of at most `max` bytes, checked against its digest.
    pub fn blob(
        &self,
        digest: &Digest,
        max: u64,
        progress: &dyn Fn(u64),
    ) -> Result<Vec<u8>, RegistryError> {
        let url = self.url(&format!("blobs/{digest}"));
        retried(|| {
            let response = expect(&url, self.once(&Method::GET, &url, None)?, &[200])?;
            let bytes = body(&url, response, max, progress)?;
            check(&url, *digest, Digest::of(&bytes))?;
            Ok(bytes)
        })
    }

    /// Hands on a blob of `size` bytes in pieces, and checks it on the way.
    ///
    /// An error that comes at the end comes after the pieces: whoever takes them must be able to throw
    /// them away.
    pub fn copy_blob<E: From<RegistryError>>(
        &self,
        digest: &Digest,
        size: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let url = self.url(&format!("blobs/{digest}"));
        let response = expect(&url, self.ask(&Method::GET, &url, None)?, &[200])?;
        let mut hasher = Digester::default();
        let count = pieces(&url, response, size, |piece| {
            hasher.update(piece);
            take(piece)
        })?;
        if count != size {
            let reason = format!("it is {count} bytes long, where {size} were named");
            return Err(RegistryError::Answer { url: url.to_string(), reason }.into());
        }
        Ok(check(&url, *digest, hasher.finish())?)
    }

    /// Asks (GET, HEAD) until there is an answer: again if the server is busy or the connection breaks.
    pub(super) fn ask(
        &self,
        method: &Method,
        url: &Url,
        accept: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        retried(|| self.once(method, url, accept))
    }

    fn once(
        &self,
        method: &Method,
        url: &Url,
        accept: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        let response = self.authorized(&|authorization| {
            let headers = Headers { authorization, accept, content_type: None };
            self.http.ask(method, url, headers)
        })?;
        unless_busy(url, response)
    }

    /// Sends (POST, PUT), once.
    pub(super) fn send<'p>(
        &self,
        method: &Method,
        url: &Url,
        content_type: Option<&str>,
        payload: &dyn Fn() -> Result<Payload<'p>, RegistryError>,
    ) -> Result<Response<Body>, RegistryError> {
        let own = url.same_origin(&self.url(""));
        let response = self.authorized(&|authorization| {
            // an upload can be sent to another server, which has no business with our credentials
            let authorization = authorization.filter(|_| own);
            let headers = Headers { authorization, accept: None, content_type };
            self.http.send(method, url, headers, payload()?)
        })?;
        unless_busy(url, response)
    }

    /// Asks as nobody, or as the last answer allowed, and again as the registry wants it.
    ///
    /// More than once, because a token can be used up or replaced by other threads meanwhile.
    fn authorized(&self, request: &dyn Fn(Option<&str>) -> Answer) -> Answer {
        let mut known = self.authorization.lock().expect("no holder panics").clone();
        for _ in 1..LOGINS {
            let response = request(known.as_deref())?;
            if response.status() != 401 {
                return Ok(response);
            }
            let mut held = self.authorization.lock().expect("no holder panics");
            // another thread may have asked meanwhile
            if held.as_deref() == known.as_deref() {
                let challenge = header(&response, "www-authenticate").unwrap_or_default();
                let new: Option<Arc<str>> = self.authorize(challenge)?.map(Arc::from);
                // nobody, or the same again: it would be refused again
                if new.is_none() || new.as_deref() == known.as_deref() {
                    return Ok(response);
                }
                *held = new;
            }
            known.clone_from(&held);
        }
        request(known.as_deref())
    }

    /// What a registry's challenge asks for: a token, with or without a login; or the login itself.
    fn authorize(&self, challenge: &str) -> Result<Option<String>, RegistryError> {
        let login = credentials::of(&self.disk, self.docker_config.as_deref(), &self.host)?;
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(login.map(|login| login.basic()));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        let Some(realm) = parameter(rest, "realm") else { return Ok(None) };
        let scope = format!("repository:{}:{}", self.name, self.access.actions());
        let other = self.from.as_ref().map(|name| format!("repository:{name}:pull"));
        let mut pairs = vec![("scope", scope.as_str())];
        pairs.extend(other.as_deref().map(|scope| ("scope", scope)));
        let service = parameter(rest, "service");
        pairs.extend(service.as_deref().map(|service| ("service", service)));
        let url = Url::parse(&realm)?;
        if self.secure && !url.is_secure() {
            return Err(RegistryError::Plain { url: url.to_string() });
        }
        let url = url.with_query(&pairs);
        let basic = login.map(|login| login.basic());
        let headers = Headers { authorization: basic.as_deref(), ..Headers::default() };
        let response = expect(&url, self.http.ask(&Method::GET, &url, headers)?, &[200])?;
        let bytes = body(&url, response, MAX_TOKEN, &|_| {})?;
        let token = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|value| {
            let token = value.get("token").or_else(|| value.get("access_token"))?;
            token.as_str().map(str::to_owned)
        });
        let usable = |token: &String| token.bytes().all(|byte| byte.is_ascii_graphic());
        token.filter(usable).map(|token| Some(format!("Bearer {token}"))).ok_or_else(|| {
            let reason = "the answer holds no token".to_owned();
            RegistryError::Answer { url: url.to_string(), reason }
        })
    }
}

/// What can be asked for by `manifests/…`: of OCI, and as Docker called them.
fn accepted() -> String {
    let docker = "application/vnd.docker.distribution.manifest";
    let (index, manifest) = (oci::INDEX_TYPE, oci::MANIFEST_TYPE);
    format!("{manifest}, {index}, {docker}.v2+json, {docker}.list.v2+json")
}

/// Refuses an answer of another status than these.
pub(super) fn expect(
    url: &Url,
    response: Response<Body>,
    wanted: &[u16],
) -> Result<Response<Body>, RegistryError> {
    if wanted.contains(&response.status().as_u16()) {
        return Ok(response);
    }
    Err(status(url, response))
}

pub(super) fn check(url: &Url, wanted: Digest, found: Digest) -> Result<(), RegistryError> {
    if found == wanted {
        return Ok(());
    }
    Err(RegistryError::Digest { url: url.to_string(), wanted, found })
}

/// An answer, unless it says that the server is busy: that is an error, after the time that it asks for.
fn unless_busy(url: &Url, response: Response<Body>) -> Result<Response<Body>, RegistryError> {
    if !matches!(response.status().as_u16(), 429 | 502 | 503 | 504) {
        return Ok(response);
    }
    let seconds = header(&response, "retry-after").and_then(|text| text.parse::<u64>().ok());
    pause(Duration::from_secs(seconds.unwrap_or(0).min(MAX_PAUSE)));
    Err(status(url, response))
}

/// Does something again if the outside failed. Whatever is asked or sent here can be so twice.
pub(super) fn retried<T>(
    mut attempt: impl FnMut() -> Result<T, RegistryError>,
) -> Result<T, RegistryError> {
    for number in 1.. {
        match attempt() {
            Err(error) if error.is_outside() && number < ATTEMPTS => {
                pause(PAUSE * 2_u32.pow(number - 1));
            }
            other => return other,
        }
    }
    unreachable!("the last attempt returns")
}

#[expect(clippy::disallowed_methods, reason = "a server that is busy is left alone for a while")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// A parameter of a challenge: `realm="https://…",service="…"`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches([' ', ',']);
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn challenges_are_taken_apart() {
        let text = r#"realm="https://a.example/token?x=y,z",service=reg, scope="a:b,c""#;
        assert_eq!(parameter(text, "realm").as_deref(), Some("https://a.example/token?x=y,z"));
        assert_eq!(parameter(text, "Service").as_deref(), Some("reg"));
        assert_eq!(parameter(text, "scope").as_deref(), Some("a:b,c"));
        assert_eq!(parameter(text, "error"), None);
        assert_eq!(parameter("realm=\"open", "realm"), None);
    }
}
