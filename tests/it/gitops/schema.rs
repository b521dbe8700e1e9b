//! What is published about forms: Argo CD's definitions, CycloneDX's schema.
//!
//! No Argo CD runs here: its definitions judge the form, with every field that they do not know refused.

use std::fs;
use std::path::Path;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use super::{expect, planes};
use crate::tool;

/// Asserts that a value fits a schema; `others` are schemas that it refers to.
#[track_caller]
fn fits(schema: Value, others: Vec<(&str, Value)>, value: &Value) -> Result<(), String> {
    const NAME: &str = "http://schema.test/schema.json";
    let mut compiler = boon::Compiler::new();
    compiler.add_resource(NAME, schema).expect("a schema");
    for (name, other) in others {
        compiler.add_resource(name, other).expect("a schema");
    }
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile(NAME, &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
    schemas.validate(value, index).map_err(|error| format!("{error:#}"))
}

/// The schema of a definition's only version, closed: a field that it does not list is refused, as by an
/// API server with `fieldValidation=Strict`.
fn definition(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a definition");
    let crd = yaml::document(&text, Schema::Go).expect("YAML");
    let versions = crd["spec"]["versions"].as_array().expect("versions");
    assert_eq!(versions.len(), 1);
    let mut schema = versions[0]["schema"]["openAPIV3Schema"].clone();
    close(&mut schema);
    // what every object has
    schema["properties"]["metadata"] = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}, "annotations": {
            "type": "object", "additionalProperties": {"type": "string"},
        }},
    });
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let is_open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
            let is_listed = map.get("properties").is_some_and(Value::is_object);
            if is_listed && !is_open && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            if map.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
                map.remove("anyOf");
                map.remove("type");
            }
            // formats of Kubernetes are none of JSON Schema
            if map.get("format").is_some_and(Value::is_string) {
                map.remove("format");
            }
            map.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn argo_cd_s_definitions_take_every_object() {
    let Some(module) = tool::module("schemas", "github.com/argoproj/argo-cd/v3") else { return };
    tool::announce("not run: Argo CD itself: its published definitions judge what it would get");
    let crds = module.join("manifests/crds");
    let kinds = [
        ("ApplicationSet", definition(&crds.join("applicationset-crd.yaml"))),
        ("Application", definition(&crds.join("application-crd.yaml"))),
    ];
    let folder = planes().join("gitops/argocd");
    let mut count = 0;
    for path in ["applicationset.yaml", "c1/applications.yaml", "c3/applications.yaml"] {
        let text = fs::read_to_string(folder.join(path)).expect("committed");
        for object in yaml::documents(&text, Schema::Go).expect("YAML") {
            let kind = kinds.iter().find(|(kind, _)| object["kind"] == *kind).expect("a kind");
            fits(kind.1.clone(), Vec::new(), &object).unwrap_or_else(|why| panic!("{path}: {why}"));
            count += 1;
            // and the judge does look
            let mut odd = object.clone();
            odd["spec"]["unheardOf"] = json!(true);
            assert!(fits(kind.1.clone(), Vec::new(), &odd).is_err());
        }
    }
    assert!(count > 15, "{count} objects");
}

#[test]
fn waves_are_the_order_of_stages() {
    let text =
        fs::read_to_string(planes().join("gitops/argocd/c3/applications.yaml")).expect("text");
    let wave = |object: &Value| -> u32 {
        let text = &object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"];
        text.as_str().and_then(|text| text.parse().ok()).expect("a wave")
    };
    let objects = yaml::documents(&text, Schema::Go).expect("YAML");
    let waves: Vec<(u32, &str)> = objects
        .iter()
        .map(|object| (wave(object), object["spec"]["source"]["path"].as_str().expect("a path")))
        .collect();
    assert!(waves.is_sorted_by(|a, b| a.0 < b.0), "{waves:?}");
    assert!(waves.contains(&(19, "out/crds/next")) && waves.contains(&(20, "out/c3/20-base")));
}

#[test]
fn cyclone_dx_s_schema_takes_the_bill_of_every_tree() {
    let Some(module) = tool::module("schemas", "github.com/CycloneDX/cyclonedx-go") else { return };
    let schema = |name: &str| -> Value {
        let text = fs::read_to_string(module.join("schema").join(name)).expect("a schema");
        serde_json::from_str(&text).expect("JSON")
    };
    for case in ["tests/golden/control-plane", "tests/golden/twelve-mixed", "."] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.arg("-C").arg(tool::root().join(case)).args(["bundle", "sbom"]);
        let text = tool::run(&mut command, "");
        let bill: Value = serde_json::from_str(&text).expect("JSON");
        let others = || {
            vec![
                ("http://cyclonedx.org/schema/spdx.schema.json", schema("spdx.schema.json")),
                (
                    "http://cyclonedx.org/schema/jsf-0.82.schema.json",
                    schema("jsf-0.82.schemax.json"),
                ),
            ]
        };
        let fits = |bill: &Value| fits(schema("bom-1.6.schema.json"), others(), bill);
        fits(&bill).unwrap_or_else(|why| panic!("{case}: {why}"));
        let mut odd = bill.clone();
        odd["components"][0]["type"] = json!("chart");
        assert!(fits(&odd).is_err(), "the judge does look");
    }
}

#[test]
fn a_bill_names_every_file_and_every_image() {
    let (text, _) = expect(0, &["bundle", "sbom"]);
    let bill: Value = serde_json::from_str(&text).expect("JSON");
    let index: Value =
        serde_json::from_slice(&fs::read(planes().join("out/index.json")).expect("an index"))
            .expect("JSON");
    let of = |kind: &str| -> Vec<&Value> {
        let all = bill["components"].as_array().expect("components");
        all.iter().filter(|one| one["type"] == kind).collect()
    };
    let rows = index["artifacts"].as_array().expect("rows");
    assert_eq!(of("file").len(), rows.len());
    for (component, row) in of("file").iter().zip(rows) {
        assert_eq!(component["name"], row["path"]);
        let digest = format!("sha256:{}", component["hashes"][0]["content"].as_str().expect("hex"));
        assert_eq!(row["digest"], digest);
    }
    let (images, _) = expect(0, &["images", "-q"]);
    let references: Vec<String> = images.lines().map(|line| format!("image:{line}")).collect();
    let named: Vec<&str> =
        of("container").iter().filter_map(|one| one["bom-ref"].as_str()).collect();
    assert_eq!(named, references);
    assert!(!text.contains("PRIVATE KEY") && !text.contains("timestamp"));
    assert_eq!(expect(0, &["bundle", "sbom"]).0, text);
}
