//! What an engine is pointed at is what somebody who is trusted signed, and says nothing odd.

use std::fs;
use std::process::{Command, Output};

use super::{expect, planes};
use crate::tool;

/// meshgen in a folder with a bundle of the case, `mesh.tar`, which is its home too.
fn run(folder: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.current_dir(folder).env("HOME", folder).env_remove("XDG_CONFIG_HOME");
    tool::output(command.args(arguments), "")
}

#[test]
fn a_bundle_that_nobody_signed_is_given_to_no_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mesh.tar").to_string_lossy().into_owned();
    expect(0, &["bundle", "create", "--out", &file]);
    let flux = ["gitops", "flux", &file, "--source", "oci://r.example/mesh", "--only", "c1"];
    let argocd = ["gitops", "argocd", &file, "--source", "https://git.example/mesh.git"];
    let argocd = [&argocd[..], &["--without-sealed", "--only", "c1", "--out", "argocd"]].concat();
    for command in [&flux[..], &argocd] {
        let output = run(folder.path(), command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("it is not signed"), "{said}");
        assert!(output.stdout.is_empty() && !folder.path().join("argocd").exists());
    }
    // signed, and by whom
    let data = tool::root().join("tests/data/sign");
    let [key, public] =
        ["cosign.key", "cosign.pub"].map(|name| data.join(name).display().to_string());
    fs::write(folder.path().join("password"), "no secret: a test's").expect("written");
    let sign = ["bundle", "sign", "--key", &key, "--password-file", "password", "mesh.tar"];
    assert!(run(folder.path(), &sign).status.success());
    for command in [&flux[..], &argocd] {
        assert_eq!(run(folder.path(), command).status.code(), Some(2));
        let output = run(folder.path(), &[command, &["--key", &public]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let signed = run(folder.path(), &[&flux[..], &["--key", &public]].concat()).stdout;
    let (own, _) = expect(0, &[&["gitops", "flux"], &flux[3..]].concat());
    assert_eq!(String::from_utf8_lossy(&signed), own, "the same tree, from a bundle");
    assert!(planes().join("out").exists());
}

#[test]
fn names_and_paths_that_nobody_has_are_refused() {
    let flux = ["gitops", "flux", "--source", "https://git.example/m.git", "--only", "c1"];
    let argocd = ["gitops", "argocd", "--source", "https://git.example/m.git", "--only", "c1"];
    let argocd = [&argocd[..], &["--without-sealed", "--out", "/nonexistent/argocd"]].concat();
    for (command, flag, value) in [
        (&flux[..], "--namespace", "Flux System"),
        (&flux, "--decryption-secret", "a/b"),
        (&flux, "--pull-secret", ""),
        (&flux, "--path", "../../etc"),
        (&flux, "--path", "/out"),
        (&argocd, "--namespace", "argo\ncd"),
        (&argocd, "--project", "-x"),
        (&argocd, "--applications", "a/../.."),
    ] {
        let value = format!("{flag}={value}");
        let (out, said) = expect(2, &[command, &[&value]].concat());
        assert!(out.is_empty() && said.contains(&format!("`{flag}`: ")), "{value}: {said}");
    }
    for path in ["--path=.", "--path=deploy/out/", "--namespace=flux.system"] {
        expect(0, &[&flux[..], &[path]].concat());
    }
}
