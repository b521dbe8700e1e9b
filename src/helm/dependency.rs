//! Which subcharts take part, and which of their values the parent takes over.
//!
//! Source of the rules: Helm 4's package `chart/v2/util`, file `dependencies.go`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::chart::Chart;
use super::error::ChartError;
use super::function::{Constraint, Version};
use super::metadata::Dependency;
use super::values::{coalesce, merge_tables, path_value, table};

/// Returns the chart with the subcharts that the values switch on, under their aliases, and with imported values.
///
/// # Errors
/// When the value for a subchart is no map.
pub fn process(chart: &Chart, values: &Map<String, Value>) -> Result<Chart, ChartError> {
    let mut chart = chart.clone();
    if chart.dependencies.is_empty() && chart.metadata.dependencies.is_empty() {
        return Ok(chart);
    }
    enable(&mut chart, values, "")?;
    import_values(&mut chart)?;
    Ok(chart)
}

/// Checks that every chart that `Chart.yaml` names is there.
///
/// # Errors
/// With the names that are missing.
pub fn check(chart: &Chart) -> Result<(), ChartError> {
    let is_there = |dependency: &&Dependency| {
        chart.dependencies.iter().any(|own| own.metadata.name == dependency.name)
    };
    let missing: Vec<&str> = chart
        .metadata
        .dependencies
        .iter()
        .filter(|dependency| !is_there(dependency))
        .map(|dependency| dependency.name.as_str())
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ChartError::MissingDependencies(missing.join(", ")))
    }
}

fn fits(dependency: &Dependency, chart: &Chart) -> bool {
    let versions =
        Constraint::parse(&dependency.version).zip(Version::parse(&chart.metadata.version));
    chart.metadata.name == dependency.name
        && versions.is_some_and(|(constraint, version)| constraint.allows(&version))
}

fn enable(chart: &mut Chart, values: &Map<String, Value>, path: &str) -> Result<(), ChartError> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let given = std::mem::take(&mut chart.dependencies);
    let is_named =
        |own: &Chart| chart.metadata.dependencies.iter().any(|dependency| fits(dependency, own));
    let mut kept: Vec<Chart> = given.iter().filter(|own| !is_named(own)).cloned().collect();
    for dependency in &mut chart.metadata.dependencies {
        if let Some(own) = given.iter().find(|own| fits(dependency, own)) {
            let mut own = own.clone();
            if !dependency.alias.is_empty() {
                own.metadata.name.clone_from(&dependency.alias);
            }
            kept.push(own);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    chart.dependencies = kept;
    let values = coalesce(chart, values, false)?;
    apply_tags(&mut chart.metadata.dependencies, &values);
    apply_conditions(&mut chart.metadata.dependencies, &values, path);
    let disabled: Vec<String> = chart
        .metadata
        .dependencies
        .iter()
        .filter(|own| !own.enabled)
        .map(|own| own.name.clone())
        .collect();
    chart.dependencies.retain(|own| !disabled.contains(&own.metadata.name));
    chart.metadata.dependencies.retain(|own| !disabled.contains(&own.name));
    for own in &mut chart.dependencies {
        let path = format!("{path}{}.", own.metadata.name);
        enable(own, &values, &path)?;
    }
    Ok(())
}

fn apply_tags(dependencies: &mut [Dependency], values: &Map<String, Value>) {
    let Some(Value::Object(tags)) = values.get("tags") else { return };
    for dependency in dependencies {
        let flags: Vec<bool> =
            dependency.tags.iter().filter_map(|tag| tags.get(tag)?.as_bool()).collect();
        dependency.enabled = flags.is_empty() || flags.contains(&true);
    }
}

fn apply_conditions(dependencies: &mut [Dependency], values: &Map<String, Value>, path: &str) {
    for dependency in dependencies {
        let mut conditions =
            dependency.condition.trim().split(',').filter(|condition| !condition.is_empty());
        let flag = conditions
            .find_map(|condition| path_value(values, &format!("{path}{condition}"))?.as_bool());
        if let Some(flag) = flag {
            dependency.enabled = flag;
        }
    }
}

fn import_values(chart: &mut Chart) -> Result<(), ChartError> {
    for dependency in &mut chart.dependencies {
        import_values(dependency)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let mut all = coalesce(chart, &Map::new(), true)?;
    let mut imported = Map::new();
    for dependency in &mut chart.metadata.dependencies {
        let mut known = Vec::new();
        for import in &dependency.import_values {
            let (child, parent) = match import {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Object(pair) => (go_text(pair.get("child")), go_text(pair.get("parent"))),
                _ => continue,
            };
            if let Some(found) = table(&all, &format!("{}.{child}", dependency.name)) {
                merge_tables(&mut imported, nested(&parent, found.clone()), true);
            }
            known.push(json!({"child": child, "parent": parent}));
        }
        dependency.import_values = known;
    }
    // The parent's own values are the stronger ones.
    merge_tables(&mut all, imported, true);
    chart.values = Arc::new(all);
    Ok(())
}

fn go_text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "<nil>".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Puts a map under a path of keys; `.` is the top.
fn nested(path: &str, values: Map<String, Value>) -> Map<String, Value> {
    if path == "." {
        return values;
    }
    path.split('.')
        .rev()
        .fold(values, |inner, key| Map::from_iter([(key.to_owned(), Value::Object(inner))]))
}
