//! Whether every istiod reads every cluster and knows every gateway.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Verdict, View, count};
use crate::cluster::{Key, NAMESPACE, bound_cluster};
use crate::verify::seen::{GatewayService, NetworkGateway, TokenSeen};

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
                        let finding = verdict
                            .failed(name, format!("{pod} has not synced `{other}`: {state}"));
                        finding.evidence.push(format!("it reads `{other}` by Secret {secret}"));
                        finding.evidence.extend(why_not_synced(view, name, other));
                    }
                    None => {
                        let finding =
                            verdict.failed(name, format!("{pod} does not know `{other}`"));
                        let secret =
                            Key::secret(NAMESPACE, &format!("istio-remote-secret-{other}"));
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
                verdict.warning(
                    name,
                    format!("{pod} also reads `{id}` ({secret}), which the tree does not have"),
                );
            }
        }
    }
    verdict.summary =
        format!("{} synced at {}", count(synced, "remote cluster"), count(istiods_, "istiod"));
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
    // remote secrets that could not be read
    for seen in view.looked() {
        let member = view.mesh.members.iter().find(|member| member.name == seen.name);
        for desired in member.into_iter().flat_map(|member| &member.wanted.objects) {
            if let (Some(_), Some(why)) = (bound_cluster(desired), seen.unreadable(&desired.key)) {
                verdict.not_looked(&seen.name, format!("{} cannot be read: {why}", desired.key));
            }
        }
    }
    verdict.summary = format!("{} taken", count(taken, "token"));
    verdict
}

/// A gateway's Service, and the cluster where it stands.
type Standing<'a> = (&'a str, &'a GatewayService);

pub fn networks(view: &View<'_>) -> Verdict {
    if view.is_one_network() {
        return Verdict::skip("the mesh has one network");
    }
    let mut verdict = Verdict::default();
    let gateways: Vec<Standing<'_>> = view
        .looked()
        .filter_map(|seen| Some((seen.name.as_str(), seen.gateways.as_ref().ok()?)))
        .flat_map(|(name, all)| all.iter().map(move |gateway| (name, gateway)))
        .collect();
    let networks: BTreeSet<&str> = view.looked().map(|seen| seen.network.as_str()).collect();
    let mut right = 0;
    for seen in view.looked() {
        let name = seen.name.as_str();
        let Some(istiods) = verdict.istiods(seen) else { continue };
        for istiod in istiods {
            let Some(known) = verdict.take(name, &istiod.networks) else { continue };
            for network in &networks {
                let of = |one: &&NetworkGateway| one.network == *network;
                let knows = Knows {
                    pod: &istiod.pod.name,
                    network,
                    known: known.iter().filter(of).collect(),
                    standing: gateways
                        .iter()
                        .filter(|(_, gateway)| gateway.network == *network)
                        .copied()
                        .collect(),
                };
                right += usize::from(knows.judge(name, &mut verdict));
            }
        }
    }
    let right = count(right, "gateway");
    verdict.summary = format!("{right} known with the right addresses");
    verdict
}

/// What one istiod knows of the gateways of a network, beside what stands there.
struct Knows<'a> {
    pod: &'a str,
    network: &'a str,
    known: Vec<&'a NetworkGateway>,
    standing: Vec<Standing<'a>>,
}

impl Knows<'_> {
    /// Whether it knows them all, and knows nothing else.
    fn judge(&self, cluster: &str, verdict: &mut Verdict) -> bool {
        let Self { pod, network, known, standing } = self;
        let missing: Vec<String> = self.missing();
        if known.is_empty() {
            let message = format!("{pod} knows no gateway of network `{network}`");
            let finding = verdict.failed(cluster, message);
            finding.evidence.extend(missing.iter().map(|one| format!("there is {one}")));
            if standing.is_empty() {
                let none = "no cluster has a Service with that network's label";
                finding.evidence.push(none.to_owned());
            } else if missing.is_empty() {
                finding.evidence.push("its Service has no address".to_owned());
            }
            return false;
        }
        if !missing.is_empty() {
            let message = format!("{pod} does not know {}", missing.join(", "));
            let has: Vec<String> =
                known.iter().map(|one| format!("{}:{}", one.addr, one.port)).collect();
            let finding = verdict.failed(cluster, message);
            finding.evidence.push(format!("of network `{network}` it knows {}", has.join(", ")));
            return false;
        }
        for one in known.iter().filter(|one| self.is_stale(one)) {
            let (address, port) = (&one.addr, one.port);
            verdict.warning(
                cluster,
                format!(
                    "{pod} also has {address}:{port} for network `{network}`, which no Service has"
                ),
            );
        }
        true
    }

    /// Addresses of Services that it does not know. istiod resolves host names and gives what they
    /// lead to: of those it is enough that there is something.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (cluster, gateway) in &self.standing {
            let (port, service) = (gateway.port, &gateway.name);
            for address in gateway.addresses.iter().filter(|address| is_address(address)) {
                let is_it =
                    |one: &&&NetworkGateway| one.addr == *address && one.port == u32::from(port);
                if !self.known.iter().any(|one| is_it(&one)) {
                    missing.push(format!("{address}:{port} (Service {service} in {cluster})"));
                }
            }
        }
        missing
    }

    /// Whether an address is of no Service, where that can be told.
    fn is_stale(&self, one: &NetworkGateway) -> bool {
        let fits = |(_, gateway): &Standing<'_>| {
            gateway.by_nodes
                || gateway.addresses.iter().any(|address| {
                    !is_address(address)
                        || (*address == one.addr && u32::from(gateway.port) == one.port)
                })
        };
        !self.standing.iter().any(fits)
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}
