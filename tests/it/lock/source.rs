//! One content, whatever it came from.

use std::fs;

use super::{
    chart, digests, one_digest, packed, project, refused, release, renderable, said, unpacked,
};
use crate::project::files;
use crate::tool;

#[test]
fn a_release_is_the_same_from_folder_manifests_and_archive() {
    let project = project();
    let folder = project.path().join("istio-1.27.0");
    unpacked(&folder, &release("1.27.0"));
    let archive = project.path().join("istio-1.27.0-linux-amd64.tar.gz");
    fs::write(&archive, packed("istio-1.27.0", &release("1.27.0"))).expect("written");
    let other = project.path().join("other.tar.gz");
    fs::write(other, packed("./another-name", &release("1.27.0"))).expect("written");
    project.run(&[
        "lock",
        "a=istio-1.27.0",
        "b=istio-1.27.0/manifests",
        "c=istio-1.27.0-linux-amd64.tar.gz",
        "d=other.tar.gz",
    ]);
    let digest = one_digest(&project);
    let kept = project.path().join(format!("charts/{}.tar", digest.hex()));
    let mut archive = tar::Archive::new(fs::File::open(kept).expect("is there"));
    let names: Vec<String> = archive
        .entries()
        .expect("a tar")
        .map(|entry| entry.expect("an entry").path().expect("a path").display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "charts/base/Chart.yaml",
            "charts/base/files/crd.yaml",
            "charts/istio-control/istio-discovery/values.yaml",
            "profiles/default.yaml",
        ]
    );
    let lock = fs::read_to_string(project.path().join("meshgen.lock")).expect("is there");
    assert_eq!(lock.matches("version: \"1.27.0\"").count(), 4, "{lock}");
}

#[test]
fn a_chart_is_the_same_from_folder_and_archive() {
    let project = project();
    unpacked(&project.path().join("one"), &chart("1.2.3"));
    // a clone's history is no part of a chart
    unpacked(&project.path().join("one/.git"), &super::tree(&[("HEAD", "ref: x\n")]));
    fs::write(project.path().join("one-1.2.3.tgz"), packed("one", &chart("1.2.3")))
        .expect("written");
    project.run(&["lock", "a=one", "b=one-1.2.3.tgz"]);
    one_digest(&project);
}

/// The real thing: Istio's charts as a Go module has them.
#[test]
fn istio_itself_can_be_pinned() {
    const MODULE: &str = "istio.io/istio@v0.0.0-20260423205519-b01690e6db7d";
    let Some(go) = tool::path("go") else { return };
    let mut command = std::process::Command::new(go);
    command.args(["env", "GOMODCACHE"]);
    let cache = tool::run(&mut command, "");
    let manifests = std::path::Path::new(cache.trim()).join(MODULE).join("manifests");
    if !manifests.is_dir() {
        return tool::not_run("istio's charts", "the module was not downloaded yet");
    }
    let project = project();
    let source = manifests.to_str().expect("text");
    let all: super::Tree = files(&manifests);
    let bytes = packed("istio/manifests", &all);
    fs::write(project.path().join("istio.tar.gz"), bytes).expect("written");
    project.run(&["lock", &format!("a={source}"), "b=istio.tar.gz"]);
    one_digest(&project);
}

#[test]
fn what_is_neither_is_refused_with_what_would_be_one() {
    let project = project();
    let mut half = release("1.27.0");
    half.retain(|path, _| !path.contains("profiles"));
    unpacked(&project.path().join("half"), &half);
    fs::write(project.path().join("half.tgz"), packed("half", &half)).expect("written");
    fs::write(project.path().join("text.tgz"), "text").expect("written");
    let said = refused(
        &project,
        2,
        &[
            "a=half",
            "b=half.tgz",
            "c=text.tgz",
            "d=nowhere",
            "e=oci://host.example/a",
            "f=ftp://a/b",
        ],
    );
    // names and sources first, so that nothing is fetched for a wrong request
    assert!(said.contains("2 problems") && said.contains("needs a tag or a digest"), "{said}");
    let said = refused(&project, 2, &["a=half", "b=half.tgz", "c=text.tgz", "d=nowhere"]);
    for part in [
        "`a`: it is neither an Istio release nor a Helm chart",
        "`b`: it is neither an Istio release nor a Helm chart",
        "`c`: it is no `.tar.gz`",
        "nowhere`: No such file",
        "hint: a release has `manifests/charts` and `manifests/profiles`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn pins_stand_side_by_side_and_a_cluster_can_have_its_own() {
    let project = project();
    unpacked(&project.path().join("old"), &renderable("1.27.0"));
    unpacked(&project.path().join("new"), &renderable("1.28.0"));
    project.run(&["lock", "stable=old", "canary=new"]);
    assert_ne!(digests(&project)["stable"], digests(&project)["canary"]);
    let mesh = super::MESH
        .replace("  c1: {}\n", "  c1: {}\n  c2: {istio: {version: 1.28.0, charts: canary}}\n");
    project.write("mesh.yaml", &mesh);
    project.make_keyring();
    project.run(&["check"]);
    project.run(&["render"]);
    // each pin must fit the version that is to run
    project.write("mesh.yaml", &mesh.replace("charts: canary", "charts: stable"));
    let output = project.output(&["render"]);
    assert!(said(&output).contains("[MG0807]"), "{}", said(&output));
}

#[test]
fn a_render_says_what_is_missing_and_how_to_get_it() {
    let project = project();
    unpacked(&project.path().join("old"), &renderable("1.27.0"));
    project.run(&["lock", "stable=old"]);
    project.make_keyring();
    project.run(&["render"]);
    // without the source and without a network
    fs::rename(project.path().join("old"), project.path().join("gone")).expect("moved");
    project.run(&["render"]);
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    let output = project.output(&["render"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("`meshgen lock --fetch`"), "{}", said(&output));
    fs::rename(project.path().join("gone"), project.path().join("old")).expect("moved");
    project.run(&["lock", "--fetch"]);
    project.run(&["render"]);
    // remembered as good, and changed since
    let path = format!("charts/{}.tar", one_digest(&project).hex());
    project.write(&path, "other");
    let output = project.output(&["render"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("[MG0805]"), "{}", said(&output));
}
