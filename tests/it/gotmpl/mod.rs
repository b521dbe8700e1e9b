//! The template engine, judged by Go's own.

mod conformance;
mod fuzz;
mod limits;
pub mod oracle;
