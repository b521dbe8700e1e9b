//! What can be wrong with an `IstioOperator`.

use std::sync::Arc;

use super::strategic::PatchError;
use crate::helm::ChartError;

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
pub enum IstioError {
    /// A document is no YAML, no object, or more than one.
    #[error("{document}: {reason}")]
    Document {
        /// Its name.
        document: String,
        /// What is wrong.
        reason: String,
    },
    /// A setting cannot be carried out.
    #[error("`--set {flag}`: {reason}")]
    Set {
        /// The flag.
        flag: String,
        /// What is wrong.
        reason: String,
    },
    /// The package has no such profile.
    #[error("profile `{name}` not found; the package has {known}")]
    NoProfile {
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A file of the package cannot be read.
    #[error("{file}: {reason}")]
    Package {
        /// The path below `manifests/`.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A component's chart is not in the package.
    #[error("the package has no chart `{0}`")]
    NoChart(&'static str),
    /// The specification is wrong: type, unknown field, a value out of its range.
    #[error("{path}: {reason}")]
    Invalid {
        /// The setting: `spec.components.pilot.k8s.replicaCount`.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A chart cannot be loaded or rendered.
    #[error("chart {chart}: {source}")]
    Chart {
        /// Its folder.
        chart: &'static str,
        /// Why.
        source: Arc<ChartError>,
    },
    /// A chart gave something that is no object.
    #[error("{template}: {reason}")]
    Object {
        /// The template.
        template: String,
        /// What is wrong.
        reason: String,
    },
    /// A setting of `k8s` does not fit its object.
    #[error("{place}: {source}")]
    Patch {
        /// The setting.
        place: String,
        /// Why.
        source: PatchError,
    },
    /// An overlay leaves something that is no object.
    #[error("{place}: {reason}")]
    Overlay {
        /// The overlay or patch.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// Everything that was found wrong; at least one.
#[derive(Debug)]
pub struct IstioErrors(pub Vec<IstioError>);

impl From<IstioError> for IstioErrors {
    fn from(error: IstioError) -> Self {
        Self(vec![error])
    }
}

/// An error a line.
impl std::fmt::Display for IstioErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for IstioErrors {}
