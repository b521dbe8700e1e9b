//! What is written, as it is committed in `tests/golden/control-plane/gitops`.
//!
//! `MESHGEN_BLESS=1` writes what comes out now; read the diff before you commit it.

use std::env;
use std::fs;
use std::path::Path;

use super::{expect, planes};
use crate::project::files;

const OCI: &str = "oci://registry.example/mesh/planes";
const GIT: &str = "https://git.example/planes.git";
const ONLY: [&str; 2] = ["--only", "c1,c3"];

/// The engines, each with its folder and the flags that it gets.
const CASES: [(&str, &[&str]); 3] = [
    ("flux", &["flux", "--source", OCI]),
    ("flux-git", &["flux", "--source", GIT, "--pull-secret", "git", "--branch", "prod"]),
    ("argocd", &["argocd", "--source", GIT, "--plugin", "sops", "--revision", "prod"]),
];

#[test]
fn every_engine_gets_what_is_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let committed = planes().join("gitops");
    let mut wrong = Vec::new();
    for (name, flags) in CASES {
        let fresh = folder.path().join(name);
        let out = fresh.to_string_lossy().into_owned();
        let arguments = [&["gitops"], flags, &ONLY, &["--out", &out]].concat();
        expect(0, &arguments);
        if env::var_os("MESHGEN_BLESS").is_some() {
            let _ = fs::remove_dir_all(committed.join(name));
            copy(&fresh, &committed.join(name));
        }
        if files(&fresh) != files(&committed.join(name)) {
            wrong.push(format!("{name}: {} and {out} differ", committed.join(name).display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let to = to.join(path);
        fs::create_dir_all(to.parent().expect("a file in a folder")).expect("a folder");
        fs::write(to, bytes).expect("a file");
    }
}

#[test]
fn one_cluster_goes_to_stdout() {
    let (out, err) = expect(0, &["gitops", "flux", "--source", OCI, "--only", "c1"]);
    let file = fs::read_to_string(planes().join("gitops/flux/c1/planes.yaml")).expect("committed");
    assert_eq!(out, file);
    assert!(err.contains("apply --only-bindings") && err.contains("flux-system/sops-age"), "{err}");
    let (_, err) = expect(2, &["gitops", "flux", "--source", OCI, "--only", "c1,c3"]);
    assert!(err.contains("`--out DIR` writes a file for each"), "{err}");
}

#[test]
fn what_apply_refuses_no_engine_gets() {
    for arguments in [
        &["gitops", "flux", "--source", OCI, "--out", "x"][..],
        &["gitops", "argocd", "--source", GIT, "--out", "x", "--plugin", "p"],
    ] {
        let (_, err) = expect(2, arguments);
        assert!(err.contains("c2: `c2/40-gateways/"), "{err}");
        assert!(err.contains("waits for facts.c2."), "{err}");
        assert!(!planes().join("x").exists() && !Path::new("x").exists());
    }
    let reference = crate::tool::root();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(reference).args(["gitops", "flux", "--source", OCI, "--only", "c1"]);
    let output = crate::tool::output(&mut command, "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("made up"), "{output:?}");
}

#[test]
fn what_is_sealed_is_never_applied_as_it_stands() {
    let argocd = ["gitops", "argocd", "--source", GIT, "--only", "c1", "--out"];
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a");
    let path = out.to_string_lossy().into_owned();
    let (_, err) = expect(2, &[&argocd[..], &[&path]].concat());
    assert!(err.contains("which Argo CD does not open"), "{err}");
    assert!(err.contains("--plugin NAME") && err.contains("--without-sealed"), "{err}");
    assert!(!out.exists());
    let (_, err) = expect(0, &[&argocd[..], &[&path, "--without-sealed"]].concat());
    assert!(err.contains("to be there before istiod starts: c1/10-cacerts"), "{err}");
    let text = fs::read_to_string(out.join("c1/applications.yaml")).expect("written");
    assert!(!text.contains("cacerts") && text.contains("30-istiod"), "{text}");
}

#[test]
fn odd_requests_are_refused() {
    for (flags, expected) in [
        (&["--source", "oci://host"][..], "is no repository of a registry"),
        (&["--source", "oci://host/x:tag"], "without tag or digest"),
        (&["--source", "oci://host/x@sha256:0"], "without tag or digest"),
        (&["--source", "file:///x"], "is no git repository"),
        (&["--source", GIT, "--follow"], "about a registry"),
        (&["--source", OCI, "--only", "c9"], "has no cluster `c9`"),
    ] {
        let (_, err) = expect(2, &[&["gitops", "flux"], flags].concat());
        assert!(err.contains(expected), "{flags:?}: {err}");
    }
    let out = ["gitops", "argocd", "--source", OCI, "--out", "x", "--plugin", "p"];
    assert!(expect(2, &out).1.contains("in git, not in a registry"));
}
