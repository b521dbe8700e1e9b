//! What a pull leaves of what was there.

use std::fs;

use super::{Bed, said};
use crate::registry::Registry;
use crate::tool;

const TREE: [(&str, &str); 1] = [("c1", "same")];

#[test]
fn what_stands_in_the_way_is_told_before_anything_is_fetched() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    bed.push(&registry.address);
    fs::create_dir(bed.path("folder")).expect("a folder");
    std::os::unix::fs::symlink("nowhere", bed.path("link")).expect("a link");
    tool::run(std::process::Command::new("mkfifo").arg(bed.path("pipe")), "");
    for out in ["folder", "link", "pipe", "/dev/null", ".", "none/two.tar"] {
        let said = bed.fails(2, &["bundle", "pull", &bed.at(&registry.address), "--out", out]);
        assert!(!bed.path(&format!("{out}.partial")).exists(), "{out}: {said}");
        assert!(!bed.path("none").exists(), "{said}");
    }
}

#[test]
fn a_signature_that_counts_is_not_given_up() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let (Some(()), Some(())) = (bed.keys("ours"), bed.keys("stranger")) else { return };
    let signature = |name: &str| {
        bed.run(&["bundle", "sign", "--key", &format!("{name}.key"), "one.tar"]);
        bed.bytes("one.tar.sigstore.json")
    };
    let strange = signature("stranger");
    bed.push(&registry.address);
    let ours = signature("ours");
    let at = bed.at(&registry.address);
    let pull = ["bundle", "pull", &at, "--out", "two.tar", "--key", "ours.pub"];
    let beside = bed.path("two.tar.sigstore.json");
    // nothing there, or one that is not of this file: the one that was pushed is taken
    for before in [None, Some("x"), Some("{}")] {
        if let Some(text) = before {
            fs::write(&beside, text).expect("written");
        }
        bed.run(&pull);
        assert_eq!(bed.bytes("two.tar.sigstore.json"), strange);
    }
    fs::write(&beside, &ours).expect("written");
    for file_is_there in [true, false] {
        if !file_is_there {
            fs::remove_file(bed.path("two.tar")).expect("removed");
        }
        let output = bed.output(&pull);
        assert!(said(&output).contains("its signature was here"), "{}", said(&output));
        assert_eq!(bed.bytes("two.tar.sigstore.json"), ours);
    }
    bed.run(&["bundle", "verify", "two.tar", "--key", "ours.pub"]);
}

#[test]
fn two_pulls_to_one_file_do_not_take_it_from_one_another() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::large(&TREE);
    bed.push(&registry.address);
    let at = bed.at(&registry.address);
    let start = || {
        let mut command = bed.command(&["bundle", "pull", &at, "--out", "two.tar"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        command.spawn().expect("starts")
    };
    let all: Vec<_> = (0..6).map(|_| start()).collect();
    let mut done = 0;
    for one in all {
        let output = one.wait_with_output().expect("ends");
        let text = said(&output);
        done += usize::from(output.status.success());
        assert!(output.status.success() || text.contains("another"), "{text}");
    }
    assert!(done > 0);
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    bed.pull(&registry.address, "two.tar");
    assert!(!bed.path("two.tar.partial").exists());
}
