//! Whether the gateways' addresses answer from where the others are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::seen::{ClusterSeen, Look, PortAnswer};
use super::client::PROXY;
use super::sample::{CLIENT, PORT, SERVER};
use crate::cluster::{Client, Pod};

/// Seconds that a connection may take.
const CONNECT: u32 = 5;
/// How long all of them may take: they are tried at the same time.
const WITHIN: Duration = Duration::from_secs(45);

/// Tries each `ADDRESS PORT` at the same time: a line a try, with curl's exit code, what curl said, and
/// `ip=…;` with the address that it was connected to, empty if it never was.
///
/// No gateway ends the handshake: curl's ALPN is none of Istio's. That it came so far is what counts.
/// The server's name is the one that a client's proxy asks for, so that a gateway knows the service.
const SCRIPT: &str = r#"
command -v curl >/dev/null 2>&1 || exit 127
name=$1; shift
while [ $# -gt 0 ]; do
  (
    said=$(curl -sSk -o /dev/null --connect-timeout 5 --max-time 8 --connect-to "::$1:$2" \
      -w 'ip=%{remote_ip};' "https://$name:$2/" 2>&1)
    code=$?
    echo "@ $1 $2 $code" $(echo "$said" | tr '\r\n' '  ')
  ) &
  shift 2
done
wait
"#;

/// Tries the gateways of all networks but the cluster's own.
pub async fn ports(
    client: &Client,
    seen: &mut ClusterSeen,
    targets: &BTreeSet<(String, String, u16)>,
) {
    let Some(sample) = &mut seen.sample else { return };
    let others = targets.iter().filter(|(network, ..)| *network != seen.network);
    let others: Vec<(String, u16)> =
        others.map(|(_, address, port)| (address.clone(), *port)).collect();
    sample.ports = match sample.client() {
        _ if others.is_empty() => Ok(BTreeMap::new()),
        Err(why) => Err(why),
        Ok(pod) => ask(client, pod, &others, sample.client_has_proxy()).await,
    };
}

async fn ask(
    client: &Client,
    pod: &Pod,
    targets: &[(String, u16)],
    has_proxy: bool,
) -> Look<BTreeMap<(String, u16), PortAnswer>> {
    let name = format!("outbound_.{PORT}_._.{SERVER}.{}.svc.cluster.local", pod.namespace);
    let mut command: Vec<String> =
        ["sh", "-c", SCRIPT, "sh"].iter().map(|word| (*word).to_owned()).collect();
    command.push(name);
    for (address, port) in targets {
        // an IPv6 address as curl takes it
        let is_six = address.contains(':');
        command.push(if is_six { format!("[{address}]") } else { address.clone() });
        command.push(port.to_string());
    }
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut container = PROXY;
    let mut output = Err("the client's pod has no proxy".to_owned());
    if has_proxy {
        let result = client.exec(pod, PROXY, &command, WITHIN).await;
        output = result.map_err(|error| error.to_string());
        // an image without shell or curl
        let is_bare = output.as_ref().is_ok_and(|out| !out.stdout.contains("@ "));
        if is_bare && only_registry(client, pod).await != Some(false) {
            let text = "the proxy's image has no curl, and the mesh lets no unknown traffic out of \
                        the client's container (REGISTRY_ONLY)";
            return Err(text.to_owned());
        }
        if is_bare {
            output = Err("the proxy's image has no curl".to_owned());
        }
    }
    let output = if let Ok(output) = output {
        output
    } else {
        container = CLIENT;
        client.exec(pod, CLIENT, &command, WITHIN).await.map_err(|error| error.to_string())?
    };
    let answers = parse(&output.stdout, container);
    if answers.is_empty() {
        let why = output.stderr.lines().last().unwrap_or("it has no curl").trim().to_owned();
        return Err(format!("the client {} cannot be asked: {why}", pod.name));
    }
    if answers.len() < targets.len() {
        let (count, all) = (answers.len(), targets.len());
        return Err(format!("only {count} of {all} addresses could be tried from {}", pod.name));
    }
    Ok(answers)
}

fn parse(output: &str, container: &str) -> BTreeMap<(String, u16), PortAnswer> {
    let answer = |line: &str| {
        let mut words = line.strip_prefix("@ ")?.splitn(4, ' ');
        let address = words.next()?.trim_matches(['[', ']']).to_owned();
        let port: u16 = words.next()?.parse().ok()?;
        let code: u32 = words.next()?.parse().ok()?;
        let rest = words.next().unwrap_or_default();
        let (before, ip) = rest.split_once("ip=")?;
        let (ip, after) = ip.split_once(';')?;
        let said: Vec<&str> = before.split_whitespace().chain(after.split_whitespace()).collect();
        let said = said.join(" ");
        let connected = if container == PROXY {
            !ip.is_empty()
        } else {
            // the client's own proxy takes every connection, and ends it if the gateway does not
            !matches!(code, 6 | 7 | 28) && !said.contains("SSL_ERROR_SYSCALL")
        };
        let said = match code {
            7 => "the connection is refused".to_owned(),
            28 if !connected => format!("no answer within {CONNECT} s"),
            _ => said,
        };
        Some(((address, port), PortAnswer { connected, said, container: container.to_owned() }))
    };
    output.lines().filter_map(answer).collect()
}

/// Whether a client's proxy sends nothing to what it does not know.
async fn only_registry(client: &Client, pod: &Pod) -> Option<bool> {
    let command = ["pilot-agent", "request", "GET", "config_dump?resource=static_clusters"];
    let dynamic = ["pilot-agent", "request", "GET", "config_dump?resource=dynamic_active_clusters"];
    let within = Duration::from_secs(20);
    let fixed = client.exec(pod, PROXY, &command, within).await.ok()?;
    let moving = client.exec(pod, PROXY, &dynamic, within).await.ok()?;
    let has = |name: &str| fixed.stdout.contains(name) || moving.stdout.contains(name);
    Some(!has("\"PassthroughCluster\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_curl_says_is_read() {
        let output = "\
@ 172.31.0.121 15443 35 curl: (35) Recv failure: Connection reset by peer ip=172.31.0.121;
@ 172.31.0.141 15443 7 curl: (7) Failed to connect to 172.31.0.141 port 15443 ip=;
@ 172.31.0.161 15443 28 ip=; curl: (28) Failed to connect: Timeout was reached
@ [fd00::1] 15443 0 ip=fd00::1;
";
        let answers = parse(output, "istio-proxy");
        let of = |address: &str| &answers[&(address.to_owned(), 15443)];
        assert!(of("172.31.0.121").connected && of("fd00::1").connected);
        assert!(!of("172.31.0.141").connected);
        assert!(of("172.31.0.141").said.contains("refused"));
        assert_eq!(of("172.31.0.161").said, "no answer within 5 s");
    }
}
