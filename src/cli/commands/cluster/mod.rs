//! What the commands share that talk to clusters.

pub(super) mod ask;
pub(super) mod session;
pub(super) mod show;
pub(super) mod who;
