//! What a verification found, told: for a terminal, a program, a CI server, a pull request.
//!
//! Every writer is a function of a [`Report`](super::Report) alone. Text in a report comes from
//! clusters and may be anything; no writer lets it steer a terminal or become markup.

mod gathered;
mod json;
mod junit;
mod markdown;
mod matrix;
mod text;
mod verdict;

pub use gathered::{Gathered, gather, hints};
pub use json::to_json;
pub use junit::to_junit;
pub use markdown::to_markdown;
pub use text::to_text;
pub use verdict::verdict;

use super::check::find;
use super::report::Status;

/// The mark in front of what came out so.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Skipped => "-",
        Status::Passed => "✓",
        Status::Warning => "!",
        Status::NotLooked => "?",
        Status::Failed => "✗",
    }
}

/// What a check asks; its id, where a report is of another meshgen that has more checks.
pub(in crate::verify) fn title(id: &str) -> &str {
    find(id).map_or(id, |check| check.title)
}

/// `1 check`, `2 checks`.
pub(in crate::verify) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The first names of a list, and how many more there are.
pub(in crate::verify) fn list(names: &[&str], most: usize) -> String {
    // one that is left out costs as much as it saves
    if names.len() <= most + 1 {
        return names.join(", ");
    }
    format!("{} and {} more", names[..most].join(", "), names.len() - most)
}
