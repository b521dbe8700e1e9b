//! The control plane in the tree, from the real charts of four releases; istioctl is the judge.

mod equal;
mod fact;
mod image;
mod mixed;
mod purity;
mod tiny;
mod upgrade;
mod warning;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use meshgen::yaml::{self, Schema};
use serde_json::Value;

use crate::project::{Project, Tree};
use crate::tool;

/// The stages that the charts fill.
const STAGES: [&str; 5] = ["20-base", "30-istiod", "35-cni", "40-gateways", "45-ztunnel"];

/// A project whose pins hold the charts of these releases; `None` where they cannot be had, which is
/// then said.
fn project(mesh: &str, pins: &[(&str, &str)]) -> Option<Project> {
    let project = Project::new(mesh);
    pin(&project, pins)?;
    project.make_keyring();
    Some(project)
}

/// Pins the charts of releases, each under a name.
fn pin(project: &Project, pins: &[(&str, &str)]) -> Option<()> {
    let mut sources = Vec::new();
    for (name, release) in pins {
        let manifests = tool::istio_module(release)?.join("manifests");
        sources.push(format!("{name}={}", manifests.display()));
    }
    let arguments: Vec<&str> =
        ["lock", "-q"].into_iter().chain(sources.iter().map(String::as_str)).collect();
    project.run(&arguments);
    Some(())
}

/// The reference job with facts and keyring, and its control plane from the charts of a release.
pub fn reference(release: &str) -> Option<Project> {
    let project = Project::copy_of(tool::root());
    project.write("mesh.yaml", &reference_mesh(release));
    pin(&project, &[("stable", release)])?;
    Some(project)
}

fn reference_mesh(release: &str) -> String {
    let kubernetes = match release {
        "1.24" | "1.26" => "v1.30.1",
        _ => "v1.33.1",
    };
    let istio = format!(
        "  version: {release}.0\n  charts: stable\n  hub: docker.io/istio\n  tag: {release}.0\n"
    );
    let mesh = include_str!("../../../mesh.yaml");
    assert!(mesh.contains("  version: 1.20.2\n") && mesh.contains("v1.28.2"));
    mesh.replace("  version: 1.20.2\n", &istio).replace("v1.28.2", kubernetes)
}

/// A mesh of so many clusters, all alike.
fn alike(clusters: usize) -> String {
    let rows: String = (1..=clusters).map(|number| format!("  c{number}: {{}}\n")).collect();
    format!(
        "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: alike\nprofile: kubernetes\n\
         istio: {{version: 1.30.0, charts: stable, hub: docker.io/istio, tag: 1.30.0}}\n\
         clusters:\n{rows}{PKI}"
    )
}

const PKI: &str =
    "pki: {recipients: [age1y6rzs78lvu2h57nz3awgjqak7fvt6rx33jfnkgwn6u2p2j3e4y2qvnudyp]}\n";

/// The rows of the control plane that reach a cluster.
fn rows_of(tree: &Tree, cluster: &str) -> Vec<Value> {
    let mut rows = tree.rows(|_| true);
    rows.retain(|row| {
        let is_target = |targets: &Value| targets.as_array().is_some_and(|all| holds(all, cluster));
        STAGES.iter().any(|stage| row["stage"] == *stage) && is_target(&row["targets"])
    });
    rows
}

fn holds(all: &[Value], text: &str) -> bool {
    all.iter().any(|one| one == text)
}

/// The row of a file.
fn row(tree: &Tree, path: &str) -> Value {
    let mut rows = tree.rows(|one| one == path);
    assert_eq!(rows.len(), 1, "{path}: there is one row");
    rows.remove(0)
}

/// Objects by group, kind, namespace and name.
type Objects = BTreeMap<String, Value>;

fn by_identity(objects: impl IntoIterator<Item = Value>) -> Objects {
    let mut all = Objects::new();
    for object in objects {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = text(&object["apiVersion"]);
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let metadata = &object["metadata"];
        let identity = format!(
            "{group} {} {}/{}",
            text(&object["kind"]),
            text(&metadata["namespace"]),
            text(&metadata["name"])
        );
        assert!(all.insert(identity.clone(), object).is_none(), "{identity} is there twice");
    }
    all
}

/// The control plane of a cluster as the tree has it.
fn ours(tree: &Tree, cluster: &str) -> Objects {
    let rows = rows_of(tree, cluster);
    by_identity(rows.iter().map(|row| tree.object(row["path"].as_str().expect("a path"))))
}

/// What `istioctl manifest generate` makes of the `IstioOperator` in the tree and these charts.
fn theirs(tree: &Tree, cluster: &str, manifests: &Path) -> Option<Objects> {
    let istioctl = tool::path("istioctl")?;
    let mut command = Command::new(istioctl);
    command.args(["manifest", "generate", "-f"]);
    command.arg(tree.file(&format!("{cluster}/istio-operator.yaml"))).arg("-d").arg(manifests);
    let text = tool::run(&mut command, "");
    let mut objects = yaml::documents(&text, Schema::Go).expect("istioctl prints YAML");
    objects.retain(|object| !object.is_null());
    Some(by_identity(objects))
}

/// Compares a cluster in the tree with what istioctl makes of a release's charts; gives the number of
/// objects. `None` where the judge cannot be had.
fn compare(tree: &Tree, cluster: &str, release: &str) -> Option<usize> {
    compare_with(tree, cluster, &tool::istio_module(release)?.join("manifests"))
}

fn compare_with(tree: &Tree, cluster: &str, manifests: &Path) -> Option<usize> {
    let theirs = theirs(tree, cluster, manifests)?;
    Some(same(tree, cluster, &theirs))
}

/// Holds a cluster in the tree against these objects, and counts them.
fn same(tree: &Tree, cluster: &str, theirs: &Objects) -> usize {
    let ours = ours(tree, cluster);
    let names = |objects: &Objects| objects.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&ours), names(theirs), "{cluster}: other objects");
    for (identity, object) in &ours {
        assert_eq!(object, &theirs[identity], "{cluster}: {identity} differs");
    }
    ours.len()
}

/// What a command says on stderr.
fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// Runs a command that prints JSON, whatever its exit code.
fn json(project: &Project, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
    let output = project.output(&arguments);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", said(&output)))
}

/// Replaces text of a project's file, which must be there.
fn replace(project: &Project, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(project.path().join(path)).expect("a file");
    assert!(text.contains(from), "{path} has no {from:?}");
    project.write(path, &text.replace(from, to));
}
