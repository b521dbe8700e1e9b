//! Helm's behaviour around the template engine: charts, values, functions, rendering.
//!
//! Load a [`Chart`] from files in memory, make a [`Request`] of values, release and capabilities, and [`render`] it.
//! The output is what `helm template` of Helm 4 renders from the same chart. Nothing here reads a file, the clock, the
//! environment or the network, and nothing is random: functions that would be refuse when they are called.
//!
//! Source of the rules: `helm.sh/helm/v4` 4.2.0, `github.com/Masterminds/sprig/v3` 3.3.0.

mod archive;
mod arg;
mod assign;
mod capabilities;
mod cast;
mod chart;
mod dependency;
mod error;
mod files;
mod function;
mod glob;
mod ignore;
mod json;
mod manifest;
mod merge;
mod metadata;
mod render;
mod schema;
mod values;

pub use assign::{AssignKind, assign, assign_text};
pub use capabilities::{Capabilities, KubeVersion};
pub use chart::{Chart, File};
pub use error::ChartError;
pub use files::Files;
pub use function::functions;
pub use manifest::{Hook, Manifest, Manifests, documents};
pub use metadata::{Dependency, Metadata};
pub use render::{Release, Rendered, Request, check, render};
pub use values::{coalesce, overlay, read as read_values};

pub use crate::gotmpl::{Limits, display_float, parse_float};
