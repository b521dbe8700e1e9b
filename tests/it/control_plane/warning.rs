//! What istioctl is silent about, what it refuses, and what is left to it.

use std::fs;

use serde_json::json;

use super::{PKI, STAGES, alike, json, project, replace, rows_of, said};
use crate::project::{Project, files};

/// c2 has an overlay for an object that is not there, and a setting that nothing reads.
fn silly() -> Option<Project> {
    let mesh = alike(2).replace(
        "  c2: {}\n",
        "  c2:
    istio:
      components:
        pilot:
          k8s:
            volumes: []
            overlays:
            - kind: Deployment
              name: istio
              patches: [{path: metadata.labels.a, value: b}]
",
    );
    project(&mesh, &[("stable", "1.30")])
}

#[test]
fn settings_without_effect_are_warnings_cold_and_warm() {
    let Some(project) = silly() else { return };
    let expected = [
        "warning[MG0709]: `c2`: components.pilot.k8s.overlays[0]: the component has no Deployment `istio`",
        "warning[MG0709]: `c2`: components.pilot.k8s.volumes is not used",
        "--> mesh.yaml:15:",
    ];
    let shows = |arguments: &[&str]| {
        let output = project.output(arguments);
        let said = said(&output);
        assert!(output.status.success(), "{arguments:?}: {said}");
        for part in expected {
            assert!(said.contains(part), "{arguments:?}: no {part:?} in {said}");
        }
    };
    shows(&["check"]);
    shows(&["render"]);
    // from the cache of derivations: nothing is built
    let again = json(&project, &["render"]);
    assert_eq!(again["built"], 0, "{again}");
    let warnings = again["warnings"].as_array().expect("a list");
    assert_eq!(warnings.len(), 2, "{again}");
    assert!(warnings.iter().all(|one| one["code"] == "MG0709" && one["cluster"] == "c2"));
    shows(&["render"]);
    shows(&["render", "--check"]);
    assert_eq!(
        json(&project, &["render", "--check"])["warnings"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(json(&project, &["check"])["problems"].as_array().map(Vec::len), Some(2));
    // the place moves with the file, though the derivation stays
    let mesh = fs::read_to_string(project.path().join("mesh.yaml")).expect("mesh.yaml");
    project.write("mesh.yaml", &format!("# one\n# two\n{mesh}"));
    let output = project.output(&["render"]);
    assert!(said(&output).contains("--> mesh.yaml:17:"), "{}", said(&output));
    assert_eq!(said(&project.output(&["render", "-q"])), "");
}

#[test]
fn strict_makes_errors_of_them_unless_they_are_allowed() {
    let Some(project) = silly() else { return };
    let before = files(project.path());
    for arguments in [&["render", "--strict"][..], &["render", "--check", "--strict"]] {
        let output = project.output(arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("error[MG0709]: `c2`: components.pilot.k8s.volumes"), "{said}");
        assert!(said.contains("error: 2 problems in the inputs; nothing was changed"), "{said}");
        assert_eq!(files(project.path()), before, "{arguments:?}");
    }
    // and once they are remembered
    project.run(&["render", "-q"]);
    assert_eq!(project.output(&["render", "--strict"]).status.code(), Some(2));
    let allow = "allow: [{code: MG0709, cluster: c2, reason: on purpose}]\n";
    replace(&project, "mesh.yaml", PKI, &format!("{allow}{PKI}"));
    let output = project.output(&["render", "--strict"]);
    assert!(output.status.success() && !said(&output).contains("MG0709"), "{}", said(&output));
    let output = project.output(&["check"]);
    assert!(said(&output).contains("0 errors, 0 warnings, 2 allowed"), "{}", said(&output));
    // an entry that nothing needs is told, as for every rule
    replace(&project, "mesh.yaml", "cluster: c2", "cluster: c1");
    let output = project.output(&["check"]);
    assert!(
        said(&output).contains("[MG0113]: nothing breaks MG0709 any more"),
        "{}",
        said(&output)
    );
}

#[test]
fn what_istioctl_refuses_is_refused_with_its_place() {
    let Some(project) = silly() else { return };
    replace(&project, "mesh.yaml", "volumes: []", "replicas: 3");
    replace(
        &project,
        "mesh.yaml",
        "  c1: {}\n",
        "  c1: {istio: {values: {pilot: {autoscaleMin: many}}}}\n",
    );
    let before = files(project.path());
    for command in ["check", "render"] {
        let output = project.output(&[command]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        for part in [
            "error[MG0708]: `spec.components.pilot.k8s.replicas`: unknown field; did you mean `replicaCount`?",
            "error[MG0708]: `spec.values.pilot.autoscaleMin`: it must be a whole number",
            "--> mesh.yaml:7:",
            "--> mesh.yaml:13:",
        ] {
            assert!(said.contains(part), "{command}: no {part:?} in {said}");
        }
        assert_eq!(files(project.path()), before, "{command}");
    }
}

#[test]
fn charts_of_no_release_need_hub_and_tag() {
    let mesh = alike(1).replace(", hub: docker.io/istio, tag: 1.30.0", "");
    // the oldest name gcr.io/istio-testing, the others a path of the release registry
    for release in ["1.24", "1.30"] {
        let Some(project) = project(&mesh, &[("stable", release)]) else { return };
        let mesh = mesh.replace("1.30.0", &format!("{release}.0"));
        project.write("mesh.yaml", &mesh);
        let output = project.output(&["render"]);
        let refused = said(&output);
        assert_eq!(output.status.code(), Some(2), "{refused}");
        for part in ["[MG0710]: the charts of the pin `stable` are of no release", "`istio.hub`"] {
            assert!(refused.contains(part), "{refused}");
        }
        for half in ["hub: docker.io/istio", "tag: 1.30.0"] {
            project.write(
                "mesh.yaml",
                &mesh.replace("charts: stable", &format!("charts: stable, {half}")),
            );
            assert_eq!(project.output(&["check"]).status.code(), Some(2), "{half} alone");
        }
    }
}

#[test]
fn without_charts_the_control_plane_is_left_to_istioctl() {
    let mesh =
        alike(7).replace("charts: stable, hub: docker.io/istio, tag: 1.30.0", "profile: default");
    let project = Project::new(&mesh);
    project.make_keyring();
    let output = project.output(&["render"]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(
            "control plane: c1, c2, c3, c4, c5 and 2 more left to istioctl; with `istio.charts` it is rendered too"
        ),
        "{said}"
    );
    let tree = project.tree();
    for cluster in tree.clusters() {
        assert!(rows_of(&tree, &cluster).is_empty(), "{cluster}");
        assert!(tree.file(&format!("{cluster}/istio-operator.yaml")).exists());
        let there = |stage: &&str| tree.file(&format!("{cluster}/{stage}")).exists();
        assert_eq!(STAGES.iter().find(|stage| there(stage)), None);
    }
    assert!(!tree.file("crds").exists());
    let said = json(&project, &["render"]);
    assert_eq!(said["withoutCharts"], json!(["c1", "c2", "c3", "c4", "c5", "c6", "c7"]));
}
