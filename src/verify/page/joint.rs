//! What joins clusters, in words: for the table beside the picture, and for those who do not see it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::judge;
use super::model::{Cluster, Page};
use crate::verify::write::count;

/// Up to this many clusters the picture's description names each.
const NAMED: usize = 12;

/// A cluster, and what it is joined by.
#[derive(Debug, Serialize)]
pub struct Joint {
    name: String,
    region: String,
    network: String,
    istio: String,
    context: String,
    gateway: String,
    reads: String,
    read_by: String,
}

impl Joint {
    /// A row a cluster.
    pub fn all(page: &Page) -> Vec<Self> {
        let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for cluster in &page.clusters {
            for read in cluster.reads.iter().filter(|read| read.needs.is_empty()) {
                readers.entry(&read.cluster).or_default().push(&cluster.name);
            }
        }
        let of = |cluster: &Cluster| {
            let own = readers.get(&cluster.name[..]).map(Vec::as_slice).unwrap_or_default();
            Self::of(page, cluster, own)
        };
        page.clusters.iter().map(of).collect()
    }

    fn of(page: &Page, cluster: &Cluster, readers: &[&str]) -> Self {
        let peers = page.clusters.len().saturating_sub(1);
        let (here, waiting): (Vec<_>, Vec<_>) =
            cluster.reads.iter().partition(|read| read.needs.is_empty());
        let names: Vec<&str> = here.iter().map(|read| read.cluster.as_str()).collect();
        let mut reads: Vec<String> = Vec::new();
        if !names.is_empty() || waiting.is_empty() {
            reads.push(listed(&names, peers));
        }
        reads.extend(
            waiting
                .into_iter()
                .map(|read| format!("{} once {} is known", read.cluster, read.needs.join(", "))),
        );
        let addresses = cluster.addresses();
        let gateway = match (cluster.has_gateway, addresses.is_empty()) {
            (false, true) => "none".to_owned(),
            (_, false) => addresses.join(", "),
            (true, true) if cluster.seen().is_some_and(|state| !state.gateways.is_empty()) => {
                "no address yet".to_owned()
            }
            (true, true) => "address not known".to_owned(),
        };
        Self {
            name: cluster.name.clone(),
            region: cluster.region.clone().unwrap_or_default(),
            network: cluster.network.clone(),
            istio: cluster.istio.clone().unwrap_or_default(),
            context: cluster.context.clone(),
            gateway,
            reads: reads.join("; "),
            read_by: listed(readers, peers),
        }
    }
}

/// Names; all peers of a large mesh as a number.
fn listed(names: &[&str], peers: usize) -> String {
    match names.len() {
        0 => "nobody".to_owned(),
        all if all == peers && peers > 3 => format!("all {peers} others"),
        _ => names.join(", "),
    }
}

/// `2 networks, 2 regions`.
pub fn extent(page: &Page) -> String {
    let mut regions: Vec<&str> =
        page.clusters.iter().filter_map(|one| one.region.as_deref()).collect();
    regions.sort_unstable();
    regions.dedup();
    let mut text = count(page.networks().len(), "network");
    if !regions.is_empty() {
        text.push_str(&format!(", {}", count(regions.len(), "region")));
    }
    text
}

/// How clusters reach each other, in two sentences.
pub fn summary(page: &Page) -> String {
    let clusters = page.clusters.len();
    let networks = page.networks().len();
    if clusters < 2 {
        return "One cluster: it has no peers, and needs no gateway.".to_owned();
    }
    let complete = page.clusters.iter().all(|one| {
        let read = one.reads.iter().filter(|read| read.needs.is_empty());
        read.count() + 1 == clusters
    });
    let reads = if complete && clusters == 2 {
        "The istiod of each reads the API server of the other."
    } else if complete {
        "The istiod of each cluster reads the API servers of all others."
    } else {
        "Not every istiod gets to read every other API server: remote secrets are missing."
    };
    let way = match networks {
        1 => "All share one network, so pods reach each other without a gateway.".to_owned(),
        _ if networks == clusters => {
            "Each is a network of its own, reached through its gateway.".to_owned()
        }
        _ => format!("They form {networks} networks, each reached through its gateway."),
    };
    format!("{way} {reads}")
}

/// The picture in words, for those who do not see it; the table beside it has all of it.
pub fn description(page: &Page) -> String {
    let mut text = format!("{} in {}.", count(page.clusters.len(), "cluster"), extent(page));
    if page.clusters.len() > NAMED {
        text.push_str(" The table below names each.");
        return text;
    }
    for cluster in &page.clusters {
        let region = cluster.region.as_ref().map(|region| format!(", region {region}"));
        let words = judge::cluster(page, cluster).words;
        let region = region.unwrap_or_default();
        text.push_str(&format!(" {}: network {}{region}, {words}.", cluster.name, cluster.network));
    }
    text
}
