//! What the proxy of a client says: the endpoints that it has, its certificate, what it trusts.

use std::time::Duration;

use serde_json::Value;

use super::super::seen::{ClientProxy, Host, Look, ProxySecrets, items, text};
use super::control_plane::decode;
use super::sample::{PORT, SERVER};
use crate::cluster::{Client, Pod};
use crate::pki::Certificate;

/// The container of a proxy.
pub const PROXY: &str = "istio-proxy";
const WITHIN: Duration = Duration::from_secs(20);

/// Asks a client's proxy.
pub async fn proxy(kube: &Client, pod: &Pod) -> Look<ClientProxy> {
    let (hosts, secrets, info) = tokio::join!(
        hosts(kube, pod),
        admin(kube, pod, "config_dump?resource=dynamic_active_secrets"),
        admin(kube, pod, "server_info"),
    );
    let uptime = info.ok().and_then(|info| {
        let text = text(&info, "/uptime_current_epoch")?;
        text.trim_end_matches('s').parse().ok()
    });
    Ok(ClientProxy {
        pod: pod.name.clone(),
        uptime,
        hosts,
        secrets: secrets.map(|dump| self::secrets(&dump)),
    })
}

/// The endpoints of the sample's service that a proxy has.
pub async fn hosts(kube: &Client, pod: &Pod) -> Look<Vec<Host>> {
    let clusters = admin(kube, pod, "clusters?format=json").await?;
    // `outbound|5000||helloworld.sample.svc.cluster.local`, without what subsets add
    let name = format!("outbound|{PORT}||{SERVER}.{}.svc.", pod.namespace);
    let ours = items(&clusters, "/cluster_statuses")
        .find(|cluster| text(cluster, "/name").is_some_and(|found| found.starts_with(&name)));
    Ok(ours.into_iter().flat_map(|cluster| items(cluster, "/host_statuses")).map(host).collect())
}

/// Asks the admin port of a proxy, for JSON.
async fn admin(kube: &Client, pod: &Pod, path: &str) -> Look<Value> {
    let command = ["pilot-agent", "request", "GET", path];
    let output = kube.exec(pod, PROXY, &command, WITHIN).await.map_err(|e| e.to_string())?;
    if output.code != Some(0) {
        let why = output.stderr.lines().last().unwrap_or("no word of why").trim().to_owned();
        return Err(format!("the proxy of {} does not answer `{path}`: {why}", pod.name));
    }
    serde_json::from_str(&output.stdout).map_err(|error| {
        format!("the proxy of {} answers `{path}` with no JSON: {error}", pod.name)
    })
}

fn host(host: &Value) -> Host {
    let stat = |name: &str| {
        let found = items(host, "/stats").find(|stat| text(stat, "/name") == Some(name));
        // counters come as texts, as JSON of protobuf has 64-bit numbers
        found.and_then(|stat| text(stat, "/value")?.parse().ok()).unwrap_or(0)
    };
    let number = |pointer: &str| {
        host.pointer(pointer).and_then(Value::as_u64).and_then(|number| number.try_into().ok())
    };
    let address = "/address/socket_address";
    let health = text(host, "/health_status/eds_health_status");
    let failed = |name: &str| {
        host.pointer(&format!("/health_status/{name}")).and_then(Value::as_bool) == Some(true)
    };
    Host {
        address: text(host, &format!("{address}/address")).unwrap_or_default().to_owned(),
        port: host
            .pointer(&format!("{address}/port_value"))
            .and_then(Value::as_u64)
            .and_then(|port| port.try_into().ok())
            .unwrap_or(0),
        healthy: health.is_none_or(|health| health == "HEALTHY")
            && !failed("failed_outlier_check")
            && !failed("failed_active_health_check"),
        priority: number("/priority").unwrap_or(0),
        weight: number("/weight").unwrap_or(1),
        opened: stat("cx_total"),
        failed: stat("cx_connect_fail"),
    }
}

/// The certificates in a dump. Envoy leaves private keys out of it.
fn secrets(dump: &Value) -> ProxySecrets {
    let mut found = ProxySecrets::default();
    let configs = items(dump, "/configs").flat_map(|config| {
        // asked for a resource, each secret is a config; asked for all, they stand in lists
        let nested = items(config, "/dynamic_active_secrets");
        std::iter::once(config).chain(nested)
    });
    for config in configs {
        let pem = |pointer: &str| {
            let text = text(config, &format!("/secret/{pointer}/inline_bytes"))?;
            Certificate::all(&decode(text)?).ok()
        };
        match text(config, "/name") {
            Some("default") => {
                found.chain = pem("tls_certificate/certificate_chain").unwrap_or_default();
            }
            Some("ROOTCA") => {
                // with a trust domain of SPIFFE bundles it is a validator of its own
                found.roots = pem("validation_context/trusted_ca").unwrap_or_default();
            }
            _ => {}
        }
    }
    found
}
