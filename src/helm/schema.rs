//! `values.schema.json`.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::chart::Chart;
use super::error::ChartError;

/// The name that schemas go by.
const NAME: &str = "file:///values.schema.json";

/// Checks the values of a chart and its subcharts against their schemas.
///
/// Schemas may refer to their own parts and to the drafts of JSON Schema. What lies elsewhere is refused, because
/// rendering reads no network and no other file.
///
/// # Errors
/// With all charts whose values do not fit.
pub fn validate(chart: &Chart, values: &Map<String, Value>) -> Result<(), ChartError> {
    let mut faults = String::new();
    collect(chart, values, &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(ChartError::Schema(faults)) }
}

fn collect(chart: &Chart, values: &Map<String, Value>, faults: &mut String) {
    if let Some(schema) = &chart.schema
        && let Err(fault) = validate_one(schema, values)
    {
        let _ = write!(faults, "{}:\n{fault}\n", chart.metadata.name);
    }
    for dependency in &chart.dependencies {
        let name = &dependency.metadata.name;
        match values.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Object(own)) => collect(dependency, own, faults),
            Some(_) => faults
                .push_str(&format!("{name}:\ninvalid type for values: expected object (map)\n")),
        }
    }
}

fn validate_one(schema: &[u8], values: &Map<String, Value>) -> Result<(), String> {
    let schema: Value = serde_json::from_slice(schema).map_err(|error| error.to_string())?;
    let mut compiler = boon::Compiler::new();
    compiler.use_loader(Box::new(NoLoader));
    compiler.add_resource(NAME, schema).map_err(|error| error.to_string())?;
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile(NAME, &mut schemas).map_err(|error| format!("{error:#}"))?;
    schemas.validate(&Value::Object(values.clone()), index).map_err(|error| {
        let text = error.to_string();
        let text = text.split_once('\n').map_or(text.as_str(), |(_, faults)| faults);
        text.to_owned()
    })
}

struct NoLoader;

impl boon::UrlLoader for NoLoader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        // Helm takes an unresolved name of this kind for a schema that everything fits.
        if url.starts_with("urn:") {
            return Ok(Value::Bool(true));
        }
        Err(format!("`{url}` lies outside of the chart, and rendering reads nothing else").into())
    }
}
