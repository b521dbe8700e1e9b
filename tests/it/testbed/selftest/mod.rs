//! The bed itself, tried.

mod proxy;

use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::{Value, json};

use super::process::{self, Server};
use super::{Addresses, Istiod, Kubelet, PATIENCE, in_namespace, shared};
use crate::tool;

/// Waits for something, and gives it.
fn wait<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "no {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn measured(what: &str, started: Instant) {
    tool::announce(&format!("measured: {what}: {:.1} s", started.elapsed().as_secs_f64()));
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}})
}

fn deployment(name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app"}]},
            },
        },
    })
}

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const SERVICES: &str = "/api/v1/namespaces/default/services";

#[test]
fn servers_die_with_the_test_binary() {
    const INSIDE: &str = "MESHGEN_TESTBED_ABORT";
    if env::var_os(INSIDE).is_some() {
        // from a thread that ends before the process: that alone must kill nothing
        let folder = env::temp_dir();
        let start = move || {
            let sleep = ["/bin/sleep", "/usr/bin/sleep"].into_iter().map(std::path::Path::new);
            let sleep = sleep.into_iter().find(|path| path.exists()).unwrap();
            Server::start(sleep, &["600".to_owned()], &folder.join("meshgen-testbed-sleep.log"))
        };
        let mut server = thread::spawn(start).join().unwrap();
        thread::sleep(Duration::from_millis(200));
        assert!(server.ended().is_none(), "it outlives the thread that wanted it");
        println!("\nserver {} is up", server.id());
        std::process::abort();
    }
    let mut command = process::mortal(&env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "testbed::selftest::servers_die_with_the_test_binary"]);
    command.env(INSIDE, "1").stdin(Stdio::null());
    let output = tool::output(&mut command, "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let id = text.split("server ").nth(1).and_then(|rest| rest.split(' ').next());
    let id = id.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    assert!(!output.status.success(), "it aborted");
    wait("end of the server", || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn three_control_planes_start() {
    let started = Instant::now();
    let Some(planes) = shared(3) else { return };
    measured("three control planes, started or made empty", started);
    for plane in planes.iter() {
        let client = plane.client();
        assert_eq!(client.get("/version").unwrap()["platform"], "linux/amd64");
        assert!(client.get("/api/v1/namespaces/istio-system").is_none());
        assert!(plane.writes().is_empty());
    }

    let plane = &planes[0];
    let client = plane.client();
    let started = Instant::now();
    let kubelet = Kubelet::start(plane);
    let namespace = json!({"metadata": {"name": "istio-system"}});
    client.post("/api/v1/namespaces", &namespace);
    client.post(DEPLOYMENTS, &deployment("two", 2));
    wait("rollout", || {
        let found = client.get(&format!("{DEPLOYMENTS}/two")).unwrap();
        (found["status"]["readyReplicas"] == 2).then_some(())
    });
    measured("a Deployment is rolled out", started);

    kubelet.addresses(Addresses::Hostname);
    let service = json!({"metadata": {"name": "gate"}, "spec": {
        "type": "LoadBalancer", "ports": [{"port": 15443}],
    }});
    client.post(SERVICES, &service);
    let host = wait("address", || {
        let found = client.get(&format!("{SERVICES}/gate")).unwrap();
        found["status"]["loadBalancer"]["ingress"][0]["hostname"].as_str().map(str::to_owned)
    });
    assert_eq!(host, "gate.default.c1.lb.example.com");

    kubelet.add_node("node");
    let mut set = deployment("set", 1);
    set["kind"] = json!("DaemonSet");
    set["spec"].as_object_mut().unwrap().remove("replicas");
    client.post("/apis/apps/v1/namespaces/default/daemonsets", &set);
    wait("a pod of the DaemonSet", || {
        let found = client.get("/apis/apps/v1/namespaces/default/daemonsets/set").unwrap();
        (found["status"]["numberReady"] == 1).then_some(())
    });

    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    client.post(definitions, &definition());
    let tags = "/apis/testbed.meshgen.dev/v1/namespaces/istio-system/tags";
    let tag = json!({"apiVersion": "testbed.meshgen.dev/v1", "kind": "Tag", "metadata": {
        "name": "one", "finalizers": [],
    }});
    wait("definition", || {
        (client.request("POST", tags, Some(("application/json", &tag))).status == 201).then_some(())
    });
    let label = json!({"metadata": {"labels": {"istio-injection": "enabled"}}});
    client.patch("/api/v1/namespaces/default", "application/merge-patch+json", &label);

    kubelet.hold_pods(true);
    client.post(DEPLOYMENTS, &deployment("held", 1));
    wait("pod", || {
        let pods = client.list("/api/v1/namespaces/default/pods?labelSelector=app%3Dheld");
        pods.first().map(|pod| assert_eq!(pod["status"]["phase"], "Pending"))
    });
    drop(kubelet);

    let started = Instant::now();
    plane.reset();
    measured("a used control plane is made empty", started);
    assert!(client.get("/api/v1/namespaces/istio-system").is_none());
    assert_eq!(client.request("GET", tags, None).status, 404);
    let labels = &client.get("/api/v1/namespaces/default").unwrap()["metadata"]["labels"];
    assert_eq!(labels, &json!({"kubernetes.io/metadata.name": "default"}));
    for path in [definitions, DEPLOYMENTS, "/api/v1/nodes", "/api/v1/namespaces/default/pods"] {
        assert_eq!(client.list(path), Vec::<Value>::new(), "{path}");
    }
    let started = Instant::now();
    plane.reset();
    measured("an empty one is looked at", started);
    let started = Instant::now();
    plane.wipe();
    measured("one is started anew, without data", started);
}

#[test]
fn an_api_server_can_be_dead_for_a_while() {
    let Some(planes) = shared(1) else { return };
    let client = planes[0].client();
    client.post(CONFIG_MAPS, &config_map("kept"));
    planes[0].stop_apiserver();
    assert!(client.try_request("GET", "/version", None).is_err());
    let started = Instant::now();
    planes[0].restart();
    measured("an API server is back", started);
    assert!(client.get(&format!("{CONFIG_MAPS}/kept")).is_some());
    let events = planes[0].audit();
    assert!(events.iter().any(|event| event.name == "kept"), "{events:?}");
}

#[test]
fn the_audit_counts_the_writes_of_meshgen() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let client = plane.client_named("meshgen/0.1.0");
    let path = format!("{CONFIG_MAPS}/one");
    let read = client.apply(&format!("{path}?dryRun=All"), "meshgen", &config_map("one"));
    assert_eq!(read.status, 201);
    assert!(client.get(&path).is_none(), "a dry run makes nothing");
    let review = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review);
    assert!(plane.writes().is_empty());

    client.apply(&path, "meshgen", &config_map("one")).ok();
    client.post(CONFIG_MAPS, &config_map("two"));
    plane.client().post(CONFIG_MAPS, &config_map("of-another"));
    client.delete(&path);
    assert_eq!(client.request("POST", CONFIG_MAPS, None).status, 400);
    let writes = plane.writes();
    let verbs: Vec<(&str, u16)> =
        writes.iter().map(|write| (write.verb.as_str(), write.code)).collect();
    assert_eq!(verbs, [("patch", 201), ("create", 201), ("delete", 200), ("create", 400)]);
    assert_eq!((writes[0].resource.as_str(), writes[0].name.as_str()), ("configmaps", "one"));
    assert_eq!(
        (writes[0].namespace.as_str(), writes[0].user.as_str()),
        ("default", "kubernetes-admin")
    );
    plane.forget_audit();
    assert!(plane.audit().iter().all(|event| event.user.starts_with("system:")));
}

#[test]
fn a_user_may_do_what_rbac_lets_him() {
    let Some(planes) = shared(1) else { return };
    let Some(kubectl) = tool::path("kubectl") else { return };
    let role = json!({
        "metadata": {"name": "readers"}, "subjects": [{"kind": "Group", "name": "readers"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    });
    planes[0].client().post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &role);
    let folder = tempfile::tempdir().unwrap();
    let may = |groups: &[&str], verb: &str| {
        let file = folder.path().join("kubeconfig");
        fs::write(&file, planes[0].user("jane", groups)).unwrap();
        let mut command = std::process::Command::new(&kubectl);
        command.env("KUBECONFIG", &file).args(["auth", "can-i", verb, "configmaps"]);
        tool::output(&mut command, "").status.success()
    };
    assert!(may(&["others", "readers"], "list"));
    assert!(!may(&["readers"], "create"));
    assert!(!may(&[], "list"));
}

#[test]
fn istiod_injects_and_its_death_is_noticed() {
    if !in_namespace("testbed::selftest::istiod_injects_and_its_death_is_noticed") {
        return;
    }
    let started = Instant::now();
    let Some(planes) = shared(1) else { return };
    measured("one control plane in a namespace", started);
    let plane = &planes[0];
    let client = plane.client();
    let istiod = Istiod::start(plane);
    let _kubelet = Kubelet::start(plane);
    for (name, labels) in
        [("istio-system", json!({})), ("app", json!({"istio-injection": "enabled"}))]
    {
        let namespace = json!({"metadata": {"name": name, "labels": labels}});
        client.post("/api/v1/namespaces", &namespace);
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod"},
        "spec": {"ports": [{"name": "https-webhook", "port": 443, "targetPort": 15017}]},
    });
    client.post("/api/v1/namespaces/istio-system/services", &service);
    let webhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    let injector = injector();
    client.apply(&format!("{webhooks}/injector"), "meshgen", &injector).ok();
    wait("CA", || {
        client.get(&format!("{webhooks}/injector")).unwrap()["webhooks"][0]["clientConfig"]
        ["caBundle"].as_str().map(|_| ())
    });

    let deployments = "/apis/apps/v1/namespaces/app/deployments";
    client.post(deployments, &deployment("sample", 1));
    wait("rollout", || {
        let found = client.get(&format!("{deployments}/sample")).unwrap();
        (found["status"]["readyReplicas"] == 1).then_some(())
    });
    let pods = client.list("/api/v1/namespaces/app/pods");
    assert_eq!(pods[0]["spec"]["containers"][1]["name"], "istio-proxy");
    measured("from nothing to an injected pod that is ready", started);

    let conflict = client.apply(&format!("{webhooks}/injector"), "meshgen", &injector);
    assert_eq!(conflict.status, 409, "istiod holds it: {}", conflict.body);

    istiod.kill();
    let pod = json!({"metadata": {"name": "late"}, "spec": {"containers": [{"name": "a", "image": "a"}]}});
    let answer =
        client.request("POST", "/api/v1/namespaces/app/pods", Some(("application/json", &pod)));
    let message = answer.body["message"].as_str().unwrap_or_default();
    assert_eq!(answer.status, 500, "{message}");
    assert!(message.contains("failed calling webhook"), "{message}");
    let started = Instant::now();
    plane.reset();
    measured("a control plane with a dead webhook is made empty", started);
}

fn definition() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "tags.testbed.meshgen.dev"},
        "spec": {
            "group": "testbed.meshgen.dev", "scope": "Namespaced",
            "names": {"plural": "tags", "singular": "tag", "kind": "Tag", "listKind": "TagList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

fn injector() -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "injector"},
        "webhooks": [{
            "name": "namespace.sidecar-injector.istio.io", "admissionReviewVersions": ["v1"],
            "sideEffects": "None", "failurePolicy": "Ignore",
            "clientConfig": {"service": {
                "name": "istiod", "namespace": "istio-system", "path": "/inject", "port": 443,
            }},
            "namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}},
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"],
            }],
        }],
    })
}
