//! Killed at every write of a prune, of an apply of an older generation, and of an adoption.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::bed::Bed;
use super::kill::{points, writes};
use super::tree::{Extra, Name, Wants};
use crate::testbed::{Fault, When};
use crate::tool;

const OLDER: [&str; 4] = ["apply", "gen:1", "--yes", "--allow-prune"];
const NEWER: [&str; 4] = ["apply", "gen:2", "--yes", "--allow-prune"];
const ADOPT: [&str; 5] = ["apply", "gen:1", "--yes", "--allow-prune", "--adopt"];

/// Generation 1 and generation 2: that lacks four objects, has another one, and changes two.
fn generations(bed: &Bed) -> (Wants, Wants) {
    let extras: Vec<Extra> = (0..11).map(|number| Extra::new(number, "a")).collect();
    let first = bed.render(&extras);
    let mut extras: Vec<Extra> = extras.into_iter().skip(4).collect();
    extras[1].value = String::from("b");
    extras[2].value = String::from("b");
    extras.push(Extra::new(11, "b"));
    (first, bed.render(&extras))
}

/// What an apply of the second tree may delete where the first was.
fn minus(first: &Wants, second: &Wants) -> Vec<BTreeSet<Name>> {
    (0..first.0.len()).map(|at| &first.names(at) - &second.names(at)).collect()
}

/// Applies to the end, and gives the writes of each cluster that this took.
fn whole(bed: &Bed, arguments: &[&str], wants: &Wants) -> Vec<usize> {
    bed.forget();
    bed.apply(arguments, "whole");
    let writes = writes(bed);
    bed.is_applied(wants, "whole");
    writes
}

/// Killed there, then run to its end: that is right, and nothing else is gone than may be.
fn go(
    bed: &Bed,
    arguments: &[&str],
    (at, n, when): (usize, usize, When),
    wants: &Wants,
    may_go: &[BTreeSet<Name>],
) {
    let what = format!("{arguments:?} killed at write {n} to c{}, {when:?}", at + 1);
    bed.forget();
    bed.killed(arguments, at, n, when);
    let ended = bed.apply(arguments, &what);
    assert!(!ended.text.contains("holds the Lease"), "{what}: {}", ended.text);
    bed.is_applied(wants, &what);
    bed.deleted_only(may_go, &what);
    for (at, gone) in may_go.iter().enumerate() {
        let (_, lines) = bed.records(at);
        assert!(gone.iter().all(|name| !lines.contains_key(name)), "{what}");
    }
    bed.writes_nothing(arguments, 0, &what);
}

#[test]
fn killed_at_every_write_of_a_prune_or_a_way_back_it_goes_on() {
    let Some(bed) = Bed::start() else { return };
    let (first, second) = generations(&bed);
    whole(&bed, &OLDER, &first);
    let there = points(&whole(&bed, &NEWER, &second));
    let back = points(&whole(&bed, &OLDER, &first));
    let started = std::time::Instant::now();
    let (there_go, back_go) = (minus(&first, &second), minus(&second, &first));
    assert_eq!((there_go[0].len(), back_go[1].len()), (4, 1));
    for turn in 0..there.len().max(back.len()) {
        go(&bed, &NEWER, there[turn % there.len()], &second, &there_go);
        for (at, gone) in there_go.iter().enumerate() {
            for name in gone {
                let path = &first.0[at][name].path;
                assert!(bed.clients[at].get(path).is_none(), "{name} is left");
            }
        }
        go(&bed, &OLDER, back[turn % back.len()], &first, &back_go);
    }
    tool::announce(&format!(
        "measured: {} kills of prunes, {} of ways back: {:.0} s",
        there.len(),
        back.len(),
        started.elapsed().as_secs_f64()
    ));
}

/// Puts objects of others where the first generation has its own, and nothing owns them.
fn strangers(bed: &Bed, first: &Wants, gone: &[BTreeSet<Name>]) {
    for (at, gone) in gone.iter().enumerate() {
        for (number, name) in gone.iter().enumerate() {
            let mut object = first.0[at][name].object.clone();
            object["metadata"]["labels"] = json!({"value": "theirs", "their": "own"});
            // two that an adoption takes the fields of, and others that it does not
            let manager = ["istio-operator", "kubectl", "someone"][number % 3];
            let path = &first.0[at][name].path;
            bed.clients[at].apply(path, manager, &object).ok();
        }
    }
}

#[test]
fn killed_at_every_write_of_an_adoption_it_goes_on() {
    let Some(bed) = Bed::start() else { return };
    let (first, second) = generations(&bed);
    whole(&bed, &NEWER, &second);
    let gone = minus(&first, &second);
    strangers(&bed, &first, &gone);
    bed.writes_nothing(&OLDER, 2, "without --adopt").says("meshgen does not own it");
    let points = points(&whole(&bed, &ADOPT, &first));
    let started = std::time::Instant::now();
    for point in &points {
        bed.apply(&NEWER, "between");
        for (at, gone) in gone.iter().enumerate() {
            for name in gone {
                // what was adopted is ours, and goes with the tree
                assert!(bed.clients[at].get(&first.0[at][name].path).is_none(), "{name} is left");
            }
        }
        strangers(&bed, &first, &gone);
        let may_go = minus(&second, &first);
        go(&bed, &ADOPT, *point, &first, &may_go);
    }
    tool::announce(&format!(
        "measured: {} kills of adoptions: {:.0} s",
        points.len(),
        started.elapsed().as_secs_f64()
    ));
}

#[test]
fn an_object_that_moves_while_it_is_adopted_is_adopted() {
    let Some(bed) = Bed::start() else { return };
    let (first, second) = generations(&bed);
    whole(&bed, &NEWER, &second);
    let gone = minus(&first, &second);
    strangers(&bed, &first, &gone);
    let takes_fields = |method: &str, path: &str| {
        method == "PATCH" && path.contains("/sample/") && !path.contains("fieldValidation")
    };
    // in c1 somebody writes to it in that instant, in c2 the answers are lost
    let (client, done) = (bed.planes[0].client(), AtomicBool::new(false));
    let meddle = move |method: &str, path: &str, _: usize| {
        if takes_fields(method, path) && !done.swap(true, Ordering::SeqCst) {
            let path = path.split('?').next().unwrap();
            let path = format!("{path}?fieldManager=someone");
            let moved = json!({"metadata": {"annotations": {"moved": "meanwhile"}}});
            client.patch(&path, "application/merge-patch+json", &moved);
        }
        false
    };
    bed.forget();
    bed.proxies[0].fault(meddle, Fault::Reset, 1);
    bed.proxies[1].fault(move |method, path, _| takes_fields(method, path), Fault::HalfBody, 2);
    bed.apply(&ADOPT, "moving");
    bed.is_applied(&first, "moving");
    bed.deleted_only(&minus(&second, &first), "moving");
    let moved = |at: usize, name: &Name| {
        let live = bed.clients[at].get(&first.0[at][name].path).unwrap();
        live["metadata"]["annotations"]["moved"] == "meanwhile"
    };
    assert_eq!(gone[0].iter().filter(|name| moved(0, name)).count(), 1, "it was moved once");
}
