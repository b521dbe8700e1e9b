//! One page about a mesh: what joins its clusters, what is applied, which certificates end when, and
//! what the last verification said.
//!
//! ```text
//! index, files of the tree ─┐
//! regions ──────────────────┤
//! states of clusters ───────┼─ Page::of ─▶ Page ─┬─▶ JSON
//! last verification ────────┤                    └─ view (with lay ─▶ Picture) ─ template ─▶ HTML
//! the instant ──────────────┘
//! ```
//!
//! Everything after the gathering is pure. A [`Page`] holds no value of a Secret: it is made of names,
//! digests, words about objects and what certificates say.

mod certificate;
mod column;
mod glyph;
mod html;
mod joint;
mod judge;
mod lay;
mod matrix;
mod model;
mod order;
mod picture;
mod region;
mod topology;
mod verification;
mod view;

pub use certificate::{CertificateRow, certificates};
pub use html::to_html;
pub use lay::lay;
pub use model::{Cluster, Gathered, Page, PagePending, TreeLabel};
pub use picture::{Anchor, Picture, Shape};
pub use region::{regions, versions};
pub use topology::Read;
