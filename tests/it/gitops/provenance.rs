//! How a tree came to be: the statement, and what goes with a bundle into a registry.

use std::fs;
use std::process::Command;

use meshgen::bundle::{BILL_TYPE, STATEMENT_TYPE};
use meshgen::store::Digest;
use serde_json::Value;

use crate::project::Project;
use crate::registry::Registry;
use crate::tool;

/// A project that was rendered here.
fn rendered() -> Project {
    let project = Project::copy_of(&tool::root().join("tests/golden/one-cluster"));
    project.run(&["render", "-q"]);
    project
}

#[test]
fn the_statement_names_every_input_by_its_digest() {
    let project = rendered();
    let text = project.run(&["bundle", "provenance"]);
    assert_eq!(project.run(&["bundle", "provenance", "gen:1"]), text);
    let statement: Value = serde_json::from_str(&text).expect("JSON");
    let of_file =
        |path: &str| Digest::of(fs::read(project.path().join(path)).expect("a file")).hex();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], of_file("out/index.json"));
    let build = &statement["predicate"]["buildDefinition"];
    let inputs = build["resolvedDependencies"].as_array().expect("inputs");
    let names: Vec<&str> = inputs.iter().filter_map(|one| one["name"].as_str()).collect();
    for wanted in ["mesh.yaml", "facts/solo.json", "pki/solo.yaml"] {
        assert!(names.contains(&wanted), "{names:?}");
    }
    for input in inputs {
        let path = input["name"].as_str().expect("a name");
        if project.path().join(path).exists() {
            assert_eq!(input["digest"]["sha256"], of_file(path), "{path}");
        }
    }
    assert!(!build["internalParameters"]["derivations"].as_object().expect("recipes").is_empty());
    // in-toto's own library takes it
    let Some(judge) = tool::path("attestation") else { return };
    tool::run(&mut Command::new(&judge), &text);
    let odd = text.replace("\"builder\"", "\"bilder\"");
    assert!(!tool::output(&mut Command::new(&judge), &odd).status.success(), "it does look");
}

#[test]
fn a_clone_has_no_record() {
    let project = rendered();
    fs::remove_dir_all(project.path().join("out/store")).expect("a store");
    let output = project.output(&["bundle", "provenance"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("has no record of sha256:"), "{said}");
}

#[test]
fn a_bill_and_a_statement_go_with_a_bundle_into_a_registry() {
    let (Some(oras), Some(registry)) = (tool::path("oras"), Registry::start()) else { return };
    let project = rendered();
    let file = project.path().join("mesh.tar").to_string_lossy().into_owned();
    let repository = format!("oci://{}/mesh/solo", registry.address);
    project.run(&["bundle", "create", "--out", &file]);
    let push = ["bundle", "push", &file, &repository, "--flux", "--allow-unsigned"];
    let output = project.output(&push[..5]);
    assert_eq!(output.status.code(), Some(2), "an engine asks nobody who signed");
    assert!(String::from_utf8_lossy(&output.stderr).contains("it is not signed"));
    let name = project.run(&push);
    // once more changes nothing, and adds nothing
    assert_eq!(project.run(&push), name);
    let name = name.trim().trim_start_matches("oci://");
    let oras =
        |arguments: &[&str]| tool::run(Command::new(&oras).args(arguments).arg("--plain-http"), "");
    let found = |kind: &str| {
        let text = oras(&["discover", "--format", "json", "--artifact-type", kind, name]);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let list = value["referrers"].as_array().or(value["manifests"].as_array());
        let list = list.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(list.len(), 1, "{kind}: {text}");
        list[0]["digest"].as_str().expect("a digest").to_owned()
    };
    let (place, _) = name.split_once('@').expect("a digest");
    let document = |kind: &str| {
        let manifest = oras(&["manifest", "fetch", &format!("{place}@{}", found(kind))]);
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        assert_eq!(manifest["layers"][0]["mediaType"], kind);
        let layer = manifest["layers"][0]["digest"].as_str().expect("a digest");
        oras(&["blob", "fetch", "--output", "-", &format!("{place}@{layer}")])
    };
    assert_eq!(document(BILL_TYPE), project.run(&["bundle", "sbom", &file]));
    let statement: Value = serde_json::from_str(&document(STATEMENT_TYPE)).expect("JSON");
    let subjects = statement["subject"].as_array().expect("subjects");
    assert_eq!(subjects.len(), 2);
    let (_, digest) = name.split_once("@sha256:").expect("a digest");
    assert_eq!(subjects[1]["digest"]["sha256"], digest);
    assert_eq!(subjects[1]["name"], place);

    // Flux's artifact is a plain one to others: its layer is a tar in gzip
    let tag = format!("{place}:flux-solo.solo");
    let manifest: Value = serde_json::from_str(&oras(&["manifest", "fetch", &tag])).expect("JSON");
    assert_eq!(manifest["annotations"]["dev.meshgen.cluster"], "solo");
    let digest = oras(&["resolve", &tag]);
    let fleet = project.run(&["gitops", "flux", "--source", &repository, "--plain-http"]);
    assert!(fleet.contains(digest.trim()), "{digest}: {fleet}");
}
