//! `meshgen chart render --explain`: the layers of a chart's value.

use serde_json::{Map, Value};

use crate::cli::commands::layers::Layer;
use crate::helm::Chart;

/// Values by what they come from, the weakest first.
pub type Sources = Vec<(String, Map<String, Value>)>;

/// The layers of a value: defaults of subcharts, of the chart, then what the user set; for a subchart's `global`, what
/// the chart's own `global` puts over it.
pub fn layers(chart: &Chart, user: &Sources, path: &str) -> Vec<Layer> {
    let segments = split(path);
    let mut found = all(chart, user, &segments);
    for depth in (1..segments.len()).rev() {
        let is_below = dependency(chart, &segments[..depth]).is_some();
        if is_below && segments[depth] == "global" {
            let outer: Vec<String> =
                segments[..depth - 1].iter().chain(&segments[depth..]).cloned().collect();
            found.extend(
                all(chart, user, &outer)
                    .into_iter()
                    .map(|(name, value)| (format!("{name}, as {}", outer.join(".")), value)),
            );
        }
    }
    let last = found.len().saturating_sub(1);
    let layer = |(index, (name, value))| Layer { name, value: written(value), wins: index == last };
    found.into_iter().enumerate().map(layer).collect()
}

/// A value as people write it: Helm reads all numbers as floats.
fn written(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                format!("{float:.0}").parse().map_or(Value::Number(number), Value::Number)
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(written).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, written(value))).collect(),
        other => other,
    }
}

fn all(chart: &Chart, user: &Sources, path: &[String]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    defaults(chart, "", path, &mut found);
    for (name, values) in user {
        found.extend(find(values, path).map(|value| (name.clone(), value.clone())));
    }
    found
}

/// The defaults of a chart and of the subcharts that a path leads into.
fn defaults(chart: &Chart, prefix: &str, path: &[String], found: &mut Vec<(String, Value)>) {
    if let Some((first, rest)) = path.split_first().filter(|(_, rest)| !rest.is_empty())
        && let Some(inner) = dependency(chart, std::slice::from_ref(first))
    {
        defaults(inner, &format!("{prefix}charts/{first}/"), rest, found);
    }
    let value = find(&chart.values, path);
    found.extend(value.map(|value| (format!("{prefix}values.yaml"), value.clone())));
}

/// The chart that names lead to.
fn dependency<'a>(chart: &'a Chart, names: &[String]) -> Option<&'a Chart> {
    names.iter().try_fold(chart, |chart, name| {
        chart.dependencies.iter().find(|inner| inner.metadata.name == *name)
    })
}

/// Splits at dots that no backslash stands before; `list[0]` gives two segments.
fn split(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut chars = path.chars().peekable();
    while let Some(c) = chars.next() {
        let last = segments.len() - 1;
        match c {
            '\\' => segments[last].extend(chars.next()),
            '.' => segments.push(String::new()),
            '[' if !segments[last].is_empty() => segments.push("[".to_owned()),
            c => segments[last].push(c),
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

fn find<'a>(values: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(values.get(first)?, |value, segment| match value {
        Value::Array(items) => {
            let index = segment.strip_prefix('[')?.strip_suffix(']')?;
            items.get(index.parse::<usize>().ok()?)
        }
        other => other.get(segment),
    })
}
