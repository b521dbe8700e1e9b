//! What builders give.

use serde_json::Value;

use super::Stage;
use super::guard;
use crate::diag::{Diagnostic, Diagnostics, render_rules};
use crate::mesh::PlaintextSecret;
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
    Identity::of(value).map_err(|error| {
        let message = format!("an object of the template `{template}` cannot be applied: {error}");
        let diagnostic = Diagnostic::new(&render_rules::NO_NAME, message);
        Box::new(match error {
            ObjectError::GenerateName => diagnostic.hint("give it a `metadata.name`"),
            _ => diagnostic,
        })
    })
}

/// One diagnostic as a collection.
#[expect(clippy::boxed_local, reason = "an error is boxed where it is made")]
pub(super) fn fault(diagnostic: Box<Diagnostic>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(*diagnostic);
    diagnostics
}
