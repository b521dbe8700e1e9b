//! `meshgen diff` and `meshgen show`, as people run them.

use std::process::Command;

use serde_json::Value;

use crate::project::Project;
use crate::tool;

/// The reference job without facts, rendered, in a git repository.
fn project() -> Project {
    let project = Project::new(include_str!("../../../mesh.yaml"));
    project.make_keyring();
    git(&project, &["init", "--quiet"]);
    project.run(&["render"]);
    project
}

fn git(project: &Project, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(project.path());
    command.args(["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "gc.auto=0"]);
    tool::run(command.args(arguments), "");
}

fn commit(project: &Project) {
    git(project, &["add", "mesh.yaml", "pki", "out"]);
    git(project, &["commit", "--quiet", "--message", "x"]);
}

/// Raises the node pool's size and renders.
fn change(project: &Project) {
    let mesh = include_str!("../../../mesh.yaml").replace("      size: 2\n", "      size: 3\n");
    project.write("mesh.yaml", &mesh);
    project.run(&["render"]);
}

fn text(output: &std::process::Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn without_a_tree_the_last_commit_is_compared_with_the_view() {
    let project = project();
    // nothing is committed: all is new
    git(&project, &["commit", "--quiet", "--allow-empty", "--message", "x"]);
    let (code, found) = text(&project.output(&["diff", "--brief"]));
    assert_eq!(code, Some(1));
    assert!(found.contains("\n+ Secret/istio-system/cacerts"), "{found}");
    commit(&project);
    let (code, found) = text(&project.output(&["diff"]));
    assert_eq!(code, Some(0), "{found}");
    assert!(found.ends_with("\nno differences\n"), "{found}");
    change(&project);
    let (code, found) = text(&project.output(&["diff"]));
    assert_eq!(code, Some(1));
    assert!(found.starts_with("git:HEAD (sha256:"), "{found}");
    assert!(found.contains("~ terraform/terraform.tfvars\n"), "{found}");
    // the other ways to name the same two trees
    let digest = project.run(&["show", "gen:1", "-o", "json"]);
    let digest: Value = serde_json::from_str(&digest).expect("JSON");
    let digest = digest["digest"].as_str().expect("a digest").to_owned();
    let details = |arguments: &[&str]| {
        let (code, found) = text(&project.output(&[&["diff"], arguments].concat()));
        assert_eq!(code, Some(1), "{arguments:?}");
        found.split_once('\n').expect("a first line").1.to_owned()
    };
    let expected = details(&["git:HEAD", "out"]);
    for arguments in [&["gen:1"][..], &["gen:1", "gen:2"], &[&digest[..15]], &["git:HEAD"]] {
        assert_eq!(details(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn without_git_the_last_generation_is_compared_with_the_view() {
    let project = Project::new(include_str!("../../../mesh.yaml"));
    project.make_keyring();
    let output = project.output(&["diff"]);
    assert_eq!(output.status.code(), Some(2), "nothing was rendered");
    project.run(&["render"]);
    let (code, found) = text(&project.output(&["diff"]));
    assert_eq!(code, Some(0));
    assert!(found.starts_with("gen:1 (sha256:"), "{found}");
}

#[test]
fn every_form_comes_out_of_the_command() {
    let project = project();
    commit(&project);
    change(&project);
    let starts = [
        ("json", "{\n  \"apiVersion\": \"meshgen.dev/v1alpha1\",\n  \"kind\": \"Diff\""),
        ("markdown", "### Mesh diff\n"),
        ("html", "<!doctype html>\n"),
    ];
    for (form, start) in starts {
        let (code, found) = text(&project.output(&["diff", "-o", form]));
        assert_eq!(code, Some(1), "{form}");
        assert!(found.starts_with(start), "{form}: {found}");
    }
    let (_, found) = text(&project.output(&["diff", "--color", "always"]));
    assert!(found.contains("\u{1b}[32m"), "{found}");
}

#[test]
fn a_wrong_request_is_refused() {
    let project = project();
    for arguments in [
        &["diff", "gen:7"][..],
        &["diff", "git:nope"],
        &["diff", "nowhere"],
        &["diff", "out", "out", "out"],
        &["diff", "--max-size", "10"],
        &["show", "out", "c1/nope.yaml"],
        &["show", "out", "../mesh.yaml"],
        &["show", "c1/nope.yaml"],
        &["show", "-o", "html"],
        // it waits for facts
        &["show", "out", "c1/istio-operator.yaml"],
    ] {
        let output = project.output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    // a file that somebody edited is no part of a tree
    let path = "out/c1/00-namespaces/namespace_sample.yaml";
    project.write(path, "kind: Namespace\n");
    for arguments in
        [&["show"][..], &["show", path], &["diff", "gen:1"], &["diff", "gen:1", "out/"]]
    {
        let output = project.output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("namespace_sample.yaml"), "{message}");
    }
}

#[test]
fn show_lists_a_tree_and_prints_a_file() {
    let project = project();
    let list = project.run(&["show"]);
    let line = list.lines().find(|line| line.starts_with("c1/10-cacerts/")).expect("a row");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[1..3], ["10-cacerts", "c1"]);
    assert!(list.contains("waiting for facts:\n  c1/istio-operator.yaml: facts.c1."), "{list}");
    let json: Value = serde_json::from_str(&project.run(&["show", "-o", "json"])).expect("JSON");
    assert_eq!(
        json["artifacts"].as_array().map(Vec::len),
        Some(list.matches("yaml  ").count() + 1)
    );
    let path = words[0];
    let file = std::fs::read_to_string(project.path().join("out").join(path)).expect("a file");
    let view = format!("out/{path}");
    for arguments in
        [&["show", "out", path][..], &["show", "gen:1", path], &["show", &view], &["show", path]]
    {
        assert_eq!(project.run(arguments), file, "{arguments:?}");
    }
}
