//! Proofs of a running mesh.
//!
//! ```text
//! tree, clusters ─ look ─▶ Seen ─ judge ─▶ Report ─▶ text, json, junit, markdown, page
//! ```
//!
//! Looking asks the clusters and changes nothing (save for `--fresh`, and the traffic that is sent);
//! what was seen is plain data. Judging is a function of it.

mod chance;
mod check;
mod fresh;
mod judge;
mod look;
pub mod page;
mod report;
mod seen;
pub mod write;

pub use check::{CHECKS, Check, GROUPS, find};
pub use fresh::fresh;
pub use judge::{View, judge};
pub use look::{Wish, look};
pub use report::{CheckResult, ClientCount, ClusterRow, Finding, Pair, Report, Status, Traffic};
pub use seen::{ClusterSeen, Lost, Seen};
