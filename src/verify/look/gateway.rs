//! The gateways between networks: their Services, and what lets services through.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::seen::{ClusterSeen, Exposure, GatewayService, Look, items, text, texts};
use crate::cluster::readiness::{gateway_addresses, node_selector};
use crate::cluster::{Client, NETWORK_LABEL, gateway_of};

/// The port of a gateway where its Service names no other.
///
/// Source: `DefaultNetworkGatewayPort` of Istio's `pilot/pkg/serviceregistry/kube/controller`.
const PORT: u16 = 15443;
const PORT_LABEL: &str = "/metadata/labels/networking.istio.io~1gatewayPort";

/// Reads the Services that are gateways, and the Gateways that let services through.
pub async fn gateways(client: &Client) -> (Look<Vec<GatewayService>>, Look<Vec<Exposure>>) {
    let label = NETWORK_LABEL.replace('/', "%2F");
    let services = format!("/api/v1/services?labelSelector={label}");
    // the storage version of every Istio since 1.22, and served by those before
    let exposures = "/apis/networking.istio.io/v1beta1/gateways";
    let (services, exposures) = tokio::join!(client.list(&services), client.list(exposures));
    let services = services.map(|all| all.iter().filter_map(service).collect());
    let exposures = exposures.map(|all| all.iter().filter_map(exposure).collect());
    (services.map_err(|error| error.to_string()), exposures.map_err(|error| error.to_string()))
}

fn name_of(live: &Value) -> Option<String> {
    Some(format!("{}/{}", text(live, "/metadata/namespace")?, text(live, "/metadata/name")?))
}

fn service(live: &Value) -> Option<GatewayService> {
    let port = text(live, PORT_LABEL).and_then(|port| port.parse().ok());
    Some(GatewayService {
        name: name_of(live)?,
        network: gateway_of(live)?.to_owned(),
        addresses: gateway_addresses(live),
        port: port.unwrap_or(PORT),
        by_nodes: node_selector(live).is_some(),
        selector: texts(live, "/spec/selector"),
    })
}

fn exposure(live: &Value) -> Option<Exposure> {
    let through = |server: &&Value| text(server, "/tls/mode") == Some("AUTO_PASSTHROUGH");
    let port = |server: &Value| server.pointer("/port/number")?.as_u64()?.try_into().ok();
    let ports: Vec<u16> = items(live, "/spec/servers").filter(through).filter_map(port).collect();
    let exposure =
        Exposure { name: name_of(live)?, selector: texts(live, "/spec/selector"), ports };
    (!exposure.ports.is_empty()).then_some(exposure)
}

/// The addresses of all gateways, by network.
pub fn targets(found: &[ClusterSeen]) -> BTreeSet<(String, String, u16)> {
    let gateways = found.iter().filter_map(|seen| seen.gateways.as_ref().ok()).flatten();
    let addresses = gateways.flat_map(|gateway| {
        let of = |address: &String| (gateway.network.clone(), address.clone(), gateway.port);
        gateway.addresses.iter().map(of)
    });
    addresses.collect()
}
