//! A release's `manifests/` folder.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::component::Component;
use super::crds::Split;
use super::error::IstioError;
use super::tree::{Tree, to_floats};
use crate::helm::{Chart, ChartError, File};
use crate::yaml;

/// A release's `manifests/` folder: charts and profiles. `Send` and `Sync`; render it as often as you like.
///
/// Each chart and each profile is read when it is first asked for, and once.
pub struct Package {
    profiles: BTreeMap<String, Profile>,
    charts: BTreeMap<&'static str, Source>,
}

struct Profile {
    data: Vec<u8>,
    tree: OnceLock<Result<Tree, String>>,
}

#[derive(Default)]
struct Source {
    files: Vec<File>,
    chart: OnceLock<Result<Chart, Arc<ChartError>>>,
    split: OnceLock<Option<Split>>,
}

impl Package {
    /// Takes the files of the folder by their paths in it: `charts/base/Chart.yaml`, `profiles/default.yaml`. Files that
    /// generating does not need are left out.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut package = Self { profiles: BTreeMap::new(), charts: BTreeMap::new() };
        for (path, data) in files {
            package.add(&path, data);
        }
        package
    }

    /// Whether a file by its path in the folder is one that generating needs.
    pub fn reads(path: &str) -> bool {
        let is_in = |component: Component| {
            let inner =
                path.strip_prefix("charts/").and_then(|path| path.strip_prefix(component.chart()));
            inner.is_some_and(|inner| inner.starts_with('/'))
        };
        path.starts_with("profiles/") && path.ends_with(".yaml")
            || Component::ALL.into_iter().any(is_in)
    }

    fn add(&mut self, path: &str, data: Vec<u8>) {
        let profile = path.strip_prefix("profiles/").and_then(|file| file.strip_suffix(".yaml"));
        if let Some(name) = profile {
            self.profiles.insert(name.to_owned(), Profile { data, tree: OnceLock::new() });
            return;
        }
        let Some(path) = path.strip_prefix("charts/") else { return };
        for component in Component::ALL {
            let folder = component.chart();
            let Some(file) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
            else {
                continue;
            };
            let source = self.charts.entry(folder);
            let source = source.or_default();
            source.files.push(File { path: file.to_owned(), data });
            return;
        }
    }

    /// The names of its profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// Hub and tag of images that the profile `default` names.
    pub fn default_images(&self) -> (Option<&str>, Option<&str>) {
        let profile = self.profile("default").ok();
        let text = |key| profile.and_then(|tree| super::tree::at(tree, key)?.as_str());
        (text("spec.hub"), text("spec.tag"))
    }

    /// The file of a profile, as a map.
    ///
    /// # Errors
    /// When there is none, or it is no map.
    pub(super) fn profile(&self, name: &str) -> Result<&Tree, IstioError> {
        let Some(profile) = self.profiles.get(name) else {
            let known: Vec<String> = self.profiles().map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(IstioError::NoProfile { name: name.to_owned(), known });
        };
        let tree = profile.tree.get_or_init(|| read(&profile.data));
        tree.as_ref().map_err(|reason| IstioError::Package {
            file: format!("profiles/{name}.yaml"),
            reason: reason.clone(),
        })
    }

    /// The base chart in two parts, where it can be split.
    pub(super) fn split(&self, component: Component) -> Option<&Split> {
        if component != Component::Base {
            return None;
        }
        let chart = self.chart(component).ok()?;
        let source = self.charts.get(component.chart())?;
        source.split.get_or_init(|| Split::of(chart)).as_ref()
    }

    /// The chart of a component.
    ///
    /// # Errors
    /// When there is none, or it cannot be loaded.
    pub(super) fn chart(&self, component: Component) -> Result<&Chart, IstioError> {
        let folder = component.chart();
        let source = self.charts.get(folder).ok_or(IstioError::NoChart(folder))?;
        let load = || Chart::from_folder(source.files.clone()).map_err(Arc::new);
        let chart = source.chart.get_or_init(load);
        chart.as_ref().map_err(|source| IstioError::Chart { chart: folder, source: source.clone() })
    }
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let charts: Vec<_> = self.charts.keys().collect();
        f.debug_struct("Package").field("charts", &charts).finish_non_exhaustive()
    }
}

fn read(data: &[u8]) -> Result<Tree, String> {
    let text = std::str::from_utf8(data).map_err(|_| "it is not UTF-8".to_owned())?;
    read_tree(text)
}

/// Reads a map from YAML as istioctl does: the first document, numbers as floats; nothing at all is an empty map.
pub(super) fn read_tree(text: &str) -> Result<Tree, String> {
    let mut value = yaml::go_document(text).map_err(|error| error.with_position(text))?;
    to_floats(&mut value);
    match value {
        Value::Object(tree) => Ok(tree),
        Value::Null => Ok(Tree::new()),
        _ => Err("it is no map".to_owned()),
    }
}
