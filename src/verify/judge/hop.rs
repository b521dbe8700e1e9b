//! Where a request gets lost on its way from a cluster's client to another cluster: each hop as it
//! was seen.

use super::certificates::{leads_to, top};
use super::{View, addresses_of_pods, short};
use crate::verify::seen::{ClusterSeen, Host, SampleSeen};

/// One hop.
struct Hop {
    name: &'static str,
    /// Whether it works; nothing if that could not be seen.
    works: Option<bool>,
    said: String,
}

/// The hops between a cluster's client and what runs in a cluster, a line each, up to the first that
/// fails and what follows from it.
pub fn hops(view: &View<'_>, from: &str, to: &str) -> Vec<String> {
    let (Some(client), Some(server)) = (view.cluster(from), view.cluster(to)) else {
        return Vec::new();
    };
    let Some(sample) = &client.sample else { return Vec::new() };
    let all = [
        name(sample),
        endpoints(view, client, sample, server),
        gateway(view, client, sample, server),
        tls(view, client, sample, server),
        serves(server),
    ];
    let first = all.iter().position(|hop| hop.works == Some(false));
    all.iter()
        .enumerate()
        .map(|(at, hop)| {
            let mark = match hop.works {
                Some(true) => "ok",
                Some(false) if Some(at) == first => "FAILS HERE",
                Some(false) => "fails",
                None => "not seen",
            };
            format!("{}: {mark}: {}", hop.name, hop.said)
        })
        .collect()
}

fn name(sample: &SampleSeen) -> Hop {
    let counted = sample.traffic.as_ref().and_then(|counted| counted.as_ref().ok());
    let answered = counted.is_some_and(|counted| !counted.answers.is_empty());
    match &sample.lookup {
        // an answer is proof of the name: a busy resolver is not what keeps a cluster away
        Some(_) if answered => Hop {
            name: "name",
            works: Some(true),
            said: "the client resolves the service, though not for every request".to_owned(),
        },
        Some(said) => Hop { name: "name", works: Some(false), said: said.clone() },
        None => Hop {
            name: "name",
            works: Some(true),
            said: "the client resolves the service".to_owned(),
        },
    }
}

fn list(hosts: &[&Host]) -> String {
    let of = |host: &&Host| format!("{}:{}", host.address, host.port);
    hosts.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// What the client's proxy has for the other cluster.
fn endpoints(
    view: &View<'_>,
    client: &ClusterSeen,
    sample: &SampleSeen,
    server: &ClusterSeen,
) -> Hop {
    let hop = |works, said: String| Hop { name: "endpoints", works, said };
    let hosts = match sample.proxy.as_ref().map(|proxy| &proxy.hosts) {
        Ok(Ok(hosts)) => hosts,
        Ok(Err(why)) | Err(why) => return hop(None, why.clone()),
    };
    let pods = addresses_of_pods(server);
    let gateways = view.gateways_of(&server.network);
    let direct: Vec<&Host> = hosts.iter().filter(|host| pods.contains(&host.address)).collect();
    let through: Vec<&Host> =
        hosts.iter().filter(|host| gateways.contains(&(host.address.clone(), host.port))).collect();
    let all: Vec<&Host> = hosts.iter().collect();
    let same = client.network == server.network;
    if same && !direct.is_empty() {
        return hop(Some(true), format!("the client's proxy has {}", list(&direct)));
    }
    if !same && !through.is_empty() {
        let healthy: Vec<&Host> = through.iter().copied().filter(|host| host.healthy).collect();
        let said =
            format!("the client's proxy has {} for network `{}`", list(&through), server.network);
        return if healthy.is_empty() {
            hop(Some(false), format!("{said}, and has put them aside as failing"))
        } else {
            hop(Some(true), said)
        };
    }
    if !direct.is_empty() {
        let (list, network) = (list(&direct), &server.network);
        return hop(
            Some(false),
            format!(
                "the client's proxy sends to the pods' own addresses ({list}), not to a gateway of network `{network}`: istiod knows no gateway of it, or takes them for the client's network"
            ),
        );
    }
    let known = if all.is_empty() { "none at all".to_owned() } else { list(&all) };
    let to = &server.name;
    hop(Some(false), format!("the client's proxy has no endpoint for `{to}`; it has {known}"))
}

fn gateway(
    view: &View<'_>,
    client: &ClusterSeen,
    sample: &SampleSeen,
    server: &ClusterSeen,
) -> Hop {
    let hop = |works, said: String| Hop { name: "gateway", works, said };
    if client.network == server.network {
        return hop(Some(true), "none stands between clusters of one network".to_owned());
    }
    let ports = match &sample.ports {
        Ok(ports) => ports,
        Err(why) => return hop(None, why.clone()),
    };
    let gateways = view.gateways_of(&server.network);
    if gateways.is_empty() {
        return hop(
            Some(false),
            format!("network `{}` has no gateway with an address", server.network),
        );
    }
    let mut said = Vec::new();
    let mut works = None;
    for place in &gateways {
        let Some(answer) = ports.get(place) else { continue };
        let (address, port) = place;
        if answer.connected {
            said.push(format!("{address}:{port} answers"));
            works = Some(works.unwrap_or(true));
        } else {
            said.push(format!("{address}:{port}: {}", answer.said));
            works = Some(false);
        }
    }
    hop(works, said.join("; "))
}

/// Which root each side trusts, and holds a certificate of.
fn tls(view: &View<'_>, client: &ClusterSeen, sample: &SampleSeen, server: &ClusterSeen) -> Hop {
    let hop = |works, said: String| Hop { name: "tls", works, said };
    let secrets = match sample.proxy.as_ref().map(|proxy| &proxy.secrets) {
        Ok(Ok(secrets)) => secrets,
        Ok(Err(why)) | Err(why) => return hop(None, why.clone()),
    };
    let theirs = server.sample.as_ref().and_then(|sample| sample.proxy.as_ref().ok());
    let theirs = theirs.and_then(|proxy| proxy.secrets.as_ref().ok());
    let Some(theirs) = theirs else {
        return hop(None, format!("no proxy of `{}` could be asked what it trusts", server.name));
    };
    let trusts = |roots: &[crate::pki::Certificate], chain: &[crate::pki::Certificate]| {
        roots.iter().any(|root| leads_to(chain, root))
    };
    let roots = |all: &[crate::pki::Certificate]| {
        let all: Vec<String> = all.iter().map(short).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
    };
    let ours = trusts(&secrets.roots, &theirs.chain);
    let other = trusts(&theirs.roots, &secrets.chain);
    let said = format!(
        "the client trusts {} and shows {}; proxies of `{}` trust {} and show {}",
        roots(&secrets.roots),
        top(&secrets.chain),
        server.name,
        roots(&theirs.roots),
        top(&theirs.chain)
    );
    let failed = view.tls_faults(&client.name);
    match (ours && other, failed) {
        (false, _) => hop(Some(false), said),
        (true, Some(fault)) => hop(Some(false), format!("{said}; yet: {fault}")),
        (true, None) => hop(Some(true), "each side trusts the other's root".to_owned()),
    }
}

fn serves(server: &ClusterSeen) -> Hop {
    let hop = |works, said: String| Hop { name: "server", works, said };
    let Some(sample) = &server.sample else {
        return hop(None, "the tree has no sample there".to_owned());
    };
    let endpoints = match &sample.endpoints {
        Ok(endpoints) => endpoints,
        Err(why) => return hop(None, why.clone()),
    };
    let ready = endpoints.iter().filter(|one| one.ready).count();
    let without: Vec<&str> = sample
        .pods
        .iter()
        .flatten()
        .filter(|pod| pod.app == crate::verify::look::SERVER && !pod.has_proxy)
        .map(|pod| pod.pod.name.as_str())
        .collect();
    if ready == 0 {
        hop(Some(false), format!("no endpoint in `{}` is ready", server.name))
    } else if without.is_empty() {
        hop(Some(true), format!("{ready} ready in `{}`", server.name))
    } else {
        hop(
            Some(false),
            format!("{} has no proxy, so other networks leave it out", without.join(", ")),
        )
    }
}
