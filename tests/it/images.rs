//! `meshgen images`: every image that a mesh will run.

use serde_json::Value;

use crate::project::Project;
use crate::tool;

/// The references that it prints for the committed tree.
#[test]
fn what_is_left_to_istioctl_is_named_by_the_operator() {
    let project = Project::copy_of(tool::root());
    assert!(project.output(&["render", "-q"]).status.success());
    let output = project.output(&["images", "-q"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.is_sorted());
    for image in
        ["docker.io/istio/pilot:1.20.2", "docker.io/istio/proxyv2:1.20.2", "curlimages/curl"]
    {
        assert!(lines.contains(&image), "{image} is not in {text}");
    }

    let json = project.output(&["images", "-o", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let images = json["images"].as_array().expect("images");
    assert_eq!(images.len(), lines.len());
    let pilot = images.iter().find(|image| image["reference"] == "docker.io/istio/pilot:1.20.2");
    let uses = pilot.expect("pilot")["uses"].as_array().expect("uses");
    let clusters: Vec<_> =
        uses.iter().map(|one| one["clusters"][0].as_str().expect("a name")).collect();
    assert_eq!(clusters, ["c1", "c2"]);
    assert_eq!(uses[0]["path"], "c1/istio-operator.yaml");
}
