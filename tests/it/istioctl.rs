//! `istioctl manifest generate -f` takes the `IstioOperator` of each cluster as it is, and makes of it
//! what the mesh asks for.

use std::process::Command;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use crate::project::Tree;
use crate::tool;

/// The objects of `istioctl manifest generate`; panics where istioctl refuses or warns.
fn generate(file: &std::path::Path) -> Option<Vec<Value>> {
    let istioctl = tool::path("istioctl")?;
    let mut command = Command::new(istioctl);
    command.args(["manifest", "generate", "-f"]).arg(file);
    let output = tool::output(&mut command, "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "istioctl refuses {}:\n{errors}", file.display());
    assert_eq!(errors, "", "istioctl complains about {}", file.display());
    let text = String::from_utf8(output.stdout).expect("YAML is UTF-8");
    let mut objects = yaml::documents(&text, Schema::Go).expect("istioctl prints YAML");
    objects.retain(|object| !object.is_null());
    Some(objects)
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    objects
        .iter()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("istioctl makes no {kind} {name}"))
}

/// The environment of a Deployment's first container.
fn env<'a>(deployment: &'a Value, name: &str) -> &'a Value {
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array();
    env.expect("a container with an environment")
        .iter()
        .find(|variable| variable["name"] == name)
        .map_or(&Value::Null, |variable| &variable["value"])
}

#[test]
fn istioctl_takes_the_operators_of_the_reference_job() {
    let tree = Tree::committed();
    let clusters = tree.clusters();
    assert_eq!(clusters, ["c1", "c2"]);
    for cluster in &clusters {
        let path = format!("{cluster}/istio-operator.yaml");
        let operator = tree.object(&path);
        assert_eq!(operator["spec"]["profile"], "default");
        let Some(objects) = generate(&tree.file(&path)) else { return };

        let istiod = find(&objects, "Deployment", "istiod");
        assert_eq!(env(istiod, "CLUSTER_ID"), cluster);
        let mesh = find(&objects, "ConfigMap", "istio")["data"]["mesh"].as_str().expect("text");
        let mesh = yaml::document(mesh, Schema::Go).expect("the mesh config is YAML");
        assert_eq!(mesh["defaultConfig"]["meshId"], "apac");
        let injector = find(&objects, "ConfigMap", "istio-sidecar-injector");
        let values: Value =
            serde_json::from_str(injector["data"]["values"].as_str().expect("text")).expect("JSON");
        assert_eq!(values["global"]["network"], *cluster);
        assert_eq!(values["global"]["meshID"], "apac");
        assert_eq!(values["global"]["multiCluster"]["clusterName"], *cluster);
        // the validator that `istioctl install` adds, which `values.defaultRevision` brings
        find(&objects, "ValidatingWebhookConfiguration", "istiod-default-validator");

        find(&objects, "Deployment", "istio-egressgateway");
        let ingress = find(&objects, "Service", "istio-ingressgateway");
        load_balancer(ingress, "false");
        let east_west = find(&objects, "Service", "istio-eastwestgateway");
        load_balancer(east_west, "true");
        assert_eq!(east_west["metadata"]["labels"]["topology.istio.io/network"], *cluster);
        assert_eq!(east_west["spec"]["selector"]["topology.istio.io/network"], *cluster);
        let ports: Vec<&Value> = east_west["spec"]["ports"]
            .as_array()
            .expect("ports")
            .iter()
            .map(|port| &port["port"])
            .collect();
        assert_eq!(ports, [&json!(15021), &json!(15443), &json!(15012), &json!(15017)]);
        let gateway = find(&objects, "Deployment", "istio-eastwestgateway");
        assert_eq!(env(gateway, "ISTIO_META_ROUTER_MODE"), "sni-dnat");
        assert_eq!(env(gateway, "ISTIO_META_REQUESTED_NETWORK_VIEW"), cluster);
    }
}

/// The annotations of Oracle's load balancers, as product.md lists them.
fn load_balancer(service: &Value, internal: &str) {
    let annotations = &service["metadata"]["annotations"];
    let oci =
        |name: &str| &annotations[format!("service.beta.kubernetes.io/oci-load-balancer-{name}")];
    assert_eq!(service["spec"]["type"], "LoadBalancer");
    assert_eq!(oci("internal"), internal);
    assert_eq!(oci("shape"), "flexible");
    assert_eq!(oci("security-list-management-mode"), "None");
    for bound in ["shape-flex-min", "shape-flex-max"] {
        let mbits = oci(bound).as_str().and_then(|text| text.parse::<u32>().ok());
        assert!(mbits.is_some_and(|mbits| mbits >= 10), "{bound}: {}", oci(bound));
    }
    let group = &annotations["oci.oraclecloud.com/oci-network-security-groups"];
    assert!(group.as_str().is_some_and(|id| id.starts_with("ocid1.networksecuritygroup.")));
    if internal == "true" {
        assert!(oci("subnet1").as_str().is_some_and(|id| id.starts_with("ocid1.subnet.")));
    }
}

/// Mixed providers, shared networks, overrides, revisions: whatever a golden mesh asks for.
#[test]
fn istioctl_takes_the_operators_of_every_golden_mesh() {
    let golden = tool::root().join("tests/golden");
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&golden).sort_by_file_name() {
        let entry = entry.expect("tests/golden can be listed");
        if entry.file_name() == "istio-operator.yaml" {
            files.push(entry.into_path());
        }
    }
    assert!(files.len() >= 12, "there are {} operators", files.len());
    for file in files {
        let Some(objects) = generate(&file) else { return };
        let operator = std::fs::read_to_string(&file).expect("a file of the tree");
        let operator = yaml::document(&operator, Schema::Go).expect("we read what we wrote");
        let global = &operator["spec"]["values"]["global"];
        let revision = operator["spec"]["revision"].as_str().unwrap_or_default();
        let suffix = if revision.is_empty() { String::new() } else { format!("-{revision}") };
        let istiod = find(&objects, "Deployment", &format!("istiod{suffix}"));
        assert_eq!(env(istiod, "CLUSTER_ID"), &global["multiCluster"]["clusterName"]);
        let gateways = operator["spec"]["components"]["ingressGateways"].as_array();
        for gateway in gateways.into_iter().flatten() {
            if gateway["enabled"] == true {
                find(&objects, "Service", gateway["name"].as_str().expect("a name"));
            }
        }
    }
}
