//! Derivations: recipes named by the digest of everything that they read.
//!
//! Two recipes of one digest give the same artifacts, so that what was built once need not be built
//! again. The digest is local knowledge: it is never committed, and no byte of `out/` depends on it.

mod realise;
mod recipe;

pub use crate::store::Digest;
pub use realise::{Built, Failure, realise};
pub use recipe::{InputDigest, Recipe, RecipeBuilder};
