//! Where a setting comes from: every layer that has it, from the weakest to the strongest.

mod chart_layer;

use serde_json::Value;

use super::chart;
use super::component::{Component, instances};
use super::error::IstioErrors;
use super::input::Request;
use super::merge::{TRANSLATED, merge_inputs, read, start, translate};
use super::package::Package;
use super::profile;
use super::set;
use super::tree::{self, Tree};

/// A layer that has a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What it is: a file, a flag, a profile, a step of istioctl's.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Whether it is the one that counts.
    pub wins: bool,
}

/// The layers of a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The path, without `spec.`.
    pub path: String,
    /// The layers, the weakest first; none where nothing sets it. Of layers of one chart and of those above all charts the
    /// last one wins; where only charts set it, each chart has its own.
    pub layers: Vec<Layer>,
}

/// Says where a setting comes from: `values.global.hub`, `components.pilot.k8s.replicaCount`. `spec.` in front may be left
/// out.
///
/// Maps are merged over the layers; everything else is replaced, so that the last layer wins.
///
/// # Errors
/// When the request cannot be merged: see [`super::generate`]. It is not validated.
pub fn explain(package: &Package, request: &Request, path: &str) -> Result<Explained, IstioErrors> {
    let path = path.strip_prefix("spec.").unwrap_or(path);
    let full = match path.split('.').next() {
        Some("metadata" | "apiVersion" | "kind") => path.to_owned(),
        _ => format!("spec.{path}"),
    };
    let merged = merge_inputs(package, request, &mut Vec::new())?;
    let mut layers = Vec::new();
    if let Some(path) = path.strip_prefix("values.") {
        layers = chart_layer::layers(package, &merged.operator, path)?;
    }
    let mut above = Above { full: &full, layers: Vec::new() };
    above.inputs(package, request)?;
    above.translated(package, &merged.user, &merged.operator)?;
    above.components(&merged.operator)?;
    if let Some(last) = above.layers.last_mut() {
        last.wins = true;
        for layer in &mut layers {
            layer.wins = false;
        }
    }
    layers.extend(above.layers);
    for layer in &mut layers {
        tree::to_integers(&mut layer.value);
    }
    Ok(Explained { path: path.to_owned(), layers })
}

/// The layers above those of charts.
struct Above<'a> {
    full: &'a str,
    layers: Vec<Layer>,
}

impl Above<'_> {
    fn add(&mut self, name: impl Into<String>, value: Option<&Value>) {
        if let Some(value) = value {
            self.layers.push(Layer { name: name.into(), value: value.clone(), wins: false });
        }
    }

    /// Profiles, documents, settings.
    fn inputs(&mut self, package: &Package, request: &Request) -> Result<(), IstioErrors> {
        let mut user = start();
        let mut documents = Vec::new();
        for document in &request.documents {
            let tree = read(document)?;
            tree::merge(&mut user, &tree);
            documents.push((document.name.clone(), tree));
        }
        let mut settings = Vec::new();
        for flag in request.flags() {
            let before = tree::find(&user, self.full).cloned();
            set::set_flag(&mut user, &flag, &mut Vec::new())?;
            let after = tree::find(&user, self.full).cloned();
            let path = flag.split_once('=').map_or(flag.as_str(), |(path, _)| path.trim());
            if after != before || self.full == format!("spec.{path}") {
                settings.push((format!("--set {flag}"), after));
            }
        }
        for (name, tree) in profile::layers(package, tree::text_at(&user, "spec.profile"))? {
            self.add(format!("profile `{name}`"), tree::find(tree, self.full));
        }
        for (name, tree) in &documents {
            self.add(name, tree::find(tree, self.full));
        }
        for (name, value) in &settings {
            self.add(name, value.as_ref());
        }
        Ok(())
    }

    /// What istioctl translates into values, and the user's own values once more over it.
    fn translated(
        &mut self,
        package: &Package,
        user: &Tree,
        operator: &Tree,
    ) -> Result<(), IstioErrors> {
        let mut translated = profile::merged(package, tree::text_at(user, "spec.profile"))?;
        tree::merge(&mut translated, user);
        let before = tree::find(&translated, self.full).cloned();
        // merging has gone through, so that this goes through as well
        let _: Result<(), String> = translate(&mut translated);
        let after = tree::find(&translated, self.full).cloned();
        if after == before {
            return Ok(());
        }
        self.add(format!("translated from {}", self.origin()), after.as_ref());
        let last = tree::find(operator, self.full);
        if last != after.as_ref() {
            self.add("the values of documents and --set, once more", last);
        }
        Ok(())
    }

    /// What the path is translated from.
    fn origin(&self) -> &'static str {
        let is_below = |to: &str| {
            let rest =
                self.full.strip_prefix("spec.values.").and_then(|path| path.strip_prefix(to));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let found = TRANSLATED.into_iter().find(|(_, to)| is_below(to));
        match found {
            Some((from, _)) => from.trim_start_matches("spec."),
            None if is_below("pilot.cni") => "components.cni.enabled",
            None if is_below("pilot") => "components.pilot.enabled",
            None => "values.global.istioNamespace",
        }
    }

    /// What components write into values before their chart is rendered.
    fn components(&mut self, operator: &Tree) -> Result<(), IstioErrors> {
        let Some(path) = self.full.strip_prefix("spec.values.") else { return Ok(()) };
        let unvalidated = tree::find(operator, &format!("spec.unvalidatedValues.{path}"));
        self.add("unvalidatedValues", unvalidated);
        let root = |component: Component| format!("{}.", component.values_root());
        for component in Component::ALL {
            if !path.starts_with(&root(component)) || component == Component::Ztunnel {
                continue;
            }
            for instance in instances(operator, component)? {
                let values = chart::values(operator, &instance);
                let mut before = tree::find(operator, self.full).cloned();
                before.iter_mut().for_each(tree::to_floats);
                let after = tree::find(&values, path);
                if after != before.as_ref() {
                    self.add(instance.place.clone(), after);
                }
            }
        }
        Ok(())
    }
}
