//! Pinned charts: one content has one digest, and nothing else gets in.

mod change;
mod crash;
mod hostile;
mod oci;
mod remote;
mod server;
mod source;
mod tls;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use flate2::Compression;
use flate2::write::GzEncoder;
use meshgen::store::Digest;

use crate::project::{Project, files};
use crate::tool;

/// Files by path.
type Tree = BTreeMap<String, Vec<u8>>;

/// A release in little: what is pinned, and what is not.
fn release(version: &str) -> Tree {
    let values = format!("_internal_defaults_do_not_set:\n  global:\n    tag: {version}\n");
    tree(&[
        ("LICENSE", "of Istio\n"),
        ("bin/istioctl", "a program\n"),
        ("manifests/charts/base/Chart.yaml", &format!("name: base\nversion: {version}\n")),
        ("manifests/charts/base/files/crd.yaml", "kind: CustomResourceDefinition\n"),
        ("manifests/charts/istio-control/istio-discovery/values.yaml", &values),
        ("manifests/profiles/default.yaml", "kind: IstioOperator\n"),
        ("manifests/manifest.go", "package manifests\n"),
    ])
}

/// A release in little that a control plane can be rendered from.
fn renderable(version: &str) -> Tree {
    let mut files: Tree = files(&tool::root().join("tests/data/tiny-istio"))
        .into_iter()
        .map(|(path, bytes)| (format!("manifests/{path}"), bytes))
        .collect();
    let mut edit = |path: &str, change: &dyn Fn(&str) -> String| {
        let bytes = files.get_mut(path).expect("it is there");
        *bytes = change(std::str::from_utf8(bytes).expect("text")).into_bytes();
    };
    edit("manifests/charts/istio-control/istio-discovery/values.yaml", &|text| {
        format!("{text}_internal_defaults_do_not_set: {{global: {{tag: {version}}}}}\n")
    });
    edit("manifests/profiles/default.yaml", &|text| {
        text.replace("gcr.io/istio-testing", "docker.io/istio").replace("latest", version)
    });
    files
}

/// A chart in little.
fn chart(version: &str) -> Tree {
    let long = format!("templates/{}/{}.yaml", "a".repeat(70), "b".repeat(70));
    tree(&[
        ("Chart.yaml", &format!("apiVersion: v2\nname: one\nversion: {version}\n")),
        ("templates/a.yaml", "kind: A\n"),
        (&long, "kind: B\n"),
        ("values.yaml", ""),
    ])
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

/// Writes files below a folder.
fn unpacked(folder: &Path, files: &Tree) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

/// Packs files as others do: in a folder, in no order, with times and owners.
fn packed(top: &str, files: &Tree) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut folder = tar::Header::new_gnu();
    folder.set_entry_type(tar::EntryType::Directory);
    folder.set_size(0);
    archive.append_data(&mut folder, format!("{top}/"), &[][..]).expect("a folder");
    for (path, bytes) in files.iter().rev() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        header.set_mtime(1_700_000_000);
        header.set_uid(1000);
        archive
            .append_data(&mut header, format!("{top}/{path}"), bytes.as_slice())
            .expect("a file");
    }
    archive.into_inner().expect("an archive").finish().expect("compressed")
}

/// A project without any pin.
fn project() -> Project {
    Project::new(MESH)
}

const MESH: &str = "\
apiVersion: meshgen.dev/v1alpha1
kind: Mesh
name: one
profile: kubernetes
istio: {version: 1.27.0, charts: stable}
clusters:
  c1: {}
pki: {recipients: [age1y6rzs78lvu2h57nz3awgjqak7fvt6rx33jfnkgwn6u2p2j3e4y2qvnudyp]}
";

/// The digests of all pins by name, as the list says them.
fn digests(project: &Project) -> BTreeMap<String, Digest> {
    let list: serde_json::Value =
        serde_json::from_str(&project.run(&["lock", "-o", "json"])).expect("JSON");
    let pins = list["pins"].as_array().expect("a list").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    pins.map(|pin| (text(&pin["name"]), text(&pin["digest"]).parse().expect("a digest"))).collect()
}

/// The one digest that several pins have.
fn one_digest(project: &Project) -> Digest {
    let digests = digests(project);
    let (_, first) = digests.first_key_value().expect("a pin");
    assert!(digests.values().all(|digest| digest == first), "{digests:?}");
    *first
}

/// Runs `lock`, which must end with this code and leave every file as it was; gives its messages.
fn refused(project: &Project, code: i32, arguments: &[&str]) -> String {
    let before = files(project.path());
    let arguments: Vec<&str> = ["lock"].iter().chain(arguments).copied().collect();
    let output = project.output(&arguments);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(files(project.path()), before, "something was written: {said}");
    said
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}
