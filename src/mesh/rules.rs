//! Rules across clusters, and what makes a mesh fail silently later.

use ipnet::IpNet;
use serde_json::Value;

use super::cidr;
use super::resolve::group_by;
use super::version::{self, Minor};
use super::{Cluster, Mesh};
use crate::diag::{
    Diagnostic, Diagnostics, Rule, Span, cluster_rules, network_rules, version_rules,
};
use crate::spec::model::Provider;
use crate::spec::{Spec, SpecCluster};

/// Asks every rule that needs the mesh alone.
pub(super) fn check(spec: &Spec, mesh: &Mesh, diagnostics: &mut Diagnostics) {
    let mut rules = Rules { spec, mesh, diagnostics };
    rules.some_cluster();
    rules.contexts();
    rules.one_value(
        &cluster_rules::MESH_ID,
        "mesh ID",
        |cluster| {
            let own = cluster.settings.istio.mesh_id.clone();
            own.unwrap_or_else(|| mesh.name.clone())
        },
        &["istio", "meshID"],
    );
    rules.one_value(
        &cluster_rules::TRUST_DOMAIN,
        "trust domain",
        |cluster| cluster.settings.trust_domain().to_owned(),
        &["istio", "trustDomain"],
    );
    for cluster in &mesh.clusters {
        rules.free_form(cluster);
        rules.in_cluster(cluster);
        rules.versions(cluster);
    }
    rules.spread();
    rules.in_networks();
    rules.peered();
    rules.across_networks();
    rules.gateways();
}

struct Rules<'a> {
    spec: &'a Spec,
    mesh: &'a Mesh,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Rules<'a> {
    fn spec_cluster(&self, cluster: &Cluster) -> &'a SpecCluster {
        &self.spec.clusters[cluster.index]
    }

    fn name_place(&self, cluster: &Cluster) -> Option<Span> {
        self.spec.cluster_place(cluster.name.as_str())
    }

    fn key_place(&self, cluster: &Cluster, key: &str) -> Option<Span> {
        self.spec
            .place(&["clusters", cluster.name.as_str(), key])
            .or_else(|| self.name_place(cluster))
    }

    fn setting_place(&self, cluster: &Cluster, path: &[&str]) -> Option<Span> {
        self.spec.setting_place(self.spec_cluster(cluster), path)
    }

    fn some_cluster(&mut self) {
        let all_understood = self.mesh.clusters.len() == self.spec.clusters.len();
        if self.mesh.enabled().next().is_none() && all_understood {
            let message = if self.spec.clusters.is_empty() {
                "the mesh has no cluster"
            } else {
                "no cluster of the mesh is enabled"
            };
            self.diagnostics.push(
                Diagnostic::new(&cluster_rules::NONE, message)
                    .at_maybe(self.spec.place(&["clusters"]), ""),
            );
        }
    }

    fn contexts(&mut self) {
        for (context, clusters) in group_by(self.mesh.enabled(), |cluster| cluster.context.as_str())
        {
            let [first, second, ..] = clusters.as_slice() else {
                continue;
            };
            let message = format!(
                "`{}` and `{}` have one kubeconfig context, `{context}`",
                first.name, second.name
            );
            let diagnostic = Diagnostic::new(&cluster_rules::CONTEXT, message)
                .at_maybe(self.key_place(second, "context"), format!("`{}`", second.name))
                .at_maybe(self.key_place(first, "context"), format!("`{}`", first.name))
                .of_cluster(second.name.as_str());
            self.diagnostics.push(diagnostic);
        }
    }

    /// What all enabled clusters must have in common.
    fn one_value(
        &mut self,
        rule: &'static Rule,
        what: &str,
        value: impl Fn(&Cluster) -> String,
        path: &[&str],
    ) {
        let mut clusters = self.mesh.enabled();
        let Some(first) = clusters.next() else { return };
        let wanted = value(first);
        let others: Vec<_> = clusters.filter(|cluster| value(cluster) != wanted).collect();
        for other in others {
            let message = format!(
                "`{}` has the {what} `{}`, but `{}` has `{wanted}`",
                other.name,
                value(other),
                first.name
            );
            let place = |cluster: &Cluster| {
                self.setting_place(cluster, path).or_else(|| self.name_place(cluster))
            };
            let diagnostic = Diagnostic::new(rule, message)
                .at_maybe(place(other), format!("`{}`", other.name))
                .at_maybe(place(first), format!("`{}`", first.name))
                .of_cluster(other.name.as_str());
            self.diagnostics.push(diagnostic);
        }
    }

    /// Free-form settings that would tear apart what meshgen keeps equal.
    fn free_form(&mut self, cluster: &Cluster) {
        let name = cluster.name.as_str();
        let network = cluster.network.as_str();
        let cases: [(&[&str], &str, &'static Rule); 3] = [
            (&["global", "multiCluster", "clusterName"], name, &cluster_rules::CLUSTER_NAME),
            (&["global", "network"], network, &cluster_rules::NETWORK_VALUE),
            (
                &["global", "istioNamespace"],
                super::ISTIO_NAMESPACE,
                &cluster_rules::ISTIO_NAMESPACE,
            ),
        ];
        for (path, wanted, rule) in cases {
            let Some(value) = cluster.settings.istio_value(path) else {
                continue;
            };
            if value.as_str() == Some(wanted) {
                continue;
            }
            let path: Vec<&str> = ["istio", "values"].iter().chain(path).copied().collect();
            let message = format!(
                "`{}` of `{name}` is {}, but must be `{wanted}`",
                path[1..].join("."),
                shown(value)
            );
            let diagnostic = Diagnostic::new(rule, message)
                .at_maybe(self.setting_place(cluster, &path), "")
                .hint("leave it out: meshgen sets it")
                .of_cluster(name);
            self.diagnostics.push(diagnostic);
        }
        self.mesh_id_value(cluster);
        self.network_labels(cluster);
    }

    fn mesh_id_value(&mut self, cluster: &Cluster) {
        let Some(value) = cluster.settings.istio_value(&["global", "meshID"]) else {
            return;
        };
        let wanted = cluster.settings.istio.mesh_id.as_deref().unwrap_or(&self.mesh.name);
        if value.as_str() == Some(wanted) {
            return;
        }
        let message = format!(
            "`values.global.meshID` of `{}` is {}, but the mesh ID is `{wanted}`",
            cluster.name,
            shown(value)
        );
        let path = ["istio", "values", "global", "meshID"];
        let diagnostic = Diagnostic::new(&cluster_rules::MESH_ID, message)
            .at_maybe(self.setting_place(cluster, &path), "")
            .hint("set `istio.meshID` instead")
            .of_cluster(cluster.name.as_str());
        self.diagnostics.push(diagnostic);
    }

    fn network_labels(&mut self, cluster: &Cluster) {
        const LABEL: &str = "topology.istio.io/network";
        let components = &cluster.settings.istio.components;
        for key in ["ingressGateways", "egressGateways"] {
            for gateway in components.get(key).and_then(Value::as_array).into_iter().flatten() {
                let label = gateway.get("label").and_then(|labels| labels.get(LABEL));
                let Some(label) = label.filter(|l| l.as_str() != Some(cluster.network.as_str()))
                else {
                    continue;
                };
                let gateway = gateway.get("name").and_then(Value::as_str).unwrap_or("a gateway");
                let message = format!(
                    "`{gateway}` of `{}` is labelled for the network {}, but the cluster is on `{}`",
                    cluster.name,
                    shown(label),
                    cluster.network
                );
                let path = ["istio", "components", key];
                let diagnostic = Diagnostic::new(&cluster_rules::ROOT_NAMESPACE_LABEL, message)
                    .at_maybe(self.setting_place(cluster, &path), "")
                    .of_cluster(cluster.name.as_str());
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn in_cluster(&mut self, cluster: &Cluster) {
        let ranges = [("vcn", cluster.vcn), ("pods", cluster.pods), ("services", cluster.services)];
        for (index, (key, range)) in ranges.iter().enumerate() {
            for (other_key, other) in &ranges[..index] {
                let (Some(range), Some(other)) = (range, other) else {
                    continue;
                };
                // network plugins of the clouds give pods addresses of the VCN
                let native = *other_key == "vcn"
                    && *key == "pods"
                    && other.contains(range)
                    && self.has_native_pods(cluster);
                if !cidr::overlap(range, other) || native {
                    continue;
                }
                let message = format!("`{key}` and `{other_key}` of `{}` overlap", cluster.name);
                self.overlap(
                    &network_rules::OVERLAP_IN_CLUSTER,
                    message,
                    (cluster, key, *range),
                    (cluster, other_key, *other),
                    "give one of them another range",
                );
            }
        }
    }

    fn has_native_pods(&self, cluster: &Cluster) -> bool {
        cluster.provider != Provider::Oke
            || self.mesh.terraform.preferred_cni.as_deref() == Some("npn")
    }

    fn overlap(
        &mut self,
        rule: &'static Rule,
        message: String,
        (cluster, key, range): (&Cluster, &str, IpNet),
        (other, other_key, other_range): (&Cluster, &str, IpNet),
        hint: &str,
    ) {
        let relation = if range == other_range {
            "the same range".to_owned()
        } else if other_range.contains(&range) {
            format!("inside `{other_range}`")
        } else {
            format!("around `{other_range}`")
        };
        let diagnostic = Diagnostic::new(rule, message)
            .at_maybe(self.key_place(cluster, key), relation)
            .at_maybe(self.key_place(other, other_key), format!("`{}` has it here", other.name))
            .hint(hint)
            .of_cluster(cluster.name.as_str());
        self.diagnostics.push(diagnostic);
    }

    /// Pods, and nodes against pods, of clusters that share a network.
    fn in_networks(&mut self) {
        let mesh = self.mesh;
        for (network, clusters) in mesh.networks() {
            if clusters.len() < 2 {
                continue;
            }
            let mut ranges: Vec<(&Cluster, &str, IpNet)> = Vec::new();
            for cluster in clusters {
                ranges.extend(cluster.pods.map(|range| (cluster, "pods", range)));
            }
            let pods: Vec<IpNet> = ranges.iter().map(|(.., range)| *range).collect();
            let counts =
                |outer: usize, inner: usize| !self.shares_vcn(ranges[outer].0, ranges[inner].0);
            for (outer, inner) in cidr::nested(&pods, counts) {
                let (outer, inner) = (ranges[outer], ranges[inner]);
                let message = format!(
                    "pods of `{}` and `{}` overlap on the network `{network}`",
                    inner.0.name, outer.0.name
                );
                let hint = "clusters of one network need disjoint ranges; give one of them a network \
                            of its own, or another range";
                self.overlap(&network_rules::OVERLAP_IN_NETWORK, message, inner, outer, hint);
            }
            self.nodes_and_pods(&ranges);
            self.one_provider(&ranges);
        }
    }

    fn nodes_and_pods(&mut self, pods: &[(&'a Cluster, &'static str, IpNet)]) {
        // one list of both kinds, so that one pass finds what lies in what
        let mut all: Vec<(&Cluster, &str, IpNet)> = pods.to_vec();
        all.extend(pods.iter().filter_map(|(cluster, ..)| Some((*cluster, "vcn", cluster.vcn?))));
        let ranges: Vec<IpNet> = all.iter().map(|(.., range)| *range).collect();
        let counts = |outer: usize, inner: usize| {
            let (outer, inner) = (all[outer], all[inner]);
            let shared = match (outer.1, inner.1) {
                ("vcn", "pods") => inner.0.vcn == outer.0.vcn,
                _ => self.shares_vcn(outer.0, inner.0),
            };
            outer.1 != inner.1 && outer.0.name != inner.0.name && !shared
        };
        for (outer, inner) in cidr::nested(&ranges, counts) {
            let (outer, inner) = (all[outer], all[inner]);
            let message = format!(
                "`{}` of `{}` overlaps `{}` of `{}` on their shared network",
                inner.1, inner.0.name, outer.1, outer.0.name
            );
            let hint = "nodes and pods of one network meet in one routing table";
            self.overlap(&network_rules::OVERLAP_NODES, message, inner, outer, hint);
        }
    }

    /// Whether the pods of both get addresses of one VCN, which both name: the cloud keeps them
    /// apart, whatever part of it they are said to be in.
    fn shares_vcn(&self, a: &Cluster, b: &Cluster) -> bool {
        let native = |cluster: &Cluster| {
            self.has_native_pods(cluster)
                && matches!((cluster.vcn, cluster.pods), (Some(vcn), Some(pods)) if vcn.contains(&pods))
        };
        a.vcn == b.vcn && a.provider == b.provider && native(a) && native(b)
    }

    fn one_provider(&mut self, pods: &[(&'a Cluster, &'static str, IpNet)]) {
        let Some((first, ..)) = pods.first() else {
            return;
        };
        let Some((other, ..)) = pods.iter().find(|(other, ..)| other.provider != first.provider)
        else {
            return;
        };
        let message = format!(
            "`{}` and `{}` are on one network, but have different providers",
            first.name, other.name
        );
        let diagnostic = Diagnostic::new(&network_rules::SAME_NAME_OTHER_PROVIDER, message)
            .at_maybe(self.key_place(other, "network"), "")
            .at_maybe(self.key_place(first, "network"), "")
            .of_cluster(other.name.as_str());
        self.diagnostics.push(diagnostic);
    }

    /// VCNs that are peered; disabled clusters count, because Terraform makes theirs too.
    fn peered(&mut self) {
        let mesh = self.mesh;
        let ranges: Vec<(&Cluster, &str, IpNet)> = mesh
            .clusters
            .iter()
            .filter(|cluster| cluster.settings.peered.unwrap_or(false))
            .filter_map(|cluster| Some((cluster, "vcn", cluster.vcn?)))
            .collect();
        let nets: Vec<IpNet> = ranges.iter().map(|(.., range)| *range).collect();
        let counts = |outer: usize, inner: usize| {
            let (outer, inner) = (ranges[outer], ranges[inner]);
            let same_vpc = outer.2 == inner.2
                && outer.0.network == inner.0.network
                && inner.0.provider != Provider::Oke;
            !same_vpc
        };
        for (outer, inner) in cidr::nested(&nets, counts) {
            let (outer, inner) = (ranges[outer], ranges[inner]);
            let message =
                format!("VCNs of `{}` and `{}` are peered and overlap", inner.0.name, outer.0.name);
            let hint = "peered VCNs need disjoint ranges; `peered: false` takes a cluster out";
            self.overlap(&network_rules::OVERLAP_PEERED, message, inner, outer, hint);
        }
    }

    /// Pods across networks: a remark, once for each group of equal or nested ranges.
    fn across_networks(&mut self) {
        let mesh = self.mesh;
        let clusters: Vec<&Cluster> = mesh.enabled().filter(|c| c.pods.is_some()).collect();
        let nets: Vec<IpNet> = clusters.iter().filter_map(|cluster| cluster.pods).collect();
        let pairs =
            cidr::nested(&nets, |outer, inner| clusters[outer].network != clusters[inner].network);
        // a chain of equal ranges is one remark: everything below its first member
        let mut top: Vec<usize> = (0..clusters.len()).collect();
        for (outer, inner) in &pairs {
            top[*inner] = top[*outer];
        }
        for (outer, pairs) in group_by(&pairs, |(outer, _)| top[*outer]) {
            let outer = clusters[outer];
            let inner: Vec<&Cluster> = pairs.iter().map(|(_, inner)| clusters[*inner]).collect();
            let Some(first) = inner.first() else { continue };
            let others = match inner.len() {
                1 => String::new(),
                count => format!(" (and of {} more)", count - 1),
            };
            let message = format!(
                "pods of `{}`{others} and `{}` overlap, on different networks",
                first.name, outer.name
            );
            let diagnostic = Diagnostic::new(&network_rules::OVERLAP_ACROSS, message)
                .at_maybe(self.key_place(first, "pods"), "")
                .at_maybe(self.key_place(outer, "pods"), format!("`{}` has it here", outer.name))
                .of_cluster(first.name.as_str());
            self.diagnostics.push(diagnostic);
        }
    }

    fn gateways(&mut self) {
        let mesh = self.mesh;
        let networks = mesh.networks();
        if networks.len() < 2 {
            return;
        }
        for (network, clusters) in networks {
            if clusters.iter().any(|cluster| cluster.has_east_west) {
                continue;
            }
            let first = clusters[0];
            let message = format!("the network `{network}` has no east-west gateway");
            let path = ["gateways", "eastWest", "enabled"];
            let diagnostic = Diagnostic::new(&network_rules::NO_GATEWAY, message)
                .at_maybe(self.setting_place(first, &path), "")
                .at_maybe(self.name_place(first), "")
                .hint(format!("enable `gateways.eastWest` on `{}`, or leave it out", first.name))
                .of_cluster(first.name.as_str());
            self.diagnostics.push(diagnostic);
        }
    }

    fn versions(&mut self, cluster: &Cluster) {
        let spec = self.spec;
        let own = self.spec_cluster(cluster);
        let place = || spec.setting_place(own, &["kubernetes", "version"]);
        let istio_place = || spec.setting_place(own, &["istio", "version"]);
        let kubernetes = cluster.settings.kubernetes();
        if let Some(minor) = kubernetes.filter(|minor| *minor < Minor(1, 25)) {
            let message = format!("Kubernetes {minor} of `{}` is older than 1.25", cluster.name);
            let diagnostic = Diagnostic::new(&version_rules::OLD_SERVER, message)
                .at_maybe(place(), "")
                .of_cluster(cluster.name.as_str());
            self.diagnostics.push(diagnostic);
        }
        let Some((first, last)) = version::supported(&cluster.istio) else {
            let message = format!(
                "Istio {} of `{}` is not in this meshgen's table",
                cluster.istio, cluster.name
            );
            let diagnostic = Diagnostic::new(&version_rules::UNKNOWN_ISTIO, message)
                .at_maybe(istio_place(), "")
                .of_cluster(cluster.name.as_str());
            self.diagnostics.push(diagnostic);
            return;
        };
        if let Some(minor) = kubernetes.filter(|minor| *minor < first || *minor > last) {
            let message = format!(
                "Istio {} supports Kubernetes {first} to {last}, but `{}` has {minor}",
                cluster.istio, cluster.name
            );
            let diagnostic = Diagnostic::new(&version_rules::SKEW, message)
                .at_maybe(place(), "")
                .at_maybe(istio_place(), "")
                .of_cluster(cluster.name.as_str());
            self.diagnostics.push(diagnostic);
        }
    }

    fn spread(&mut self) {
        let oldest =
            self.mesh.enabled().min_by_key(|cluster| (cluster.istio.major, cluster.istio.minor));
        let newest =
            self.mesh.enabled().max_by_key(|cluster| (cluster.istio.major, cluster.istio.minor));
        let (Some(oldest), Some(newest)) = (oldest, newest) else {
            return;
        };
        if newest.istio.major == oldest.istio.major && newest.istio.minor - oldest.istio.minor <= 1
        {
            return;
        }
        let message = format!(
            "`{}` runs Istio {}, `{}` {}: more than one minor apart",
            newest.name, newest.istio, oldest.name, oldest.istio
        );
        let path = ["istio", "version"];
        let diagnostic = Diagnostic::new(&version_rules::ISTIO_SPREAD, message)
            .at_maybe(self.setting_place(newest, &path), "")
            .at_maybe(self.setting_place(oldest, &path), "")
            .of_cluster(newest.name.as_str());
        self.diagnostics.push(diagnostic);
    }
}

fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) => format!("`{text}`"),
        None => format!("`{value}`"),
    }
}
