//! What an engine is pointed at is what somebody who is trusted signed, and says nothing odd.

use std::fs;
use std::process::{Command, Output};

use super::{expect, planes};
use crate::project::Project;
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
}

#[test]
fn names_and_paths_that_nobody_has_are_refused() {
    let source = "--source=https://git.example/m.git";
    let (flux, argocd) = (["gitops", "flux", "--only", "c1"], ["gitops", "argocd", "--only", "c1"]);
    let argocd = [&argocd[..], &["--without-sealed", "--out", "/nonexistent/argocd"]].concat();
    for (command, flag, value) in [
        (&flux[..], "--namespace", "Flux System"),
        (&flux, "--decryption-secret", "a/b"),
        (&flux, "--pull-secret", ""),
        (&flux, "--branch", ""),
        (&argocd, "--revision", "a b"),
        (&argocd, "--source", ""),
        (&argocd, "--source", "file:///x"),
        (&argocd, "--source", "https://"),
        (&flux, "--source", "https://h/r\nx"),
        (&flux, "--path", "../../etc"),
        (&flux, "--path", "/out"),
        (&argocd, "--namespace", "argo\ncd"),
        (&argocd, "--project", "-x"),
        (&argocd, "--applications", "a/../.."),
    ] {
        let value = format!("{flag}={value}");
        let more = if flag == "--source" { &[][..] } else { &[source] };
        let (out, said) = expect(2, &[command, &[&value], more].concat());
        assert!(out.is_empty() && said.contains(&format!("`{flag}`: ")), "{value}: {said}");
    }
    expect(0, &[&flux[..], &[source, "--namespace=flux.system"]].concat());
    let with = |path: &str| expect(0, &[&flux[..], &[source, path]].concat()).0;
    assert_eq!(with("--path=./out/"), with("--path=out"));
}

/// From git, what lies in a folder that clusters share and is not for this one is left out of it, wherever
/// the tree is in the repository.
#[test]
fn what_a_cluster_does_not_get_is_kept_from_its_engine() {
    let project = Project::copy_of(&planes());
    project.run(&["render", "-q"]);
    let table = project.path().join("out/index.json");
    let text = fs::read_to_string(&table).expect("reads");
    let shared = "crds/stable/customresourcedefinition_gateways.networking.istio.io.yaml";
    let line = text.lines().find(|line| line.contains(shared)).expect("a shared definition");
    let alone = line.replace(r#""targets": ["c1", "c2"]"#, r#""targets": ["c2"]"#);
    assert!(alone != line);
    fs::write(&table, text.replace(line, &alone)).expect("writes");
    let git = ["--source", "https://git.example/m.git", "--only", "c1"];
    for (path, below) in [("--path=.", ""), ("--path=./deploy/out/", "deploy/out/")] {
        let text = project.run(&[&["gitops", "flux", path], &git[..]].concat());
        assert!(text.contains(&format!("path: \"./{below}c1/10-cacerts\"")), "{text}");
        assert!(text.contains(&format!("/{below}{shared}")), "{text}");
        let argocd = ["gitops", "argocd", path, "--without-sealed", "--out"];
        let out = project.path().join("argocd");
        let out = out.to_str().expect("text");
        project.run(&[&argocd[..], &[out], &git].concat());
        let text = fs::read_to_string(format!("{out}/c1/applications.yaml")).expect("written");
        assert!(text.contains(&format!("path: {below}crds/stable\n")), "{text}");
        assert!(text.contains("exclude"), "{text}");
    }
}

/// A tree of a stranger names folders and terminals otherwise.
#[test]
fn a_tree_with_names_that_are_none_is_no_tree() {
    let project = Project::copy_of(&planes());
    project.run(&["render", "-q"]);
    let table = project.path().join("out/index.json");
    let honest = fs::read_to_string(&table).expect("reads");
    for odd in ["/tmp/abs", "../../esc", "x?y#z", "x y", "C1", "", "b\\u001b[2J", "a\\nb"] {
        for (old, new) in [
            (r#"{"name": "c1", "#, format!(r#"{{"name": "{odd}", "#)),
            (r#""mesh": "planes""#, format!(r#""mesh": "{odd}""#)),
            (r#""examples": []"#, format!(r#""examples": ["{odd}"]"#)),
        ] {
            assert!(honest.contains(old));
            fs::write(&table, honest.replacen(old, &new, 1)).expect("writes");
            for command in [
                &["gitops", "flux", "--source", "oci://r.example/m", "--out", "fleet"][..],
                &["bundle", "create", "--out", "x.tar"],
                &["show"],
            ] {
                let output = project.output(command);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(2), "{odd:?}: {said}");
                assert!(said.contains("is no name of a mesh or cluster"), "{odd:?}: {said}");
                assert!(!said.contains('\x1b'), "{said:?}");
            }
        }
    }
}

#[test]
fn the_folder_need_not_be_there_and_is_none_of_the_projects() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("fleet/clusters");
    let flux = ["gitops", "flux", "--source", "oci://r.example/mesh", "--only", "c1", "--out"];
    expect(0, &[&flux[..], &[out.to_str().expect("text")]].concat());
    assert!(out.join("c1/planes.yaml").exists());
    for inside in ["out/fleet/clusters", "fleet/../out/x", "out/fleet/../../pki/x"] {
        let inside = planes().join(inside);
        let (_, said) = expect(2, &[&flux[..], &[inside.to_str().expect("text")]].concat());
        assert!(!inside.exists(), "{said}");
    }
}
