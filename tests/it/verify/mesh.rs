//! `meshgen verify` on simulated clusters: what is well, what is broken, what cannot be seen.

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
fn a_gateway_without_an_address_is_named() {
    let report = broken(
        in_c2(|c2| {
            let service = c2.object("v1", "services", "istio-system", "istio-eastwestgateway");
            service["status"] = json!({});
        }),
        &[],
        &[
            ("infrastructure.addresses", &["c2"]),
            ("discovery.networks", &["c1", "c2", "c3"]),
            ("traffic.versions", &["c1", "c3"]),
        ],
    );
    let told = told(&report, "traffic.versions");
    assert!(
        told.contains("endpoints: FAILS HERE: the client's proxy sends to the pods' own"),
        "{told}"
    );
    assert!(told.contains("network `c2` has no gateway with an address"), "{told}");
}

#[test]
fn a_wrong_network_label_is_named() {
    let report = broken(
        in_c2(|c2| {
            let namespace = c2.object("v1", "namespaces", "", "istio-system");
            namespace["metadata"]["labels"]["topology.istio.io/network"] = json!("c9");
        }),
        &[],
        &[
            ("configuration.objects", &["c2"]),
            ("configuration.network", &["c2"]),
            ("traffic.versions", &["c1", "c3"]),
        ],
    );
    let objects = told(&report, "configuration.objects");
    assert!(objects.contains("topology.istio.io/network\"]: c9 → c2"), "{objects}");
}

#[test]
fn a_missing_remote_secret_is_named() {
    let report = broken(
        |world| {
            world.change("c1", |c1| {
                c1.remove("v1", "secrets", "istio-system", "istio-remote-secret-c2");
                c1.remembered.insert("c2".to_owned());
            });
        },
        &[],
        &[
            ("configuration.objects", &["c1"]),
            ("discovery.clusters", &["c1"]),
            ("traffic.versions", &["c1"]),
        ],
    );
    let clusters = told(&report, "discovery.clusters");
    assert!(
        clusters.contains("Secret/istio-system/istio-remote-secret-c2 is not there"),
        "{clusters}"
    );
    let traffic = told(&report, "traffic.versions");
    assert!(
        traffic.contains("FAILS HERE: the client's proxy has no endpoint for `c2`"),
        "{traffic}"
    );
}

/// istiod goes on with the watches that it has, and says that all is synced.
#[test]
fn a_revoked_token_is_named_before_anything_else_shows_it() {
    let revoke = |c2: &mut Cluster| c2.token = "another".to_owned();
    broken(in_c2(revoke), &[], &[("discovery.tokens", &["c1", "c3"])]);
    // it is started anew, and does not come in any more
    broken(
        |world| {
            world.change("c2", revoke);
            world.change("c1", |c1| c1.restarted = true);
        },
        &[],
        &[
            ("discovery.clusters", &["c1"]),
            ("discovery.tokens", &["c1", "c3"]),
            ("discovery.networks", &["c1"]),
            ("traffic.versions", &["c1"]),
        ],
    );
}

#[test]
fn another_root_is_named() {
    let report = broken(
        in_c2(Cluster::with_own_root),
        &["--skip", "traffic.share"],
        &[
            ("certificates.handed-out", &["c2"]),
            ("certificates.used", &["c2"]),
            ("certificates.proxies", &["c2"]),
            ("traffic.versions", &["c1", "c2", "c3"]),
        ],
    );
    let used = told(&report, "certificates.used");
    assert!(
        used.contains("Secret istio-ca-secret is there: istiod made a root of its own"),
        "{used}"
    );
    let traffic = told(&report, "traffic.versions");
    assert!(traffic.contains("tls: FAILS HERE: the client trusts "), "{traffic}");
}

#[test]
fn istiod_at_zero_is_named() {
    broken(
        in_c2(|c2| {
            let istiod = c2.object("apps/v1", "deployments", "istio-system", "istiod");
            istiod["spec"]["replicas"] = json!(0);
            c2.roll("istio-system", "istiod");
        }),
        &[],
        &[
            ("configuration.objects", &["c2"]),
            ("control-plane.istiod", &["c2"]),
            ("control-plane.injector", &["c2"]),
            ("discovery.clusters", &["c2"]),
        ],
    );
}

#[test]
fn injection_that_is_off_is_named() {
    let report = broken(
        in_c2(|c2| {
            let namespace = c2.object("v1", "namespaces", "", "sample");
            namespace["metadata"]["labels"].as_object_mut().unwrap().remove("istio-injection");
            c2.roll("sample", "sleep");
            c2.roll("sample", "helloworld-v2");
        }),
        &[],
        &[
            ("configuration.objects", &["c2"]),
            ("control-plane.injector", &["c2"]),
            ("workloads.sidecar", &["c2"]),
            ("traffic.versions", &["c1", "c3"]),
        ],
    );
    let traffic = told(&report, "traffic.versions");
    assert!(traffic.contains("has no proxy, so other networks leave it out"), "{traffic}");
}

/// Connections that were there before outlive the Gateway: what is configured says no all the same.
#[test]
fn a_gateway_that_exposes_nothing_is_named_though_traffic_goes_on() {
    let expose = |c2: &mut Cluster| {
        let version = "networking.istio.io/v1";
        c2.remove(version, "gateways", "istio-system", "cross-network-gateway");
    };
    let first: [(&str, &[&str]); 3] = [
        ("configuration.objects", &["c2"]),
        ("configuration.expose", &["c2"]),
        ("infrastructure.port", &["c1", "c3"]),
    ];
    broken(
        |world| {
            world.change("c2", expose);
            for at in ["c1", "c3"] {
                world.change(at, |cluster| cluster.pooled = true);
            }
        },
        &[],
        &first,
    );
    let all = [&first[..], &[("traffic.versions", &["c1", "c3"])]].concat();
    let report = broken(in_c2(expose), &[], &all);
    let traffic = told(&report, "traffic.versions");
    assert!(traffic.contains("gateway: FAILS HERE: 172.31.2.1:15443"), "{traffic}");
}

#[test]
fn a_version_that_is_down_is_named() {
    let report = broken(
        in_c2(|c2| {
            let version = c2.object("apps/v1", "deployments", "sample", "helloworld-v2");
            version["spec"]["replicas"] = json!(0);
            c2.roll("sample", "helloworld-v2");
        }),
        &[],
        &[
            ("configuration.objects", &["c2"]),
            ("workloads.ready", &["c2"]),
            ("traffic.versions", &["c2"]),
        ],
    );
    let traffic = told(&report, "traffic.versions");
    assert!(traffic.contains("v2 has no ready endpoint"), "{traffic}");
}

#[test]
fn a_client_that_keeps_to_one_endpoint_need_not_see_the_others() {
    let world = World::new(3);
    world.change("c2", |c2| {
        c2.put(
            "networking.istio.io/v1",
            "destinationrules",
            json!({
                "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
                "metadata": {"name": "sticky", "namespace": "sample"},
                "spec": {
                    "host": "helloworld",
                    "trafficPolicy": {"loadBalancer": {"consistentHash": {"useSourceIp": true}}},
                },
            }),
        );
    });
    let (code, report) = world.report(&[]);
    assert_eq!(failed(&report), [], "{report:?}");
    assert_eq!(code, 0);
    let pairs = &report.traffic.as_ref().expect("it was counted").pairs;
    let of = |status: Status| pairs.iter().filter(|pair| pair.status == status).count();
    assert_eq!((of(Status::Passed), of(Status::Skipped)), (7, 2), "{pairs:?}");
}

/// A firewall that drops packets spares the connections that stand; new client pods have none.
#[test]
fn a_blocked_port_is_named_and_fresh_clients_feel_it() {
    let world = World::new(3);
    world.change("c2", |c2| c2.blocked = true);
    for at in ["c1", "c3"] {
        world.change(at, |cluster| cluster.pooled = true);
    }
    let (code, report) = world.report(&[]);
    let expected = [("infrastructure.port".to_owned(), vec!["c1".to_owned(), "c3".to_owned()])];
    assert_eq!((code, failed(&report)), (1, expected.to_vec()));
    assert_eq!(world.writes(), 0);
    let traffic = report.traffic.expect("it was sent");
    let ages: Vec<_> = traffic.clients.iter().map(|client| client.oldest_seconds).collect();
    assert_eq!((traffic.fresh, ages), (false, vec![Some(7_500); 3]));

    let refused = world.verify(&["--fresh"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_eq!(world.writes(), 0);

    let (code, report) = world.report(&["--fresh", "--yes"]);
    assert_eq!(code, 1);
    let names: Vec<String> = failed(&report).into_iter().map(|(id, _)| id).collect();
    assert_eq!(names, ["infrastructure.port", "traffic.versions"]);
    let told = told(&report, "traffic.versions");
    assert!(told.contains("gateway: FAILS HERE: 172.31.2.1:15443: no answer within 5 s"), "{told}");
    assert!(report.traffic.expect("it was sent").fresh);
    assert_eq!(world.writes(), 3, "a client pod a cluster");
}

#[test]
fn a_cluster_that_does_not_answer_was_not_looked_at() {
    let world = World::new(3);
    world.change("c2", |c2| c2.dead = true);
    let said = world.verify(&[]);
    assert_eq!(said.code, 3, "{said:?}");
    let last = said.out.lines().last().unwrap();
    assert!(
        last.starts_with("could not look: ") && last.contains("configuration.clusters (c2)"),
        "{last}"
    );
    // nothing is said to be broken that was not seen
    assert!(!said.out.contains('✗'), "{}", said.out);

    // and where it is left out, the others are well
    let said = world.verify(&["--cluster", "c1,c3"]);
    assert_eq!(said.code, 0, "{}", said.out);
}

#[test]
fn what_is_asked_for_is_what_is_looked_at() {
    let world = World::new(3);
    let whole = world.verify(&[]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let all: usize = world.requests().iter().sum();
    let (code, report) = world.report(&["--only", "discovery,control-plane.version"]);
    let some: usize = world.requests().iter().sum();
    assert_eq!(code, 0);
    let asked: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.status != Status::Skipped)
        .map(|check| check.id.as_str())
        .collect();
    // whose clusters they are is always asked first
    let expected = [
        "configuration.clusters",
        "control-plane.version",
        "discovery.clusters",
        "discovery.tokens",
        "discovery.networks",
    ];
    assert_eq!(asked, expected);
    assert!(some < all, "{some} of {all} requests");
    assert_eq!(report.traffic, None);

    let (code, report) = world.report(&["--skip", "traffic,workloads.ready"]);
    assert_eq!(code, 0);
    let skipped = report.checks.iter().filter(|check| check.status == Status::Skipped).count();
    assert_eq!(skipped, 4);

    let (_, report) = world.report(&["--cluster", "c2"]);
    let names: Vec<&str> = report.clusters.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["c2"]);

    let wrong = world.verify(&["--only", "discovery.cluster"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `discovery.clusters`?"), "{}", wrong.err);
}

/// What is broken is mended while somebody waits.
#[test]
fn waiting_goes_on_until_it_is_well() {
    let world = World::new(3);
    world.change("c2", |c2| c2.blocked = true);
    let said = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| world.verify(&["--wait", "120s"]));
        // the first look has asked every client by then
        while world.looked("c3") < 2 {
            std::thread::yield_now();
        }
        world.change("c2", |c2| c2.blocked = false);
        waiting.join().expect("it ends")
    });
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("waiting: not verified: "), "{}", said.err);
    assert!(said.out.ends_with("checks passed\n"), "{}", said.out);
}

#[test]
fn every_form_is_printed() {
    let world = World::new(3);
    let said = world.verify(&["-o", "junit"]);
    assert!(said.code == 0 && said.out.starts_with("<?xml "), "{said:?}");
    let said = world.verify(&["-o", "markdown"]);
    assert!(said.code == 0 && said.out.starts_with("### Mesh "), "{said:?}");
    let said = world.verify(&["-o", "html"]);
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: `verify` has no such form\n"), "{said:?}");
}
