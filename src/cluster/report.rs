//! What an apply says while it goes on, and what it came to.

use std::sync::Arc;

use super::key::Key;
use super::plan::Held;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An object was written or deleted.
    Did {
        /// The cluster.
        cluster: String,
        /// The step of the apply.
        stage: String,
        /// The action's word.
        action: &'static str,
        /// Which object.
        key: Key,
    },
    /// Something is waited for; told when it changes.
    Waiting {
        /// The cluster.
        cluster: String,
        /// For what, and why it takes.
        what: String,
    },
    /// What people should know.
    Note {
        /// The cluster.
        cluster: String,
        /// A sentence.
        text: String,
    },
}

/// Who is told.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// What became of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was to be done.
    Unchanged,
    /// Everything was done, save what is held back.
    Done,
    /// istiod is not there, and the tree does not bring it.
    NeedsControlPlane,
    /// It was not begun, because of another cluster.
    NotBegun(String),
    /// It failed, with what to do.
    Failed(String, Option<String>),
}

/// What an apply came to, in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The cluster.
    pub cluster: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How many objects were written or deleted.
    pub done: usize,
    /// Objects that were to be written and were not.
    pub left: Vec<Key>,
    /// Objects that are held back.
    pub held: Vec<Held>,
}
