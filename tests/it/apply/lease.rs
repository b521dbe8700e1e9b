//! One apply at a time a cluster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bed, installed, live, writes};
use crate::testbed::{ControlPlane, Kubelet, shared};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases";

/// Puts a Lease there as this holder's.
fn hold(plane: &ControlPlane, holder: &str) {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "meshgen"},
        "spec": {
            "holderIdentity": holder, "leaseDurationSeconds": 30,
            "renewTime": "2026-01-01T00:00:00.000000Z",
        },
    });
    plane.client().apply(&format!("{LEASES}/meshgen?force=true"), "other", &lease).ok();
}

/// Renews it as a running apply would.
fn renew(plane: &ControlPlane, round: usize) {
    let patch =
        json!({"spec": {"renewTime": format!("2026-01-01T00:{:02}:00.000000Z", round % 60)}});
    plane.client().patch(&format!("{LEASES}/meshgen"), "application/merge-patch+json", &patch);
}

fn lease(plane: &ControlPlane) -> Value {
    plane.client().get(&format!("{LEASES}/meshgen")).expect("a Lease")
}

#[test]
fn of_two_applies_the_second_leaves() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let bed = Bed::light(&planes, "");
    let _kubelet = Kubelet::start(plane);
    installed(plane);
    hold(plane, "meshgen host=elsewhere boot=b pid=7 start=1 user=ann");
    bed.forget_audits();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !ended.load(Ordering::SeqCst) {
                round += 1;
                renew(plane, round);
                thread::sleep(Duration::from_millis(500));
            }
        });
        let output = bed.output(&["apply", "--yes", "--pin"]);
        ended.store(true, Ordering::SeqCst);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains("ann@elsewhere (process 7) applies to this cluster"), "{text}");
    });
    bed.wrote_nothing();
    let held = lease(plane);
    assert!(held["spec"]["holderIdentity"].as_str().unwrap().contains("user=ann"), "{held}");
}

#[test]
fn the_lease_of_a_dead_process_is_taken_at_once() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let bed = Bed::light(&planes, "");
    let _kubelet = Kubelet::start(plane);
    installed(plane);
    // an apply says who it is: the same host and boot, but a process that is gone
    bed.expect(0, &["apply", "--yes", "--pin"]);
    let word = |text: &str| text.to_owned();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let dead = |pid: &str, start: &str| {
        format!(
            "meshgen host={} boot={} pid={pid} start={start} user=ann",
            host.trim(),
            word(boot.trim())
        )
    };
    // this very process has the id, but began at another time
    let this = std::process::id().to_string();
    for (pid, start) in [("4194304", "1"), (&this, "1")] {
        hold(plane, &dead(pid, start));
        plane.client().delete("/api/v1/namespaces/sample/services/sleep");
        let started = Instant::now();
        bed.expect(0, &["apply"]);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(25), "it waited for a dead process: {took:?}");
        let lease = lease(plane);
        assert_eq!(lease["spec"]["holderIdentity"], "", "given back: {lease}");
    }
}

#[test]
fn a_lease_that_nobody_renews_is_taken() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let bed = Bed::light(&planes, "");
    let _kubelet = Kubelet::start(plane);
    installed(plane);
    // far in the future by its own clock: only ours counts
    hold(plane, "meshgen host=elsewhere boot=b pid=7 start=1 user=ann");
    let started = Instant::now();
    let said = bed.expect(0, &["apply", "--yes", "--pin"]);
    said.must_have("ann@elsewhere (process 7) holds the Lease");
    assert!(started.elapsed() >= Duration::from_secs(30), "it was watched for its whole duration");
    assert_eq!(lease(plane)["spec"]["holderIdentity"], "");
}

#[test]
fn two_applies_at_once_give_one_mesh() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    planes.iter().for_each(installed);
    bed.forget_audits();
    let outputs = thread::scope(|scope| {
        let apply = || bed.output(&["apply", "--yes"]);
        let both = [scope.spawn(apply), scope.spawn(apply)];
        both.map(|one| one.join().expect("it ends"))
    });
    let mut done = 0;
    for output in outputs {
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        match output.status.code() {
            Some(0) => done += 1,
            Some(3) => assert!(text.contains("applies to this cluster at the moment"), "{text}"),
            code => panic!("{code:?}: {text}"),
        }
    }
    if done == 0 {
        // each has won in one of the clusters
        bed.expect(0, &["apply", "--yes"]);
    }
    for plane in planes.iter() {
        live::equals_tree(&bed, plane);
        assert_eq!(lease(plane)["spec"]["holderIdentity"], "", "{}", plane.name);
        let (objects, _) = writes(plane);
        let mut names: Vec<_> =
            objects.iter().map(|write| (&write.resource, &write.namespace, &write.name)).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{}: one object was written twice: {objects:#?}", plane.name);
    }
    bed.forget_audits();
    bed.expect(0, &["apply"]).must_have("c1  unchanged").must_have("c2  unchanged");
    bed.wrote_nothing();
}
