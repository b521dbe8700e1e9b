//! A registry's side of charts: the pull half of the OCI distribution specification, with the token
//! flow that registries ask for.

use std::cell::RefCell;

use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;

use super::credentials::Login;
use super::http::{Headers, Http, status};
use super::source::Reference;
use super::url::is_loopback;
use super::{FetchError, MAX_DOWNLOAD, Url};
use crate::store::Digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Helm's media type of a chart; before 3.8 it had another.
const CHART: [&str; 2] =
    ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];
const MAX_MANIFEST: u64 = 4 << 20;
const MAX_TOKEN: u64 = 1 << 20;

/// Pulls one reference.
pub(super) struct Pull<'a> {
    http: &'a Http<'a>,
    reference: &'a Reference,
    secure: bool,
    authorization: RefCell<Option<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

impl<'a> Pull<'a> {
    pub fn new(http: &'a Http<'a>, reference: &'a Reference, plain: bool) -> Self {
        let secure = !plain && !is_loopback(&reference.host);
        Self { http, reference, secure, authorization: RefCell::default() }
    }

    /// The bytes of the chart's archive, checked against every digest on the way.
    pub fn chart(
        &self,
        login: &dyn Fn(&str) -> Result<Option<Login>, FetchError>,
    ) -> Result<Vec<u8>, FetchError> {
        let url = self.url(&format!("manifests/{}", self.reference.manifest()));
        let response = self.ask(&url, Some(&format!("{MANIFEST}, {INDEX}")), login)?;
        let named = header(&response, "docker-content-digest").and_then(|text| text.parse().ok());
        let bytes = self.http.body(&url, response, MAX_MANIFEST)?;
        for wanted in self.reference.digest.into_iter().chain(named) {
            check(&url, wanted, &bytes)?;
        }
        let (layer, digest) = Self::layer(&url, &bytes)?;
        let url = self.url(&format!("blobs/{}", layer.digest));
        let response = self.ask(&url, None, login)?;
        let bytes = self.http.body(&url, response, MAX_DOWNLOAD)?;
        check(&url, digest, &bytes)?;
        Ok(bytes)
    }

    fn layer(url: &Url, manifest: &[u8]) -> Result<(Layer, Digest), FetchError> {
        let fault = |reason: String| FetchError::Registry { url: url.to_string(), reason };
        let manifest: Manifest = serde_json::from_slice(manifest)
            .map_err(|error| fault(format!("the manifest cannot be read: {error}")))?;
        if manifest.media_type == INDEX {
            return Err(fault("this is an index of several images, and no chart".to_owned()));
        }
        let mut charts: Vec<Layer> = Vec::new();
        let mut others = Vec::new();
        for layer in manifest.layers {
            if CHART.contains(&layer.media_type.as_str()) {
                charts.push(layer);
            } else {
                others.push(layer.media_type.escape_debug().to_string());
            }
        }
        let Some(layer) = charts.pop().filter(|_| charts.is_empty()) else {
            let found = match (charts.len(), others.as_slice()) {
                (0, []) => "nothing".to_owned(),
                (0, others) => others.join(", "),
                _ => "several charts".to_owned(),
            };
            return Err(fault(format!("there is not one Helm chart in it, but {found}")));
        };
        let digest = layer
            .digest
            .parse()
            .map_err(|_| fault(format!("`{}` is no sha256 digest", layer.digest.escape_debug())))?;
        Ok((layer, digest))
    }

    fn url(&self, rest: &str) -> Url {
        // Docker's registry answers on another host than images are named by
        let host = match self.reference.host.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        Url::of_host(self.secure, host, &format!("/v2/{}/{rest}", self.reference.repository))
    }

    /// Asks once as nobody, or as the last answer allowed, and again as the registry wants it.
    fn ask(
        &self,
        url: &Url,
        accept: Option<&str>,
        login: &dyn Fn(&str) -> Result<Option<Login>, FetchError>,
    ) -> Result<Response<Body>, FetchError> {
        let known = self.authorization.borrow().clone();
        let response = self.http.ask(url, Headers { authorization: known.as_deref(), accept })?;
        let response = if response.status() == 401 {
            let challenge = header(&response, "www-authenticate").unwrap_or_default().to_owned();
            let Some(authorization) = self.authorize(&challenge, login)? else {
                return Err(status(url, &response));
            };
            let headers = Headers { authorization: Some(&authorization), accept };
            let response = self.http.ask(url, headers)?;
            *self.authorization.borrow_mut() = Some(authorization);
            response
        } else {
            response
        };
        if response.status() == 200 { Ok(response) } else { Err(status(url, &response)) }
    }

    /// What a registry's challenge asks for: a token, with or without a login; or the login itself.
    fn authorize(
        &self,
        challenge: &str,
        login: &dyn Fn(&str) -> Result<Option<Login>, FetchError>,
    ) -> Result<Option<String>, FetchError> {
        let login = login(&self.reference.host)?;
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(login.map(|login| login.basic()));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        let Some(realm) = parameter(rest, "realm") else { return Ok(None) };
        let scope = format!("repository:{}:pull", self.reference.repository);
        let mut pairs = vec![("scope", scope.as_str())];
        let service = parameter(rest, "service");
        pairs.extend(service.as_deref().map(|service| ("service", service)));
        let url = Url::parse(&realm)?;
        if self.secure && !url.is_secure() {
            return Err(FetchError::Plain { url: url.to_string() });
        }
        let url = url.with_query(&pairs);
        let basic = login.map(|login| login.basic());
        let headers = Headers { authorization: basic.as_deref(), accept: None };
        let response = self.http.ask(&url, headers)?;
        if response.status() != 200 {
            return Err(status(&url, &response));
        }
        let bytes = self.http.body(&url, response, MAX_TOKEN)?;
        let token = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|value| {
            let token = value.get("token").or_else(|| value.get("access_token"))?;
            token.as_str().map(str::to_owned)
        });
        let usable = |token: &String| token.bytes().all(|byte| byte.is_ascii_graphic());
        token.filter(usable).map(|token| Some(format!("Bearer {token}"))).ok_or_else(|| {
            let reason = "the answer holds no token".to_owned();
            FetchError::Registry { url: url.to_string(), reason }
        })
    }
}

fn check(url: &Url, wanted: Digest, bytes: &[u8]) -> Result<(), FetchError> {
    let found = Digest::of(bytes);
    if found == wanted {
        return Ok(());
    }
    Err(FetchError::Digest { url: url.to_string(), wanted, found })
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
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
