//! Whole charts against Helm: Istio's, and those that come with Helm's own tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use meshgen::helm::{
    Capabilities, Chart, ChartError, File, KubeVersion, Manifests, Release, Request, render,
};
use serde_json::{Value as Json, json};

use crate::gotmpl::oracle::{ask, difference};
use crate::tool;

/// The folder of a Go module, which Go downloads; `None` where it cannot, and then it was said.
pub fn module(name: &str) -> Option<PathBuf> {
    let tools = tool::root().join("tests/tools/template-oracle");
    let mut command = Command::new("go");
    let output =
        tool::output(command.args(["mod", "download", "-json", name]).current_dir(tools), "");
    let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let folder = json["Dir"].as_str().map(PathBuf::from);
    if folder.is_none() {
        let reason = json["Error"].as_str().unwrap_or("`go mod download` says nothing");
        assert!(std::env::var_os("MESHGEN_REQUIRE_TOOLS").is_none(), "{name}: {reason}");
        tool::not_run(name, reason);
    }
    folder
}

/// The version whose behaviour ours is; its module holds the test charts.
pub const HELM: &str = "helm.sh/helm/v4@v4.2.0";

pub fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn load(path: &Path) -> Result<Chart, ChartError> {
    if path.is_file() {
        return Chart::from_archive(&std::fs::read(path).unwrap());
    }
    let mut paths = Vec::new();
    walk(path, &mut paths);
    let file = |file: &PathBuf| File {
        path: file.strip_prefix(path).unwrap().to_str().unwrap().into(),
        data: std::fs::read(file).unwrap(),
    };
    Chart::from_folder(paths.iter().map(file).collect())
}

fn request(case: &Json) -> Request {
    let mut capabilities = Capabilities::default();
    if let Some(version) = case["kube"].as_str() {
        capabilities.kube_version = KubeVersion::parse(version).unwrap();
    }
    let is_upgrade = case["upgrade"] == true;
    Request {
        values: case["data"].as_object().cloned().unwrap_or_default(),
        release: Release {
            name: case["release"].as_str().unwrap().into(),
            namespace: case["namespace"].as_str().unwrap().into(),
            revision: 1,
            is_install: !is_upgrade,
            is_upgrade,
        },
        capabilities,
        integers: false,
        skip_schema: false,
        strict: false,
        limits: meshgen::gotmpl::Limits::default(),
    }
}

fn compare(title: &str, cases: &[Json]) {
    let Some(helm) = tool::path("helmlib") else { return };
    let results = ask(&helm, "render", &json!(cases));
    let (mut equal, mut files, mut refused, mut impure, mut unequal) = (0, 0, 0, 0, Vec::new());
    for (case, result) in cases.iter().zip(results.as_array().unwrap()) {
        let ours = load(Path::new(case["chart"].as_str().unwrap())).and_then(|chart| {
            let rendered = render(&chart, &request(case))?;
            let text = Manifests::sort(&chart.metadata.name, &rendered)
                .map(|manifests| manifests.text(true));
            Ok((rendered.files, rendered.crds, text))
        });
        match (ours, result["error"].as_str()) {
            (Err(_), Some(_)) => refused += 1,
            (Err(error), None) if error.to_string().contains("rendering is pure") => impure += 1,
            (Err(error), None) => {
                unequal.push(format!("{}: only ours refuses: {error}", case["chart"]));
            }
            (Ok(_), Some(error)) => {
                unequal.push(format!("{}: only Helm refuses: {error}", case["chart"]));
            }
            (Ok((rendered, crds, text)), None) => {
                match (text, result["sort"].as_str().unwrap_or_default()) {
                    (Ok(text), "") => {
                        // Helm loads subcharts in a random order, and with them their CRDs.
                        let theirs = result["text"].as_str().unwrap();
                        if text != theirs && crds.len() < 2 {
                            unequal.push(format!(
                                "sorted {}\n   {}",
                                case["chart"],
                                difference(&text, theirs)
                            ));
                        }
                    }
                    (Err(_), fault) if !fault.is_empty() => {}
                    (text, fault) => unequal.push(format!(
                        "sorting {}: ours {:?}, Helm {fault:?}",
                        case["chart"],
                        text.err()
                    )),
                }
                let theirs = result["files"].as_object().unwrap();
                let names: Vec<&String> = theirs.keys().collect();
                let own: Vec<&String> = rendered.keys().collect();
                let mut sorted = names.clone();
                sorted.sort();
                if sorted != own {
                    unequal.push(format!("{}: files {own:?}, Helm has {sorted:?}", case["chart"]));
                    continue;
                }
                let crd_names: Vec<&str> = crds.iter().map(|(name, _)| name.as_str()).collect();
                let mut helm_crds: Vec<&str> = result["crds"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .collect();
                helm_crds.sort_unstable();
                let mut crd_names = crd_names.clone();
                crd_names.sort_unstable();
                if crd_names != helm_crds {
                    unequal.push(format!(
                        "{}: crds {crd_names:?}, Helm has {helm_crds:?}",
                        case["chart"]
                    ));
                }
                let mut same = true;
                for (name, text) in theirs {
                    files += 1;
                    let own = String::from_utf8_lossy(&rendered[name]);
                    if own != text.as_str().unwrap() {
                        same = false;
                        unequal.push(format!(
                            "{name} of {}\n   {}",
                            case["chart"],
                            difference(&own, text.as_str().unwrap())
                        ));
                    }
                }
                equal += usize::from(same);
            }
        }
    }
    println!(
        "{title}: {equal} charts of {files} files equal, {refused} refused by both, {impure} refused as impure, {} unequal",
        unequal.len()
    );
    for fault in unequal.iter().take(8) {
        println!("- {fault:.700}");
    }
    assert!(unequal.is_empty());
}

#[test]
fn istio_charts() {
    if tool::path("helmlib").is_none() {
        return;
    }
    let values = [
        json!({}),
        json!({"profile": "demo", "global": {"meshID": "m", "network": "n1", "multiCluster": {"clusterName": "c1"}, "proxy": {"resources": {"requests": {"cpu": "10m"}}}}, "meshConfig": {"accessLogFile": "/dev/stdout", "defaultConfig": {"proxyMetadata": {"A": "b"}}}, "pilot": {"env": {"X": "y"}, "autoscaleEnabled": false, "replicaCount": 2}}),
        json!({"profile": "ambient", "revision": "canary", "revisionTags": ["prod"], "global": {"istioNamespace": "istio-system", "platform": "openshift", "logAsJson": true}}),
        json!({"platform": "gke", "compatibilityVersion": "1.25", "sidecarInjectorWebhook": {"templates": {"x": "y"}}, "telemetry": {"enabled": false}, "pilot": {"resources": null, "tolerations": [{"key": "a"}]}}),
        json!({"profile": "remote", "istiodRemote": {"enabled": true, "injectionURL": "https://x/inject"}, "global": {"remotePilotAddress": "1.2.3.4", "configCluster": false}}),
        json!({"profile": "nope"}),
        json!({"defaults": {"a": 1}}),
        json!({"service": {"type": "ClusterIP", "ports": [{"name": "a", "port": 80}]}, "autoscaling": {"enabled": false}, "gateways": {"istio-ingressgateway": {"labels": {"a": "b"}, "serviceAnnotations": {"x": "y"}}}, "labels": {"l": "v"}, "name": "gw"}),
    ];
    let mut cases = Vec::new();
    for version in [
        "v0.0.0-20260423205519-b01690e6db7d",
        "v0.0.0-20241105211601-8825a6b7f8c9",
        "v0.0.0-20250506181944-c2e9871f340c",
    ] {
        let Some(module) = module(&format!("istio.io/istio@{version}")) else { return };
        let folder = module.join("manifests/charts");
        let mut paths = Vec::new();
        walk(&folder, &mut paths);
        for chart in paths.iter().filter(|path| path.ends_with("Chart.yaml")) {
            for values in &values {
                for (kube, upgrade) in [("v1.29.0", false), ("v1.33.4-gke.100", true)] {
                    cases.push(json!({"chart": chart.parent().unwrap(), "data": values, "release": "istio", "namespace": "istio-system", "kube": kube, "upgrade": upgrade}));
                }
            }
        }
    }
    compare("Istio's charts", &cases);
}

#[test]
fn helm_test_charts() {
    if tool::path("helmlib").is_none() {
        return;
    }
    let Some(helm) = module(HELM) else { return };
    let mut paths = Vec::new();
    walk(&helm, &mut paths);
    let mut charts: Vec<PathBuf> = paths
        .iter()
        .filter(|path| path.to_str().unwrap().contains("testdata"))
        .filter_map(|path| match path.file_name()?.to_str()? {
            "Chart.yaml" => Some(path.parent()?.to_owned()),
            name if name.ends_with(".tgz") => Some(path.clone()),
            _ => None,
        })
        .collect();
    charts.dedup();
    let values = [
        json!({}),
        json!({"global": {"a": {"b": 1}}, "tags": {"front-end": false, "back-end": true}, "subchart1": {"enabled": false}, "subchart2": {"x": null}, "name": null}),
    ];
    let mut cases = Vec::new();
    for chart in &charts {
        for values in &values {
            cases
                .push(json!({"chart": chart, "data": values, "release": "rel", "namespace": "ns"}));
        }
    }
    compare("Helm's test charts", &cases);
}
