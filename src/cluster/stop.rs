//! What ends a run before its time.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

/// Why a run ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// Ctrl-C, or a signal that asks for an end.
    Interrupted,
    /// Somebody else holds the Lease now.
    LeaseLost(String),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Interrupted => f.write_str("interrupted"),
            StopReason::LeaseLost(why) => write!(f, "the Lease was lost: {why}"),
        }
    }
}

/// A switch that is asked before each write, and once thrown stays so.
#[derive(Debug, Clone)]
pub struct Stop {
    all: Arc<watch::Sender<Option<StopReason>>>,
    own: Arc<watch::Sender<Option<StopReason>>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { all: Arc::new(watch::channel(None).0), own: Arc::new(watch::channel(None).0) }
    }
}

impl Stop {
    /// A switch of one cluster's own, which that of all throws too.
    #[must_use]
    pub fn of_cluster(&self) -> Self {
        Self { all: self.all.clone(), own: Arc::new(watch::channel(None).0) }
    }

    /// Stops every cluster.
    pub fn all(&self, reason: StopReason) {
        self.all.send_modify(|now| *now = now.take().or(Some(reason)));
    }

    /// Stops this cluster.
    pub fn own(&self, reason: StopReason) {
        self.own.send_modify(|now| *now = now.take().or(Some(reason)));
    }

    /// Whether to go on.
    pub fn check(&self) -> Result<(), StopReason> {
        let reason = self.all.borrow().clone().or_else(|| self.own.borrow().clone());
        reason.map_or(Ok(()), Err)
    }

    /// Why this cluster alone was stopped, if it was.
    pub fn own_reason(&self) -> Option<StopReason> {
        self.own.borrow().clone()
    }

    /// Waits until it is thrown.
    pub async fn thrown(&self) {
        let (mut all, mut own) = (self.all.subscribe(), self.own.subscribe());
        // the senders live as long as `self`
        tokio::select! {
            _ = all.wait_for(Option::is_some) => {}
            _ = own.wait_for(Option::is_some) => {}
        }
    }

    /// Waits for something, or until it is thrown: whichever is first.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            value = future => Some(value),
            () = self.thrown() => None,
        }
    }
}
