//! Killed at every write of a first apply.

use super::bed::Bed;
use super::tree::Extra;
use crate::testbed::When;
use crate::tool;

/// The instants around a write.
pub const INSTANTS: [When; 3] = [When::BeforeForward, When::AfterForward, When::AfterAnswer];

/// Where to kill: cluster, the how manieth write to it, when. `writes` are those of each cluster.
///
/// The clusters go on at the same time and alike: so each instant of each write is tried in one of
/// them, and each write in both. With `MESHGEN_EVERY_KILL` set, each instant in both.
pub fn points(writes: &[usize]) -> Vec<(usize, usize, When)> {
    let mut points = Vec::new();
    for (at, writes) in writes.iter().enumerate() {
        for n in 1..=*writes {
            for (number, when) in INSTANTS.into_iter().enumerate() {
                if every() || (n + number) % 2 == at {
                    points.push((at, n, when));
                }
            }
        }
    }
    points
}

fn every() -> bool {
    std::env::var_os("MESHGEN_EVERY_KILL").is_some()
}

/// The writes to each cluster since the proxies were reset.
pub fn writes(bed: &Bed) -> Vec<usize> {
    bed.proxies.iter().map(|proxy| proxy.writes()).collect()
}

#[test]
fn killed_at_every_write_of_a_first_apply_it_goes_on() {
    let Some(bed) = Bed::start() else { return };
    let extras: Vec<Extra> = (0..11).map(|number| Extra::new(number, "a")).collect();
    let wants = bed.render(&extras);
    assert_eq!(wants.0[0].len(), 20);
    let apply = ["apply", "--yes"];

    let started = std::time::Instant::now();
    bed.apply(&apply, "whole");
    let measured = format!("measured: a whole apply: {:.1} s", started.elapsed().as_secs_f64());
    tool::announce(&measured);
    let writes = writes(&bed);
    bed.is_applied(&wants, "whole");
    bed.writes_nothing(&apply, 0, "whole");

    let points = points(&writes);
    let mut spent = [0.0; 5];
    for (at, n, when) in &points {
        let mut started = std::time::Instant::now();
        let mut lap = |part: usize| {
            spent[part] += started.elapsed().as_secs_f64();
            started = std::time::Instant::now();
        };
        let what = format!("killed at write {n} of {} to c{}, {when:?}", writes[*at], at + 1);
        bed.empty(&wants);
        lap(0);
        bed.killed(&apply, *at, *n, *when);
        lap(1);
        let ended = bed.apply(&apply, &what);
        lap(2);
        assert!(!ended.text.contains("holds the Lease"), "{what}: {}", ended.text);
        bed.is_applied(&wants, &what);
        bed.deleted_only(&[[].into(), [].into()], &what);
        lap(3);
        // a third of the apply's time: at one of the three instants of each write
        if *when == When::AfterForward || every() {
            bed.writes_nothing(&apply, 0, &what);
        }
        lap(4);
    }
    let [empty, kill, again, look, third] = spent;
    tool::announce(&format!(
        "measured: {} kills of a first apply with {writes:?} writes: emptying {empty:.0} s, \
         killed {kill:.0} s, applied again {again:.0} s, looked at {look:.0} s, a third time {third:.0} s",
        points.len(),
    ));
}

#[test]
fn killed_while_it_makes_its_namespace_it_goes_on() {
    let Some(bed) = Bed::start() else { return };
    let wants = bed.render(&[]);
    for when in INSTANTS {
        let what = format!("killed at the namespace, {when:?}");
        for (at, plane) in bed.planes.iter().enumerate() {
            plane.reset();
            bed.proxies[at].reset();
        }
        bed.killed(&["apply", "--yes"], 0, 1, when);
        // nothing is there that istioctl would bring: it goes as far as it can, and says so
        let ended = bed.run(&["apply", "--yes"]);
        ended.expect(3, &what).says("istioctl install -f out/c1/istio-operator.yaml");
        for at in 0..2 {
            let (head, lines) = bed.records(at);
            assert_eq!(head["unfinished"], true, "{what}: {head}");
            let namespace = &lines["Namespace/istio-system"];
            let live = bed.clients[at].get(&wants.0[at]["Namespace/istio-system"].path).unwrap();
            assert_eq!(namespace.as_deref(), live["metadata"]["uid"].as_str(), "{what}");
            bed.lease_is_free(at, &what);
        }
    }
}
