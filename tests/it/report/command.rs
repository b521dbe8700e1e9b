//! The command: what it reads, what it refuses, where it writes.

use std::fs;

use meshgen::verify::Report;
use meshgen::verify::write::to_json;
use serde_json::Value;

use super::sample;
use crate::page;
use crate::project::Project;
use crate::tool;

/// The reference job, rendered.
fn committed() -> Project {
    let project = Project::copy_of(tool::root());
    project.run(&["render", "-q"]);
    project
}

/// A verification of the tree in out/, with failures.
fn verification(project: &Project) -> Report {
    let json: Value =
        serde_json::from_str(&project.run(&["report", "--offline", "-o", "json"])).unwrap();
    let mut report = sample::troubled(2).verification.expect("a verification");
    json["tree"]["digest"].as_str().expect("a digest").clone_into(&mut report.tree);
    report
}

#[test]
fn a_clone_has_a_page_without_asking_anybody() {
    let project = committed();
    let html = project.run(&["report", "--offline"]);
    assert!(html.starts_with("<!doctype html>\n") && html.ends_with("</html>\n"));
    for text in [
        "apac",
        "sydney",
        "melbourne",
        "No cluster was asked",
        "O=Istio, CN=Root CA",
        "c1 and c2: the facts are examples",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(html.contains("Regions are from terraform.tfvars of the tree."));
    // a clone has no store
    fs::remove_dir_all(project.path().join("out/store")).expect("a store");
    let file = project.path().join("mesh.html");
    project.run(&["report", "--offline", "--out", &file.to_string_lossy()]);
    assert!(fs::read_to_string(file).unwrap().contains("sydney"));
}

#[test]
fn regions_of_others_than_oke_come_from_the_mesh_file_while_it_is_that_of_the_tree() {
    let project = Project::copy_of(&tool::root().join("tests/golden/shared-network"));
    project.run(&["render", "-q"]);
    let page = |project: &Project, tree: &[&str]| -> Value {
        let all = [&["report", "--offline", "-o", "json"], tree].concat();
        serde_json::from_str(&project.run(&all)).unwrap()
    };
    let json = page(&project, &[]);
    assert_eq!(json["regionsFrom"], "mesh.yaml");
    assert_eq!(json["clusters"][0]["region"], "us-east-1");
    assert_eq!(json["clusters"][0]["hasGateway"], true);
    assert_eq!(json["clusters"][1]["hasGateway"], false, "its network's gateway is the other's");
    // another tree says nothing of regions, whatever mesh.yaml says now
    let text = fs::read_to_string(project.path().join("mesh.yaml")).unwrap();
    project.write("mesh.yaml", &text.replace("1.26.0", "1.26.1"));
    project.run(&["render", "-q"]);
    let old = page(&project, &["gen:1"]);
    assert_eq!((&old["regionsFrom"], &old["clusters"][0]["region"]), (&Value::Null, &Value::Null));
    // and a file that does not read takes nothing but the regions away
    project.write("mesh.yaml", "clusters: [");
    assert_eq!(page(&project, &[])["clusters"][2]["region"], Value::Null);
}

#[test]
fn the_last_verification_is_shown_with_what_it_was_of() {
    let project = committed();
    let mut report = verification(&project);
    project.write("out/store/verification.json", &to_json(&report));
    let html = project.run(&["report", "--offline"]);
    assert!(html.contains("3 of ") && html.contains("of this tree"));
    assert!(!html.contains("another tree"));
    report.tree = format!("sha256:{}", "0".repeat(64));
    project.write("other.json", &to_json(&report));
    let other = project.path().join("other.json");
    let html = project.run(&["report", "--offline", "--verification", &other.to_string_lossy()]);
    assert!(html.contains("was of another tree (sha256:000000000000)"));
    // what is kept may be damaged, what is named may not
    project.write("out/store/verification.json", "{");
    let output = project.output(&["report", "--offline"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("is no verification"), "{said}");
    let kept = project.path().join("out/store/verification.json");
    let output =
        project.output(&["report", "--offline", "--verification", &kept.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    let output = project.output(&["report", "--offline", "--verification", "/nowhere.json"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn it_writes_whole_files_outside_of_out() {
    let project = committed();
    let refused = |arguments: &[&str], why: &str| {
        let output = project.output(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
    };
    let inside = project.path().join("out/mesh.html");
    refused(&["report", "--offline", "--out", &inside.to_string_lossy()], "lies in out/");
    assert!(!inside.exists());
    refused(&["report", "--offline", "-o", "markdown"], "no Markdown");
    refused(&["report", "--kubeconfig", "/nowhere"], "`--offline` asks no cluster");
    let file = project.path().join("mesh.html");
    fs::write(&file, "old").unwrap();
    project.run(&["report", "--offline", "--out", &file.to_string_lossy()]);
    assert!(fs::read_to_string(&file).unwrap().ends_with("</html>\n"));
}

#[test]
fn a_cluster_that_cannot_be_reached_is_on_the_page_all_the_same() {
    let project = committed();
    let cluster = |name: &str| {
        format!("{{\"name\": \"{name}\", \"cluster\": {{\"server\": \"https://127.0.0.1:1\"}}}}")
    };
    let context = |name: &str| {
        format!(
            "{{\"name\": \"{name}\", \"context\": {{\"cluster\": \"{name}\", \"user\": \"u\"}}}}"
        )
    };
    let config = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Config\", \"clusters\": [{}], \"contexts\": [{}], \
         \"users\": [{{\"name\": \"u\", \"user\": {{\"token\": \"canary-of-a-token\"}}}}]}}",
        cluster("c1"),
        context("c1")
    );
    project.write("kubeconfig", &config);
    let config = project.path().join("kubeconfig");
    let file = project.path().join("mesh.html");
    let output = project.output(&[
        "report",
        "--kubeconfig",
        &config.to_string_lossy(),
        "--out",
        &file.to_string_lossy(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let html = fs::read_to_string(file).unwrap();
    assert!(
        html.contains("2 clusters not reached") && html.contains("c1 and c2: could not be reached")
    );
    assert!(!html.contains("canary-of-a-token"));
}

#[test]
fn json_is_as_the_page_has_it() {
    let project = committed();
    let offline: Value =
        serde_json::from_str(&project.run(&["report", "--offline", "-o", "json"])).unwrap();
    assert_eq!(
        (offline["kind"].as_str(), offline["asked"].as_bool()),
        (Some("MeshReport"), Some(false))
    );
    let mut values = vec![offline];
    for made_up in [sample::troubled(12), sample::offline(3), sample::healthy(2)] {
        values.push(serde_json::to_value(&made_up).unwrap());
    }
    page::agree(
        "report-json.md",
        "## `meshgen report -o json`",
        &values,
        &["verification.", "clusters[].state."],
    );
}
