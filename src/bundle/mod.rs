//! Hand-off: one file that holds a tree and all that belongs to it, for sites without a network.
//!
//! A bundle is an OCI image layout in a ustar, with a `README`, `SHA256SUMS`, `IMAGES` and a bill of
//! materials before it.
//! Its bytes are a function of what is in it: no time, no owner, no number, one order. So a reader
//! builds it again from what it read and compares: [`BundleFile::open`] takes nothing else.
//!
//! [`Bundle`] is what a bundle says, without the bytes of its blobs; those come from a [`Content`]:
//! [`create`] takes them from a tree, [`BundleFile`] from a file. [`write`] makes the file.

mod archive;
mod bill;
mod closure;
mod content;
mod create;
mod delta;
mod error;
mod files;
mod front;
pub mod image;
mod import;
mod index;
mod open;
mod part;
mod provenance;
pub mod registry;
mod scan;
pub mod sign;
mod source;
mod write;

pub use bill::{BILL_TYPE, bill};
pub use content::{Content, copy_blob, read_blob};
pub use create::{Created, Options, Origin, create};
pub use delta::Base;
pub use error::{BundleError, Fault};
pub use import::{Imported, import};
pub use index::{BASE, BINARY_TYPE, BUNDLE_TYPE, Bundle, Entry, IMAGES, Kind, ReadDocument, TREE};
pub use open::BundleFile;
pub use part::Part;
pub use provenance::{PROVENANCE, STATEMENT_TYPE, Subject, provenance};
pub use write::{Written, write};
