//! Pages of made-up meshes: of any number of clusters, with everything that a page can show.

use std::collections::{BTreeMap, BTreeSet};

use meshgen::cluster::{Applied, GatewayState, Remark, State};
use meshgen::verify::page::{CertificateRow, Cluster, Page, PagePending, Read, TreeLabel};
use meshgen::verify::{
    CHECKS, CheckResult, ClientCount, ClusterRow, Finding, Pair, Report, Status, Traffic,
};

const REGIONS: [&str; 6] = [
    "ap-sydney-1",
    "ap-melbourne-1",
    "ap-tokyo-1",
    "eu-frankfurt-1",
    "us-ashburn-1",
    "sa-saopaulo-1",
];
const TREE: &str = "sha256:67eb1db1aec2c1943eb674afa81db6fa9772917dcdfa0dd44570cf38f831dfc9";

/// A mesh of clusters `c1`, `c2`, … in which all is well: each a network of its own, save that
/// above four every third shares that of the one before.
pub fn healthy(clusters: usize) -> Page {
    let names: Vec<String> = (1..=clusters).map(|number| format!("c{number}")).collect();
    let network = |at: usize| {
        let shared = clusters > 4 && at % 3 == 2;
        names[if shared { at - 1 } else { at }].clone()
    };
    let region = |at: usize| {
        let first = if clusters > 4 && at % 3 == 2 { at - 1 } else { at };
        REGIONS[first * 6 / clusters.max(6)]
    };
    let cluster = |at: usize| Cluster {
        name: names[at].clone(),
        network: network(at),
        region: Some(region(at).to_owned()),
        context: format!("admin@{}", names[at]),
        example: false,
        istio: Some(if at % 5 == 4 { "1.28.0" } else { "1.27.3" }.to_owned()),
        has_gateway: network(at) == names[at],
        reads: names
            .iter()
            .filter(|name| **name != names[at])
            .map(|name| Read { cluster: name.clone(), needs: Vec::new() })
            .collect(),
        state: Some(state(&names[at], network(at) == names[at], at)),
    };
    let mut certificates = vec![certificate("root", 3412, 94)];
    certificates[0].of.clone_from(&names);
    certificates.extend(names.iter().zip(0..).map(|(name, at)| certificate(name, 702 - at, 96)));
    Page {
        api_version: "meshgen.dev/v1alpha1",
        kind: "MeshReport",
        mesh: "apac".to_owned(),
        at: "2026-11-30T18:45:54Z".to_owned(),
        tree: TreeLabel {
            name: "out".to_owned(),
            digest: TREE.to_owned(),
            files: 107 * clusters + 3,
        },
        asked: true,
        regions_from: Some("terraform.tfvars of the tree".to_owned()),
        clusters: (0..clusters).map(cluster).collect(),
        pending: Vec::new(),
        certificates,
        verification: Some(passed(&names, &network)),
        verification_is_current: true,
    }
}

fn state(name: &str, has_gateway: bool, at: usize) -> State {
    let gateway = GatewayState {
        object: "Service/istio-system/istio-eastwestgateway".to_owned(),
        network: name.to_owned(),
        addresses: vec![format!("203.0.113.{}", 10 + at)],
    };
    State {
        name: name.to_owned(),
        applied: Some(TREE.parse().expect("a digest")),
        generation: Some(7),
        current: true,
        last_apply: Some(Applied {
            tree: TREE.parse().expect("a digest"),
            at: "2026-11-30T16:20:11Z".to_owned(),
            by: "ann@laptop".to_owned(),
            result: "done".to_owned(),
            meshgen: "0.3.0".to_owned(),
        }),
        ready: 65,
        gateways: if has_gateway { vec![gateway] } else { Vec::new() },
        ..State::default()
    }
}

fn certificate(name: &str, days: i64, percent: u8) -> CertificateRow {
    let cluster = if name == "root" { "Root CA".to_owned() } else { "Intermediate CA".to_owned() };
    CertificateRow {
        name: name.to_owned(),
        of: Vec::new(),
        subject: format!("O=Istio, CN={cluster}{}", if name == "root" { "" } else { ", L=" })
            + if name == "root" { "" } else { name },
        issuer: "O=Istio, CN=Root CA".to_owned(),
        serial: "2B5E0C31D6A4F7798E1004CC92D3A6F1B7E45A02".to_owned(),
        not_before: "2026-10-30T15:45:54Z".to_owned(),
        not_after: format!("{}-11-02T15:45:54Z", 2026 + days / 365),
        days_left: days,
        percent_left: percent,
        validity: "valid".to_owned(),
        key: "ECDSA P-256".to_owned(),
        sha256: "5C:1D:AE:09:77:41:C3:F2:8B:60:1E:94:D5:0A:B3:72:E8:4F:26:9C:11:D7:53:A0:6B:F8:3E:95:C4:20:8D:7A"
            .to_owned(),
    }
}

fn passed(names: &[String], network: &dyn Fn(usize) -> String) -> Report {
    let check = |check: &meshgen::verify::Check| CheckResult {
        id: check.id.to_owned(),
        status: if check.id == "traffic.share" && names.len() == 1 {
            Status::Skipped
        } else {
            Status::Passed
        },
        summary: format!("looked at in {} clusters", names.len()),
        findings: Vec::new(),
    };
    let each = 100 / u32::try_from(names.len()).expect("few");
    let pair = |from: &String, to: &String| Pair {
        from: from.clone(),
        to: to.clone(),
        status: Status::Passed,
        seen: each.max(1),
        expected: Some((each / 2, each * 2 + 4)),
    };
    let answers = |at: usize| -> BTreeMap<String, BTreeMap<String, u32>> {
        let by = |name: &String| {
            (format!("v{}", name[1..].to_owned()), [(name.clone(), each.max(1))].into())
        };
        names.iter().take(6.max(at)).map(by).collect()
    };
    Report {
        mesh: "apac".to_owned(),
        label: "out".to_owned(),
        tree: TREE.to_owned(),
        at: "2026-11-30T18:31:02Z".to_owned(),
        clusters: (0..names.len())
            .map(|at| ClusterRow { name: names[at].clone(), network: network(at) })
            .collect(),
        left_out: Vec::new(),
        checks: CHECKS.iter().map(check).collect(),
        traffic: Some(Traffic {
            target: "helloworld.sample:5000/hello".to_owned(),
            requests: 100,
            fresh: false,
            servers: BTreeMap::new(),
            clients: names
                .iter()
                .map(|name| ClientCount {
                    cluster: name.clone(),
                    pod: "sleep-7656cf8794-x2l5v".to_owned(),
                    answers: answers(0),
                    failures: BTreeMap::new(),
                    oldest_seconds: Some(86_400 * 4 + 60),
                    opened: Some(2),
                })
                .collect(),
            pairs: names
                .iter()
                .flat_map(|from| names.iter().map(move |to| pair(from, to)))
                .collect(),
        }),
    }
}

/// The same mesh with something wrong in every section; from three clusters on, one is not reached.
pub fn troubled(clusters: usize) -> Page {
    let mut page = healthy(clusters);
    let last = clusters - 1;
    let lost = page.clusters[last].name.clone();
    drifted(&mut page.clusters[0]);
    if clusters > 2 {
        page.clusters[2].state = Some(State::unseen(
            "c3",
            "connecting to https://10.3.0.5:6443: the certificate is of an unknown authority",
        ));
        page.certificates[2].days_left = 12;
        page.certificates[2].percent_left = 2;
        "2026-12-12T15:45:54Z".clone_into(&mut page.certificates[2].not_after);
    }
    if clusters > 3 {
        "expired".clone_into(&mut page.certificates[4].validity);
        page.certificates[4].days_left = -3;
        "2026-11-27T15:45:54Z".clone_into(&mut page.certificates[4].not_after);
        page.certificates[4].percent_left = 0;
        page.clusters[3].example = true;
    }
    page.pending = vec![PagePending {
        path: format!("remote-secrets/{lost}.yaml"),
        needs: vec![format!("facts.{lost}.server"), format!("facts.{lost}.certificateAuthority")],
    }];
    for cluster in page.clusters.iter_mut().filter(|cluster| cluster.name != lost) {
        for read in cluster.reads.iter_mut().filter(|read| read.cluster == lost) {
            read.needs = vec![format!("facts.{lost}.server")];
        }
    }
    let report = page.verification.as_mut().expect("it has one");
    fail(report, &lost);
    page
}

fn drifted(cluster: &mut Cluster) {
    let state = cluster.state.as_mut().expect("it was asked");
    let remark =
        |object: &str, why: &str| Remark { object: object.to_owned(), why: why.to_owned() };
    state.drift = vec![
        remark("Gateway/istio-system/cross-network-gateway", "create"),
        remark("Service/istio-system/istio-eastwestgateway", "change"),
        remark("Deployment/istio-system/istiod", "`spec.replicas` is owned by kubectl-edit"),
    ];
    state.not_ready = vec![remark(
        "Service/istio-system/istio-eastwestgateway",
        "the load balancer has no address",
    )];
    state.ready = 64;
    for gateway in &mut state.gateways {
        gateway.addresses.clear();
    }
}

fn fail(report: &mut Report, lost: &str) {
    let finding =
        |cluster: &str, status: Status, message: &str, evidence: &[&str], hint: &str| Finding {
            cluster: (!cluster.is_empty()).then(|| cluster.to_owned()),
            status,
            message: message.to_owned(),
            evidence: evidence.iter().map(|line| (*line).to_owned()).collect(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        };
    let mut set = |id: &str, summary: &str, finding: Finding| {
        let check = report.checks.iter_mut().find(|check| check.id == id).expect("a check");
        check.status = check.status.max(finding.status);
        summary.clone_into(&mut check.summary);
        check.findings.push(finding);
    };
    set(
        "configuration.expose",
        "1 of 2 networks has a Gateway that lets services through",
        finding(
            "c1",
            Status::Failed,
            "network c1 has no Gateway with a server in mode AUTO_PASSTHROUGH",
            &[
                "Gateway/istio-system/cross-network-gateway is not there; the tree has it",
                "gateway pod istio-eastwestgateway-5c8d7c9b6-q4x2p listens on 15021, 15012, 15017, not on 15443",
            ],
            "",
        ),
    );
    set(
        "infrastructure.addresses",
        "3 of 4 load balancers have an address",
        finding(
            "c1",
            Status::Failed,
            "Service/istio-system/istio-eastwestgateway has no address for 41 minutes",
            &["event SyncLoadBalancerFailed: the service limit lb-flexible-count is exceeded"],
            "ask for a higher limit of flexible load balancers in ap-sydney-1",
        ),
    );
    set(
        "certificates.expiry",
        "4 certificates looked at",
        finding(
            "c2",
            Status::Warning,
            "the proxy of sleep-7656cf8794-x2l5v holds a certificate that ends in 2 hours",
            &[],
            "",
        ),
    );
    set(
        "discovery.clusters",
        "istiods report the other clusters",
        finding(
            lost,
            Status::NotLooked,
            "istiod-6c9f4d7b8-8k2mn could not be asked: pods/portforward is forbidden",
            &[],
            "the right to `create pods/portforward` in istio-system is missing",
        ),
    );
    set(
        "traffic.versions",
        "3 of 4 pairs are connected",
        finding(
            lost,
            Status::Failed,
            &format!("no answer of {lost}'s client came from c1"),
            &[
                "name: helloworld.sample resolves to 10.102.44.7",
                "endpoints of the client's proxy: 10.202.0.14:5000 (c2), 192.0.2.10:15443 (gateway of c1)",
                "gateway of c1, 192.0.2.10:15443: connection refused",
                "roots: both sides trust O=Istio, CN=Root CA, 5C:1D:AE:09…",
            ],
            "",
        ),
    );
    let traffic = report.traffic.as_mut().expect("traffic was sent");
    for pair in traffic.pairs.iter_mut().filter(|pair| pair.to == "c1" && pair.from == lost) {
        pair.status = Status::Failed;
        pair.seen = 0;
    }
    for client in traffic.clients.iter_mut().filter(|client| client.cluster == lost) {
        client.failures = [("503 upstream connect error".to_owned(), 46)].into();
    }
    let spared: BTreeSet<&str> = ["traffic.share"].into();
    for check in report.checks.iter_mut().filter(|check| spared.contains(check.id.as_str())) {
        check.status = Status::Skipped;
        "locality settings keep traffic near".clone_into(&mut check.summary);
    }
}

/// The same mesh, of which nobody was asked and nothing was verified.
pub fn offline(clusters: usize) -> Page {
    let mut page = healthy(clusters);
    page.asked = false;
    page.verification = None;
    page.verification_is_current = false;
    for cluster in &mut page.clusters {
        cluster.state = None;
        cluster.region = None;
    }
    page.regions_from = None;
    page
}
