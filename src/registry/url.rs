//! URLs, as far as downloads need them; what is secret in one is never printed.

use std::fmt;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why a text is no URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` {reason}")]
pub struct UrlError {
    /// The text, without what could be a secret.
    pub url: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// An `https://` or `http://` URL. Printed without user, password and query.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    user: Option<String>,
    /// Host and port.
    host: String,
    /// Begins with `/`; without query.
    path: String,
    /// Begins with `?`, or is empty.
    query: String,
}

impl Url {
    /// Parses a URL; a fragment is dropped.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let refuse = |reason| UrlError { url: without_secrets(text), reason };
        let (scheme, rest) = text.split_once("://").ok_or(refuse("has no scheme"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(refuse("is neither https nor http")),
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse("has a character that must be percent-encoded"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        if !is_host(host) {
            return Err(refuse("has no host"));
        }
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        let path = if path.is_empty() { "/" } else { path };
        let (path, query) = (path.to_owned(), query.to_owned());
        Ok(Self { secure, user, host: host.to_ascii_lowercase(), path, query })
    }

    /// A URL of a registry.
    pub(super) fn of_host(secure: bool, host: &str, path: &str) -> Self {
        let (host, path) = (host.to_owned(), path.to_owned());
        Self { secure, user: None, host, path, query: String::new() }
    }

    /// The URL that a redirect leads to.
    pub(super) fn join(&self, location: &str) -> Result<Self, UrlError> {
        let origin = format!("{}://{}", self.scheme(), self.host);
        if location.contains("://") && !location.starts_with(['/', '?']) {
            return Self::parse(location);
        }
        let folder = &self.path[..=self.path.rfind('/').unwrap_or(0)];
        Self::parse(&if let Some(rest) = location.strip_prefix("//") {
            format!("{}://{rest}", self.scheme())
        } else if location.starts_with('/') {
            format!("{origin}{location}")
        } else if location.starts_with('?') {
            format!("{origin}{}{location}", self.path)
        } else {
            format!("{origin}{folder}{location}")
        })
    }

    /// With more in its query.
    pub(super) fn with_query(mut self, pairs: &[(&str, &str)]) -> Self {
        for (key, value) in pairs {
            self.query.push(if self.query.is_empty() { '?' } else { '&' });
            self.query.push_str(key);
            self.query.push('=');
            self.query.push_str(&percent(value));
        }
        self
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether two URLs are of one server, as far as a credential for one may go to the other.
    pub(super) fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.host == other.host
    }

    /// Whether it has a query, which may hold a token.
    pub fn has_query(&self) -> bool {
        !self.query.is_empty()
    }

    /// What to send as `Authorization`, from the user and password in it.
    pub(super) fn basic(&self) -> Option<String> {
        let user = decode(self.user.as_deref()?);
        let user = if user.contains(&b':') { user } else { [user, b":".to_vec()].concat() };
        Some(format!("Basic {}", STANDARD.encode(user)))
    }

    /// What is asked of the server; never printed.
    pub(super) fn request(&self) -> String {
        format!("{}://{}{}{}", self.scheme(), self.host, self.path, self.query)
    }

    /// What `meshgen.lock` says: all but user and password.
    pub fn recorded(&self) -> String {
        self.request()
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.query.is_empty() { "" } else { "?…" };
        write!(f, "{}://{}{}{query}", self.scheme(), self.host, self.path)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a host, with or without a port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name == "::1"
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a text is a host name or address, with or without a port.
pub(super) fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    !name.is_empty()
        && name.bytes().all(fits)
        && (text.starts_with('[') || !name.contains(':'))
        && port.is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok())
}

/// A text that is no URL, without what could be a secret in it.
fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let shown = match text.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => text.to_owned(),
    };
    shown.chars().flat_map(char::escape_debug).collect()
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digits: Vec<u8> = if byte == b'%' { bytes.clone().take(2).collect() } else { vec![] };
        let value = str::from_utf8(&digits).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
        match value {
            Some(value) if digits.len() == 2 => {
                out.push(value);
                bytes.nth(1);
            }
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let url =
            Url::parse("https://me:s%3Acret@Host.example:8443/a/b?token=hidden#x").expect("a URL");
        assert_eq!(url.to_string(), "https://host.example:8443/a/b?…");
        assert_eq!(url.recorded(), "https://host.example:8443/a/b?token=hidden");
        assert_eq!(url.basic().expect("a user"), format!("Basic {}", STANDARD.encode("me:s:cret")));
        for bad in ["https://me:secret@/x", "ftp://me:secret@h/x?secret", "https://me:secret@h/\n"]
        {
            let error = Url::parse(bad).expect_err("no URL").to_string();
            assert!(!error.contains("secret") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn redirects_are_joined() {
        let url = Url::parse("https://a.example/x/y.tgz?q").expect("a URL");
        for (location, expected) in [
            ("http://b.example", "http://b.example/"),
            ("//c.example/z", "https://c.example/z"),
            ("/z?r=a://b", "https://a.example/z?r=a://b"),
            ("z", "https://a.example/x/z"),
            ("?z", "https://a.example/x/y.tgz?z"),
        ] {
            assert_eq!(url.join(location).expect("a URL").request(), expected);
        }
        assert!(url.join("file:///etc/passwd").is_err());
    }

    #[test]
    fn this_machine_is_known() {
        for host in ["localhost", "localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]:443"] {
            assert!(is_loopback(host) && is_host(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "127.0.0.1.example", "[::2]", "128.0.0.1"] {
            assert!(!is_loopback(host), "{host}");
        }
        for host in ["", ":80", "a:b", "a b", "[::1", "a:1:2", "a/b", "a:99999"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
