//! `meshgen istio generate` and `--explain`, the real binary.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::tool;

fn meshgen(arguments: &[&str], input: &str) -> Output {
    tool::output(Command::new(env!("CARGO_BIN_EXE_meshgen")).args(arguments), input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A release on disk.
fn release() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in super::package::files() {
        let path = folder.path().join("manifests").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// The archive of a release.
fn archive(folder: &Path, into: &Path) {
    let file = flate2::write::GzEncoder::new(
        std::fs::File::create(into).unwrap(),
        flate2::Compression::fast(),
    );
    let mut archive = tar::Builder::new(file);
    archive.append_dir_all("istio-1.2.3/manifests", folder.join("manifests")).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
}

#[test]
fn prints_objects_from_a_folder_or_an_archive() {
    let release = release();
    let folder = release.path().to_str().unwrap();
    let packed = release.path().join("istio.tar.gz");
    archive(release.path(), &packed);
    let manifests = format!("{folder}/manifests");
    let document = "kind: IstioOperator\nspec: {hub: stdin.org}\n";
    let mut texts = Vec::new();
    for path in [folder, &manifests, packed.to_str().unwrap()] {
        let output = meshgen(&["istio", "generate", "-d", path, "-f", "-"], document);
        assert!(output.status.success(), "{path}: {}", text(&output.stderr));
        assert!(text(&output.stderr).starts_with("warning: the chart warns"), "{path}");
        texts.push(text(&output.stdout));
    }
    assert!(texts[0].contains("image: stdin.org/pilot:latest"));
    assert!(texts.iter().all(|text| *text == texts[0]));
    // istioctl takes the path from the document, too
    let document =
        format!("kind: IstioOperator\nspec: {{hub: stdin.org, installPackagePath: {manifests}}}\n");
    let output = meshgen(&["istio", "generate", "-f", "-"], &document);
    assert_eq!(text(&output.stdout), texts[0], "{}", text(&output.stderr));
}

#[test]
fn strict_makes_errors_of_warnings() {
    let release = release();
    let folder = release.path().to_str().unwrap();
    let output =
        meshgen(&["istio", "generate", "-d", folder, "--strict", "--set", "namespace=x"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let said = text(&output.stderr);
    assert!(said.contains("warning: spec.namespace is not used"), "{said}");
    assert!(said.contains("error: 2 warnings, and `--strict`"), "{said}");
}

#[test]
fn what_cannot_be_done_is_refused_with_a_hint() {
    let release = release();
    let folder = release.path().to_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["-d", folder, "--cluster-specific"], "asks a cluster"),
        (&[], "meshgen brings no charts of Istio along"),
        (&["-d", "/nowhere"], "there is no `/nowhere`"),
        (&["-d", empty.path().to_str().unwrap()], "holds no charts of Istio"),
        (&["-d", folder, "--filename=-,other.yaml"], "only allowed as the last file"),
        (&["-d", folder, "--set", "unknown=1"], "spec.unknown: unknown field"),
    ];
    for (arguments, expected) in cases {
        let output = meshgen(&[&["istio", "generate"], arguments].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn explains_settings_of_a_control_plane() {
    let release = release();
    let arguments =
        ["istio", "generate", "-d", release.path().to_str().unwrap(), "--set", "tag=1.20"];
    let output = meshgen(&[&arguments[..], &["--explain", "tag"]].concat(), "");
    assert_eq!(
        text(&output.stdout),
        "tag\n  profile `default`  \"latest\"\n* --set tag=1.20     \"1.20\"\n"
    );
    let output = meshgen(&[&arguments[..], &["--explain", "tag", "-o", "json"]].concat(), "");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        told["layers"][1],
        json!({"layer": "--set tag=1.20", "value": "1.20", "wins": true})
    );
    let output = meshgen(&[&arguments[..], &["--explain", "values.no"]].concat(), "");
    assert!(text(&output.stderr).contains("nothing sets `values.no`"));
}

#[test]
fn explains_values_of_a_chart() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("Chart.yaml", "{apiVersion: v2, name: outer, version: 1.0.0}\n"),
        ("values.yaml", "{image: {tag: one}, inner: {size: 2}, global: {region: syd}}\n"),
        ("charts/inner/Chart.yaml", "{apiVersion: v2, name: inner, version: 1.0.0}\n"),
        ("charts/inner/values.yaml", "{size: 1, global: {region: none}}\n"),
        ("mine.yaml", "image: {tag: two}\n"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let chart = folder.path().to_str().unwrap();
    let mine = folder.path().join("mine.yaml");
    let told = |path: &str| {
        let flags = [
            "-f",
            mine.to_str().unwrap(),
            "--set",
            "image.tag=three",
            "--set-string",
            "inner.size=9",
        ];
        let output = meshgen(
            &[&["chart", "render", chart][..], &flags, &["--explain", path, "-o", "json"]].concat(),
            "",
        );
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{path}: {}", text(&output.stderr)));
        told["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| layer["value"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("image.tag"), ["one", "two", "three"]);
    assert_eq!(told("inner.size"), [json!(1), json!(2), json!("9")]);
    assert_eq!(told("inner.global.region"), ["none", "syd"]);
}

#[test]
fn no_input_is_cut_off_in_silence() {
    let release = release();
    let folder = release.path().to_str().unwrap();
    // whole, it would say otherwise at its end
    let long = format!("spec: {{hub: first}}\n{}spec: {{hub: last}}\n", "#\n".repeat(9 << 20));
    let output = meshgen(&["istio", "generate", "-d", folder, "-f", "-"], &long);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("larger than 16 MiB"), "{}", text(&output.stderr));
}
