//! Plain tools are enough to look inside.

use std::fs;
use std::process::Command;

use super::packed;
use crate::registry::Registry;
use crate::sample::{expected, read_folder};
use crate::tool;

/// A bundle unpacked by `tar`.
fn unpacked(folder: &std::path::Path) -> std::path::PathBuf {
    let (file, _) = packed(folder, "a");
    let inside = folder.join("inside");
    fs::create_dir(&inside).expect("creates");
    tool::run(Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&inside), "");
    inside
}

#[test]
fn tar_and_sha256sum_look_inside() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inside = unpacked(folder.path());
    let said =
        tool::run(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&inside), "");
    let files = read_folder(&inside).len();
    assert_eq!(said.lines().filter(|line| line.ends_with(": OK")).count(), files - 1);
    assert_eq!(said.lines().count(), files - 1, "{said}");
    // the README's own commands are those above
    let readme = fs::read_to_string(inside.join("README")).expect("reads");
    for command in ["tar -xf FILE", "sha256sum -c SHA256SUMS", "oras pull --oci-layout .:tree"] {
        assert!(readme.contains(command), "{readme}");
    }
}

#[test]
fn oras_pulls_the_tree() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(oras) = tool::path("oras") else { return };
    let inside = unpacked(folder.path());
    let mut command = Command::new(oras);
    tool::run(
        command.args(["pull", "--oci-layout", ".:tree", "-o", "out"]).current_dir(&inside),
        "",
    );
    let mut files = expected(&super::files("a"));
    files.remove(".gitignore");
    assert_eq!(read_folder(&inside.join("out")), files);
}

#[test]
fn crane_pushes_and_validates_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (Some(crane), Some(registry)) = (tool::path("crane"), Registry::start()) else { return };
    let inside = unpacked(folder.path());
    let name = format!("{}/mesh:bundle", registry.address);
    let crane = |arguments: &[&str]| {
        tool::run(Command::new(&crane).args(arguments).current_dir(&inside), "")
    };
    crane(&["push", "--index", ".", &name]);
    crane(&["validate", "--remote", &name]);
    let there = crane(&["manifest", &name]);
    let here = fs::read_to_string(inside.join("index.json")).expect("reads");
    assert_eq!(there.trim(), here.trim());
}
