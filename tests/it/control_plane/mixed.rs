//! Twelve clusters of many kinds in one mesh.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{STAGES, compare, project, row, rows_of, same, theirs};
use crate::project::Tree;
use crate::tool;

const MESH: &str = include_str!("mixed.yaml");

/// All clusters but c12, which is left to istioctl, and c7, which is on the next release.
const OLD: [&str; 10] = ["c1", "c10", "c11", "c2", "c3", "c4", "c5", "c6", "c8", "c9"];

/// One render, looked at from many sides: it is the slowest part.
#[test]
fn twelve_clusters_of_many_kinds() {
    let Some(project) = project(MESH, &[("old", "1.24"), ("next", "1.26")]) else { return };
    let output = project.output(&["render"]);
    let said = super::said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("control plane: c12 left to istioctl; with `istio.charts`"), "{said}");
    let tree = project.tree();
    each_object_has_its_stage(&tree);
    crds_stand_once_a_pin(&tree);
    every_namespace_is_there(&tree);
    a_revision_is_in_names_and_labels(&tree);
    handed_over_fields_are_declared(&tree);
    images_are_rewritten(&tree);
    let mut compared = 0;
    for cluster in OLD.into_iter().filter(|cluster| *cluster != "c10") {
        let Some(count) = compare(&tree, cluster, "1.24") else { return };
        compared += count;
    }
    let Some(count) = behind_the_mirror(&tree) else { return };
    compared += count;
    let Some(count) = compare(&tree, "c7", "1.26") else { return };
    println!("{} objects are equal", compared + count);
}

fn each_object_has_its_stage(tree: &Tree) {
    let stages = |cluster: &str| -> BTreeSet<String> {
        let rows = rows_of(tree, cluster);
        rows.iter().map(|row| row["stage"].as_str().expect("a stage").to_owned()).collect()
    };
    let set = |stages: &[&str]| stages.iter().map(|&stage| stage.to_owned()).collect();
    for cluster in ["c1", "c2", "c3", "c4", "c7", "c8", "c9", "c10", "c11"] {
        let wanted: BTreeSet<_> = set(&["20-base", "30-istiod", "40-gateways"]);
        assert_eq!(stages(cluster), wanted, "{cluster}");
    }
    assert_eq!(stages("c5"), set(&STAGES), "an ambient cluster has them all");
    assert_eq!(stages("c6"), set(&["20-base", "30-istiod", "35-cni", "40-gateways"]));
    assert_eq!(stages("c12"), set(&[]), "it is left to istioctl");
    row(tree, "c5/45-ztunnel/daemonset_istio-system_ztunnel.yaml");
    row(tree, "c6/35-cni/daemonset_kube-system_istio-cni-node.yaml");
    row(tree, "c9/40-gateways/deployment_shop_shop-gateway.yaml");
    // each file under the stage of its row, one object a file
    let kinds: BTreeMap<&str, &str> = [
        ("ServiceAccount", "20-base"),
        ("ClusterRole", "20-base"),
        ("ClusterRoleBinding", "20-base"),
        ("CustomResourceDefinition", "20-base"),
        ("MutatingWebhookConfiguration", "30-istiod"),
        ("ValidatingWebhookConfiguration", "30-istiod"),
        ("Role", "30-istiod"),
        ("ConfigMap", "30-istiod"),
    ]
    .into();
    for row in rows_of(tree, "c1").iter().filter(|row| row["stage"] != "40-gateways") {
        let kind = row["object"]["kind"].as_str().expect("a kind");
        if let Some(stage) = kinds.get(kind) {
            assert_eq!(row["stage"], *stage, "{}", row["path"]);
        }
    }
    let gateways = rows_of(tree, "c11");
    let gateways = gateways.iter().filter(|row| row["stage"] == "40-gateways");
    let is_east_west =
        |row: &Value| row["path"].as_str().is_some_and(|path| path.contains("eastwestgateway"));
    assert!(gateways.into_iter().all(is_east_west), "the others are off in c11");
}

fn crds_stand_once_a_pin(tree: &Tree) {
    let shared = tree.rows(|path| path.starts_with("crds/"));
    assert_eq!(shared.len(), 28, "fourteen CRDs of each pin");
    for row in &shared {
        let path = row["path"].as_str().expect("a path");
        assert_eq!(row["stage"], "20-base", "{path}");
        assert_eq!(row["object"]["kind"], "CustomResourceDefinition", "{path}");
        let mut wanted: Vec<&str> = OLD.to_vec();
        if path.starts_with("crds/next/") {
            wanted = vec!["c7"];
        } else if path.contains("_envoyfilters.") {
            wanted.retain(|cluster| *cluster != "c8"); // base.excludedCRDs
        } else if path.contains("_gateways.") {
            wanted.retain(|cluster| *cluster != "c4"); // an overlay changes it
        }
        assert_eq!(row["targets"], json!(wanted), "{path}");
    }
    let own =
        tree.rows(|path| !path.starts_with("crds/") && path.contains("/customresourcedefinition_"));
    let own: Vec<&Value> = own.iter().map(|row| &row["path"]).collect();
    let copy = "c4/20-base/customresourcedefinition_gateways.networking.istio.io.yaml";
    assert_eq!(own, [copy]);
    assert_eq!(tree.object(copy)["metadata"]["labels"]["example.com/owner"], "mesh-team");
}

fn every_namespace_is_there(tree: &Tree) {
    let namespaces = |cluster: &str| -> BTreeSet<String> {
        let prefix = format!("{cluster}/00-namespaces/");
        let rows = tree.rows(|path| path.starts_with(&prefix));
        rows.iter().map(|row| row["object"]["name"].as_str().expect("a name").to_owned()).collect()
    };
    for cluster in tree.clusters() {
        let there = namespaces(&cluster);
        for row in tree.rows(|path| path.starts_with(&format!("{cluster}/"))) {
            let Some(namespace) = row["object"]["namespace"].as_str() else { continue };
            let is_there = there.contains(namespace) || namespace == "kube-system";
            assert!(is_there, "{}: nothing makes {namespace}", row["path"]);
        }
        let system = tree.object(&format!("{cluster}/00-namespaces/namespace_istio-system.yaml"));
        assert_eq!(system["metadata"]["labels"]["topology.istio.io/network"], *cluster);
    }
    assert!(namespaces("c9").contains("shop"), "of a gateway");
    assert!(namespaces("c11").contains("moved"), "of an overlay");
    assert!(!namespaces("c6").contains("kube-system"), "it is in every cluster");
}

fn a_revision_is_in_names_and_labels(tree: &Tree) {
    for (cluster, label, value) in
        [("c3", "istio.io/rev", "blue"), ("c1", "istio-injection", "enabled")]
    {
        let sample = tree.object(&format!("{cluster}/00-namespaces/namespace_sample.yaml"));
        assert_eq!(sample["metadata"]["labels"], json!({label: value}), "{cluster}");
    }
    row(tree, "c3/30-istiod/deployment_istio-system_istiod-blue.yaml");
    for cluster in OLD.into_iter().chain(["c7"]) {
        let file = "validatingwebhookconfiguration_istiod-default-validator.yaml";
        row(tree, &format!("{cluster}/30-istiod/{file}"));
    }
}

fn handed_over_fields_are_declared(tree: &Tree) {
    let mut seen = BTreeSet::new();
    for row in tree.rows(|path| !path.starts_with("remote-secrets/")) {
        let wanted = match row["object"]["kind"].as_str() {
            Some("ValidatingWebhookConfiguration") => {
                json!(["/webhooks/*/failurePolicy", "/webhooks/*/clientConfig/caBundle"])
            }
            Some("MutatingWebhookConfiguration") => json!(["/webhooks/*/clientConfig/caBundle"]),
            // c2 asks for three replicas beside an autoscaler
            Some("Deployment")
                if row["path"] == "c2/30-istiod/deployment_istio-system_istiod.yaml" =>
            {
                json!(["/spec/replicas"])
            }
            _ => Value::Null,
        };
        assert_eq!(row["handover"], wanted, "{}", row["path"]);
        seen.insert(row["handover"].to_string());
    }
    assert_eq!(seen.len(), 4, "each kind was seen: {seen:?}");
}

fn images_are_rewritten(tree: &Tree) {
    let mut images = Vec::new();
    for row in tree.rows(|path| path.starts_with("c10/")) {
        if row["object"].is_object() {
            collect(&tree.object(row["path"].as_str().expect("a path")), &mut images);
        }
    }
    assert!(images.len() >= 4, "{images:?}");
    for image in images {
        let is_new = image.starts_with("mirror.example.com/hub/");
        // the injector fills in what stands for it, from the values below
        assert!(is_new || image == "auto", "{image}");
        assert_eq!(image.matches("mirror.example.com").count(), usize::from(is_new), "{image}");
    }
    let injector = tree.object("c10/30-istiod/configmap_istio-system_istio-sidecar-injector.yaml");
    let values = injector["data"]["values"].as_str().expect("text");
    let values: Value = serde_json::from_str(values).expect("the injector's values are JSON");
    assert_eq!(values["global"]["hub"], "mirror.example.com/hub/istio");
    let other = tree.object("c1/30-istiod/deployment_istio-system_istiod.yaml");
    let container = &other["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "docker.io/istio/pilot:1.24.0", "c1 has no mirror");
}

/// c10 is what istioctl makes, save an image that a template of the injector names by itself.
fn behind_the_mirror(tree: &Tree) -> Option<usize> {
    let manifests = tool::istio_module("1.24")?.join("manifests");
    let mut theirs = theirs(tree, "c10", &manifests)?;
    let injector = theirs.get_mut(" ConfigMap istio-system/istio-sidecar-injector");
    let config = injector.and_then(|object| object.pointer_mut("/data/config"));
    let config = config.expect("the injector has templates");
    let text = config.as_str().expect("text");
    assert_eq!(text.matches(": busybox:1.28").count(), 1);
    let mirrored = ": mirror.example.com/hub/library/busybox:1.28";
    *config = text.replace(": busybox:1.28", mirrored).into();
    Some(same(tree, "c10", &theirs))
}

/// The images of all containers of an object.
fn collect(value: &Value, images: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for key in ["containers", "initContainers"] {
                for container in map.get(key).and_then(Value::as_array).into_iter().flatten() {
                    images.extend(container["image"].as_str().map(str::to_owned));
                }
            }
            map.values().for_each(|value| collect(value, images));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, images)),
        _ => {}
    }
}
