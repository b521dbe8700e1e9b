//! Whether requests get everywhere, and as often as chance has it.

use std::collections::BTreeMap;

use super::super::chance::{ALPHA, interval};
use super::super::report::{ClientCount, Pair, Status, Traffic};
use super::hop::hops;
use super::{Verdict, View, addresses_of_pods, count};
use crate::verify::look::target;
use crate::verify::seen::{ClusterSeen, Counted, Host, Steered};

/// Where answers come from whose pod is in no cluster that was looked at.
const ELSEWHERE: &str = "elsewhere";

/// Ready endpoints by version and cluster.
type Servers = BTreeMap<String, BTreeMap<String, u32>>;

fn servers(view: &View<'_>) -> Servers {
    let mut servers = Servers::new();
    for seen in view.looked() {
        let Some(sample) = &seen.sample else { continue };
        for endpoint in sample.endpoints.iter().flatten().filter(|one| one.ready) {
            let pod = sample.pods.iter().flatten().find(|pod| pod.pod.name == endpoint.pod);
            let version = pod.and_then(|pod| pod.version.clone()).unwrap_or_default();
            *servers.entry(version).or_default().entry(seen.name.clone()).or_default() += 1;
        }
    }
    servers
}

fn ready_in(servers: &Servers, cluster: &str) -> u32 {
    servers.values().filter_map(|by| by.get(cluster)).sum()
}

/// The cluster of the pod that answered.
fn cluster_of<'a>(view: &'a View<'_>, instance: &str) -> &'a str {
    let has = |seen: &&ClusterSeen| {
        let pods = seen.sample.as_ref().and_then(|sample| sample.pods.as_ref().ok());
        pods.into_iter().flatten().any(|pod| pod.pod.name == instance)
    };
    view.looked().find(has).map_or(ELSEWHERE, |seen| &seen.name)
}

fn counted(seen: &ClusterSeen) -> Option<&Counted> {
    seen.sample.as_ref()?.traffic.as_ref()?.as_ref().ok()
}

/// Answers of one client by version and cluster.
fn answers_of(view: &View<'_>, counted: &Counted) -> Servers {
    let mut answers = Servers::new();
    for ((version, instance), number) in &counted.answers {
        let cluster = cluster_of(view, instance).to_owned();
        *answers.entry(version.clone()).or_default().entry(cluster).or_default() += number;
    }
    answers
}

/// What one client is to see of each cluster.
enum Share {
    /// This part of all answers.
    Of(f64),
    /// Something, of which no part can be said.
    Some,
    /// Nothing while what is near works.
    Far,
    /// All or nothing: the client keeps to one endpoint.
    Sticky,
}

/// The share of each cluster that one client is to see: that of the ready endpoints, unless settings
/// of locality say otherwise. Then what the client's own proxy has says it.
fn shares<'a>(
    view: &'a View<'_>,
    client: &ClusterSeen,
    servers: &'a Servers,
) -> BTreeMap<&'a str, Share> {
    let clusters = view.seen.clusters.iter().map(|seen| seen.name.as_str());
    let ready = |name: &str| f64::from(ready_in(servers, name));
    let total: f64 = view.seen.clusters.iter().map(|seen| ready(&seen.name)).sum();
    let is_whole = view.seen.left_out.is_empty()
        && view.seen.clusters.iter().all(|seen| seen.lost.is_none())
        && view.looked().filter_map(|seen| seen.sample.as_ref()).all(|one| one.endpoints.is_ok());
    let sample = client.sample.as_ref();
    let hosts = sample.and_then(|sample| sample.proxy.as_ref().ok()?.hosts.as_ref().ok());
    let hosts: Vec<&Host> = hosts.into_iter().flatten().collect();
    let by_priority = hosts.iter().any(|host| host.priority > 0);
    let steered = sample.and_then(|sample| sample.steered.as_ref());
    let is_set = steered.is_some();
    let is_sticky = steered.is_some_and(|steered| steered.sticky);
    let mut shares = BTreeMap::new();
    for name in clusters {
        if ready(name) <= 0.0 {
            continue;
        }
        // settings that send all to what is near leave no endpoint of what is far
        let is_moved = by_priority || (is_set && !hosts.is_empty());
        let share = if is_sticky {
            Share::Sticky
        } else if is_moved && !is_near(view, &hosts, name) {
            Share::Far
        } else if by_priority || is_set || !is_whole {
            Share::Some
        } else {
            Share::Of(ready(name) / total)
        };
        shares.insert(name, share);
    }
    shares
}

/// Whether any endpoint that a proxy uses first leads to a cluster.
fn is_near(view: &View<'_>, hosts: &[&Host], cluster: &str) -> bool {
    let Some(seen) = view.cluster(cluster) else { return false };
    let pods = addresses_of_pods(seen);
    let gateways = view.gateways_of(&seen.network);
    hosts.iter().filter(|host| host.priority == 0).any(|host| {
        pods.contains(&host.address) || gateways.contains(&(host.address.clone(), host.port))
    })
}

/// What was counted, and the verdict of each pair.
pub fn traffic(view: &View<'_>) -> Option<Traffic> {
    let namespace = view.looked().find_map(|seen| Some(&seen.sample.as_ref()?.namespace))?;
    let servers = servers(view);
    let mut clients = Vec::new();
    let mut pairs = Vec::new();
    let mut requests = 0;
    let all = view.looked().count() * view.looked().count();
    for seen in view.looked() {
        let Some(counted) = counted(seen) else {
            for other in view.looked() {
                let (from, to) = (seen.name.clone(), other.name.clone());
                pairs.push(Pair { from, to, status: Status::NotLooked, ..Pair::default() });
            }
            continue;
        };
        requests = requests.max(counted.sent);
        let answers = answers_of(view, counted);
        let answered: u32 = counted.answers.values().sum();
        let shares = shares(view, seen, &servers);
        for other in view.looked() {
            pairs.push(pair(
                &seen.name,
                &other.name,
                &Count {
                    seen: ready_in(&answers, &other.name),
                    answered,
                    sent: counted.sent,
                    share: shares.get(other.name.as_str()),
                    pairs: all,
                },
            ));
        }
        let proxy = seen.sample.as_ref().and_then(|sample| sample.proxy.as_ref().ok());
        clients.push(ClientCount {
            cluster: seen.name.clone(),
            pod: proxy.map(|proxy| proxy.pod.clone()).unwrap_or_default(),
            answers,
            failures: counted.failures.clone(),
            oldest_seconds: proxy.and_then(|proxy| proxy.uptime),
            opened: counted.opened,
        });
    }
    Some(Traffic {
        target: format!("{}/hello", target(namespace)),
        requests,
        fresh: view.fresh,
        servers,
        clients,
        pairs,
    })
}

struct Count<'a> {
    seen: u32,
    answered: u32,
    sent: u32,
    share: Option<&'a Share>,
    pairs: usize,
}

fn pair(from: &str, to: &str, count: &Count<'_>) -> Pair {
    #[expect(clippy::cast_precision_loss, reason = "a number of pairs of clusters")]
    let alpha = ALPHA / count.pairs.max(1) as f64;
    let expected = match count.share {
        Some(Share::Of(share)) => Some(interval(count.answered, *share, alpha)),
        _ => None,
    };
    // of all that were sent, chance would have led some there
    let chance = match count.share {
        Some(Share::Of(share)) => interval(count.sent, *share, alpha).0 == 0,
        _ => false,
    };
    let status = match (count.share, count.seen) {
        (None | Some(Share::Far | Share::Sticky), 0) => Status::Skipped,
        (_, 0) if chance => Status::NotLooked,
        (_, 0) => Status::Failed,
        _ => Status::Passed,
    };
    Pair { from: from.to_owned(), to: to.to_owned(), status, seen: count.seen, expected }
}

fn no_sample() -> Verdict {
    Verdict::skip("the tree has no sample")
}

pub fn answers(view: &View<'_>) -> Verdict {
    if view.looked().all(|seen| seen.sample.is_none()) {
        return no_sample();
    }
    let mut verdict = Verdict::default();
    let mut answered = 0;
    for seen in view.looked() {
        let (name, Some(sample)) = (&seen.name, &seen.sample) else { continue };
        let Some(Some(counted)) = sample.traffic.as_ref().map(|look| verdict.take(name, look))
        else {
            continue;
        };
        answered += counted.answers.values().sum::<u32>() as usize;
        let failed: u32 = counted.failures.values().sum();
        if failed == 0 {
            continue;
        }
        let sent = counted.sent;
        let finding = verdict.failed(name, format!("{failed} of {sent} requests failed"));
        for (said, number) in counted.failures.iter().take(4) {
            finding.evidence.push(format!("{number} times: {said}"));
        }
        // pairs that are lost altogether have their hops with them
        if !loses(view, name) {
            finding.evidence.extend(which_failed(view, seen));
        }
    }
    verdict.summary = format!("{} answered", count(answered, "request"));
    verdict
}

/// Whether a client gets no answer from some cluster.
fn loses(view: &View<'_>, cluster: &str) -> bool {
    let mut pairs = view.traffic().into_iter().flat_map(|traffic| &traffic.pairs);
    pairs.any(|pair| pair.from == cluster && pair.status == Status::Failed)
}

/// The endpoints that connections failed to, as the client's proxy counts them.
fn which_failed(view: &View<'_>, seen: &ClusterSeen) -> Vec<String> {
    let sample = seen.sample.as_ref();
    let hosts = sample.and_then(|sample| sample.proxy.as_ref().ok()?.hosts.as_ref().ok());
    let failing = hosts.into_iter().flatten().filter(|host| host.failed > 0);
    failing
        .map(|host| {
            let of = view.gateways_at(&host.address, host.port).join(" and ");
            let of = if of.is_empty() { String::new() } else { format!(" ({of})") };
            let (address, port, failed) = (&host.address, host.port, host.failed);
            format!("{address}:{port}{of}: {failed} connections failed since the proxy started")
        })
        .collect()
}

pub fn versions(view: &View<'_>) -> Verdict {
    if view.looked().all(|seen| seen.sample.is_none()) {
        return no_sample();
    }
    let mut verdict = Verdict::default();
    let servers = servers(view);
    for seen in view.looked() {
        let Some(sample) = &seen.sample else { continue };
        if verdict.take(&seen.name, &sample.endpoints).is_none() {
            continue;
        }
        for version in &sample.versions {
            let here = servers.get(version).and_then(|by| by.get(&seen.name));
            if here.is_none() && sample.endpoints.is_ok() {
                let finding =
                    verdict.failed(&seen.name, format!("{version} has no ready endpoint here"));
                let pods = sample.pods.iter().flatten();
                let pods = pods.filter(|pod| pod.version.as_ref() == Some(version));
                finding.evidence.extend(pods.map(|pod| {
                    let trouble = pod.trouble.clone();
                    let state = trouble.unwrap_or_else(|| {
                        if pod.ready { "ready" } else { "not ready" }.to_owned()
                    });
                    format!("pod {}: {state}", pod.pod.name)
                }));
            }
        }
        if let Some(Err(why)) = &sample.traffic {
            verdict.not_looked(&seen.name, why.clone());
        }
    }
    let Some(traffic) = view.traffic() else { return verdict };
    let mut reached = 0;
    for pair in &traffic.pairs {
        // nothing where the client could not be asked
        let sent = view.cluster(&pair.from).and_then(counted).map(|counted| counted.sent);
        match (pair.status, sent) {
            (Status::Passed, _) => reached += 1,
            (Status::Failed, Some(sent)) => {
                let versions = of_cluster(&servers, &pair.to);
                let finding = verdict.failed(
                    &pair.from,
                    format!("no answer from `{}` ({versions}) in {sent} requests", pair.to),
                );
                finding.evidence = hops(view, &pair.from, &pair.to);
            }
            (Status::NotLooked, Some(sent)) => {
                verdict.not_looked(
                    &pair.from,
                    format!(
                        "no answer from `{}`, and {sent} requests are too few to tell",
                        pair.to
                    ),
                );
            }
            _ => {}
        }
    }
    let far = traffic.pairs.iter().filter(|pair| pair.status == Status::Skipped).count();
    verdict.summary = format!("{} reached", count(reached, "pair"));
    if far > 0 {
        verdict.summary.push_str(&format!(", {} not expected to be", count(far, "pair")));
    }
    verdict
}

fn of_cluster(servers: &Servers, cluster: &str) -> String {
    let versions = servers.iter().filter(|(_, by)| by.contains_key(cluster));
    versions.map(|(version, _)| version.as_str()).collect::<Vec<_>>().join(", ")
}

pub fn share(view: &View<'_>) -> Verdict {
    if view.looked().all(|seen| seen.sample.is_none()) {
        return no_sample();
    }
    let mut verdict = Verdict::default();
    let mut compared = 0;
    for pair in view.traffic().into_iter().flat_map(|traffic| &traffic.pairs) {
        let Some((least, most)) = pair.expected else { continue };
        // what one cluster does not get, the others have too much of
        if loses(view, &pair.from) {
            continue;
        }
        compared += 1;
        if pair.seen < least || pair.seen > most {
            let Pair { from, to, seen, .. } = pair;
            verdict.failed(
                from,
                format!("{seen} answers from `{to}`, and chance gives {least} to {most}"),
            );
        }
    }
    for seen in view.looked() {
        let why = seen.sample.as_ref().and_then(|sample| sample.steered.as_ref());
        if let (Some(Steered { by, .. }), true) = (why, compared == 0) {
            return Verdict::skip(&format!("{by} sets shares of its own"));
        }
    }
    if compared == 0 {
        return Verdict::skip("no client of which a share can be said");
    }
    verdict.summary = format!("{} within what chance explains", count(compared, "pair"));
    verdict
}
