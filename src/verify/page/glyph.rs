//! A status as a shape: no status is told by colour alone.

use crate::verify::Status;

/// The page's symbol for a status, the class of its look, and that of words beside it.
pub fn symbol(status: Status) -> (&'static str, &'static str, &'static str) {
    match status {
        Status::Skipped => ("g-skipped", "skipped", "words skipped"),
        Status::Passed => ("g-passed", "passed", "words passed"),
        Status::Warning => ("g-warning", "warning", "words warning"),
        Status::NotLooked => ("g-unknown", "unknown", "words unknown"),
        Status::Failed => ("g-failed", "failed", "words failed"),
    }
}
