//! Other people's tools read what we push, and bring what we pull.

use std::fs;
use std::process::Command;

use super::{Bed, inside};
use crate::registry::Registry;
use crate::tool;

const TREE: [(&str, &str); 2] = [("c1", "same"), ("c2", "other")];

#[test]
fn oras_and_crane_find_what_we_pushed() {
    let (Some(oras), Some(crane)) = (tool::path("oras"), tool::path("crane")) else { return };
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let name = format!("{}/mesh/apac", registry.address);
    bed.run(&["bundle", "push", "one.tar", &format!("oci://{name}:now")]);
    let crane = |arguments: &[&str]| tool::run(Command::new(&crane).args(arguments), "");
    assert_eq!(crane(&["digest", &format!("{name}:now")]).trim(), bed.digest.to_string());
    let index = crane(&["manifest", &format!("{name}:now")]);
    let opened = inside(&bed.path("one.tar"));
    assert_eq!(index.trim_end().as_bytes(), opened.bundle.index);
    // the tree's manifest by itself is an artifact of plain files
    let tree = opened.bundle.entries[0].descriptor.digest;
    let mut command = Command::new(oras);
    command.args(["pull", "--plain-http", "-o"]).arg(bed.path("files"));
    tool::run(command.arg(format!("{name}@{tree}")), "");
    let out = bed.path("project/out");
    for path in ["index.json", "c1/00-namespaces/ns.yaml", "terraform/terraform.tfvars"] {
        let (ours, theirs) = (fs::read(out.join(path)), fs::read(bed.path("files").join(path)));
        assert_eq!(ours.expect("is there"), theirs.expect("was pulled"), "{path}");
    }
}

#[test]
fn what_oras_and_crane_copied_is_the_same_bundle() {
    let (Some(oras), Some(crane)) = (tool::path("oras"), tool::path("crane")) else { return };
    let (Some(one), Some(two)) = (Registry::start(), Registry::start()) else { return };
    let Some(three) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    bed.push(&one.address);
    let name = |address: &str| format!("{address}/mesh/apac@{}", bed.digest);
    let mut command = Command::new(oras);
    command.args(["cp", "-r", "--from-plain-http", "--to-plain-http", &name(&one.address)]);
    tool::run(command.arg(format!("{}/mesh/apac:x", two.address)), "");
    bed.pull(&two.address, "two.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    // and the file, unpacked, is a layout that crane pushes
    let layout = bed.path("layout");
    fs::create_dir(&layout).expect("a folder");
    let mut command = Command::new("tar");
    tool::run(command.arg("-xf").arg(bed.path("one.tar")).arg("-C").arg(&layout), "");
    let (from, to) = (layout.display().to_string(), format!("{}/mesh/apac", three.address));
    tool::run(Command::new(crane).args(["push", "--index", &from, &to]), "");
    bed.pull(&three.address, "three.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("three.tar"));
}

#[test]
fn a_bundle_in_a_registry_is_a_tree() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let other = Bed::new(&[("c1", "same"), ("c2", "third")]);
    bed.push(&registry.address);
    other.push(&registry.address);
    let (ours, theirs) = (bed.at(&registry.address), other.at(&registry.address));
    let shown = bed.run(&["show", &ours, "c1/00-namespaces/ns.yaml"]);
    assert_eq!(shown, "00-namespaces/ns.yaml of c1: same\n");
    let listed = bed.run(&["show", &ours]);
    assert!(listed.contains("remote-secrets/c2.yaml"), "{listed}");
    // as the same files beside one another
    let diff = |old: &str, new: &str| bed.output(&["diff", old, new, "--allow-unsigned"]);
    let output = diff(&ours, &theirs);
    assert_eq!(output.status.code(), Some(1), "{}", super::said(&output));
    let body = |output: &std::process::Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| !line.contains("sha256:")).count()
    };
    let files = diff("one.tar", &other.path("one.tar").display().to_string());
    assert_eq!(files.status.code(), Some(1), "{}", super::said(&files));
    assert!(body(&output) > 5 && body(&output) == body(&files));
    assert_eq!(diff(&ours, "project/out").status.code(), Some(0));
    let said = bed.fails(2, &["diff", &ours, &theirs]);
    assert!(said.contains("no key is trusted") && said.contains("--key FILE"), "{said}");
}
