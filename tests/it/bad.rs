//! Bad input: a case is a folder under `tests/bad`, a project and what `check` says of it.
//!
//! Every case must be refused with exit code 2, with every problem in one run, and leave every file as
//! it was. `MESHGEN_BLESS=1` writes what is said now.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use meshgen::diag;

use crate::project::{Project, files};
use crate::tool;

#[test]
fn every_case_says_what_is_wrong_and_changes_nothing() {
    let folder = tool::root().join("tests/bad");
    let keyring = tool::root().join("pki");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let mut names: Vec<_> =
        fs::read_dir(&folder).expect("tests/bad").map(|e| e.expect("an entry").path()).collect();
    names.sort();
    for case in names {
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        let mut project = Project::copy_of(&case);
        if !case.join("pki").exists() {
            project = project.with_keyring(&keyring);
        }
        let before = files(project.path());
        let output = project.output(&["check"]);
        let said = String::from_utf8(output.stderr).expect("text");
        let expected = case.join("expected.txt");
        if env::var_os("MESHGEN_BLESS").is_some() {
            fs::write(&expected, &said).expect("written");
        }
        let warns_only = !said.contains("error[");
        let code = if warns_only { 0 } else { 2 };
        if output.status.code() != Some(code) {
            wrong.push(format!("{name}: exit code {:?}, not {code}", output.status.code()));
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if wanted != said {
            let diff = similar::TextDiff::from_lines(&wanted, &said);
            wrong.push(format!("{name}:\n{}", diff.unified_diff()));
        }
        let render = project.output(&["render", "-q"]);
        if !warns_only && (render.status.code() != Some(2) || files(project.path()) != before) {
            wrong.push(format!("{name}: render changed something, or did not refuse"));
        }
        let codes = diag::rules().filter(|rule| said.contains(&format!("[{}]", rule.code)));
        seen.extend(codes.map(|rule| rule.code));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unseen: Vec<_> = diag::rules()
        .map(|rule| rule.code)
        .filter(|code| !seen.contains(code) && !ELSEWHERE.contains(code))
        .collect();
    assert!(unseen.is_empty(), "rules without a case in tests/bad: {unseen:?}");
}

/// Rules whose breach no folder can hold, or that the tests of the keyring cover.
const ELSEWHERE: [&str; 11] = [
    "MG0109", // a symlink: below
    "MG0114", // a file of 64 MiB
    "MG0508", // tests/it/facts, as the next
    "MG0509", "MG0602", // tests/it/pki, as the next five
    "MG0604", "MG0605", "MG0607", "MG0608", "MG0610",
    "MG0706", // a keyring file that goes away while it is read
];

#[test]
fn symlinks_and_odd_files_are_refused_as_inputs() {
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("c1.json"), "{}").expect("written");
    let link = std::os::unix::fs::symlink::<std::path::PathBuf, std::path::PathBuf>;
    let project = Project::copy_of(tool::root());
    std::fs::remove_file(project.path().join("facts/c1.json")).expect("gone");
    link(outside.path().join("c1.json"), project.path().join("facts/c1.json")).expect("a link");
    link(outside.path().to_owned(), project.path().join("templates/expose")).unwrap_err();
    std::fs::create_dir(project.path().join("pki/c3.yaml")).expect("a folder");
    let output = project.output(&["check"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("[MG0109]: facts/c1.json: this is a symlink"), "{said}");
    assert!(said.contains("[MG0109]: pki/c3.yaml: this is a folder"), "{said}");
}

#[test]
fn the_same_comes_as_data() {
    let case = tool::root().join("tests/bad/cidr");
    let project = Project::copy_of(&case).with_keyring(&tool::root().join("pki"));
    let output = project.output(&["check", "-o", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = value["problems"].as_array().expect("a list");
    let overlap = problems.iter().find(|one| one["code"] == "MG0302").expect("an overlap");
    assert_eq!(overlap["severity"], "error");
    assert_eq!(overlap["file"], "mesh.yaml");
    assert!(overlap["line"].as_u64() > Some(1) && overlap["column"].as_u64() > Some(1));
    assert_eq!(overlap["labels"].as_array().map(Vec::len), Some(2), "both places");
}

#[test]
fn check_reports_what_stops_a_render() {
    let project = Project::copy_of(tool::root());
    project.run(&["render", "-q"]);
    let file = project.path().join("out/c1/istio-operator.yaml");
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("a folder");
    for command in ["check", "render"] {
        let output = project.output(&[command]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("c1/istio-operator.yaml"), "{command}: {said}");
    }
}
