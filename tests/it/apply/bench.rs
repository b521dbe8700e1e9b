//! `just bench-apply`: beside kubectl on the same control plane, and many clusters beside one.
//!
//! Prints times and ratios; asserts none.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Bed, Nodes, installed};
use crate::testbed::{self, ControlPlane, Fault, Istiod, Kubelet, Proxy};
use crate::tool;

const RUNS: usize = 7;
/// Stages of a control plane, without namespaces, secrets and samples: the objects that
/// `istioctl manifest generate` prints.
const CONTROL_PLANE: [&str; 3] = ["20-base", "30-istiod", "40-gateways"];

/// Median and least of several runs, in milliseconds.
fn time(mut run: impl FnMut()) -> (f64, f64) {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[RUNS / 2], times[0])
}

fn say(what: &str, (median, least): (f64, f64)) {
    tool::announce(&format!("measured: {what}: {median:.0} ms (least {least:.0})"));
}

#[test]
#[ignore = "minutes of measuring; `just bench-apply` asks for it"]
fn beside_kubectl() {
    if !testbed::in_namespace("apply::bench::beside_kubectl") {
        return;
    }
    let Some(kubectl) = tool::path("kubectl") else { return };
    let Some(planes) = testbed::start_many(&["c1", "c2"]) else { return };
    let nodes = Nodes::start(&planes);
    let Some(bed) = Bed::reference(&planes) else { return };
    bed.expect(0, &["apply", "--yes", "-q"]);
    // kubectl takes istiod's fields, and istiod would take them back all the time
    nodes.istiods.iter().for_each(Istiod::kill);

    // the same objects for kubectl, in one file
    let rows = bed.project.tree().rows(|path| path.starts_with("c1/") || path.starts_with("crds/"));
    let objects = rows
        .iter()
        .filter(|row| row["stage"].as_str().is_some_and(|stage| CONTROL_PLANE.contains(&stage)));
    let texts: BTreeMap<String, String> = objects
        .map(|row| row["path"].as_str().unwrap().to_owned())
        .map(|path| (path.clone(), bed.project.tree().text(&path)))
        .collect();
    tool::announce(&format!("measured: {} objects of a control plane", texts.len()));
    let all = bed.file("control-plane.yaml");
    fs::write(&all, texts.values().map(|text| format!("---\n{text}")).collect::<String>()).unwrap();
    let run = |arguments: &[&str], codes: &[i32]| {
        let mut command = Command::new(&kubectl);
        command.args(["--kubeconfig", &bed.file("kubeconfig"), "--context", "c1"]).args(arguments);
        let output = tool::output(&mut command, "");
        assert!(
            output.status.code().is_some_and(|code| codes.contains(&code)),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    // ours first: kubectl takes fields, and defaults become conflicts
    let ours = time(|| {
        bed.expect(0, &["apply", "--only", "c1", "-q"]);
    });
    let plan = time(|| {
        bed.expect(0, &["plan", "--only", "c1", "-q"]);
    });
    let verbose = bed.expect(0, &["apply", "--only", "c1", "-v"]);
    let counts = verbose.err.lines().filter(|line| line.contains(" requests"));
    counts.for_each(|line| tool::announce(&format!("measured: {line}")));
    let apply =
        ["apply", "--server-side", "--field-manager=bench", "--force-conflicts", "-f", &all];
    run(&apply, &[0]);
    let kubectl_apply = time(|| run(&apply, &[0]));
    let diff = ["diff", "--server-side", "--field-manager=bench", "--force-conflicts", "-f", &all];
    let kubectl_diff = time(|| run(&diff, &[0, 1]));
    say("kubectl apply --server-side, nothing to do", kubectl_apply);
    say("kubectl diff --server-side", kubectl_diff);
    say("meshgen apply --only c1, nothing to do", ours);
    say("meshgen plan --only c1, nothing to do", plan);
    let ratio = |theirs: (f64, f64), ours: (f64, f64)| theirs.0 / ours.0;
    tool::announce(&format!(
        "measured: apply {:.1} times faster, plan {:.1} times",
        ratio(kubectl_apply, ours),
        ratio(kubectl_diff, plan)
    ));
}

#[test]
#[ignore = "minutes of measuring; `just bench-apply` asks for it"]
fn many_clusters_take_as_long_as_one() {
    let count: usize =
        std::env::var("MESHGEN_CLUSTERS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let names: Vec<String> = (1..=count).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(planes) = testbed::start_many(&names) else { return };
    planes.iter().for_each(installed);
    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    std::thread::sleep(Duration::from_secs(3));
    // far away: every answer takes a tenth of a second
    let proxies: Vec<Proxy> = planes.iter().map(Proxy::start).collect();
    let bed = Bed::light(&planes, "");
    bed.expect(0, &["apply", "--yes", "-q"]);
    let configs: Vec<String> =
        planes.iter().zip(&proxies).map(|(plane, proxy)| proxy.kubeconfig(&plane.name)).collect();
    bed.kubeconfig(&configs);
    for proxy in &proxies {
        proxy.fault(|_, _, _| true, Fault::Stall(Duration::from_millis(100)), usize::MAX);
    }
    let one = time(|| {
        bed.expect(0, &["apply", "--only", "c1", "-q"]);
    });
    let all = time(|| {
        bed.expect(0, &["apply", "-q"]);
    });
    say("one far cluster, nothing to do", one);
    say(&format!("{count} far clusters, nothing to do"), all);
    tool::announce(&format!(
        "measured: {count} clusters take {:.1} times as long as one",
        all.0 / one.0
    ));
    let _: &[ControlPlane] = &planes;
}
