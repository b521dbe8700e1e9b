//! What a control plane is asked for with.

use serde_json::Value;

use super::error::IstioErrors;
use super::merge::user_input;
use super::tree;
use crate::helm::KubeVersion;

/// An `IstioOperator`, whole or in part.
#[derive(Debug, Clone)]
pub struct Document {
    /// What messages call it: a file name.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

/// What a document holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// YAML text, read as istioctl reads a file.
    Text(String),
    /// A value.
    Value(Value),
}

/// What a control plane is asked for with. The default asks for that of the default profile.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The documents; later ones go over earlier ones.
    pub documents: Vec<Document>,
    /// `path=value` below `spec`, in order, over the documents.
    pub sets: Vec<String>,
    /// `--revision`: goes over all else; empty and `default` are none.
    pub revision: Option<String>,
    /// Whether what validation finds is a warning.
    pub force: bool,
    /// The version of Kubernetes that charts see; without it istioctl's own, v1.32.0.
    pub kube_version: Option<KubeVersion>,
}

impl Document {
    /// A document from its text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), content: Content::Text(text.into()) }
    }

    /// A document from its value.
    pub fn value(name: impl Into<String>, value: Value) -> Self {
        Self { name: name.into(), content: Content::Value(value) }
    }
}

impl Request {
    /// `spec.installPackagePath` of documents and settings: where istioctl takes the charts from.
    ///
    /// # Errors
    /// When a document or a setting is unreadable.
    pub fn package_path(&self) -> Result<Option<String>, IstioErrors> {
        let user = user_input(self, &mut Vec::new())?;
        let path = tree::text_at(&user, "spec.installPackagePath");
        Ok(Some(path.to_owned()).filter(|path| !path.is_empty()))
    }

    /// The settings in their order, with what `--revision` stands for at the end.
    pub(super) fn flags(&self) -> Vec<String> {
        let revision = self.revision.as_deref().filter(|name| !matches!(*name, "" | "default"));
        let revision = revision.map(|name| format!("revision={name}"));
        self.sets.iter().cloned().chain(revision).collect()
    }
}
