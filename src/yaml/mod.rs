//! YAML: reading with places and budgets, writing in one canonical form.
//!
//! The reader is the only user of the parser. The writer is ours, because content addresses must
//! not change when a library changes its mind about quotes, and because the common emitters lose
//! strings such as `on` or `1_000` (README, "Why our own YAML emitter").

mod node;
mod read;
mod scalar;
mod write;

pub use node::{Entry, Kind, Node, Step};
pub use read::{ReadError, document, documents, nodes, parse};
pub use scalar::Schema;
pub use write::{canonical, inline, write_map};
