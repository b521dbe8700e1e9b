//! Killed at every request, and every kind of broken answer: nothing half-made is taken for whole, and
//! the same command again does the rest.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Bed;
use super::gate::{Act, Gate, Seen};
use crate::registry::Registry;

const TREE: [(&str, &str); 1] = [("c1", "same")];

/// At a request, before or after the registry has seen it; one of the two in turn, unless all are asked
/// for.
fn kills(count: usize) -> Vec<(usize, bool)> {
    let all = (1..=count).flat_map(|at| [(at, false), (at, true)]);
    let every = std::env::var_os("MESHGEN_EVERY_KILL").is_some();
    all.filter(|(at, after)| every || (at % 2 == 0) == *after).collect()
}

/// Runs meshgen, which is killed at a request; whether it was.
fn killed(bed: &Bed, gate: &Gate, at: usize, after: bool, arguments: &[&str]) -> bool {
    gate.spare();
    gate.script(move |seen| match (seen.number == at, after) {
        (true, false) => Act::KillBefore,
        (true, true) => Act::KillAfter,
        _ => Act::Forward,
    });
    let mut command = bed.command(arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    gate.victim(child.id());
    let output = child.wait_with_output().expect("ends");
    output.status.code().is_none()
}

/// What a request brings to stay.
fn brought(seen: &[Seen]) -> BTreeSet<String> {
    let puts = seen.iter().filter(|one| one.method == "PUT");
    let digest = |one: &Seen| one.target.split("sha256").nth(1).map(|rest| rest[3..].to_owned());
    puts.map(|one| digest(one).unwrap_or_else(|| one.target.clone())).collect()
}

#[test]
fn a_push_that_is_killed_at_any_request_is_finished_by_the_next() {
    let Some(first) = Registry::start() else { return };
    let bed = Bed::large(&TREE);
    let count = {
        let gate = Gate::start(&first.address);
        bed.push(&gate.address);
        gate.seen().len()
    };
    assert!(count > 20, "{count} requests");
    for (at, after) in kills(count) {
        let case = format!("request {at} of {count}, after: {after}");
        // a registry of its own: this one shares blobs between repositories
        let Some(registry) = Registry::start() else { return };
        let gate = Gate::start(&registry.address);
        let to = format!("oci://{}/mesh/apac", gate.address);
        assert!(killed(&bed, &gate, at, after, &["bundle", "push", "one.tar", &to]), "{case}");
        let before = gate.seen();
        let pull = ["bundle", "pull", &bed.at(&registry.address), "--out", "half.tar"];
        let found = bed.output(&pull);
        if found.status.success() {
            assert_eq!(bed.bytes("half.tar"), bed.bytes("one.tar"), "{case}");
            std::fs::remove_file(bed.path("half.tar")).expect("removed");
        } else {
            assert!(
                super::said(&found).contains("is not there"),
                "{case}: {}",
                super::said(&found)
            );
        }
        gate.script(|_| Act::Forward);
        bed.push(&gate.address);
        // what was answered before is not sent again
        let again = brought(&gate.seen());
        let answered: Vec<Seen> = before.into_iter().filter(|one| one.number + 16 < at).collect();
        let before = brought(&answered);
        let twice: Vec<&String> = again.intersection(&before).collect();
        assert!(twice.is_empty(), "{case}: {twice:?}");
        bed.pull(&registry.address, "two.tar");
        assert_eq!(bed.bytes("two.tar"), bed.bytes("one.tar"), "{case}");
        std::fs::remove_file(bed.path("two.tar")).expect("removed");
    }
}

/// The artifact of a cluster is there under the tag that moves once all of it is.
#[test]
fn a_push_for_flux_that_is_killed_is_finished_by_the_next() {
    let Some(first) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let arguments = |to: &str| {
        let to = format!("oci://{to}/mesh/apac");
        ["bundle", "push", "one.tar", &to, "--flux", "--allow-unsigned"].map(str::to_owned)
    };
    let push = |address: &str| {
        let all = arguments(address);
        bed.run(&all.each_ref().map(String::as_str))
    };
    let count = |gate: &Gate| gate.seen().len();
    let gate = Gate::start(&first.address);
    bed.push(&gate.address);
    let plain = count(&gate);
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    push(&gate.address);
    let tag = |address: &str| {
        let url = format!("http://{address}/v2/mesh/apac/manifests/flux-apac.c1");
        let mut curl = std::process::Command::new("curl");
        crate::tool::output(curl.args(["-sS", "--fail", "-H", "Accept: */*", &url]), "").stdout
    };
    let (all, artifact) = (count(&gate), tag(&registry.address));
    assert!(all > plain + 4 && !artifact.is_empty(), "{plain} of {all}");
    for (at, after) in kills(all).into_iter().filter(|(at, _)| *at > plain) {
        let case = format!("request {at} of {all}, after: {after}");
        let Some(registry) = Registry::start() else { return };
        let gate = Gate::start(&registry.address);
        let words = arguments(&gate.address);
        let words = words.each_ref().map(String::as_str);
        assert!(killed(&bed, &gate, at, after, &words), "{case}");
        let there = tag(&registry.address);
        assert!(there.is_empty() || there == artifact, "{case}");
        gate.script(|_| Act::Forward);
        push(&gate.address);
        assert_eq!(tag(&registry.address), artifact, "{case}");
    }
}

#[test]
fn a_pull_that_is_killed_at_any_request_is_finished_by_the_next() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::large(&TREE);
    bed.push(&registry.address);
    bed.pull(&gate.address, "two.tar");
    let count = gate.seen().len();
    let pull = ["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar"];
    for (at, after) in kills(count) {
        let case = format!("request {at} of {count}, after: {after}");
        std::fs::remove_file(bed.path("two.tar")).expect("removed");
        assert!(killed(&bed, &gate, at, after, &pull), "{case}");
        if bed.path("two.tar").exists() {
            assert_eq!(bed.bytes("two.tar"), bed.bytes("one.tar"), "{case}");
        }
        let here = std::fs::read_dir(bed.path("two.tar.partial")).map_or(0, Iterator::count);
        gate.script(|_| Act::Forward);
        bed.run(&pull);
        assert_eq!(bed.bytes("two.tar"), bed.bytes("one.tar"), "{case}");
        assert!(!bed.path("two.tar.partial").exists(), "{case}");
        // at most those that were being written when it was killed are fetched again
        let fetched = gate.seen().iter().filter(|one| one.target.contains("/blobs/")).count();
        let blobs = count - 4;
        assert!(fetched + here <= blobs + 9, "{case}: {fetched} fetched, {here} were here");
    }
}

/// Each kind of failure that goes away, at every request in turn.
#[test]
fn a_registry_that_fails_now_and_then_is_asked_again() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::large(&TREE);
    let turn = AtomicUsize::new(0);
    let flaky = move |seen: &Seen| {
        // every third request fails, and never the same one twice in a row
        match (seen.number % 3, turn.fetch_add(1, Ordering::Relaxed) % 5) {
            (0, 0) => Act::Answer(503, vec![("Retry-After", "0".to_owned())], Vec::new()),
            (0, 1) => Act::status(429),
            (0, 2) => Act::status(502),
            (0, 3) => Act::Reset,
            (0, _) if seen.method == "GET" => Act::Half,
            _ => Act::Forward,
        }
    };
    gate.script(flaky);
    bed.push(&gate.address);
    bed.pull(&gate.address, "two.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    let failed = gate.seen().len() / 4;
    assert!(failed > 8, "{failed} requests failed");
}

#[test]
fn a_registry_that_stays_down_is_given_up_and_named() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    gate.script(|_| {
        let body = br#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow \u001b[2Jdown"}]}"#;
        Act::Answer(503, Vec::new(), body.to_vec())
    });
    let started = std::time::Instant::now();
    let to = format!("oci://{}/mesh/apac", gate.address);
    let said = bed.fails(3, &["bundle", "push", "one.tar", &to]);
    assert!(said.contains("the server answers 503"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
    assert!(started.elapsed() < Duration::from_secs(60));
    // what is refused is not asked again and again
    gate.script(|_| {
        let body = br#"{"errors": [{"code": "DENIED", "message": "not yours"}]}"#;
        Act::Answer(403, Vec::new(), body.to_vec())
    });
    let said = bed.fails(2, &["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar"]);
    assert!(said.contains("403 (DENIED: not yours)") && said.contains("docker login"), "{said}");
    assert_eq!(gate.seen().len(), 1);
}
