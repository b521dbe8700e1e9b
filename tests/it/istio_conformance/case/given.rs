//! Inputs that others wrote: Istio's tests, the reference job, the golden meshes, `tests/istio`.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::judge::Bench;
use super::{Cases, NEWEST, RELEASES, random};
use crate::project::Tree;
use crate::tool;

pub fn add(cases: &mut Cases, bench: &Bench) {
    for charts in RELEASES {
        istio(cases, bench.module(charts), charts);
    }
    reference(cases);
    golden(cases);
    ours(cases);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The YAML files below a folder, in order.
fn below(folder: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap_or_else(|error| panic!("{error}")).into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect()
}

/// Every input of the tests of `manifest generate`, with the charts of its own release; and every
/// other `IstioOperator` that the module has anywhere.
fn istio(cases: &mut Cases, module: &Path, charts: &'static str) {
    let tests = module.join("operator/cmd/mesh/testdata/manifest-generate");
    let inputs = below(&tests.join("input"));
    assert!(inputs.len() > 25, "{} has moved its inputs", module.display());
    for path in &inputs {
        let stem = path.file_stem().expect("a file").to_string_lossy();
        let name = format!("input/{stem}/{charts}");
        cases.full(&name, charts, &[&read(path)], &[]);
        if stem == "flag_force" || stem.starts_with("invalid") || stem.starts_with("autoscaling") {
            cases.light(
                &format!("input/{stem}+force/{charts}"),
                charts,
                &[&read(path)],
                &["--force"],
            );
        }
    }
    // those of the other tests hardly change: the oldest and the newest of them
    if ![RELEASES[0], NEWEST].contains(&charts) && !random::asked() {
        return;
    }
    for folder in ["operator", "istioctl", "samples", "tests/integration", "pkg/kube/inject"] {
        for path in below(&module.join(folder)) {
            if path.starts_with(tests.join("input")) || path.starts_with(tests.join("output")) {
                continue;
            }
            let text = read(&path);
            if text.contains("kind: IstioOperator") {
                let path = path.strip_prefix(module).expect("below").with_extension("");
                let name = format!("module/{}/{charts}", path.display());
                cases.light(&name, charts, &[&text], &[]);
            }
        }
    }
}

/// The operators that are in `out/`, with every release.
fn reference(cases: &mut Cases) {
    let tree = Tree::committed();
    for cluster in tree.clusters() {
        let text = read(&tree.file(&format!("{cluster}/istio-operator.yaml")));
        for charts in RELEASES {
            cases.full(&format!("reference/{cluster}/{charts}"), charts, &[&text], &[]);
        }
    }
}

/// Mixed providers, shared networks, overrides, revisions: whatever a golden mesh asks for.
fn golden(cases: &mut Cases) {
    let golden = tool::root().join("tests/golden");
    for path in below(&golden) {
        if path.file_name().is_some_and(|name| name == "istio-operator.yaml") {
            let place = path.strip_prefix(&golden).expect("below").parent().expect("a folder");
            let place = place.display().to_string().replace("/out/", "/");
            for charts in ["1.24", NEWEST] {
                cases.light(&format!("golden/{place}/{charts}"), charts, &[&read(&path)], &[]);
            }
        }
    }
}

/// Files written for this matrix. The lines `# flags: …` and `# charts: …` at the start of a file
/// give flags, separated by spaces, and the releases where it is not all of them.
fn ours(cases: &mut Cases) {
    for path in below(&tool::root().join("tests/istio")) {
        let text = read(&path);
        let head = |word: &str| -> Option<Vec<&str>> {
            let line = text
                .lines()
                .take_while(|line| line.starts_with('#'))
                .find_map(|line| line.strip_prefix("# ")?.strip_prefix(word)?.strip_prefix(": "))?;
            Some(line.split(' ').collect())
        };
        let stem = path.file_stem().expect("a file").to_string_lossy();
        let flags = head("flags").unwrap_or_default();
        for charts in RELEASES {
            if head("charts").is_none_or(|releases| releases.contains(&charts)) {
                cases.light(&format!("file/{stem}/{charts}"), charts, &[&text], &flags);
            }
        }
    }
}
