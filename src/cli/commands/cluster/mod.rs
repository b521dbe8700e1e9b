//! What the commands share that talk to clusters.

pub(super) mod ask;
pub(super) mod outcome;
pub(super) mod preflight;
pub(super) mod rotation;
pub(super) mod session;
pub(super) mod show;
pub(super) mod state;
pub(super) mod who;
