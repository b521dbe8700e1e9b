//! What a verification of many clusters takes.

use std::time::Instant;

use meshgen::verify::write::to_text;
use meshgen::verify::{CHECKS, Status};

use super::sim::World;

#[test]
fn fifty_clusters_are_one_mesh_on_one_screen() {
    let world = World::new(50);
    let begun = Instant::now();
    let said = world.verify(&[]);
    let took = begun.elapsed();
    let requests: usize = world.requests().iter().sum();
    println!("50 clusters: {:.1} s, {requests} requests", took.as_secs_f64());
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let lines = said.out.lines().count();
    assert!(lines <= 60, "{lines} lines:\n{}", said.out);
    let checks = CHECKS.len();
    let last = format!("\nverified: one mesh of 50 clusters, {checks} checks passed\n");
    assert!(said.out.ends_with(&last), "{}", said.out);
    assert!(said.out.contains("50 clients, 50 clusters that serve: 2500 pairs"), "{}", said.out);

    // one cluster of them is broken: it is named, and what follows from it is told once
    world.change("c17", |c17| c17.blocked = true);
    let (code, report) = world.report(&[]);
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.status > Status::Passed)
        .map(|check| check.id.as_str())
        .collect();
    assert_eq!((code, failed), (1, vec!["infrastructure.port", "traffic.versions"]));
    let text = to_text(&report, false);
    let told = "  ✗ to c17: from the clients of all other clusters: failed\n";
    assert!(text.contains(told), "{text}");
    assert!(text.lines().count() < 120, "{text}");
}

/// A remote secret is a pair's: each cluster holds one of each peer, and that is all that grows.
#[test]
fn what_is_asked_of_a_cluster_grows_by_one_a_peer() {
    let mut all = Vec::new();
    for count in [10, 20, 40] {
        let world = World::new(count);
        let said = world.verify(&["--requests", "400"]);
        assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
        let requests = world.requests();
        println!("{count} clusters: {requests:?}");
        // a machine that is busy makes requests wait, and what waits too long is asked again
        let least = requests.iter().min().expect("there are clusters");
        all.push(least - (count - 1));
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{all:?}");
}
