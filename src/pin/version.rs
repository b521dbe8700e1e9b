//! Which version content says it is of.

use serde_json::Value;

use super::{Files, PinKind};
use crate::mesh::version::parse_istio;
use crate::yaml;

/// The version in Istio's charts as they lie in git, where no release was made of them.
const NEVER_SHIPPED: [&str; 2] = ["1.0.0", "1.1.0"];

/// Finds the version: of a chart what its `Chart.yaml` says, of a release the tag of its images, else
/// the version of its base chart. `None` where it says none, as charts from git do.
pub fn version(kind: PinKind, files: &Files) -> Option<String> {
    match kind {
        PinKind::Chart => chart_version(files, "Chart.yaml"),
        PinKind::Istio => tag(files).or_else(|| {
            chart_version(files, "charts/base/Chart.yaml")
                .filter(|version| !NEVER_SHIPPED.contains(&version.as_str()))
        }),
    }
}

/// The tag in the values of istiod's chart, if it is a version.
fn tag(files: &Files) -> Option<String> {
    let values = document(files, "charts/istio-control/istio-discovery/values.yaml")?;
    // older releases had no wrapper, then one of another name
    let places =
        ["/_internal_defaults_do_not_set/global/tag", "/defaults/global/tag", "/global/tag"];
    let tag = places.iter().find_map(|place| values.pointer(place)?.as_str())?;
    parse_istio(tag).map(|_| tag.to_owned())
}

fn chart_version(files: &Files, path: &str) -> Option<String> {
    let version = document(files, path)?.get("version")?.as_str()?.to_owned();
    let fits = !version.is_empty() && version.len() < 100 && !version.contains(char::is_control);
    fits.then_some(version)
}

fn document(files: &Files, path: &str) -> Option<Value> {
    yaml::go_document(str::from_utf8(files.get(path)?).ok()?).ok()
}
