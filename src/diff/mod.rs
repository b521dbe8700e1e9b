//! What differs between two trees, object by object and field by field, and how to tell people.
//!
//! [`diff()`] matches the objects of two [`Side`]s, reads those whose digest differs, hides what is
//! secret ([`Content`]) and gives [`Changes`]; the writers make text, Markdown, JSON or HTML of
//! them.

mod card;
mod certificate;
mod changes;
mod cluster_set;
pub mod comment;
mod consequence;
mod content;
mod entry;
mod field_change;
mod field_path;
mod group;
mod html;
mod immutable;
mod index_change;
mod json;
mod line;
mod markdown;
mod matching;
mod merge_key;
pub mod paint;
mod rbac;
mod redact;
mod side;
mod summary;
mod text;

pub use card::{Card, Effect, FieldCard, Highlight, highlights};
pub use certificate::Certificate;
pub use changes::{Changes, TreeName, diff};
pub use cluster_set::{ClusterNames, ClusterSet};
pub use comment::MARKDOWN_LIMIT;
pub use consequence::{Consequence, Rollout, consequences};
pub use content::{Content, Hidden, Print};
pub use entry::{Entry, Member, What};
pub use field_change::{Change, FieldChange};
pub use field_path::{FieldPath, Step};
pub use html::to_html;
pub use index_change::IndexChange;
pub use json::{json_schema, to_json};
pub use line::{Line, Sign, block, lines, visible};
pub use markdown::to_markdown;
pub use redact::redact;
pub use side::{DiffError, ReadFailure, Side};
pub use summary::{Summary, Tally};
pub use text::{TextOptions, to_text};
