//! What a reviewer sees of two trees.

#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::assigning_clones,
    reason = "plain to read"
)]

mod clusters;
mod command;
mod effects;
mod fields;
mod secrets;
mod tree;
mod writers;
