//! Rendering is a function: nothing but the inputs shows in a byte of the tree.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::{INPUTS, Project, files};
use crate::tool;

fn case() -> std::path::PathBuf {
    tool::root().join("tests/golden/twelve-mixed")
}

/// Renders a project by a shell line that sets the surroundings, and gives the tree's digest.
fn digest(project: &Path, surroundings: &str) -> String {
    let line = format!("{surroundings} \"$MESHGEN\" -q -C \"$PROJECT\" render");
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .env("MESHGEN", env!("CARGO_BIN_EXE_meshgen"))
        .env("PROJECT", project);
    let digest = tool::run(&mut command, "");
    assert!(digest.starts_with("sha256:"), "{digest}");
    digest
}

#[test]
fn surroundings_do_not_show() {
    let reference = Project::copy_of(&case());
    let wanted = digest(reference.path(), "");
    let tree = files(&reference.path().join("out"));
    let surroundings = [
        "umask 077;",
        "umask 000;",
        "TZ=Pacific/Chatham",
        "LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8",
        "HOME=/nonexistent XDG_CACHE_HOME=/nonexistent",
        "MESHGEN_JOBS=1",
        "MESHGEN_JOBS=7",
        "env -i",
        "MESHGEN_COLOR=always NO_COLOR=1",
        "cd / &&",
    ];
    for one in surroundings {
        let project = Project::copy_of(&case());
        assert_eq!(digest(project.path(), one), wanted, "{one}");
        assert_eq!(files(&project.path().join("out")), tree, "{one}");
    }
}

#[test]
fn a_second_run_and_a_warm_store_change_nothing() {
    let project = Project::copy_of(&case());
    let wanted = digest(project.path(), "");
    let tree = files(&project.path().join("out"));
    assert_eq!(digest(project.path(), ""), wanted, "a warm store");
    fs::remove_dir_all(project.path().join("out/store")).expect("the store goes");
    assert_eq!(digest(project.path(), ""), wanted, "no store");
    fs::remove_dir_all(project.path().join("out")).expect("all goes");
    assert_eq!(digest(project.path(), ""), wanted, "nothing at all");
    assert_eq!(files(&project.path().join("out")), tree);
}

#[test]
fn the_order_in_which_files_were_made_does_not_show() {
    let wanted = digest(Project::copy_of(&case()).path(), "");
    let inputs = files(&case());
    let project = Project::new("");
    // newest first, and with a name that is sorted differently by some locales
    for (path, bytes) in inputs.iter().rev() {
        let is_input = INPUTS.iter().any(|input| path.starts_with(input));
        if is_input {
            project.write(path, std::str::from_utf8(bytes).expect("text"));
        }
    }
    assert_eq!(digest(project.path(), ""), wanted);
}

#[test]
fn what_is_not_used_does_not_show() {
    let project = Project::copy_of(&case());
    let wanted = digest(project.path(), "");
    let mesh = fs::read_to_string(project.path().join("mesh.yaml")).expect("mesh.yaml");
    project.write("mesh.yaml", &format!("# a comment\n{mesh}\n# another\n"));
    project.write(
        "profiles/unused.yaml",
        "apiVersion: meshgen.dev/v1alpha1\nkind: Profile\nsamples: {namespace: other}\n",
    );
    assert_eq!(digest(project.path(), ""), wanted);
    let output = project.output(&["render", "--check"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn another_build_of_meshgen_renders_the_same() {
    let disk = meshgen::file::Disk::new();
    let render = |build_id: &str| {
        let prepared = meshgen::prepare(&disk, &case(), &meshgen::inputs::NoMemory, build_id);
        let project = prepared.project.expect("a good project");
        let folder = tempfile::tempdir().expect("a folder");
        let comparison =
            meshgen::tree::view::Comparison::open(&disk, folder.path()).expect("an empty view");
        let realised = meshgen::realise(&project, &comparison, build_id, &|| ());
        realised.map(|one| (one.index, one.record.derivations)).expect("it renders")
    };
    let (first, recipes) = render("one build");
    let (second, other_recipes) = render("another build");
    assert_eq!(first, second, "no byte of out/ depends on the build");
    assert_ne!(recipes, other_recipes, "but nothing that the other build made is taken over");
}

#[test]
fn only_what_changed_is_written() {
    let project = Project::copy_of(&case());
    project.run(&["render", "-q"]);
    let mesh = fs::read_to_string(project.path().join("mesh.yaml")).expect("mesh.yaml");
    let changed =
        mesh.replace("    pods: 10.205.0.0/16\n", "    pods: 10.205.0.0/16\n    context: five\n");
    assert_ne!(mesh, changed);
    project.write("mesh.yaml", &changed);
    let said: serde_json::Value =
        serde_json::from_str(&project.run(&["render", "-o", "json"])).expect("JSON");
    assert_eq!(said["built"], 0, "a context is in no artifact");
    assert_eq!(said["written"], 0);
    let changed =
        mesh.replace("    region: eu-west-1\n", "    region: eu-west-1\n    istio: {tag: x}\n");
    project.write("mesh.yaml", &changed);
    let said: serde_json::Value =
        serde_json::from_str(&project.run(&["render", "-o", "json"])).expect("JSON");
    assert_eq!((&said["built"], &said["written"]), (&1.into(), &1.into()), "{said}");
}
