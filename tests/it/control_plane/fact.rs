//! Facts that are not there yet: they pass through the charts as marks, and only what they come out in
//! waits for them.

use std::fs;

use serde_json::{Value, json};

use super::{compare, pin, reference_mesh, row, rows_of, said};
use crate::project::{Project, files};
use crate::tool;

/// The reference job before Terraform has run.
fn without_facts() -> Option<Project> {
    let project = Project::copy_of(tool::root());
    fs::remove_dir_all(project.path().join("facts")).expect("there were facts");
    project.write("mesh.yaml", &reference_mesh("1.30"));
    pin(&project, &[("stable", "1.30")])?;
    Some(project)
}

#[test]
fn only_objects_in_which_a_missing_fact_comes_out_are_pending() {
    let Some(project) = without_facts() else { return };
    let output = project.output(&["render"]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let east_west = "40-gateways/service_istio-system_istio-eastwestgateway.yaml";
    let ingress = "40-gateways/service_istio-system_istio-ingressgateway.yaml";
    assert!(
        text.contains(&format!(
            "pending: c1/{ingress} needs facts.c1.publicLoadBalancer.networkSecurityGroup\n"
        )),
        "{text}"
    );
    let tree = project.tree();
    let pending = tree.index()["pending"].as_array().expect("a list").clone();
    let service = |cluster: &str, path: &str, name: &str, needs: &[&str]| {
        let needs: Vec<String> =
            needs.iter().map(|need| format!("facts.{cluster}.{need}")).collect();
        json!({
            "path": format!("{cluster}/{path}"),
            "needs": needs,
            "stage": "40-gateways",
            "targets": [cluster],
            "object": {
                "apiVersion": "v1", "kind": "Service", "namespace": "istio-system", "name": name,
            },
        })
    };
    let group = "publicLoadBalancer.networkSecurityGroup";
    let internal = ["internalLoadBalancer.networkSecurityGroup", "internalLoadBalancer.subnet"];
    for cluster in ["c1", "c2"] {
        let of_stages: Vec<&Value> = pending
            .iter()
            .filter(|row| row["targets"] == json!([cluster]) && row["stage"].is_string())
            .collect();
        let wanted = [
            service(cluster, east_west, "istio-eastwestgateway", &internal),
            service(cluster, ingress, "istio-ingressgateway", &[group]),
        ];
        assert_eq!(of_stages, wanted.iter().collect::<Vec<_>>());
        // for people who go on with istioctl: it needs all of them
        let operator = pending
            .iter()
            .find(|row| row["path"] == format!("{cluster}/istio-operator.yaml"))
            .expect("it is pending too");
        assert_eq!(operator["needs"].as_array().map(Vec::len), Some(3));
        assert_eq!(operator.get("stage"), None, "it is not sent");
        assert_eq!(rows_of(&tree, cluster).len(), 50, "the rest is rendered");
    }
    for (path, bytes) in files(&project.path().join("out")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("MESHGEN_MISSING"), "{path}");
    }
    let complete = project.output(&["render", "--complete"]);
    assert_eq!(complete.status.code(), Some(2), "{}", said(&complete));
}

#[test]
fn imported_facts_render_what_waited_for_them_and_nothing_else() {
    let Some(project) = without_facts() else { return };
    project.run(&["render", "-q"]);
    let before = files(&project.path().join("out"));
    for cluster in ["c1", "c2"] {
        let path = tool::root().join(format!("facts/{cluster}.json"));
        let example = fs::read_to_string(path).expect("example facts");
        project.write("true-facts.json", &example.replace("\"example\": true,", ""));
        let file = project.path().join("true-facts.json");
        let file = file.to_str().expect("text");
        project.run(&["facts", "import", "-q", "--cluster", cluster, file]);
    }
    project.run(&["render", "-q"]);
    let tree = project.tree();
    assert_eq!(tree.index()["pending"], json!([]));
    let after = files(&project.path().join("out"));
    let new: Vec<&str> = after
        .iter()
        .filter(|(path, bytes)| *path != "index.json" && before.get(*path) != Some(*bytes))
        .map(|(path, _)| path.as_str())
        .collect();
    let own =
        ["service_istio-system_istio-eastwestgateway", "service_istio-system_istio-ingressgateway"];
    let mut wanted = Vec::new();
    for cluster in ["c1", "c2"] {
        wanted.extend(own.map(|file| format!("{cluster}/40-gateways/{file}.yaml")));
        wanted.push(format!("{cluster}/istio-operator.yaml"));
    }
    wanted.extend(["remote-secrets/c1.yaml", "remote-secrets/c2.yaml"].map(str::to_owned));
    assert_eq!(new, wanted);
    assert!(before.keys().all(|path| after.contains_key(path)), "nothing went away");
    row(&tree, "c2/40-gateways/service_istio-system_istio-ingressgateway.yaml");
    for cluster in ["c1", "c2"] {
        if compare(&tree, cluster, "1.30").is_none() {
            return;
        }
    }
}
