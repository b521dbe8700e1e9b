//! The differences that are meant.

use super::case::Case;

/// Cases on which meshgen does not answer as istioctl does, and why.
pub struct Difference {
    /// The name of a case without its release, or the start of such names before a `*`.
    pub cases: &'static str,
    pub reason: &'static str,
}

/// A row whose cases have become equal, or that has no case, fails the test.
///
/// Only `values` and `meshConfig` may stand here, whose schema is Istio's own and not written down
/// in the charts.
pub const ALL: &[Difference] = &[Difference {
    cases: "refuse/meshConfig two tracers",
    reason: "whether a tracer of the mesh can be reached as it says is left to istiod",
}];

/// The row that a case falls under.
pub fn of(case: &Case) -> Option<&'static Difference> {
    let name = case.name.strip_suffix(case.charts).unwrap_or(&case.name).trim_end_matches('/');
    ALL.iter().find(|row| match row.cases.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == row.cases,
    })
}
