//! The charts of a few lines that cases pin: their text stands in `tests/data/tiny-istio`.

use std::fs;
use std::path::Path;

use super::{compare_with, json};
use crate::project::{Project, Tree};
use crate::tool;

fn folder() -> std::path::PathBuf {
    tool::root().join("tests/data/tiny-istio")
}

#[test]
fn cases_hold_the_pinned_text() {
    let project = Project::new("");
    project.run(&["lock", "-q", &format!("tiny={}", folder().display())]);
    let pins = json(&project, &["lock"]);
    let digest = pins["pins"][0]["digest"].as_str().expect("a digest");
    let mut seen = 0;
    for cases in ["tests/golden", "tests/bad"] {
        for case in fs::read_dir(tool::root().join(cases)).expect("cases") {
            let case = case.expect("a case").path();
            let lock = fs::read_to_string(case.join("meshgen.lock")).unwrap_or_default();
            if lock.contains("data/tiny-istio\"\n") {
                let count = lock.matches("data/tiny-istio\"\n").count();
                let place = case.display();
                assert_eq!(lock.matches(digest).count(), count, "{place}: pin it anew");
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "{seen} cases pin it");
}

#[test]
fn istioctl_makes_the_same_of_them() {
    let out = tool::root().join("tests/golden/control-plane");
    let project = Project::copy_of(&out);
    project.run(&["render", "-q"]);
    let tree: Tree = project.tree();
    let manifests: &Path = &folder();
    for (cluster, least) in [("c1", 12), ("c3", 14)] {
        let Some(count) = compare_with(&tree, cluster, manifests) else { return };
        assert!(count >= least, "{cluster}: {count}");
    }
}
