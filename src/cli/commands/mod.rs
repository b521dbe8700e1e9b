//! One file a command: its arguments, and a thin function that calls the library and prints.

pub(super) mod chart;
pub(super) mod check;
pub(super) mod completions;
pub(super) mod diff;
pub(super) mod explain;
pub(super) mod facts;
pub(super) mod fsck;
pub(super) mod gc;
pub(super) mod generations;
pub(super) mod images;
pub(super) mod init;
pub(super) mod istio;
pub(super) mod layers;
pub(super) mod lock;
pub(super) mod man;
pub(super) mod pki;
pub(super) mod render;
pub(super) mod rollback;
pub(super) mod schema;
pub(super) mod show;
pub(super) mod templates;
pub(super) mod why;
