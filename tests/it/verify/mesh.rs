//! `meshgen verify` on simulated clusters: what is well, what is broken, what cannot be seen.

use std::time::Instant;

use meshgen::verify::{CHECKS, Report, Status};
use serde_json::json;

use super::sim::{Cluster, World};

/// The checks that failed, each with the clusters where.
fn failed(report: &Report) -> Vec<(String, Vec<String>)> {
    let failed = report.checks.iter().filter(|check| check.status == Status::Failed);
    failed
        .map(|check| {
            let findings = check.findings.iter().filter(|one| one.status == Status::Failed);
            let mut clusters: Vec<String> =
                findings.map(|one| one.cluster.clone().unwrap_or_default()).collect();
            clusters.dedup();
            (check.id.clone(), clusters)
        })
        .collect()
}

/// All that a check found, with evidence.
fn told(report: &Report, id: &str) -> String {
    let check = report.check(id).expect("a check");
    let mut text = String::new();
    for finding in &check.findings {
        text.push_str(&format!("{:?} {}\n", finding.cluster, finding.message));
        finding.evidence.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

/// Breaks something in `c2` of three clusters and verifies: exactly these checks fail, each in
/// exactly these clusters.
#[track_caller]
fn broken(how: impl FnOnce(&World), arguments: &[&str], expected: &[(&str, &[&str])]) -> Report {
    let world = World::new(3);
    how(&world);
    let (code, report) = world.report(arguments);
    let all: String = failed(&report).iter().map(|(id, _)| told(&report, id)).collect();
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(id, at)| ((*id).to_owned(), at.iter().map(|at| (*at).to_owned()).collect()))
        .collect();
    assert_eq!(failed(&report), expected, "{all}");
    assert_eq!(code, 1, "{all}");
    report
}

fn in_c2(how: impl FnOnce(&mut Cluster)) -> impl FnOnce(&World) {
    |world: &World| world.change("c2", how)
}

#[test]
fn three_clusters_are_one_mesh() {
    let world = World::new(3);
    let said = world.verify(&[]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let all = CHECKS.len();
    let last = format!("\nverified: one mesh of 3 clusters, {all} checks passed\n");
    assert!(said.out.ends_with(&last), "{}", said.out);
    assert_eq!(world.writes(), 0, "it only looks");
}

#[test]
fn all_prints() {
    type How = fn(&mut Cluster);
    let all: [(&str, How); 9] = [
        ("gateway without address", |c2| {
            c2.object("v1", "services", "istio-system", "istio-eastwestgateway")["status"] = json!({});
        }),
        ("wrong label", |c2| {
            let namespace = c2.object("v1", "namespaces", "", "istio-system");
            namespace["metadata"]["labels"]["topology.istio.io/network"] = json!("c9");
        }),
        ("token", |c2| c2.token = "another".to_owned()),
        ("root", Cluster::with_own_root),
        ("istiod", |c2| {
            c2.object("apps/v1", "deployments", "istio-system", "istiod")["spec"]["replicas"] = json!(0);
            c2.roll("istio-system", "istiod");
        }),
        ("injection", |c2| {
            let namespace = c2.object("v1", "namespaces", "", "sample");
            namespace["metadata"]["labels"].as_object_mut().unwrap().remove("istio-injection");
            c2.roll("sample", "sleep");
            c2.roll("sample", "helloworld-v2");
        }),
        ("expose", |c2| {
            c2.remove("networking.istio.io/v1", "gateways", "istio-system", "cross-network-gateway");
        }),
        ("version", |c2| {
            c2.object("apps/v1", "deployments", "sample", "helloworld-v2")["spec"]["replicas"] = json!(0);
            c2.roll("sample", "helloworld-v2");
        }),
        ("blocked", |c2| c2.blocked = true),
    ];
    for (what, how) in all {
        let world = World::new(3);
        world.change("c2", how);
        let begun = Instant::now();
        let said = world.verify(&[]);
        println!("##### {what} {} {:?}\n{}\n{}", said.code, begun.elapsed(), said.out, said.err);
    }
    let world = World::new(3);
    world.change("c1", |c1| {
        c1.remove("v1", "secrets", "istio-system", "istio-remote-secret-c2");
        c1.remembered.insert("c2".to_owned());
    });
    let said = world.verify(&[]);
    println!("##### secret {}\n{}\n{}", said.code, said.out, said.err);
    let world = World::new(3);
    world.change("c2", |c2| c2.dead = true);
    let said = world.verify(&[]);
    println!("##### dead {}\n{}\n{}", said.code, said.out, said.err);
}
