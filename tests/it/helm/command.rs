//! `meshgen chart render`, the real binary, against Helm.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};

use super::chart::{HELM, module, walk};
use crate::gotmpl::oracle::{ask, difference};
use crate::tool;

fn meshgen(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    tool::output(command.args(["chart", "render"]).args(arguments), input)
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("manifests are text")
}

/// What the command prints for each chart is what Helm prints.
fn compare(charts: &[PathBuf], values: &Json) {
    let Some(helm) = tool::path("helmlib") else { return };
    let cases: Vec<Json> = charts
        .iter()
        .map(|chart| {
            json!({
                "chart": chart, "data": values, "release": "mine", "namespace": "istio-system",
                "kube": "v1.33.0", "upgrade": true,
            })
        })
        .collect();
    let results = ask(&helm, "render", &json!(cases));
    for (chart, theirs) in charts.iter().zip(results.as_array().expect("a list")) {
        let chart = chart.to_str().expect("text");
        let flags = [
            "--name=mine",
            "-n=istio-system",
            "--kube-version=1.33",
            "--is-upgrade",
            "--include-crds",
            "-f=-",
        ];
        let arguments = [&[chart], &flags[..]].concat();
        let ours = printed(&meshgen(&arguments, &values.to_string()));
        let theirs = theirs["text"].as_str().expect("Helm renders it");
        assert!(ours == theirs, "{chart}\n{}", difference(&ours, theirs));
    }
    println!("{} charts printed as Helm prints them", charts.len());
}

#[test]
fn prints_what_helm_prints_for_its_test_charts() {
    if tool::path("helmlib").is_none() {
        return;
    }
    let Some(module) = module(HELM) else { return };
    let folder = module.join("pkg/cmd/testdata/testcharts");
    let charts = ["subchart", "chart-with-template-with-external-dependencies", "alpine", "empty"]
        .map(|name| folder.join(name));
    let charts: Vec<PathBuf> =
        charts.into_iter().filter(|chart| chart.join("Chart.yaml").exists()).collect();
    assert!(charts.len() >= 2, "the module has moved its charts");
    compare(&charts, &json!({"Name": "x", "subcharta": {"service": {"externalPort": 8}}}));
}

#[test]
fn prints_what_helm_prints_for_istio() {
    if tool::path("helmlib").is_none() {
        return;
    }
    let Some(module) = module("istio.io/istio@v0.0.0-20260423205519-b01690e6db7d") else { return };
    let mut paths = Vec::new();
    walk(&module.join("manifests/charts"), &mut paths);
    let is_chart = |path: &&PathBuf| path.ends_with("Chart.yaml");
    let folder = |path: &PathBuf| path.parent().expect("a folder").to_owned();
    let charts: Vec<PathBuf> = paths.iter().filter(is_chart).map(folder).collect();
    compare(&charts, &json!({"global": {"meshID": "m", "multiCluster": {"clusterName": "c1"}}}));
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn chart(template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "Chart.yaml", "apiVersion: v2\nname: mine\nversion: 1.0.0\n");
    write(folder.path(), "values.yaml", "a: 1\nb: {c: 2, d: 3}\n");
    write(folder.path(), "templates/x.yaml", template);
    folder
}

#[test]
fn values_go_over_each_other_in_their_order() {
    let chart = chart("{{ toYaml .Values }}\n");
    write(chart.path(), "one", "b: {c: one, d: one, e: one, f: one}\n");
    write(chart.path(), "two", "b: {c: two, d: two, e: two}\n");
    let path = |name: &str| chart.path().join(name).to_str().expect("text").to_owned();
    let arguments = [
        path(""),
        format!("-f={}", path("one")),
        format!("--values={}", path("two")),
        "--set=b.c=1,g={x,2},a=null".to_owned(),
        "--set-string=b.d=5".to_owned(),
        "--set-json=b.j={\"k\": [1.5]}".to_owned(),
        "--set-json={\"o\": true}".to_owned(),
        format!("--set-file=file={}", path("one")),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let expected = "---\n# Source: mine/templates/x.yaml\nb:\n  c: 1\n  d: \"5\"\n  e: two\n  f: one\n  j:\n    \
        k:\n    - 1.5\nfile: |\n  b: {c: one, d: one, e: one, f: one}\ng:\n- x\n- 2\no: true\n";
    assert_eq!(printed(&meshgen(&arguments, "")), expected);
}

#[test]
fn a_fault_is_drawn_with_its_place() {
    let chart = chart("a: b\nc: {{ .Values.b.c.nope }}\n");
    let output = meshgen(&[chart.path().to_str().expect("text")], "");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("error: "), "{text}");
    assert!(text.contains("--> mine/templates/x.yaml:2:"), "{text}");
    assert!(text.contains("2 | c: {{ .Values.b.c.nope }}\n"), "{text}");
    assert!(text.contains("^^^"), "{text}");
}

#[test]
fn what_cannot_be_rendered_is_refused() {
    let chart = chart("{{ now }}\n");
    let path = chart.path().to_str().expect("text");
    for (arguments, expected) in [
        (vec![path], "rendering is pure"),
        (vec![path, "--kube-version=x"], "`x` is no version of Kubernetes"),
        (vec![path, "--name=A_b"], "`A_b` is no name of a release"),
        (vec![path, "--set=a"], "`--set a`: "),
        (vec!["oci://example.org/chart"], "helm pull"),
    ] {
        let output = meshgen(&arguments, "");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
