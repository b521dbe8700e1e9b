//! A verification for programs.

use serde_json::{Map, Value, json};

use super::super::check::find;
use super::super::report::Report;
use super::verdict;

/// A report as JSON, as docs/verify-json.md describes it: the report's own fields, so that reading
/// it as a [`Report`] gives the same value, and beside them what it comes to and what each check
/// asks.
pub fn to_json(report: &Report) -> String {
    let mut value = Map::new();
    value.insert("apiVersion".to_owned(), json!("meshgen.dev/v1alpha1"));
    value.insert("kind".to_owned(), json!("Verification"));
    value.insert("status".to_owned(), json!(report.status()));
    value.insert("verdict".to_owned(), json!(verdict(report)));
    if let Value::Object(fields) = json!(report) {
        value.extend(fields);
    }
    for check in value.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(known) = check["id"].as_str().and_then(find) {
            check["title"] = json!(known.title);
            check["hint"] = json!(known.hint);
        }
    }
    format!("{:#}\n", Value::Object(value))
}
