//! Golden trees: a case is a folder under `tests/golden`, a project with its rendered `out/`. The
//! repository itself is one.
//!
//! `MESHGEN_BLESS=1` writes what is rendered now; read the diff before you commit it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{Project, copy, files};
use crate::tool;

fn cases() -> Vec<PathBuf> {
    let folder = tool::root().join("tests/golden");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/golden")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("mesh.yaml").exists())
        .collect();
    cases.sort();
    assert!(cases.len() >= 6, "there are cases");
    cases
}

#[test]
fn every_case_renders_as_it_is_committed() {
    let mut wrong = Vec::new();
    for case in cases() {
        let project = Project::copy_of(&case);
        project.run(&["render", "-q"]);
        let fresh = project.path().join("out");
        if env::var_os("MESHGEN_BLESS").is_some() {
            let _ = fs::remove_dir_all(case.join("out"));
            copy_view(&fresh, &case.join("out"));
        }
        wrong.extend(differences(&case.join("out"), &fresh));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_committed_tree_is_what_a_fresh_render_gives() {
    let root = tool::root();
    let project = Project::copy_of(root);
    project.run(&["render", "-q"]);
    let wrong = differences(&root.join("out"), &project.path().join("out"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_exists_for_pairs_is_written_once_a_cluster() {
    for (case, clusters) in [("shared-network", 3), ("twelve-mixed", 11)] {
        let out = tool::root().join("tests/golden").join(case).join("out");
        let secrets = files(&out.join("remote-secrets"));
        assert_eq!(secrets.len(), clusters, "{case}: one remote secret a cluster");
        let index = String::from_utf8(files(&out)["index.json"].clone()).expect("text");
        for name in secrets.keys() {
            let cluster = name.trim_end_matches(".yaml");
            let row = format!("\"targets\": {{\"except\": [\"{cluster}\"]}}");
            assert!(index.contains(&row), "{case}: all but {cluster} get its secret");
        }
    }
}

fn copy_view(from: &Path, to: &Path) {
    for (path, _) in files(from) {
        let to = to.join(&path);
        fs::create_dir_all(to.parent().expect("a file in a folder")).expect("a folder");
        copy(&from.join(&path), &to);
    }
}

fn differences(committed: &Path, fresh: &Path) -> Vec<String> {
    let (committed, fresh, place) = (files(committed), files(fresh), committed.display());
    let mut wrong = Vec::new();
    for (path, bytes) in &fresh {
        match committed.get(path) {
            None => wrong.push(format!("{place}/{path}: rendered, but not committed")),
            Some(there) if there != bytes => wrong.push(format!(
                "{place}/{path}: differs\n{}",
                similar::TextDiff::from_lines(
                    &*String::from_utf8_lossy(there),
                    &*String::from_utf8_lossy(bytes)
                )
                .unified_diff()
            )),
            Some(_) => {}
        }
    }
    for path in committed.keys().filter(|path| !fresh.contains_key(*path)) {
        wrong.push(format!("{place}/{path}: committed, but not rendered"));
    }
    wrong
}
