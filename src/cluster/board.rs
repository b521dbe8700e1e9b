//! What clusters tell each other during an apply: how far each is, and which networks have a way in.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

/// How far a cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Before `55-tokens` is done.
    Begun,
    /// `55-tokens` and all before it are done.
    Ready,
    /// Everything is done.
    Done,
    /// It stopped, for this reason.
    Failed(String),
}

/// The state of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// How far each cluster of the run is.
    pub clusters: BTreeMap<String, Phase>,
    /// Clusters that have passed `55-tokens`, whatever became of them since.
    pub passed: BTreeSet<String>,
    /// Networks whose gateway somebody waits for.
    pub asked: BTreeSet<String>,
    /// Networks whose gateway has an address, or why there is none.
    pub networks: BTreeMap<String, Result<(), String>>,
}

impl State {
    /// Whether a cluster has passed `55-tokens`; an error if it never will.
    pub fn is_ready(&self, cluster: &str) -> Result<bool, String> {
        if self.passed.contains(cluster) {
            return Ok(true);
        }
        match self.clusters.get(cluster) {
            // not in this run: nothing is to be waited for
            None | Some(Phase::Ready | Phase::Done) => Ok(true),
            Some(Phase::Begun) => Ok(false),
            Some(Phase::Failed(why)) => Err(format!("`{cluster}` failed: {why}")),
        }
    }
}

impl State {
    /// Whether a cluster has done everything; an error if it never will.
    pub fn is_done(&self, cluster: &str) -> Result<bool, String> {
        match self.clusters.get(cluster) {
            None | Some(Phase::Done) => Ok(true),
            Some(Phase::Begun | Phase::Ready) => Ok(false),
            Some(Phase::Failed(why)) => Err(format!("`{cluster}` failed: {why}")),
        }
    }
}

/// Where it stands.
#[derive(Debug)]
pub struct Board(watch::Sender<State>);

impl Default for Board {
    fn default() -> Self {
        Self(watch::channel(State::default()).0)
    }
}

impl Board {
    /// Says how far a cluster is. What failed stays so.
    pub fn cluster(&self, name: &str, phase: Phase) {
        self.0.send_modify(|state| {
            if matches!(phase, Phase::Ready | Phase::Done) {
                state.passed.insert(name.to_owned());
            }
            let known = state.clusters.entry(name.to_owned()).or_insert(Phase::Begun);
            if !matches!(known, Phase::Failed(_)) {
                *known = phase;
            }
        });
    }

    /// Says that somebody waits for the gateway of a network.
    pub fn ask(&self, network: &str) {
        self.0.send_if_modified(|state| state.asked.insert(network.to_owned()));
    }

    /// Says of a network whether its gateway has an address.
    pub fn network(&self, name: &str, result: Result<(), String>) {
        self.0.send_modify(|state| {
            state.networks.insert(name.to_owned(), result);
        });
    }

    /// The state now.
    pub fn now(&self) -> State {
        self.0.borrow().clone()
    }

    /// Waits until the state gives an answer.
    pub async fn until<T>(&self, mut answer: impl FnMut(&State) -> Option<T>) -> T {
        let mut watch = self.0.subscribe();
        loop {
            let found = answer(&watch.borrow_and_update());
            if let Some(found) = found {
                return found;
            }
            // the sender lives as long as the board
            let _ = watch.changed().await;
        }
    }
}
