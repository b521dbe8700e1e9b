//! Three clusters on three networks: where two cannot show a mix-up of peers.

use std::time::Instant;

use super::reference::{a_second_apply_writes_nothing, measured, reads_pods_of};
use super::{Bed, Nodes, live};
use crate::testbed::{in_namespace, shared};

#[test]
fn three_networks_become_a_mesh() {
    if !in_namespace("apply::three::three_networks_become_a_mesh") {
        return;
    }
    let Some(planes) = shared(3) else { return };
    let Some(bed) = Bed::istio(&planes, "", &["c1: {}", "c2: {}", "c3: {}"]) else { return };
    let _nodes = Nodes::start(&planes);
    let started = Instant::now();
    bed.expect(0, &["apply", "--yes"]);
    measured("three clusters, from empty to applied", started);

    for plane in planes.iter() {
        live::equals_tree(&bed, plane);
        let secrets = plane.client().list("/api/v1/namespaces/istio-system/secrets");
        let names = secrets.iter().filter_map(|one| one["metadata"]["name"].as_str());
        let mut remote: Vec<&str> =
            names.filter_map(|name| name.strip_prefix("istio-remote-secret-")).collect();
        remote.sort_unstable();
        let peers: Vec<&str> = planes
            .iter()
            .map(|peer| peer.name.as_str())
            .filter(|name| *name != plane.name)
            .collect();
        assert_eq!(remote, peers, "{} has the remote secrets of its peers", plane.name);
        let namespace = plane.client().get("/api/v1/namespaces/istio-system").unwrap();
        assert_eq!(namespace["metadata"]["labels"]["topology.istio.io/network"], *plane.name);
    }
    for peer in planes.iter() {
        for cluster in planes.iter().filter(|cluster| cluster.name != peer.name) {
            reads_pods_of(&bed, peer, cluster);
        }
    }
    a_second_apply_writes_nothing(&bed);
    bed.keeps_secrets();
}
