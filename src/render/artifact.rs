//! What builders give.

use serde_json::Value;

use super::Stage;
use super::guard;
use crate::diag::{Diagnostic, Diagnostics, render_rules};
use crate::mesh::{PlaintextSecret, is_dns_label};
use crate::object::{Binding, Identity, ObjectError, Targets, canonical, file_name};
use crate::yaml::{self, Schema};

/// A rendered file, or one that waits for facts.
#[derive(Debug, Clone)]
pub enum Output {
    /// Rendered.
    Artifact(Artifact),
    /// Waits for facts.
    Pending(Pending),
    /// A file that clusters share, by its path: this cluster gets it too.
    Shared(String),
    /// Something that is accepted, and has no effect or not the one that it looks like.
    Warning {
        /// The setting of the `IstioOperator`, as a path, where it is about one.
        setting: String,
        /// What is wrong with it.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl Output {
    /// The file that it is, or will be.
    pub fn path(&self) -> Option<&str> {
        match self {
            Output::Artifact(artifact) => Some(&artifact.path),
            Output::Pending(pending) => Some(&pending.path),
            Output::Shared(_) | Output::Warning { .. } => None,
        }
    }
}

/// A rendered file.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Where it stands under `out/`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How it reaches clusters; absent for what is not sent.
    pub delivery: Option<Delivery>,
}

/// How an object reaches clusters.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The step of an apply that sends it.
    pub stage: Stage,
    /// Who gets it.
    pub targets: Targets,
    /// The object.
    pub object: Identity,
    /// JSON pointers of sealed values.
    pub sealed: Vec<String>,
    /// Values that are put in at apply.
    pub bindings: Vec<Binding>,
    /// JSON pointers of fields that are sent at creation only.
    pub handover: Vec<String>,
}

/// A file that waits for facts.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Where it will stand.
    pub path: String,
    /// The missing facts.
    pub needs: Vec<String>,
    /// How it will reach clusters.
    pub delivery: Option<(Stage, Targets, Identity)>,
}

/// The objects of one cluster's stage.
pub(super) struct Objects<'a> {
    pub(super) cluster: &'a str,
    pub(super) stage: Stage,
    pub(super) template: &'a str,
    pub(super) plaintext: &'a [PlaintextSecret],
}

impl Objects<'_> {
    /// Splits what a YAML template gave into objects, one artifact each, named after the object.
    pub(super) fn split(
        &self,
        text: &str,
        change: impl Fn(&mut Value),
    ) -> Result<Vec<Output>, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let mut outputs = Vec::new();
        for mut value in parse(self.template, text)? {
            if value.is_null() {
                continue;
            }
            change(&mut value);
            match self.artifact(&value) {
                Ok(artifact) => outputs.push(Output::Artifact(artifact)),
                Err(fault) => diagnostics.push(*fault),
            }
        }
        if diagnostics.is_empty() { Ok(outputs) } else { Err(diagnostics) }
    }

    fn artifact(&self, value: &Value) -> Result<Artifact, Box<Diagnostic>> {
        let identity = identity(self.template, value)?;
        guard::check(value, &identity, &[], &[], self.plaintext)?;
        Ok(Artifact {
            path: format!("{}/{}/{}", self.cluster, self.stage.as_str(), file_name(&identity)),
            bytes: canonical(value).into_bytes(),
            delivery: Some(Delivery {
                stage: self.stage,
                targets: Targets::Only(vec![self.cluster.to_owned()]),
                object: identity,
                sealed: Vec::new(),
                bindings: Vec::new(),
                handover: Vec::new(),
            }),
        })
    }
}

/// Reads what a YAML template gave.
pub(super) fn parse(template: &str, text: &str) -> Result<Vec<Value>, Diagnostics> {
    yaml::documents(text, Schema::Strict).map_err(|error| {
        let mut diagnostics = Diagnostics::new();
        let message = format!(
            "the template `{template}` gives no YAML: {} of what it gives",
            error.with_position(text)
        );
        diagnostics.push(Diagnostic::new(&render_rules::NOT_YAML, message));
        diagnostics
    })
}

/// The one object that a template must give.
pub(super) fn single(template: &str, text: &str) -> Result<Value, Diagnostics> {
    let mut values = parse(template, text)?;
    values.retain(|value| !value.is_null());
    match values.pop() {
        Some(value) if values.is_empty() => Ok(value),
        _ => {
            let mut diagnostics = Diagnostics::new();
            let message = format!("the template `{template}` must give exactly one object");
            diagnostics.push(Diagnostic::new(&render_rules::OTHER_NAMESPACE, message));
            Err(diagnostics)
        }
    }
}

pub(super) fn identity(template: &str, value: &Value) -> Result<Identity, Box<Diagnostic>> {
    let refused = |why: &dyn std::fmt::Display| {
        let message = format!("an object of the template `{template}` cannot be applied: {why}");
        Diagnostic::new(&render_rules::NO_NAME, message)
    };
    if value.get("items").is_some_and(Value::is_array)
        && value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
    {
        let why = "it is a list of objects, whose names and secrets nothing would look at";
        return Err(Box::new(refused(&why).hint("write each object as a document of its own")));
    }
    let identity = Identity::of(value).map_err(|error| {
        let diagnostic = refused(&error);
        Box::new(match error {
            ObjectError::GenerateName => diagnostic.hint("give it a `metadata.name`"),
            _ => diagnostic,
        })
    })?;
    match unfit(&identity, value) {
        Some(why) => Err(Box::new(refused(&why))),
        None => Ok(identity),
    }
}

/// What no API server takes in an identity.
///
/// Source of the rules: Kubernetes' `IsValidPathSegmentName`, and DNS labels of namespaces.
fn unfit(identity: &Identity, value: &Value) -> Option<String> {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_group = |text: &str| text.split('.').all(is_dns_label);
    let is_version = match identity.api_version.split_once('/') {
        Some((group, version)) => is_group(group) && is_word(version),
        None => is_word(&identity.api_version),
    };
    if !is_version {
        return Some(format!("`{}` is no API version", identity.api_version.escape_debug()));
    }
    let kind = &identity.kind;
    let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_kind {
        return Some(format!("`{}` is no kind", kind.escape_debug()));
    }
    let name = &identity.name;
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | '%');
    if name.len() > 253 || matches!(name.as_str(), "." | "..") || name.contains(is_odd) {
        let start: String = name.chars().take(80).collect();
        return Some(format!("`{}` is no name of an object", start.escape_debug()));
    }
    let namespace = value.get("metadata").and_then(|metadata| metadata.get("namespace"));
    match namespace {
        Some(Value::String(text)) if text.is_empty() || is_dns_label(text) => None,
        None | Some(Value::Null) => None,
        Some(other) => Some(format!("`{other}` is no name of a namespace")),
    }
}

/// One diagnostic as a collection.
#[expect(clippy::boxed_local, reason = "an error is boxed where it is made")]
pub(super) fn fault(diagnostic: Box<Diagnostic>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(*diagnostic);
    diagnostics
}
