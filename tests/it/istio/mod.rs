//! The control plane's engine on charts of our own, small enough to see what each rule does. Whole charts are held against
//! istioctl elsewhere.

mod command;
mod merge;
mod overlay;
mod package;
mod patch;
mod refuse;
mod schema;
mod warn;

use meshgen::istio::{Document, Generated, IstioErrors, Request, generate};
use serde_json::Value;

/// Generates from one document below `spec` and settings.
fn run(spec: &str, sets: &[&str]) -> Result<Generated, IstioErrors> {
    generate(&package::package(), &request(spec, sets))
}

fn request(spec: &str, sets: &[&str]) -> Request {
    let indented: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let head = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n";
    Request {
        documents: vec![Document::text("mesh.yaml", format!("{head}{indented}"))],
        sets: sets.iter().map(ToString::to_string).collect(),
        ..Request::default()
    }
}

/// The object of a kind and name; panics where there is none.
fn find<'a>(generated: &'a Generated, kind: &str, name: &str) -> &'a Value {
    let is_it = |value: &&Value| value["kind"] == kind && value["metadata"]["name"] == name;
    let mut values = generated.objects.iter().map(|object| &*object.value);
    values.find(is_it).unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The values that istiod's chart was rendered with.
fn values(generated: &Generated) -> Value {
    let text = find(generated, "ConfigMap", "values")["data"]["values"].as_str().expect("text");
    serde_json::from_str(text).expect("JSON")
}

/// What is wrong, a line each.
fn faults(spec: &str, sets: &[&str]) -> String {
    run(spec, sets).expect_err("it must be refused").to_string()
}

/// The warnings, a line each.
fn warnings(spec: &str, sets: &[&str]) -> Vec<String> {
    let generated = run(spec, sets).unwrap_or_else(|errors| panic!("{spec}: {errors}"));
    generated.warnings.iter().map(ToString::to_string).collect()
}
