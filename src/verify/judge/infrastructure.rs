//! Whether what the clouds had to make is there and answers.

use std::collections::BTreeSet;

use super::{Verdict, View, count, count_of};
use crate::cluster::readiness::gateway_addresses;
use crate::verify::seen::text;

pub fn addresses(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut there = 0;
    for seen in view.looked() {
        let Some(surveyed) = &seen.surveyed else { continue };
        let mut known: BTreeSet<String> = BTreeSet::new();
        for (key, live) in &surveyed.live.objects {
            if !key.is("", "Service") || text(live, "/spec/type") != Some("LoadBalancer") {
                continue;
            }
            known.insert(format!("{}/{}", key.namespace.as_deref().unwrap_or_default(), key.name));
            if gateway_addresses(live).is_empty() {
                verdict.failed(&seen.name, format!("{key} has no address"));
            } else {
                there += 1;
            }
        }
        // gateways that others made
        let Some(gateways) = verdict.take(&seen.name, &seen.gateways) else { continue };
        for gateway in gateways.iter().filter(|gateway| !known.contains(&gateway.name)) {
            if gateway.addresses.is_empty() && !gateway.by_nodes {
                let (name, network) = (&gateway.name, &gateway.network);
                verdict.failed(
                    &seen.name,
                    format!("Service {name}, the gateway of network `{network}`, has no address"),
                );
            } else {
                there += 1;
            }
        }
    }
    if !view.is_one_network() {
        for (network, cluster) in view.networks_without_gateway() {
            verdict.failed(&cluster, format!("network `{network}` has no gateway Service"));
        }
    }
    verdict.summary = format!("{} with an address", count(there, "gateway"));
    verdict
}

pub fn port(view: &View<'_>) -> Verdict {
    if view.is_one_network() {
        return Verdict::skip("the mesh has one network");
    }
    if view.looked().all(|seen| seen.sample.is_none()) {
        return Verdict::skip("the tree has no sample to ask from");
    }
    let mut verdict = Verdict::default();
    let (mut answered, mut clients) = (0, 0);
    for seen in view.looked() {
        let Some(sample) = &seen.sample else { continue };
        let Some(ports) = verdict.take(&seen.name, &sample.ports) else { continue };
        clients += 1;
        for ((address, port), answer) in ports {
            if answer.connected {
                answered += 1;
                continue;
            }
            let of = view.gateways_at(address, *port).join(" and ");
            let finding = verdict
                .failed(&seen.name, format!("{address}:{port} ({of}) does not answer from here"));
            let (said, container) = (&answer.said, &answer.container);
            finding.evidence.push(format!("from container {container} of the client: {said}"));
        }
    }
    let answered = count_of(answered, "address", "addresses");
    verdict.summary = format!("{answered} answered, asked from {}", count(clients, "client"));
    verdict
}
