//! What may change, and what may not.

use std::fs;

use meshgen::store::Digest;

use super::{digests, project, refused, release, said, unpacked};
use crate::project::{Project, files};

/// A project with a pin whose source has changed since.
fn moved() -> (Project, Digest) {
    let project = project();
    unpacked(&project.path().join("istio"), &release("1.27.0"));
    project.run(&["lock", "stable=istio"]);
    let old = digests(&project)["stable"];
    unpacked(&project.path().join("istio"), &release("1.27.1"));
    (project, old)
}

#[test]
fn other_content_stops_with_both_digests_unless_it_is_wanted() {
    let (project, old) = moved();
    let said = refused(&project, 2, &["stable=istio"]);
    assert!(said.contains(&old.to_string()) && said.matches("sha256:").count() == 2, "{said}");
    assert!(said.contains("--update stable"), "{said}");
    project.run(&["lock", "--update", "stable"]);
    let new = digests(&project)["stable"];
    assert!(said.contains(&new.to_string()), "{said}");
    let charts = files(&project.path().join("charts"));
    assert_eq!(charts.into_keys().collect::<Vec<_>>(), [format!("{}.tar", new.hex())]);
    // again is no change
    let before = files(project.path());
    project.run(&["lock", "stable=istio"]);
    assert_eq!(files(project.path()), before);
}

#[test]
fn fetch_takes_nothing_but_the_recorded_content() {
    let (project, old) = moved();
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    let said = refused(&project, 2, &["--fetch"]);
    assert!(said.contains(&old.to_string()) && said.matches("sha256:").count() == 2, "{said}");
    unpacked(&project.path().join("istio"), &release("1.27.0"));
    project.write(&format!("charts/{}.tar", old.hex()), "damaged");
    project.run(&["lock", "--fetch"]);
    assert_eq!(digests(&project)["stable"], old);
    // whatever the first source is: another pin of this content can give it
    project.run(&["lock", "a=istio"]);
    unpacked(&project.path().join("copy"), &release("1.27.0"));
    project.run(&["lock", "b=copy"]);
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    fs::remove_dir_all(project.path().join("istio")).expect("removed");
    project.run(&["lock", "--fetch"]);
    assert_eq!(digests(&project).len(), 3);
}

#[test]
fn an_expected_digest_is_held() {
    let project = project();
    unpacked(&project.path().join("istio"), &release("1.27.0"));
    let other = Digest::of("other").to_string();
    let said = refused(&project, 2, &["stable=istio", "--digest", &other]);
    assert!(said.contains(&other) && said.matches("sha256:").count() == 2, "{said}");
    let found = said.split("its content is ").nth(1).and_then(|rest| rest.split(',').next());
    project.run(&["lock", "stable=istio", "--digest", found.expect("a digest")]);
    refused(&project, 2, &["stable=istio", "--digest", "sha256:00"]);
    refused(&project, 2, &["--digest", &other]);
}

#[test]
fn a_pin_goes_with_content_that_nobody_else_needs() {
    let project = project();
    unpacked(&project.path().join("istio"), &release("1.27.0"));
    project.run(&["lock", "a=istio", "b=istio"]);
    project.run(&["lock", "--remove", "a"]);
    assert_eq!(files(&project.path().join("charts")).len(), 1);
    project.run(&["lock", "--remove", "b"]);
    assert!(files(&project.path().join("charts")).is_empty());
    let text = fs::read_to_string(project.path().join("meshgen.lock")).expect("is there");
    assert!(text.ends_with("pins: {}\n"), "{text}");
    let said = refused(&project, 2, &["--remove", "b"]);
    assert!(said.contains("there is no pin `b`"), "{said}");
}

#[test]
fn the_list_says_what_is_wrong() {
    let project = project();
    unpacked(&project.path().join("istio"), &release("1.27.0"));
    unpacked(&project.path().join("new"), &release("1.28.0"));
    project.run(&["lock", "a=istio", "b=new"]);
    let digests = digests(&project);
    fs::remove_file(project.path().join(format!("charts/{}.tar", digests["a"].hex())))
        .expect("gone");
    project.write(&format!("charts/{}.tar", digests["b"].hex()), "damaged");
    project.write("charts/stray.tar", "nobody's");
    let output = project.output(&["lock"]);
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout.clone()).expect("text");
    assert!(table.contains("missing") && table.contains("damaged"), "{table}");
    let said = said(&output);
    assert!(said.contains("charts/stray.tar belongs to no pin"), "{said}");
    assert!(said.contains("meshgen lock --fetch"), "{said}");
}

#[test]
fn a_lock_file_that_is_not_understood_is_never_overwritten() {
    let project = project();
    unpacked(&project.path().join("istio"), &release("1.27.0"));
    project.run(&["lock", "a=istio"]);
    let text = fs::read_to_string(project.path().join("meshgen.lock")).expect("is there");
    for bad in ["<<<<<<< ours\n", "  Bad: {}\n", "  a: {}\n", "other: 1\n"] {
        project.write("meshgen.lock", &format!("{text}{bad}"));
        let said = refused(&project, 2, &["b=istio"]);
        assert!(said.contains("meshgen.lock:"), "{said}");
    }
}
