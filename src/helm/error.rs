//! What can be wrong with a chart.

use crate::gotmpl;

/// Why a chart cannot be loaded or rendered.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    NoChartFile,
    /// Templates run on a thread of their own, and there is none to be had.
    #[error("the system gives no thread to render on: {0}")]
    Thread(std::io::Error),
    /// A file of the chart cannot be read.
    #[error("cannot read {file}: {reason}")]
    File {
        /// The path in the chart.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// `Chart.yaml` says something that Helm refuses.
    #[error("Chart.yaml: {0}")]
    Metadata(String),
    /// The archive is none, or hostile.
    #[error("not a chart archive: {0}")]
    Archive(String),
    /// A line of `.helmignore` is no rule.
    #[error("`.helmignore`: rule `{rule}`: {reason}")]
    Ignore {
        /// The line.
        rule: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A subchart cannot be loaded.
    #[error("subchart {name}: {source}")]
    Subchart {
        /// The name in `charts/`.
        name: String,
        /// What is wrong with it.
        source: Box<ChartError>,
    },
    /// `Chart.yaml` names charts that `charts/` does not hold.
    #[error("found in Chart.yaml, but missing in charts/ directory: {0}")]
    MissingDependencies(String),
    /// The chart wants another version of Kubernetes.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {given}")]
    KubeVersion {
        /// The constraint in `Chart.yaml`.
        wanted: String,
        /// The version rendered for.
        given: String,
    },
    /// The values do not fit the chart.
    #[error("values of {chart}: {reason}")]
    Values {
        /// The chart or subchart.
        chart: String,
        /// What is wrong.
        reason: String,
    },
    /// The values break the rules of `values.schema.json`.
    #[error(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{0}"
    )]
    Schema(String),
    /// A template is wrong or failed.
    #[error("{0}")]
    Template(#[from] gotmpl::Error),
}
