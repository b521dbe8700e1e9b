//! YAML: reading with places and budgets, writing in one canonical form.
//!
//! The reader is the only user of the parser. The writer is ours, because content addresses must
//! not change when a library changes its mind about quotes, and because the common emitters lose
//! strings such as `on` or `1_000` (README, "Why our own YAML emitter"). A second writer gives the
//! text of `sigs.k8s.io/yaml`, for charts alone, which embed it in strings.

mod go;
mod go_scalar;
mod keys;
mod node;
mod read;
mod scalar;
mod write;

pub use go::{ControlCharacter, go_compatible, go_pretty};
pub use node::{Entry, Kind, Node, Step};
pub use read::{ReadError, document, documents, go_document, nodes, parse};
pub use scalar::Schema;
pub use write::{canonical, inline, write_map};
