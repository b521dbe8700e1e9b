//! `meshgen init`, `schema` and `templates`: what they write, and what they leave alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::tool;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(folder).args(arguments);
    tool::output(&mut command, "")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).expect("inside").display().to_string();
            (name, fs::read_to_string(entry.path()).expect("text"))
        })
        .collect()
}

#[test]
fn a_new_project_lacks_only_what_the_user_knows() {
    for profile in ["oke-multi-primary", "oke", "eks", "gke", "aks", "kubernetes"] {
        let folder = tempfile::tempdir().expect("a folder");
        let output = run(folder.path(), &["init", "--profile", profile, "Asia Pacific"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "");
        let project = folder.path().join("Asia Pacific");
        let written = files(&project);
        let names: Vec<&str> = written.keys().map(String::as_str).collect();
        assert_eq!(names, [".gitattributes", ".gitignore", "mesh.schema.json", "mesh.yaml"]);
        let mesh = &written["mesh.yaml"];
        assert!(mesh.starts_with("# yaml-language-server: $schema=mesh.schema.json\n"));
        assert!(mesh.contains("\nname: asia-pacific\n"), "{mesh}");

        let check = run(&project, &["check", "-o", "json"]);
        let said: Value = serde_json::from_str(text(&check.stdout)).expect("JSON");
        let mut codes: Vec<&str> = said["problems"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|p| p["code"].as_str())
            .collect();
        codes.dedup();
        assert_eq!(codes, ["MG0601", "MG0609"], "{profile}: {said:#}");
    }
}

#[test]
fn a_file_that_is_there_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mesh.yaml"), "mine").expect("written");
    fs::write(folder.path().join(".gitignore"), "target\nout/store\n*.agekey\n").expect("written");
    fs::write(folder.path().join(".gitattributes"), "out/**   -text\npki/** -text")
        .expect("written");
    let before = files(folder.path());
    let output = run(folder.path(), &["init"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (
            Some(0),
            "\
left alone: mesh.yaml (it is there already)
left alone: .gitignore (it is there already)
  add these lines to it:
    identity*.txt
    keys.txt
left alone: .gitattributes (it is there already)
wrote mesh.schema.json
"
        )
    );
    let mut after = files(folder.path());
    assert!(after.remove("mesh.schema.json").is_some());
    assert_eq!(after, before);

    let again = run(folder.path(), &["init", "-q", "-o", "json"]);
    let said: Value = serde_json::from_str(text(&again.stdout)).expect("JSON");
    assert_eq!(
        said,
        serde_json::json!({
            "created": [],
            "kept": ["mesh.yaml", "mesh.schema.json", ".gitignore", ".gitattributes"],
            "missingLines": {".gitignore": ["identity*.txt", "keys.txt"]},
        })
    );
    assert_eq!(text(&again.stderr), "");
}

#[test]
fn a_project_that_cannot_be_written_is_not_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("written");
    let output = run(folder.path(), &["init", "file/project"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn the_schema_is_that_of_the_committed_project() {
    let printed = run(tool::root(), &["schema"]);
    let committed = fs::read_to_string(tool::root().join("mesh.schema.json")).expect("a schema");
    assert!(
        text(&printed.stdout) == committed,
        "run `cargo run -- schema > mesh.schema.json`: the committed one is older"
    );
    let schema: Value = serde_json::from_str(&committed).expect("JSON");
    assert_eq!(schema["title"], "mesh.yaml of meshgen");
    assert_eq!(schema["additionalProperties"], false);
    let profile = run(tool::root(), &["schema", "--profile-file"]);
    let schema: Value = serde_json::from_str(text(&profile.stdout)).expect("JSON");
    assert_eq!(schema["title"], "profile of meshgen");
}

#[test]
fn templates_are_listed_and_ejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path();
    let ejected = run(project, &["templates", "eject", "samples/sleep.yaml"]);
    assert_eq!(
        (ejected.status.code(), text(&ejected.stderr)),
        (
            Some(0),
            "\
wrote templates/samples/sleep.yaml
it equals the built-in one, and so it is the built-in one until you change it
"
        )
    );
    assert_eq!(run(project, &["templates", "eject", "profiles/eks.yaml"]).status.code(), Some(0));
    fs::write(project.join("profiles/eks.yaml"), "mine").expect("written");
    fs::write(project.join("profiles/edge.yaml"), "mine").expect("written");

    let again = run(project, &["templates", "eject", "eks"]);
    assert_eq!(
        (again.status.code(), text(&again.stderr)),
        (
            Some(2),
            "\
error: `profiles/eks.yaml` is there already, and was left alone
hint: `meshgen templates show NAME` prints the built-in one, to compare
"
        )
    );
    assert_eq!(fs::read_to_string(project.join("profiles/eks.yaml")).expect("text"), "mine");

    let list = run(project, &["templates", "list", "-o", "json"]);
    let rows: Vec<Value> = serde_json::from_str(text(&list.stdout)).expect("JSON");
    let origin = |path: &str| {
        let row = rows.iter().find(|row| row["path"] == path).expect("a row");
        row["origin"].as_str().expect("text").to_owned()
    };
    assert_eq!(origin("templates/samples/sleep.yaml"), "equal");
    assert_eq!(origin("templates/samples/helloworld.yaml"), "built-in");
    assert_eq!(origin("profiles/eks.yaml"), "overridden");
    assert_eq!(origin("profiles/edge.yaml"), "own");

    let shown = run(project, &["templates", "show", "eks"]);
    assert_eq!(text(&shown.stdout), meshgen::spec::built_in("eks").expect("built in"));

    let unknown = run(project, &["templates", "eject", "slep.yaml"]);
    assert_eq!(
        (unknown.status.code(), text(&unknown.stderr)),
        (
            Some(2),
            "\
error: there is no built-in template or profile `slep.yaml`
hint: did you mean `templates/samples/sleep.yaml`?
"
        )
    );
}

#[test]
fn nothing_is_ejected_through_a_symlink() {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("templates")).expect("a link");
    let output = run(folder.path(), &["templates", "eject", "samples/sleep.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 0);
}
