//! The proxy, tried by a real client and by ours.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, wait};
use crate::testbed::{Client, Fault, Kubelet, Proxy, When, shared};
use crate::tool;

#[test]
fn a_proxy_kills_a_client_at_its_third_write() {
    let Some(planes) = shared(1) else { return };
    let Some(kubectl) = tool::path("kubectl") else { return };
    let proxy = Proxy::start(&planes[0]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("kubeconfig", &proxy.kubeconfig("c1"));
    let maps: Vec<String> = (1..=5).map(|n| config_map(&format!("map-{n}")).to_string()).collect();
    file("maps.yaml", &maps.join("\n---\n"));

    for (when, there) in [(When::BeforeForward, 2), (When::AfterForward, 3), (When::AfterAnswer, 3)]
    {
        planes[0].reset();
        proxy.reset();
        let child = Arc::new(Mutex::new(None::<Child>));
        let victim = child.clone();
        let kill = move || victim.lock().unwrap().as_mut().unwrap().kill().unwrap();
        proxy.on_write(3, when, Box::new(kill));
        let mut command = Command::new(&kubectl);
        command.current_dir(&folder).env("KUBECONFIG", "kubeconfig").env("HOME", folder.path());
        command.args(["apply", "--server-side", "-f", "maps.yaml"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut held = child.lock().unwrap();
        *held = Some(command.spawn().unwrap());
        drop(held);
        wait("end of kubectl", || child.lock().unwrap().as_mut().unwrap().try_wait().unwrap());
        let maps = planes[0].client().list(CONFIG_MAPS);
        let maps = maps.iter().filter(|map| map["metadata"]["name"] != "kube-root-ca.crt");
        assert_eq!((maps.count(), proxy.writes()), (there, 3), "{when:?}");
    }
}

#[test]
fn a_proxy_fails_as_it_is_told() {
    let Some(planes) = shared(1) else { return };
    let plane = &planes[0];
    let proxy = Proxy::start(plane);
    let address = proxy.server_url().trim_start_matches("https://").parse().unwrap();
    let client = Client::new(address, plane.admin_tls(), "testbed");
    let get = || client.try_request("GET", "/version", None);

    let throttled = Fault::Status { code: 429, retry_after: Some(1) };
    proxy.fault(|method, path, _| method == "GET" && path == "/version", throttled, 1);
    let answer = get().unwrap();
    assert_eq!((answer.status, &answer.body["reason"]), (429, &json!("TooManyRequests")));
    assert_eq!(get().unwrap().status, 200);
    proxy.fault(|_, _, _| true, Fault::Unauthorized, 1);
    assert_eq!(get().unwrap().status, 401);
    for fault in [Fault::Reset, Fault::HalfBody] {
        // the client asks once more where a kept connection breaks
        proxy.fault(|_, _, _| true, fault, 2);
        assert!(get().is_err());
        proxy.reset();
        get().unwrap();
    }
    proxy.fault(|_, _, count| count > 1, Fault::Stall(Duration::from_millis(300)), 1);
    let started = Instant::now();
    assert_eq!(get().unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    proxy.down(true);
    assert!(get().is_err());
    proxy.reset();
    assert_eq!((get().unwrap().status, proxy.requests(), proxy.writes()), (200, 1, 0));
    client.post(CONFIG_MAPS, &config_map("by-proxy"));
    assert_eq!(proxy.log()[1], ("POST".to_owned(), CONFIG_MAPS.to_owned()));
    assert_eq!(proxy.writes(), 1);
}

#[test]
fn a_proxy_passes_on_watches_and_tokens() {
    let Some(planes) = shared(1) else { return };
    let Some(kubectl) = tool::path("kubectl") else { return };
    let (plane, client) = (&planes[0], planes[0].client());
    let proxy = Proxy::start(plane);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kubeconfig"), proxy.kubeconfig("c1")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&kubectl);
        command.current_dir(&folder).env("KUBECONFIG", "kubeconfig").env("HOME", folder.path());
        tool::run(command.args(arguments), "")
    };
    let _kubelet = Kubelet::start(plane);
    client.post(DEPLOYMENTS, &deployment("watched", 2));
    let text = run(&["rollout", "status", "deployment/watched", "--timeout=60s"]);
    assert!(text.contains("successfully rolled out"), "{text}");

    let whoami = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];
    assert_eq!(run(&whoami), "kubernetes-admin");
    let account = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"});
    let token = client.post(account, &request)["status"]["token"].as_str().unwrap().to_owned();
    let with_token = [&whoami[..], &["--token", &token]].concat();
    assert_eq!(run(&with_token), "system:serviceaccount:default:default");
    assert_eq!(proxy.writes(), 0, "{:?}", proxy.log());
}
