//! Credentials of registries, from where `docker login` and `helm registry login` keep them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::RegistryError;
use crate::file::Disk;

/// More than any such file.
const MAX_CONFIG: u64 = 4 << 20;
/// The name under which docker keeps the login of its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// User and password. Never printed.
pub(super) struct Login(Zeroizing<String>);

impl Login {
    fn new(user: &str, password: &str) -> Self {
        Self(Zeroizing::new(format!("{user}:{password}")))
    }

    /// As `Authorization` says it.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(self.0.as_bytes()))
    }
}

/// The login of a registry: from a credential helper if one is set for it, else from the file.
///
/// `config` is docker's folder. No file, or none for this host, is no login. Identity tokens (the
/// OAuth flow of some clouds) are not used.
pub(super) fn of(
    disk: &Disk,
    config: Option<&Path>,
    host: &str,
) -> Result<Option<Login>, RegistryError> {
    let fault = |reason: String| RegistryError::Credentials { host: host.to_owned(), reason };
    let Some(path) = config.map(|folder| folder.join("config.json")) else { return Ok(None) };
    let bytes = match disk.read_limited(&path, MAX_CONFIG) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
    };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
        return Err(fault(format!("`{}` is no JSON", path.display())));
    };
    let key = if host == "docker.io" { DOCKER_HUB } else { host };
    let own = value.get("credHelpers").and_then(|helpers| of_host(helpers, key));
    let helper = own.or_else(|| value.get("credsStore")).and_then(Value::as_str);
    // an empty one stands for the file
    if let Some(helper) = helper.filter(|helper| !helper.is_empty())
        && let Some(login) = ask(helper, key).map_err(fault)?
    {
        return Ok(Some(login));
    }
    Ok(value.get("auths").and_then(|auths| of_host(auths, key)).and_then(stored))
}

/// What is kept for a host: under its name, or as older clients wrote it, under a URL of it.
fn of_host<'v>(all: &'v Value, key: &str) -> Option<&'v Value> {
    let host = |name: &str| {
        let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default().to_owned()
    };
    let by_url = || all.as_object()?.iter().find(|(name, _)| host(name) == host(key));
    all.get(key).or_else(|| by_url().map(|(_, value)| value))
}

/// A login in the file.
fn stored(entry: &Value) -> Option<Login> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let (Some(user), Some(password)) = (text("username"), text("password")) {
        return Some(Login::new(user, password));
    }
    let decoded = Zeroizing::new(STANDARD.decode(text("auth")?).ok()?);
    let (user, password) = str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Login::new(user, password))
}

/// Asks a credential helper, as docker does: the host on its stdin, JSON on its stdout.
#[expect(clippy::disallowed_methods, reason = "the user's own helper, named by docker's config")]
fn ask(helper: &str, key: &str) -> Result<Option<Login>, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if helper.is_empty() || !helper.bytes().all(fits) {
        return Err("docker's config names an odd credential helper".to_owned());
    }
    let program = format!("docker-credential-{helper}");
    let failed = |error: std::io::Error| format!("`{program}`: {error}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // a helper that does not read says so by its exit code
        let _ = stdin.write_all(key.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    let answer = Zeroizing::new(output.stdout);
    if !output.status.success() {
        // how helpers say that they hold nothing for a host (docker-credential-helpers, `errCredentials
        // NotFoundMessage`); it may be in the file. What else they print is not repeated
        let said = String::from_utf8_lossy(&answer).to_lowercase();
        if said.contains("credentials not found") || said.trim().is_empty() {
            return Ok(None);
        }
        return Err(format!("`{program} get` fails: run it by hand to see why"));
    }
    let value: Value =
        serde_json::from_slice(&answer).map_err(|_| format!("`{program}` gives no JSON"))?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let (user, password) = (text("Username"), text("Secret"));
    // an identity token has no user
    let usable = !user.is_empty() && user != "<token>" && !password.is_empty();
    Ok(usable.then(|| Login::new(user, password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Disk::new();
        let of = |host: &str| {
            of(&disk, Some(folder.path()), host).expect("readable").map(|login| login.basic())
        };
        assert_eq!(of("a.example"), None);
        let text = format!(
            r#"{{"auths": {{"a.example": {{"auth": "{}"}}, "b.example": {{}},
                "https://index.docker.io/v1/": {{"username": "me", "password": "p"}}}}}}"#,
            STANDARD.encode("me:se:cret")
        );
        disk.create_new(&folder.path().join("config.json"), text.as_bytes(), 0o600)
            .expect("a file");
        assert_eq!(of("a.example"), Some(format!("Basic {}", STANDARD.encode("me:se:cret"))));
        assert_eq!(of("docker.io"), Some(format!("Basic {}", STANDARD.encode("me:p"))));
        assert_eq!(of("b.example"), None);
        assert_eq!(of("c.example"), None);
        let text = format!(
            r#"{{"auths": {{"https://a.example:5000/v1/": {{"auth": "{0}"}}, "b.example/": {{"auth": "{0}"}}}},
                "credHelpers": {{"b.example": ""}}}}"#,
            STANDARD.encode("me:p")
        );
        disk.replace(&folder.path().join("config.json"), text.as_bytes()).expect("a file");
        for host in ["a.example:5000", "b.example"] {
            assert_eq!(of(host), Some(format!("Basic {}", STANDARD.encode("me:p"))), "{host}");
        }
        assert_eq!(of("a.example"), None);
    }
}
