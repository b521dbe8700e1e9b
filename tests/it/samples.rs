//! Samples and the Gateway that exposes services are Istio's own, as its repository has them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use crate::project::Tree;
use crate::tool;

/// The folder of Istio's module, which the `istio` family pins.
fn istio() -> Option<PathBuf> {
    // the module is there when the tool was built from it
    tool::path("istioctl")?;
    let mut command = Command::new("go");
    command.current_dir(tool::root().join("tests/tools/istio")).args([
        "mod",
        "download",
        "-json",
        "istio.io/istio",
    ]);
    let module: Value = serde_json::from_str(&tool::run(&mut command, "")).expect("go prints JSON");
    Some(module["Dir"].as_str().expect("a folder").into())
}

/// The objects of one of Istio's sample files.
fn sample(file: &str) -> Option<Vec<Value>> {
    let text =
        fs::read_to_string(istio()?.join("samples").join(file)).expect("a sample of Istio's");
    let mut objects = yaml::documents(&text, Schema::Go).expect("Istio's samples are YAML");
    objects.retain(|object| !object.is_null());
    Some(objects)
}

/// A sample as our tree has it: in its namespace, which Istio's guides give with `kubectl -n`.
fn in_namespace(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = namespace.into();
    object
}

fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    objects
        .iter()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("Istio has no {kind} {name}"))
}

fn set_image(mut deployment: Value, image: &str) -> Value {
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
    deployment
}

#[test]
fn the_gateway_of_the_reference_job_is_istios() {
    let Some(expected) = sample("multicluster/expose-services.yaml") else { return };
    let tree = Tree::committed();
    for cluster in tree.clusters() {
        let rows = tree.rows(|path| path.starts_with(&format!("{cluster}/50-expose/")));
        assert_eq!(rows.len(), 1);
        let mut gateway = in_namespace(expected[0].clone(), "istio-system");
        // until 1.23 the sample was of this version of the API
        gateway["apiVersion"] = json!("networking.istio.io/v1alpha3");
        assert_eq!(tree.object(rows[0]["path"].as_str().expect("a path")), gateway);
    }
}

#[test]
fn helloworld_of_the_reference_job_is_istios() {
    let Some(expected) = sample("helloworld/helloworld.yaml") else { return };
    let tree = Tree::committed();
    for (cluster, version) in [("c1", "v1"), ("c2", "v2")] {
        let folder = format!("{cluster}/70-samples");
        let service = tree.object(&format!("{folder}/service_sample_helloworld.yaml"));
        let theirs = named(&expected, "Service", "helloworld").clone();
        assert_eq!(service, in_namespace(theirs, "sample"));
        let name = format!("helloworld-{version}");
        let ours = tree.object(&format!("{folder}/deployment_sample_{name}.yaml"));
        let theirs = in_namespace(named(&expected, "Deployment", &name).clone(), "sample");
        // 1.20 named no tag
        let image = format!("docker.io/istio/examples-helloworld-{version}");
        assert_eq!(ours, set_image(theirs, &image));
        let versions =
            tree.rows(|path| path.starts_with(&format!("{folder}/deployment_sample_helloworld")));
        assert_eq!(versions.len(), 1, "one version a cluster");
    }
}

#[test]
fn sleep_of_the_reference_job_is_istios() {
    let Some(expected) = sample("sleep/sleep.yaml") else { return };
    let tree = Tree::committed();
    for cluster in tree.clusters() {
        let folder = format!("{cluster}/70-samples");
        let object = |file: &str| tree.object(&format!("{folder}/{file}"));
        let theirs = |kind: &str| in_namespace(named(&expected, kind, "sleep").clone(), "sample");
        assert_eq!(object("serviceaccount_sample_sleep.yaml"), theirs("ServiceAccount"));
        assert_eq!(object("service_sample_sleep.yaml"), theirs("Service"));
        let ours = object("deployment_sample_sleep.yaml");
        assert_eq!(ours, set_image(theirs("Deployment"), "curlimages/curl"));
    }
}
