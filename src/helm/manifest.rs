//! From rendered files to manifests: splitting, hooks, the order of installation.
//!
//! Source of the rules: Helm 4's package `release/v1/util`, and what `helm template` prints.

use std::fmt::Write;

use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value;

use super::error::ChartError;
use super::render::Rendered;
use crate::yaml;

/// The annotation that makes a hook of a manifest.
const HOOK: &str = "helm.sh/hook";
const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
const HOOK_DELETE: &str = "helm.sh/hook-delete-policy";

/// The kinds in the order in which Helm installs them; others come after, by name.
const INSTALL_ORDER: &str = "PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy \
    PodDisruptionBudget ServiceAccount Secret SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim \
    CustomResourceDefinition ClusterRole ClusterRoleList ClusterRoleBinding ClusterRoleBindingList Role RoleList \
    RoleBinding RoleBindingList Service DaemonSet Pod ReplicationController ReplicaSet Deployment \
    HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService MutatingWebhookConfiguration \
    ValidatingWebhookConfiguration";

/// The events that hooks wait for; `test-success` is an old name of `test`.
const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// What separates documents, as Helm splits them: also a line such as `---x`.
static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\t\n\f\r ]*\n)---[\t\n\f\r ]*").expect("the pattern is a regular expression")
});

/// One document of a rendered file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The path of the template.
    pub source: String,
    /// The text, as rendered.
    pub text: String,
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: String,
    /// What makes it a hook.
    pub hook: Option<Hook>,
}

/// When a hook runs.
#[derive(Clone, Debug, Default)]
pub struct Hook {
    /// The events, such as `pre-install`.
    pub events: Vec<String>,
    /// The order among hooks of one event.
    pub weight: i64,
    /// When its object is deleted.
    pub delete_policies: Vec<String>,
}

/// What a chart installs.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// The files in `crds/` by path, which are no templates.
    pub crds: Vec<(String, Arc<[u8]>)>,
    /// The manifests in the order of installation.
    pub manifests: Vec<Manifest>,
    /// The hooks in the same order of kinds.
    pub hooks: Vec<Manifest>,
    /// The text of the chart's own `NOTES.txt`.
    pub notes: Option<String>,
}

impl Manifests {
    /// Splits and sorts what a chart gave. Empty documents, and hooks for events that do not exist, are left out.
    ///
    /// # Errors
    /// When a document is no YAML, or its head is none of an object.
    pub fn sort(chart_name: &str, rendered: &Rendered) -> Result<Self, ChartError> {
        let mut sorted = Self { crds: rendered.crds.clone(), ..Self::default() };
        for (path, data) in &rendered.files {
            let text = String::from_utf8_lossy(data);
            if path.ends_with("NOTES.txt") {
                if *path == format!("{chart_name}/templates/NOTES.txt") {
                    sorted.notes = Some(text.into_owned());
                }
                continue;
            }
            for document in documents(&text) {
                sorted.add(path, document)?;
            }
        }
        let order: Vec<&str> = INSTALL_ORDER.split_whitespace().collect();
        let rank = |manifest: &Manifest| {
            let known = order.iter().position(|kind| *kind == manifest.kind);
            let unknown = if known.is_some() { String::new() } else { manifest.kind.clone() };
            (known.unwrap_or(order.len()), unknown)
        };
        sorted.manifests.sort_by_cached_key(rank);
        sorted.hooks.sort_by_cached_key(rank);
        Ok(sorted)
    }

    fn add(&mut self, path: &str, text: &str) -> Result<(), ChartError> {
        let fault = |reason: String| ChartError::File { file: path.to_owned(), reason };
        let head = yaml::go_document(text).map_err(|error| fault(error.with_position(text)))?;
        if !matches!(head, Value::Object(_) | Value::Null) {
            return Err(fault("a document is no map".into()));
        }
        let mut manifest = Manifest {
            source: path.to_owned(),
            text: text.to_owned(),
            api_version: string(&head, "apiVersion").map_err(fault)?,
            kind: string(&head, "kind").map_err(fault)?,
            name: String::new(),
            hook: None,
        };
        let metadata = match head.get("metadata") {
            None | Some(Value::Null) => &Value::Null,
            Some(metadata @ Value::Object(_)) => metadata,
            Some(_) => return Err(fault("`metadata` is no map".into())),
        };
        manifest.name = string(metadata, "name").map_err(fault)?;
        let annotations = match metadata.get("annotations") {
            None | Some(Value::Null) => &Value::Null,
            Some(annotations @ Value::Object(map)) => {
                for key in map.keys() {
                    string(annotations, key).map_err(fault)?;
                }
                annotations
            }
            Some(_) => return Err(fault("`annotations` is no map".into())),
        };
        let Some(events) = annotations.get(HOOK).map(|events| events.as_str().unwrap_or_default())
        else {
            self.manifests.push(manifest);
            return Ok(());
        };
        let events = words(events);
        if events.iter().all(|event| EVENTS.contains(&event.as_str())) {
            let weight = string(annotations, HOOK_WEIGHT).map_err(fault)?.parse().unwrap_or(0);
            let policies =
                annotations.get(HOOK_DELETE).and_then(Value::as_str).map(words).unwrap_or_default();
            manifest.hook = Some(Hook { events, weight, delete_policies: policies });
            self.hooks.push(manifest);
        }
        Ok(())
    }

    /// Writes what `helm template` prints: manifests, then hooks, each below the path of its template.
    pub fn text(&self, with_crds: bool) -> String {
        let mut out = String::new();
        let mut add =
            |source: &str, text: &str| out.push_str(&format!("---\n# Source: {source}\n{text}\n"));
        if with_crds {
            for (path, data) in &self.crds {
                add(path, &String::from_utf8_lossy(data));
            }
        }
        for manifest in &self.manifests {
            add(&manifest.source, &manifest.text);
        }
        let mut text = out.trim().to_owned() + "\n";
        for hook in &self.hooks {
            let _ = write!(text, "---\n# Source: {}\n{}\n", hook.source, hook.text);
        }
        text
    }
}

/// Splits a rendered file into documents, without the empty ones.
pub fn documents(text: &str) -> impl Iterator<Item = &str> {
    let parts = SEPARATOR.split(text.trim_start());
    parts.map(str::trim_start).filter(|document| !document.is_empty())
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_lowercase()).collect()
}

fn string(value: &Value, key: &str) -> Result<String, String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(format!("`{key}` must be a string, and is {other}")),
    }
}
