//! There and back.

use std::fs;

use super::gate::Gate;
use super::{Bed, inside};
use crate::registry::Registry;

const TREE: [(&str, &str); 2] = [("c1", "same"), ("c2", "other")];

#[test]
fn a_bundle_comes_back_to_the_byte() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let name = bed.push(&registry.address);
    assert_eq!(name.trim(), bed.at(&registry.address));
    bed.pull(&registry.address, "two.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    assert!(!bed.path("two.tar.partial").exists(), "nothing is left over");
    assert!(!bed.path("two.tar.sigstore.json").exists());
    // over another file, and over itself
    fs::write(bed.path("two.tar"), "another").expect("written");
    bed.pull(&registry.address, "two.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    let before = fs::metadata(bed.path("two.tar")).expect("is there").modified().expect("a time");
    bed.pull(&registry.address, "two.tar");
    let after = fs::metadata(bed.path("two.tar")).expect("is there").modified().expect("a time");
    assert_eq!(before, after, "it was not written again");
}

#[test]
fn what_is_there_is_not_sent_or_fetched_again() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    bed.push(&gate.address);
    let first = gate.seen().iter().filter(|one| one.writes()).count();
    let blobs = inside(&bed.path("one.tar")).bundle.blobs.len();
    // two for a blob, one for the tree's manifest and one for the index; for the bill of materials two for
    // its blob, one for its manifest and one for the list of referrers
    assert_eq!(first, 2 * (blobs - 1) + 2 + 4);
    gate.script(|_| super::gate::Act::Forward);
    bed.push(&gate.address);
    assert_eq!(gate.seen().iter().filter(|one| one.writes()).count(), 0);
    // of another tree only what differs goes
    let other = Bed::new(&[("c1", "same"), ("c2", "third")]);
    gate.script(|_| super::gate::Act::Forward);
    other.push(&gate.address);
    let ours = inside(&bed.path("one.tar")).bundle.blobs;
    let theirs = inside(&other.path("one.tar")).bundle.blobs;
    let new = theirs.keys().filter(|digest| !ours.contains_key(digest)).count();
    let sent = gate.seen().iter().filter(|one| one.writes()).count();
    assert_eq!(sent, 2 * (new - 1) + 2 + 4);
    // a tag means what it was given last
    let to = format!("oci://{}/mesh/apac:now", gate.address);
    bed.run(&["bundle", "push", "one.tar", &to]);
    other.run(&["bundle", "push", "one.tar", &to]);
    bed.pull(&gate.address, "two.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
}

#[test]
fn requests_that_mean_nothing_are_refused_before_anything_is_asked() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    let to = format!("oci://{}/mesh/apac", gate.address);
    let tag = format!("{to}:now");
    let none = format!("{to}@sha256:{}", "0".repeat(64));
    for (expected, arguments) in [
        ("has no `oci://`", &["bundle", "push", "one.tar", "localhost:1/mesh"][..]),
        ("it has no repository", &["bundle", "push", "one.tar", "oci://localhost"]),
        ("not the one named", &["bundle", "push", "one.tar", &none]),
        ("there is no image in the bundle", &["bundle", "push", "one.tar", &to, "--images"]),
        ("a tag can be moved", &["bundle", "pull", &tag, "--out", "two.tar"]),
        ("a tag can be moved", &["bundle", "pull", &to, "--out", "two.tar"]),
        ("a tag can be moved", &["show", &tag]),
    ] {
        let said = bed.fails(2, arguments);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!bed.path("two.tar").exists() && !bed.path("two.tar.partial").exists());
    }
    assert_eq!(gate.seen().len(), 0, "{:?}", gate.seen());
    // what is not there
    let said = bed.fails(2, &["bundle", "pull", &none, "--out", "two.tar"]);
    assert!(said.contains("is not there"), "{said}");
    fs::write(bed.path("two.tar.partial"), "mine").expect("written");
    bed.push(&gate.address);
    let said = bed.fails(2, &["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar"]);
    assert!(said.contains("is in the way"), "{said}");
    // a damaged file goes nowhere
    let mut bytes = bed.bytes("one.tar");
    bytes[5000] ^= 1;
    fs::write(bed.path("bad.tar"), bytes).expect("written");
    gate.script(|_| super::gate::Act::Forward);
    bed.fails(2, &["bundle", "push", "bad.tar", &to]);
    assert_eq!(gate.seen().len(), 0);
}
