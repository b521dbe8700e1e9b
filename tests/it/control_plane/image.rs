//! `meshgen images` of a tree with control planes.

use super::{alike, json, project};

#[test]
fn every_image_is_listed_behind_the_prefix_that_fits_best() {
    let mesh = alike(2).replace(
        "clusters:\n",
        "images: {docker.io: mirror.example/hub, docker.io/istio/pilot: other.example/pi}\nclusters:\n",
    );
    let mesh = mesh.replace(
        "  c1: {}",
        "  c1: {istio: {components: {cni: {enabled: true}}, \
         meshConfig: {defaultConfig: {image: {imageType: distroless}}}}}",
    );
    let Some(project) = project(&mesh, &[("stable", "1.30")]) else { return };
    project.run(&["render", "-q"]);
    let listed = json(&project, &["images"]);
    let images = listed["images"].as_array().expect("images");
    let uses = |reference: &str| {
        let found = images.iter().find(|image| image["reference"] == reference);
        let found = found.unwrap_or_else(|| panic!("{reference} is not in {images:#?}"));
        let place = |one: &serde_json::Value| {
            format!("{} {}", one["clusters"], one["field"].as_str().expect("a field"))
        };
        found["uses"].as_array().expect("uses").iter().map(place).collect::<Vec<_>>()
    };
    let container = "/spec/template/spec/containers/0/image";
    assert_eq!(
        uses("other.example/pi:1.30.0"),
        [format!("[\"c1\"] {container}"), format!("[\"c2\"] {container}")]
    );
    assert_eq!(
        uses("mirror.example/hub/istio/install-cni:1.30.0"),
        [format!("[\"c1\"] {container}")]
    );
    // what only the injector names: the type that the mesh config of c1 asks for
    let injected = uses("mirror.example/hub/istio/proxyv2:1.30.0-distroless");
    assert!(injected.contains(&"[\"c1\"] /data/values: global.proxy.image".to_owned()));
    assert!(injected.iter().all(|one| one.starts_with("[\"c1\"]")), "{injected:?}");
    let plain = uses("mirror.example/hub/istio/proxyv2:1.30.0");
    assert!(plain.contains(&"[\"c2\"] /data/values: global.proxy_init.image".to_owned()));
    uses("mirror.example/hub/library/busybox:1.28");
    uses("mirror.example/hub/istio/agentgateway:1.30.0");
    let text = listed.to_string();
    assert!(!text.contains("docker.io") && !text.contains("\"busybox"), "{text}");
}
