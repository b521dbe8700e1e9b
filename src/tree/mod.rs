//! A tree: all artifacts of a mesh by path, its index, and the view of it on disk.

mod image;
mod index;
mod keep;
mod path;
mod rows;
pub mod source;
pub mod stage_name;
pub mod view;

pub use image::{Image, Use, images};
pub use index::{API_VERSION, ArtifactRow, ClusterRow, Index, IndexError, PendingRow, assemble};
pub use keep::{Held, KeepError, hold, keep, publish};
pub use path::{TreePath, TreePathError};

pub use crate::object::{Binding, BindingSource, Except, Targets};
