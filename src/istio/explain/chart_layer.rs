//! The layers of charts: their defaults, and the files that profile, compatibility version and platform choose.

use serde_json::Value;

use super::Layer;
use crate::helm::Chart;
use crate::istio::component::{Component, instances};
use crate::istio::error::IstioErrors;
use crate::istio::package::{Package, read_tree};
use crate::istio::tree::{self, Tree};

/// The key under which charts since 1.22 keep their defaults.
const DEFAULTS: &str = "_internal_defaults_do_not_set";

/// The layers of all charts that have a value by this path below `values`; the last one of each wins.
pub(super) fn layers(
    package: &Package,
    operator: &Tree,
    path: &str,
) -> Result<Vec<Layer>, IstioErrors> {
    let mut layers = Vec::new();
    for component in Component::ALL {
        if instances(operator, component)?.is_empty() {
            continue;
        }
        // a package need not have every chart
        let Ok(chart) = package.chart(component) else { continue };
        let own =
            path.strip_prefix(component.values_root()).and_then(|rest| rest.strip_prefix('.'));
        let mut found = Vec::new();
        for (file, tree) in files(chart, operator) {
            // some charts take their own values without a prefix
            let value = tree::find(&tree, path).or_else(|| tree::find(&tree, own?));
            if let Some(value) = value {
                let name = format!("charts/{}/{file}", component.chart());
                found.push(Layer { name, value: value.clone(), wins: false });
            }
        }
        if let Some(last) = found.last_mut() {
            last.wins = true;
        }
        layers.extend(found);
    }
    Ok(layers)
}

/// The files of values of a chart, the weakest first.
fn files(chart: &Chart, operator: &Tree) -> Vec<(String, Tree)> {
    let defaults = chart.values.get(DEFAULTS).and_then(Value::as_object);
    let mut files = vec![("values.yaml".to_owned(), defaults.unwrap_or(&chart.values).clone())];
    let chosen = |name: &str| {
        let text = |path: String| tree::text_at(operator, &path);
        let own = text(format!("spec.values.{name}"));
        if own.is_empty() { text(format!("spec.values.global.{name}")) } else { own }
    };
    let wanted = [
        ("profile-", chosen("profile")),
        (
            "profile-compatibility-version-",
            tree::text_at(operator, "spec.values.compatibilityVersion"),
        ),
        ("profile-platform-", chosen("platform")),
    ];
    for (prefix, name) in wanted.into_iter().filter(|(_, name)| !name.is_empty()) {
        let file = format!("files/{prefix}{name}.yaml");
        let text = chart.files.0.get(file.as_str()).and_then(|data| std::str::from_utf8(data).ok());
        if let Some(tree) = text.and_then(|text| read_tree(text).ok()) {
            files.push((file, tree));
        }
    }
    files
}
