//! Looking at all clusters of a mesh at the same time.
//!
//! What is asked grows with the clusters. Only the gateways' ports and the requests of the traffic
//! are about pairs, and those are asked by one command a client.

mod client;
mod control_plane;
mod field;
mod gateway;
mod port;
mod sample;
mod token;
mod traffic;

pub use control_plane::{decode, is_ready};
pub use sample::{CLIENT, SERVER, namespace as sample_namespace};
pub use traffic::target;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::chance::{ALPHA, enough};
use super::seen::{ClusterSeen, Lost, Seen};
use crate::cluster::{Mesh, Surveyed, check_stranger, each, survey};
use crate::store::Digest;

/// What is to be found out.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Ids of the checks.
    pub checks: BTreeSet<&'static str>,
    /// Requests of each client; without a number as many as it takes, and at least 100.
    pub requests: Option<u32>,
}

/// The least number of requests where nobody says another.
const REQUESTS: u32 = 100;
/// The most that are made of them, however many clusters there are.
const MOST_REQUESTS: u32 = 5000;

impl Wish {
    /// Whether any check of a group, or this check, is wished for.
    pub fn has(&self, of: &str) -> bool {
        self.checks
            .iter()
            .any(|id| *id == of || id.strip_prefix(of).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Whether a failure of traffic is to be explained.
    fn traffic(&self) -> bool {
        self.has("traffic")
    }
}

/// Looks at the clusters of a run. `lost` are those that could not be connected to.
pub async fn look(mesh: &Arc<Mesh>, tree: Digest, lost: &[(String, Lost)], wish: &Wish) -> Seen {
    let survey = survey(mesh).await;
    let wish = Arc::new(wish.clone());
    let mut fields = field::fields(mesh, &survey, tree);
    let tokens = async {
        if wish.has("discovery") { token::tokens(mesh, &survey).await } else { BTreeMap::new() }
    };
    let tokens = tokens.await;
    let mut found = each(survey.into_iter().enumerate(), |(at, surveyed)| {
        let (mesh, wish) = (mesh.clone(), wish.clone());
        async move { Box::pin(cluster(&mesh, at, surveyed, &wish)).await }
    })
    .await;
    for ((cluster, object), lines) in std::mem::take(&mut fields) {
        if let Some(seen) = found.iter_mut().find(|seen| seen.name == cluster) {
            seen.fields.insert(object, lines);
        }
    }
    let named: Vec<String> = mesh.members.iter().map(|member| member.name.clone()).collect();
    if wish.has("infrastructure.port") || wish.traffic() {
        let targets = Arc::new(gateway::targets(&found));
        let requests = wish.requests.unwrap_or_else(|| requests(&found));
        let clients = each(found.into_iter().enumerate(), |(at, mut seen)| {
            let (mesh, wish, targets) = (mesh.clone(), wish.clone(), targets.clone());
            async move {
                let client = mesh.members[at].client();
                port::ports(client, &mut seen, &targets).await;
                if wish.traffic() {
                    traffic::traffic(client, &mut seen, requests).await;
                }
                seen
            }
        });
        found = clients.await;
    }
    for (name, lost) in lost {
        let row = mesh.index.clusters.iter().find(|row| row.name == *name);
        let network = row.map(|row| row.network.as_str()).unwrap_or_default();
        let mut seen = ClusterSeen::new(name, network);
        seen.lost = Some(lost.clone());
        found.push(seen);
    }
    let place: BTreeMap<&str, usize> =
        mesh.clusters.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    found.sort_by_key(|seen| place.get(seen.name.as_str()).copied());
    let is_seen = |name: &String| named.contains(name) || lost.iter().any(|(lost, _)| lost == name);
    let left_out = mesh.clusters.iter().filter(|name| !is_seen(name)).cloned().collect();
    Seen { clusters: found, left_out, tokens }
}

async fn cluster(
    mesh: &Arc<Mesh>,
    at: usize,
    surveyed: Result<Surveyed, String>,
    wish: &Wish,
) -> ClusterSeen {
    let member = &mesh.members[at];
    let mut seen = ClusterSeen::new(&member.name, &member.network);
    let surveyed = match surveyed {
        Ok(surveyed) => surveyed,
        Err(why) => {
            seen.lost = Some(Lost { why, hint: None, stranger: false });
            return seen;
        }
    };
    let trusted = &member.connection.authority;
    if let Some((why, hint)) = check_stranger(&member.claim, &surveyed.records, trusted, false) {
        // nothing more is asked of a cluster that is not ours
        seen.lost = Some(Lost { why, hint: Some(hint), stranger: true });
        return seen;
    }
    let client = member.client();
    let gateways = wish.has("infrastructure")
        || wish.has("discovery.networks")
        || wish.has("configuration.expose")
        || wish.traffic();
    let sample = wish.has("workloads")
        || wish.has("infrastructure.port")
        || wish.has("certificates.proxies")
        || wish.has("certificates.expiry")
        || wish.traffic();
    let (gateways, control, sample) = tokio::join!(
        async { if gateways { Some(gateway::gateways(client).await) } else { None } },
        control_plane::control_plane(client, member, wish),
        async { if sample { sample::sample(client, member, wish).await } else { None } },
    );
    if let Some((services, exposures)) = gateways {
        (seen.gateways, seen.exposures) = (services, exposures);
    }
    control.put(&mut seen);
    seen.sample = sample;
    seen.pending = member.wanted.pending.keys().cloned().collect();
    seen.surveyed = Some(surveyed);
    seen
}

/// How many requests it takes until chance cannot hide a server, a client.
fn requests(found: &[ClusterSeen]) -> u32 {
    let mut ready: Vec<usize> = Vec::new();
    for seen in found {
        let endpoints = seen.sample.as_ref().and_then(|sample| sample.endpoints.as_ref().ok());
        let count = endpoints.map_or(0, |all| all.iter().filter(|one| one.ready).count());
        ready.extend(Some(count).filter(|count| *count > 0));
    }
    let (all, least) = (ready.iter().sum::<usize>(), ready.iter().min().copied());
    let Some(least) = least else { return REQUESTS };
    let pairs = (found.len() * ready.len()).max(1);
    #[expect(clippy::cast_precision_loss, reason = "counts of pods")]
    // of what chance explains, half lies on the side where there is too little
    let needed = enough(least as f64 / all as f64, ALPHA / pairs as f64 / 2.0);
    needed.clamp(REQUESTS, MOST_REQUESTS)
}
