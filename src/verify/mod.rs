//! Proofs of a running mesh.
//!
//! ```text
//! tree, clusters ─ look ─▶ Seen ─ judge ─▶ Report ─▶ text, json, junit, markdown, page
//! ```
//!
//! Looking asks the clusters and changes nothing (save for `--fresh`, and the traffic that is sent);
//! what was seen is plain data. Judging is a function of it.

mod check;
pub mod page;
mod report;

pub use check::{CHECKS, Check, GROUPS, find};
pub use report::{CheckResult, ClientCount, ClusterRow, Finding, Pair, Report, Status, Traffic};
