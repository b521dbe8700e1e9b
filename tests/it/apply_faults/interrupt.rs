//! Ctrl-C.

use std::thread;
use std::time::Duration;

use super::bed::Bed;
use super::tree::{Extra, plural};
use crate::testbed::Fault;

#[test]
fn interrupted_it_finishes_what_is_in_flight_and_says_what_is_left() {
    let Some(bed) = Bed::start() else { return };
    let extras: Vec<Extra> = (0..11).map(|number| Extra::new(number, "a")).collect();
    let wants = bed.render(&extras);
    let apply = ["apply", "--yes"];
    for (at, k) in [(0, 1), (1, 2), (0, 4), (1, 8), (0, 13), (1, 17)] {
        let what = format!("interrupted at write {k} to c{}", at + 1);
        bed.empty(&wants);
        for proxy in &bed.proxies {
            let write = |method: &str, path: &str, _: usize| {
                method != "GET" && !path.contains("dryRun") && !path.contains("reviews")
            };
            proxy.fault(write, Fault::Stall(Duration::from_millis(150)), usize::MAX);
        }
        let running = bed.spawn(&apply);
        while bed.proxies[at].writes() < k {
            thread::sleep(Duration::from_millis(2));
        }
        running.interrupt();
        let ended = running.wait();
        ended.expect(3, &what).says("interrupted");
        if k > 3 {
            ended.says("left: ");
        }
        for at in 0..2 {
            bed.lease_is_free(at, &what);
            bed.intact(at, &what);
            // whatever was sent was waited for: what is there is recorded
            let (_, lines) = bed.records(at);
            for (name, want) in &wants.0[at] {
                let live = bed.clients[at].get(&want.path);
                let live = live.filter(|_| !name.starts_with("Namespace/"));
                let Some(live) = live else { continue };
                let recorded = lines.get(name).cloned().flatten();
                let uid = live["metadata"]["uid"].as_str().map(str::to_owned);
                assert_eq!(recorded, uid, "{what}: c{}: {name}\n{}", at + 1, ended.text);
            }
            let log = bed.proxies[at].log();
            let sent = |name: &str, path: &str| {
                let (kind, rest) = name.split_once('/').unwrap();
                let own = rest.rsplit('/').next().unwrap();
                path.contains(&format!("/{}/{own}?", plural(kind))) && !path.contains("dryRun")
            };
            for (name, want) in &wants.0[at] {
                let was_sent =
                    log.iter().any(|(method, path)| method == "PATCH" && sent(name, path));
                if was_sent {
                    assert!(bed.clients[at].get(&want.path).is_some(), "{what}: {name} was sent");
                }
            }
        }
        for proxy in &bed.proxies {
            proxy.reset();
        }
        let ended = bed.apply(&apply, &what);
        assert!(!ended.text.contains("holds the Lease"), "{what}: {}", ended.text);
        bed.is_applied(&wants, &what);
        bed.deleted_only(&[[].into(), [].into()], &what);
    }
    bed.writes_nothing(&apply, 0, "at the end");
}
