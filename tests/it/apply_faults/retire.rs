//! Killed at every write of a cluster's retirement.

use std::collections::BTreeSet;

use super::bed::Bed;
use super::kill::{points, writes};
use super::tree::{Extra, Name};
use crate::tool;

const RETIRE: [&str; 3] = ["retire", "c2", "--yes"];

#[test]
fn killed_at_every_write_of_a_retirement_it_goes_on() {
    let Some(bed) = Bed::start() else { return };
    let extras: Vec<Extra> = (0..6).map(|number| Extra::new(number, "a")).collect();
    let wants = bed.render(&extras);
    let apply = ["apply", "--yes"];
    bed.apply(&apply, "whole");
    bed.forget();
    bed.apply(&RETIRE, "whole");
    let writes = writes(&bed);
    let remote: Name = "Secret/istio-system/istio-remote-secret-c2".to_owned();
    // both namespaces were there before
    let stays = |name: &&Name| name.starts_with("Namespace/");
    let may_go = [
        BTreeSet::from([remote]),
        wants.names(1).into_iter().filter(|name| !stays(&name)).collect(),
    ];
    let started = std::time::Instant::now();
    let points = points(&writes);
    for (at, n, when) in &points {
        let what = format!("retirement killed at write {n} to c{}, {when:?}", at + 1);
        bed.apply(&apply, &what);
        bed.is_applied(&wants, &what);
        bed.forget();
        bed.killed(&RETIRE, *at, *n, *when);
        bed.apply(&RETIRE, &what);
        bed.deleted_only(&may_go, &what);
        for (at, gone) in may_go.iter().enumerate() {
            let (_, lines) = bed.records(at);
            for name in gone {
                assert!(bed.clients[at].get(&wants.0[at][name].path).is_none(), "{what}: {name}");
                assert!(!lines.contains_key(name), "{what}: {name} is in the inventory");
            }
            bed.intact(at, &what);
        }
        bed.writes_nothing(&RETIRE, 0, &what).says("nothing of `c2` is left");
    }
    bed.apply(&apply, "back");
    bed.is_applied(&wants, "back");
    tool::announce(&format!(
        "measured: {} kills of retirements with {writes:?} writes: {:.0} s",
        points.len(),
        started.elapsed().as_secs_f64()
    ));
}
