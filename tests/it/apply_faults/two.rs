//! Two applies at once.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::bed::{Bed, edit, wait};
use super::tree::Extra;
use crate::testbed::Fault;

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshgen";

#[test]
fn of_two_at_once_one_waits_or_leaves_and_names_the_other() {
    let Some(bed) = Bed::start() else { return };
    let extras: Vec<Extra> = (0..11).map(|number| Extra::new(number, "a")).collect();
    let wants = bed.render(&extras);
    let apply = ["apply", "--yes"];
    for round in 0..3 {
        bed.empty(&wants);
        let pair = [bed.spawn(&apply), bed.spawn(&apply)];
        let ids = pair.each_ref().map(super::bed::Running::id);
        let ends = pair.each_ref().map(super::bed::Running::wait);
        for (own, ended) in ends.iter().enumerate() {
            match ended.code {
                Some(0) => {}
                Some(3) => {
                    ended.says(&format!("(process {})", ids[1 - own]));
                }
                _ => panic!("round {round}: {ended:?}"),
            }
        }
        // each may hold the Lease of one cluster: then both leave, naming each other, and either goes on
        if ends.iter().all(|ended| ended.code != Some(0)) {
            bed.run(&apply).expect(0, "after both left");
        }
        bed.is_applied(&wants, "both");
        bed.deleted_only(&[[].into(), [].into()], "both");
        bed.writes_nothing(&apply, 0, "again");
    }
}

#[test]
fn who_comes_second_leaves_and_names_the_first() {
    let Some(bed) = Bed::start() else { return };
    let wants = bed.render(&[Extra::new(0, "a")]);
    let apply = ["apply", "--yes"];
    // the first one holds the Lease for longer than it takes to see it renewed
    let slow = Fault::Stall(Duration::from_secs(25));
    let last = |method: &str, path: &str, _: usize| {
        method == "PATCH" && path.contains("/configmaps/extra-0") && !path.contains("dryRun")
    };
    bed.proxies[0].fault(last, slow, 1);
    let first = bed.spawn(&apply);
    wait("Lease", || bed.clients[0].get(LEASE));
    let second = bed.run(&["apply", "--yes", "--only", "c1"]);
    second.expect(3, "second").says(&format!("(process {})", first.id()));
    first.wait().expect(0, "first");
    bed.is_applied(&wants, "first");
    bed.writes_nothing(&apply, 0, "again");
}

#[test]
fn who_loses_the_lease_stops_before_the_next_write() {
    let Some(bed) = Bed::start() else { return };
    let extras: Vec<Extra> = (0..11).map(|number| Extra::new(number, "a")).collect();
    let wants = bed.render(&extras);
    let is_slow = |method: &str, path: &str, _: usize| {
        method == "PATCH" && path.contains("/configmaps/extra-0") && !path.contains("dryRun")
    };
    bed.proxies[0].fault(is_slow, Fault::Stall(Duration::from_secs(15)), 1);
    let running = bed.spawn(&["apply", "--yes"]);
    let sent = |what: &str| {
        let log = bed.proxies[0].log();
        log.iter().any(|(method, path)| {
            method == "PATCH" && path.contains(what) && !path.contains("dryRun")
        })
    };
    while !sent("/configmaps/extra-0") {
        thread::sleep(Duration::from_millis(5));
    }
    let other = "meshgen host=other boot=b pid=1 start=1 user=ann";
    edit(&bed.clients[0], LEASE, &json!({"spec": {"holderIdentity": other}}));
    let (before, _) = bed.records(0);
    running.wait().expect(3, "lost").says("the Lease was lost").says("ann@other (process 1)");
    assert!(!sent("/services/"), "the next rank is not begun");
    assert_eq!(bed.records(0).0, before, "its inventory is another's now");
    let lease = bed.clients[0].get(LEASE).unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], other, "it is not taken from him");
    bed.intact(0, "lost");

    // that one is on another host, and does not renew it: it is waited for, then replaced
    let ended = bed.apply(&["apply", "--yes"], "after it");
    ended.says("ann@other (process 1) holds the Lease");
    bed.is_applied(&wants, "after it");
    bed.deleted_only(&[[].into(), [].into()], "after it");
}
