//! From a kubeconfig context to a client: who we are, by which way, and in what time.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use kube::client::{AuthError, ClientBuilder, ConfigExt as _};
pub use kube::config::Kubeconfig;
use kube::config::{ExecInteractiveMode, KubeConfigOptions};

use tower::buffer::BufferLayer;

use super::client::{Client, chain};
use super::stop::Stop;
use crate::pki::Certificate;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be silent within an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// Requests that wait for their turn, as kube has it.
const BUFFER: usize = 1024;
/// How long an exec plugin may take; people may have to log in.
const PLUGIN: Duration = Duration::from_secs(120);

/// Why there is no client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig does not read.
    #[error("the kubeconfig cannot be used: {0}")]
    Kubeconfig(String),
    /// There is no such context.
    #[error("the kubeconfig has no context `{0}`")]
    NoContext(String, Vec<String>),
    /// The exec plugin or another source of credentials failed.
    #[error("no credentials for context `{0}`: {1}")]
    Credentials(String, String),
}

impl ConnectError {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConnectError::NoContext(_, known) => {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Some(format!("it has {list}; name one with `--context CLUSTER=CONTEXT`"))
            }
            ConnectError::Kubeconfig(_) => {
                Some("name another with `--kubeconfig FILE`, or in KUBECONFIG".to_owned())
            }
            ConnectError::Credentials(..) => {
                Some("try it by hand: `kubectl --context … get ns`".to_owned())
            }
        }
    }
}

/// What the environment says of proxies.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `NO_PROXY`: hosts that are asked directly.
    pub no_proxy: Option<String>,
}

/// A client, and what the kubeconfig says of the server.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The CA that the kubeconfig trusts, if it names one.
    pub authority: Vec<Certificate>,
}

/// Reads the kubeconfig: a file, or else those of `KUBECONFIG`, or else the one at home.
pub fn kubeconfig(file: Option<&PathBuf>) -> Result<Kubeconfig, ConnectError> {
    let read = match file {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    read.map_err(|error| ConnectError::Kubeconfig(chain(&error)))
}

/// Makes the client of a context. Runs its exec plugin, if it has one, so that clusters are
/// connected to one after another and before anything else is drawn.
pub async fn connect(
    kubeconfig: &Kubeconfig,
    context: &str,
    proxies: &Proxies,
    interactive: bool,
    stop: Stop,
) -> Result<Connection, ConnectError> {
    if !kubeconfig.contexts.iter().any(|known| known.name == context) {
        let known = kubeconfig.contexts.iter().map(|known| known.name.clone()).collect();
        return Err(ConnectError::NoContext(context.to_owned(), known));
    }
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..Default::default() };
    let named = proxy_of(kubeconfig, context);
    let config = kube::Config::from_custom_kubeconfig(kubeconfig.clone(), &options);
    let mut config = config.await.map_err(|error| ConnectError::Kubeconfig(chain(&error)))?;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(SILENCE);
    config.write_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    // what is tried again, and how often, is ours to say
    config.default_retry = false;
    // kube 5.0 matches NO_PROXY against the proxy, not the server
    let host = config.cluster_url.host().unwrap_or_default().to_owned();
    config.proxy_url =
        match named.or_else(|| proxies.for_host(&host)) {
            Some(url) => Some(url.parse().map_err(|_| {
                ConnectError::Kubeconfig("the proxy's URL cannot be read".to_owned())
            })?),
            None => None,
        };
    if let Some(exec) = &mut config.auth_info.exec
        && !interactive
    {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    let plugin = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
    let authority = config.root_cert.iter().flatten();
    let authority = authority.filter_map(|der| Certificate::from_der(der).ok()).collect();
    // plugins are run while the client is made, and block
    let made = tokio::task::spawn_blocking(move || client(config));
    let failed = |why: String| ConnectError::Credentials(context.to_owned(), why);
    let client = match tokio::time::timeout(PLUGIN, made).await {
        Ok(Ok(Ok(client))) => client,
        Ok(Ok(Err(kube::Error::Auth(error)))) => {
            return Err(failed(credentials(&error, plugin.as_deref())));
        }
        // its URL may hold a password, and is not repeated
        Ok(Ok(Err(
            kube::Error::ProxyProtocolUnsupported { .. }
            | kube::Error::ProxyProtocolDisabled { .. },
        ))) => {
            let why = "the proxy is none of http, https and socks5".to_owned();
            return Err(ConnectError::Kubeconfig(why));
        }
        Ok(Ok(Err(error))) => return Err(ConnectError::Kubeconfig(chain(&error))),
        Ok(Err(_)) => return Err(failed("the source of credentials ended".to_owned())),
        Err(_) => return Err(failed(format!("nothing within {} s", PLUGIN.as_secs()))),
    };
    Ok(Connection { client: Client::new(client, stop), authority })
}

/// Makes a client. kube 5.0 runs a plugin three times for one, and people may have to log in: one that
/// gives a token is run once here, and again only when its token expires.
fn client(config: kube::Config) -> Result<kube::Client, kube::Error> {
    if config.auth_info.exec.is_some()
        && let Some(layer) = config.auth_layer()?
    {
        let mut config = config;
        config.auth_info.exec = None;
        let plain = ClientBuilder::try_from(config)?.with_layer(&BufferLayer::new(BUFFER));
        return Ok(plain.with_layer(&layer).build());
    }
    kube::Client::try_from(config)
}

fn proxy_of(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let context = kubeconfig.contexts.iter().find(|known| known.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let named = kubeconfig.clusters.iter().find(|known| known.name == *cluster)?;
    named.cluster.as_ref()?.proxy_url.clone().filter(|url| !url.is_empty())
}

/// What a failed source of credentials says, with the plugin's name where it is known. Never what
/// a plugin printed, nor its arguments: those may hold a token.
pub(super) fn credentials(error: &AuthError, plugin: Option<&str>) -> String {
    let named = |plugin: Option<&str>| plugin.map(|name| format!(" `{name}`")).unwrap_or_default();
    let the = format!("the exec plugin{}", named(plugin));
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            let the = format!("the exec plugin{}", named(plugin.or(program(cmd))));
            format!("{the} failed ({})", out.status)
        }
        AuthError::AuthExecStart(error) => format!("{the} cannot be started: {error}"),
        AuthError::AuthExecParse(_) => format!("{the} printed no ExecCredential"),
        AuthError::ReadTokenFile(error, path) => {
            format!("the token file `{}` cannot be read: {error}", path.display())
        }
        AuthError::ExecPluginFailed => format!("{the} gave no credential"),
        AuthError::MissingCommand => "the kubeconfig names no command to run".to_owned(),
        _ => "the credentials of the kubeconfig cannot be used".to_owned(),
    }
}

/// The program of a command as Rust prints it: after what is set in its environment, the first word
/// in quotes.
fn program(command: &str) -> Option<&str> {
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    let mut begin = None;
    for (at, char) in command.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if quoted => {
                quoted = false;
                if let Some(begin) = begin {
                    return Some(&command[begin..at]);
                }
            }
            '"' => {
                quoted = true;
                begin = (before == ' ').then_some(at + 1);
            }
            _ => {}
        }
        before = char;
    }
    None
}

impl Proxies {
    /// The proxy by which a host is asked.
    fn for_host(&self, host: &str) -> Option<String> {
        let proxy = self.https.clone().filter(|url| !url.is_empty())?;
        let direct = self.no_proxy.as_deref().unwrap_or_default().split(',');
        let is_direct = direct.map(str::trim).any(|rule| is_for(rule, host));
        (!is_direct).then_some(proxy)
    }
}

/// Whether a rule of `NO_PROXY` is about a host: `*`, an address, a CIDR, a domain and what is
/// below it. As Go's `httpproxy` has it.
fn is_for(rule: &str, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    if rule == "*" {
        return true;
    }
    if let (Ok(net), Ok(address)) = (rule.parse::<IpNet>(), host.parse::<std::net::IpAddr>()) {
        return net.contains(&address);
    }
    let rule = rule.trim_start_matches("*.").trim_start_matches('.').to_lowercase();
    let host = host.to_lowercase();
    !rule.is_empty() && (host == rule || host.ends_with(&format!(".{rule}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_behind_its_environment() {
        // as `std::process::Command` is printed
        let command =
            r#"env -u B KUBERNETES_EXEC_INFO="{\"kind\": \"a b\"}" A="b" "/opt/an oci" "secret""#;
        assert_eq!(program(command), Some("/opt/an oci"));
        assert_eq!(program("oci"), None);
    }

    #[test]
    fn no_proxy_is_about_the_server() {
        let proxies = |no_proxy: &str| Proxies {
            https: Some("http://127.0.0.1:3128".to_owned()),
            no_proxy: Some(no_proxy.to_owned()),
        };
        for (no_proxy, host, direct) in [
            ("10.0.0.0/8", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("127.0.0.1", "10.0.0.1", false),
            (".example.com, 10.0.0.0/8", "api.example.com", true),
            ("example.com", "example.com", true),
            ("example.com", "notexample.com", false),
            ("*", "10.0.0.1", true),
            ("", "10.0.0.1", false),
            ("fd00::/8", "[fd00::1]", true),
        ] {
            assert_eq!(proxies(no_proxy).for_host(host).is_none(), direct, "{no_proxy} {host}");
        }
    }
}
