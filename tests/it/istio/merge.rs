//! Profile, documents, settings, and what is translated.

use meshgen::istio::{Document, Request, explain, generate, print, sort};
use serde_json::{Value, json};

use super::{find, request, run, values};

#[test]
fn layers_go_over_each_other_in_istioctls_order() {
    let generated =
        run("hub: doc.org\nvalues: {global: {network: n1}}\n", &["hub=set.org", "tag=1.20"]);
    let global = &values(&generated.unwrap())["global"];
    assert_eq!(global["hub"], "set.org");
    assert_eq!(global["tag"], "1.20", "a tag stays a string");
    assert_eq!(global["network"], "n1");
    assert_eq!(global["oldKey"], 1, "the profile's own value is kept");
}

#[test]
fn values_of_the_user_go_over_what_is_translated() {
    let generated = run("hub: spec.org\nvalues: {global: {hub: values.org}}\n", &[]).unwrap();
    assert_eq!(values(&generated)["global"]["hub"], "values.org");
}

#[test]
fn a_switch_goes_over_its_copy_in_values() {
    let generated = run("values: {pilot: {enabled: false, cni: {enabled: true}}}\n", &[]).unwrap();
    assert_eq!(values(&generated)["pilot"], json!({"enabled": true, "cni": {"enabled": false}}));
}

#[test]
fn settings_follow_their_grammar() {
    let cases: [(&[&str], &str, Value); 12] = [
        (&["values.global.a=1"], "/global/a", json!(1)),
        (&["values.global.a=1.50"], "/global/a", json!(1.5)),
        (&["values.global.a=t"], "/global/a", json!(true)),
        (&["values.global.a=yes"], "/global/a", json!("yes")),
        (&["values.global.a=x\\,y"], "/global/a", json!("x,y")),
        (&["values.global.a=b=c"], "/global/a", json!("b=c")),
        (&["values.global.a"], "/global/a", json!("")),
        (&["values.global.a\\.b/c=d"], "/global/a.b~1c", json!("d")),
        (&["values.global..a=1"], "/global/a", json!(1)),
        (
            &["values.global.l[0].n=x", "values.global.l[7].n=y"],
            "/global/l",
            json!([{"n": "x"}, {"n": "y"}]),
        ),
        (
            &["values.global.l[0].n=x", "values.global.l.[n:x].v=2"],
            "/global/l",
            json!([{"n": "x", "v": 2}]),
        ),
        (&["values.global.l[-1]=x"], "/global/l", json!(["x"])),
    ];
    for (sets, pointer, expected) in cases {
        let mut request = request("{}\n", sets);
        // the values here are none of Istio's
        request.force = true;
        let generated = generate(&super::package::package(), &request);
        let found = values(&generated.unwrap_or_else(|errors| panic!("{sets:?}: {errors}")));
        assert_eq!(found.pointer(pointer), Some(&expected), "{sets:?}");
    }
}

#[test]
fn gateways_get_their_name_labels_and_ports() {
    let spec = "\
components:
  ingressGateways:
  - name: east
    namespace: edge
    label: {a: b}
    k8s: {service: {ports: [{name: tls, port: 15443}]}}
";
    let generated = run(spec, &[]).unwrap();
    let service = find(&generated, "Service", "east");
    assert_eq!(service["metadata"]["namespace"], "edge");
    assert_eq!(service["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(service["spec"]["ports"], json!([{"name": "tls", "port": 15443, "targetPort": 0}]));
}

#[test]
fn components_and_profiles_switch_objects() {
    let generated = run("profile: small\n", &[]).unwrap();
    let kinds: Vec<&str> =
        generated.objects.iter().map(|object| object.value["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "ServiceAccount",
            "CustomResourceDefinition",
            "Deployment",
            "PodDisruptionBudget",
            "Service",
            "ConfigMap"
        ]
    );
    let generated =
        run("components: {base: {enabled: false}, pilot: {enabled: false}}\n", &[]).unwrap();
    assert_eq!(generated.objects.len(), 1, "the gateway alone");
}

#[test]
fn objects_print_in_istioctls_order() {
    let mut generated = run("profile: small\n", &[]).unwrap();
    sort(&mut generated.objects);
    let text = print(&generated.objects).unwrap();
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    assert_eq!(
        kinds,
        [
            "CustomResourceDefinition",
            "ServiceAccount",
            "ConfigMap",
            "Deployment",
            "PodDisruptionBudget",
            "Service"
        ]
    );
    assert!(text.ends_with("\n\n---\n"), "a separator stands after the last object, too");
}

#[test]
fn the_order_does_not_depend_on_threads() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let many = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    let text = |pool: &rayon::ThreadPool| {
        pool.install(|| print(&run("hub: a.org\n", &[]).unwrap().objects).unwrap())
    };
    assert_eq!(text(&one), text(&many));
}

#[test]
fn a_document_may_be_a_value() {
    let document = Document::value("mesh", json!({"spec": {"hub": "value.org"}}));
    let request = Request { documents: vec![document], ..Request::default() };
    let generated = generate(&super::package::package(), &request).unwrap();
    assert_eq!(values(&generated)["global"]["hub"], "value.org");
}

#[test]
fn every_layer_of_a_setting_is_told() {
    let package = super::package::package();
    let told = |sets: &[&str], path: &str| {
        let request = request("hub: doc.org\nvalues: {global: {hub: values.org}}\n", sets);
        let explained = explain(&package, &request, path).unwrap();
        let layers = explained.layers.into_iter();
        layers.map(|layer| (layer.name, layer.value, layer.wins)).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&["values.global.hub=set.org"], "values.global.hub"),
        [
            (
                "charts/istio-control/istio-discovery/values.yaml".to_owned(),
                json!("chart.example.org"),
                false
            ),
            ("mesh.yaml".to_owned(), json!("values.org"), false),
            ("--set values.global.hub=set.org".to_owned(), json!("set.org"), false),
            ("translated from hub".to_owned(), json!("doc.org"), false),
            ("the values of documents and --set, once more".to_owned(), json!("set.org"), true),
        ]
    );
    assert_eq!(
        told(&[], "spec.hub"),
        [
            ("profile `default`".to_owned(), json!("example.org"), false),
            ("mesh.yaml".to_owned(), json!("doc.org"), true)
        ]
    );
    assert_eq!(told(&[], "values.nothing"), []);
}
