//! The verdict: a function of what was seen. Nothing here asks anybody.

mod certificates;
mod configuration;
mod control_plane;
mod discovery;
mod hop;
mod infrastructure;
mod traffic;
mod workloads;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::check::CHECKS;
use super::look::Wish;
use super::report::{CheckResult, ClusterRow, Finding, Report, Status, Traffic};
use super::seen::{ClusterSeen, IstiodSeen, Look, Seen};
use crate::cluster::Mesh;
use crate::pki::Certificate;

/// What a verdict is made from.
pub struct View<'a> {
    /// The clusters of the run, and what the tree says of them.
    pub mesh: &'a Mesh,
    /// What was seen.
    pub seen: &'a Seen,
    /// Whether the client pods were made anew.
    pub fresh: bool,
    /// What was counted, once it was worked out.
    counted: OnceCell<Option<Traffic>>,
}

impl<'a> View<'a> {
    /// What was seen of the clusters of a run.
    pub fn new(mesh: &'a Mesh, seen: &'a Seen, fresh: bool) -> Self {
        Self { mesh, seen, fresh, counted: OnceCell::new() }
    }
}

impl View<'_> {
    /// What was counted of the traffic, and the verdict of each pair.
    fn traffic(&self) -> Option<&Traffic> {
        self.counted.get_or_init(|| traffic::traffic(self)).as_ref()
    }

    /// The clusters that could be looked at.
    fn looked(&self) -> impl Iterator<Item = &ClusterSeen> {
        self.seen.clusters.iter().filter(|seen| seen.lost.is_none())
    }

    /// What was seen of a cluster.
    fn cluster(&self, name: &str) -> Option<&ClusterSeen> {
        self.seen.clusters.iter().find(|seen| seen.name == name)
    }

    /// The network of each cluster of the tree.
    fn network(&self, name: &str) -> Option<&str> {
        let row = self.mesh.index.clusters.iter().find(|row| row.name == name)?;
        Some(&row.network)
    }

    /// The root of the tree: the same in every cluster that has one.
    fn root(&self) -> Option<&Certificate> {
        self.mesh.members.iter().find_map(|member| member.claim.root.as_ref())
    }

    /// Whether no gateway stands between clusters of the tree.
    fn is_one_network(&self) -> bool {
        let mut networks = self.mesh.index.clusters.iter().map(|row| &row.network);
        let first = networks.next();
        networks.all(|network| Some(network) == first)
    }

    /// The addresses and ports of a network's gateways.
    fn gateways_of(&self, network: &str) -> BTreeSet<(String, u16)> {
        let gateways = self.looked().filter_map(|seen| seen.gateways.as_ref().ok()).flatten();
        let of_network = gateways.filter(|gateway| gateway.network == network);
        of_network
            .flat_map(|gateway| {
                gateway.addresses.iter().map(|address| (address.clone(), gateway.port))
            })
            .collect()
    }

    /// Whose gateways stand at an address: `Service istio-system/istio-eastwestgateway in c2`.
    fn gateways_at(&self, address: &str, port: u16) -> Vec<String> {
        let mut found = Vec::new();
        for seen in self.looked() {
            for gateway in seen.gateways.iter().flatten() {
                let is_it = gateway.addresses.iter().any(|own| own == address);
                if gateway.port == port && is_it {
                    found.push(format!("Service {} in {}", gateway.name, seen.name));
                }
            }
        }
        found
    }

    /// Networks in which clusters stand and no gateway, each with the first of its clusters.
    fn networks_without_gateway(&self) -> BTreeMap<String, String> {
        let gateways = self.looked().filter_map(|seen| seen.gateways.as_ref().ok()).flatten();
        let with: BTreeSet<&str> = gateways.map(|gateway| gateway.network.as_str()).collect();
        let mut without = BTreeMap::new();
        for seen in self.looked().filter(|seen| !with.contains(seen.network.as_str())) {
            // a cluster of the network that was left out may have it
            let network = &seen.network;
            let is_out = self.seen.left_out.iter().any(|name| self.network(name) == Some(network));
            let is_lost = self.seen.clusters.iter().any(|other| {
                other.network == *network && (other.lost.is_some() || other.gateways.is_err())
            });
            if !is_out && !is_lost {
                without.entry(network.clone()).or_insert_with(|| seen.name.clone());
            }
        }
        without
    }

    /// What a client's requests said of TLS.
    fn tls_faults(&self, cluster: &str) -> Option<String> {
        let traffic = self.cluster(cluster)?.sample.as_ref()?.traffic.as_ref()?;
        let failures = traffic.as_ref().ok()?.failures.keys();
        failures.clone().find(|said| said.contains("TLS_error")).cloned()
    }

    fn now(&self) -> OffsetDateTime {
        self.mesh.now
    }
}

/// What a check found, before its status is taken from it.
#[derive(Default)]
struct Verdict {
    summary: String,
    findings: Vec<Finding>,
    skipped: bool,
}

impl Verdict {
    /// A check that the mesh has nothing for.
    fn skip(why: &str) -> Self {
        Self { summary: why.to_owned(), skipped: true, ..Self::default() }
    }

    fn add(&mut self, status: Status, cluster: &str, message: String) -> &mut Finding {
        self.findings.push(Finding {
            cluster: Some(cluster.to_owned()),
            status,
            message,
            ..Finding::default()
        });
        self.findings.last_mut().expect("one was added")
    }

    fn failed(&mut self, cluster: &str, message: String) -> &mut Finding {
        self.add(Status::Failed, cluster, message)
    }

    fn warning(&mut self, cluster: &str, message: String) -> &mut Finding {
        self.add(Status::Warning, cluster, message)
    }

    fn not_looked(&mut self, cluster: &str, message: String) -> &mut Finding {
        self.add(Status::NotLooked, cluster, message)
    }

    /// What a look gave; a finding where there was none.
    fn take<'a, T>(&mut self, cluster: &str, look: &'a Look<T>) -> Option<&'a T> {
        match look {
            Ok(value) => Some(value),
            Err(why) => {
                self.not_looked(cluster, why.clone());
                None
            }
        }
    }

    /// The pods of istiod; a finding where none was asked.
    fn istiods<'a>(&mut self, seen: &'a ClusterSeen) -> Option<&'a Vec<IstiodSeen>> {
        let istiods = self.take(&seen.name, &seen.istiods)?;
        if istiods.is_empty() {
            self.not_looked(&seen.name, "no pod of istiod runs".to_owned());
        }
        Some(istiods)
    }

    fn result(self, id: &str) -> CheckResult {
        let worst = self.findings.iter().map(|finding| finding.status).max();
        let status = if self.skipped { Status::Skipped } else { worst.unwrap_or(Status::Passed) };
        CheckResult { id: id.to_owned(), status, summary: self.summary, findings: self.findings }
    }
}

/// How a check comes to its verdict.
type Judge = fn(&View<'_>) -> Verdict;

const JUDGES: &[(&str, Judge)] = &[
    ("configuration.clusters", configuration::clusters),
    ("configuration.objects", configuration::objects),
    ("configuration.ready", configuration::ready),
    ("configuration.network", configuration::network),
    ("configuration.expose", configuration::expose),
    ("infrastructure.addresses", infrastructure::addresses),
    ("infrastructure.port", infrastructure::port),
    ("certificates.root", certificates::root),
    ("certificates.handed-out", certificates::handed_out),
    ("certificates.used", certificates::used),
    ("certificates.proxies", certificates::proxies),
    ("certificates.expiry", certificates::expiry),
    ("control-plane.istiod", control_plane::istiod),
    ("control-plane.injector", control_plane::injector),
    ("control-plane.webhook-ca", control_plane::webhook_ca),
    ("control-plane.validator", control_plane::validator),
    ("control-plane.version", control_plane::version),
    ("control-plane.proxies", control_plane::proxies),
    ("discovery.clusters", discovery::clusters),
    ("discovery.tokens", discovery::tokens),
    ("discovery.networks", discovery::networks),
    ("workloads.ready", workloads::ready),
    ("workloads.sidecar", workloads::sidecar),
    ("traffic.answers", traffic::answers),
    ("traffic.versions", traffic::versions),
    ("traffic.share", traffic::share),
];

/// Judges what was seen. `label` and `tree` say which tree the mesh is held against.
pub fn judge(view: &View<'_>, wish: &Wish, label: &str, tree: &str) -> Report {
    let judges: BTreeMap<&str, Judge> = JUDGES.iter().copied().collect();
    let check = |check: &super::check::Check| {
        let judge = judges.get(check.id).expect("every check has its judge");
        // that the clusters are the right ones is what all else stands on
        let wished = wish.checks.contains(check.id) || check.id == CHECKS[0].id;
        let is_dark = view.looked().next().is_none() && check.id != CHECKS[0].id;
        match (wished, is_dark) {
            (false, _) => Verdict::skip("not asked for").result(check.id),
            (true, true) => CheckResult {
                status: Status::NotLooked,
                ..Verdict::skip("no cluster could be looked at").result(check.id)
            },
            (true, false) => judge(view).result(check.id),
        }
    };
    let row =
        |seen: &ClusterSeen| ClusterRow { name: seen.name.clone(), network: seen.network.clone() };
    Report {
        mesh: view.mesh.index.mesh.clone(),
        label: label.to_owned(),
        tree: tree.to_owned(),
        at: rfc3339(view.now()),
        clusters: view.seen.clusters.iter().map(row).collect(),
        left_out: view.seen.left_out.iter().cloned().collect(),
        checks: CHECKS.iter().map(check).collect(),
        traffic: view.traffic().filter(|_| wish.has("traffic")).cloned(),
    }
}

fn rfc3339(at: OffsetDateTime) -> String {
    let format = time::format_description::well_known::Rfc3339;
    let at = at.replace_nanosecond(0).expect("0 is a nanosecond");
    at.format(&format).expect("a time of this era can be written")
}

/// The addresses of a cluster's endpoints of the sample.
fn addresses_of_pods(seen: &ClusterSeen) -> BTreeSet<String> {
    let endpoints = seen.sample.as_ref().and_then(|sample| sample.endpoints.as_ref().ok());
    endpoints.into_iter().flatten().map(|endpoint| endpoint.address.clone()).collect()
}

/// `1 cluster`, `2 clusters`.
fn count(number: usize, what: &str) -> String {
    count_of(number, what, &format!("{what}s"))
}

/// `1 proxy`, `2 proxies`.
fn count_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The first characters of a fingerprint, enough to tell two apart.
fn short(certificate: &Certificate) -> String {
    certificate.info().fingerprint.chars().take(23).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_judge() {
        let checks: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        let judges: Vec<&str> = JUDGES.iter().map(|(id, _)| *id).collect();
        assert_eq!(checks, judges);
    }
}
