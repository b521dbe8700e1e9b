//! Whether every istiod reads every cluster and knows every gateway.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Verdict, View, count};
use crate::cluster::{Key, NAMESPACE};
use crate::verify::seen::TokenSeen;

pub fn clusters(view: &View<'_>) -> Verdict {
    let all: BTreeSet<&str> = view.mesh.clusters.iter().map(String::as_str).collect();
    if all.len() < 2 {
        return Verdict::skip("the mesh has one cluster");
    }
    let mut verdict = Verdict::default();
    let (mut istiods_, mut synced) = (0, 0);
    for seen in view.looked() {
        let name = seen.name.as_str();
        let Some(istiods) = verdict.take(name, &seen.istiods) else { continue };
        if istiods.is_empty() {
            verdict.failed(name, "no pod of istiod runs, so nothing is read".to_owned());
        }
        for istiod in istiods {
            istiods_ += 1;
            let pod = &istiod.pod.name;
            let Some(known) = verdict.take(name, &istiod.clusters) else { continue };
            for other in all.iter().filter(|other| **other != name) {
                match known.iter().find(|one| one.id == **other) {
                    Some(one) if one.is_synced() => synced += 1,
                    Some(one) => {
                        let (secret, state) = (&one.secret_name, &one.sync_status);
                        let finding = verdict.failed(name, format!("{pod} has not synced `{other}`: {state}"));
                        finding.evidence.push(format!("it reads `{other}` by Secret {secret}"));
                        finding.evidence.extend(why_not_synced(view, name, other));
                    }
                    None => {
                        let finding = verdict.failed(name, format!("{pod} does not know `{other}`"));
                        let secret = Key::secret(NAMESPACE, &format!("istio-remote-secret-{other}"));
                        let is_there = seen
                            .surveyed
                            .as_ref()
                            .is_some_and(|surveyed| surveyed.live.objects.contains_key(&secret));
                        finding.evidence.push(if is_there {
                            format!("{secret} is there; istiod has not taken it")
                        } else {
                            format!("{secret} is not there")
                        });
                    }
                }
            }
            for one in known.iter().skip(1).filter(|one| !all.contains(one.id.as_str())) {
                let (id, secret) = (&one.id, &one.secret_name);
                verdict.warning(name, format!("{pod} also reads `{id}` ({secret}), which the tree does not have"));
            }
        }
    }
    verdict.summary = format!("{} synced at {}", count(synced, "remote cluster"), count(istiods_, "istiod"));
    verdict
}

/// What is known of why a cluster is not synced at another.
fn why_not_synced(view: &View<'_>, at: &str, other: &str) -> Option<String> {
    match view.seen.tokens.get(&(at.to_owned(), other.to_owned()))? {
        TokenSeen::Taken => Some(format!("`{other}` takes the token that `{at}` has")),
        TokenSeen::Refused(why) => {
            Some(format!("`{other}` does not take the token that `{at}` has: {why}"))
        }
        TokenSeen::NotLooked(_) => None,
    }
}

pub fn tokens(view: &View<'_>) -> Verdict {
    if view.mesh.clusters.len() < 2 {
        return Verdict::skip("the mesh has one cluster");
    }
    let mut verdict = Verdict::default();
    let mut taken = 0;
    for ((at, of), token) in &view.seen.tokens {
        match token {
            TokenSeen::Taken => taken += 1,
            TokenSeen::Refused(why) => {
                verdict.failed(at, format!("`{of}` does not take the token that is here: {why}"));
            }
            TokenSeen::NotLooked(why) => {
                verdict.not_looked(at, format!("whether `{of}` takes its token: {why}"));
            }
        }
    }
    verdict.summary = format!("{} taken", count(taken, "token"));
    verdict
}

pub fn networks(view: &View<'_>) -> Verdict {
    if view.is_one_network() {
        return Verdict::skip("the mesh has one network");
    }
    let mut verdict = Verdict::default();
    let gateways: Vec<(&str, &crate::verify::seen::GatewayService)> = view
        .looked()
        .filter_map(|seen| Some((seen.name.as_str(), seen.gateways.as_ref().ok()?)))
        .flat_map(|(name, all)| all.iter().map(move |gateway| (name, gateway)))
        .collect();
    let networks: BTreeSet<&str> =
        view.looked().map(|seen| seen.network.as_str()).collect();
    let mut right = 0;
    for seen in view.looked() {
        let name = seen.name.as_str();
        let Some(istiods) = verdict.take(name, &seen.istiods) else { continue };
        for istiod in istiods {
            let pod = &istiod.pod.name;
            let Some(known) = verdict.take(name, &istiod.networks) else { continue };
            for network in &networks {
                let of: Vec<_> = gateways.iter().filter(|(_, gateway)| gateway.network == **network).collect();
                let mut missing = Vec::new();
                for (cluster, gateway) in &of {
                    for address in &gateway.addresses {
                        // istiod resolves host names, and gives what they lead to
                        let found = known.iter().any(|one| {
                            one.network == **network
                                && one.port == u32::from(gateway.port)
                                && (one.addr == *address || address.parse::<IpAddr>().is_err())
                        });
                        if !found {
                            missing.push(format!("{address}:{} (Service {} in {cluster})", gateway.port, gateway.name));
                        }
                    }
                }
                let has: Vec<String> = known
                    .iter()
                    .filter(|one| one.network == **network)
                    .map(|one| format!("{}:{}", one.addr, one.port))
                    .collect();
                let has_text = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
                if has.is_empty() {
                    let finding = verdict.failed(name, format!("{pod} knows no gateway of network `{network}`"));
                    finding.evidence.extend(missing.iter().map(|one| format!("there is {one}")));
                    if of.is_empty() {
                        finding.evidence.push("no cluster has a Service with that network's label".to_owned());
                    } else if missing.is_empty() {
                        finding.evidence.push("its Service has no address".to_owned());
                    }
                } else if !missing.is_empty() {
                    let finding = verdict.failed(name, format!("{pod} does not know {}", missing.join(", ")));
                    finding.evidence.push(format!("of network `{network}` it knows {has_text}"));
                } else {
                    right += 1;
                    let stale: Vec<&String> = has
                        .iter()
                        .filter(|one| {
                            let is_host = |(_, gateway): &&&(&str, &crate::verify::seen::GatewayService)| {
                                gateway.by_nodes
                                    || gateway.addresses.iter().any(|address| {
                                        address.parse::<IpAddr>().is_err()
                                            || format!("{address}:{}", gateway.port) == **one
                                    })
                            };
                            !of.iter().any(|gateway| is_host(&gateway))
                        })
                        .collect();
                    for one in stale {
                        verdict.warning(name, format!("{pod} also has {one} for network `{network}`, which no Service that was seen has"));
                    }
                }
            }
        }
    }
    verdict.summary = format!("{} known with the right addresses", count(right, "gateway"));
    verdict
}
