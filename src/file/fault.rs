//! Faults that a test injects, and the record of what was done.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a test wants to go wrong. Changes are counted from 1; reads are no changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: only record.
    None,
    /// The process dies at the n-th change: that and every later operation, reads too, does
    /// nothing and fails. If `torn`, half of what the n-th change would write is written.
    Crash {
        /// Which change.
        at: u64,
        /// Whether half of it happens.
        torn: bool,
    },
    /// The disk is full from the n-th change on: what needs space fails, after half of its bytes;
    /// renames and removals go on working.
    Full {
        /// From which change.
        at: u64,
    },
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Content was read.
    Read,
    /// Metadata was read.
    Stat,
    /// A folder was listed.
    List,
    /// A folder was made.
    CreateFolder,
    /// A file was made, with its content.
    Write,
    /// A file was moved, over another or not.
    Rename,
    /// A file was removed.
    Remove,
    /// An empty folder was removed.
    RemoveFolder,
    /// All that was written so far was made durable.
    Sync,
    /// A lock was taken.
    Lock,
}

impl Action {
    pub(super) fn is_change(self) -> bool {
        !matches!(self, Action::Read | Action::Stat | Action::List)
    }

    fn needs_space(self) -> bool {
        matches!(self, Action::Write | Action::CreateFolder)
    }
}

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What was done.
    pub action: Action,
    /// To which file or folder.
    pub path: PathBuf,
    /// Where a rename went.
    pub to: Option<PathBuf>,
}

/// How far an operation may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All the way.
    Whole,
    /// Half of the bytes, then it fails.
    Half(Stop),
}

/// How an operation is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Crash,
    Full,
}

impl Stop {
    pub(super) fn error(self) -> io::Error {
        match self {
            Stop::Crash => io::Error::other("stopped by a test"),
            Stop::Full => io::Error::from(io::ErrorKind::StorageFull),
        }
    }
}

/// The faults of a disk and its record.
pub(super) struct Hooks {
    fault: Fault,
    crashed: AtomicBool,
    log: Mutex<Vec<Operation>>,
}

impl Hooks {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, crashed: AtomicBool::new(false), log: Mutex::default() }
    }

    pub(super) fn log(&self) -> Vec<Operation> {
        self.log.lock().expect("no holder of the log panics").clone()
    }

    /// Asked before an operation; `number` is the change's, from 1.
    pub(super) fn before(
        &self,
        action: Action,
        number: u64,
        path: &Path,
        to: Option<&Path>,
    ) -> Result<Reach, Stop> {
        let reach = self.decide(action, number);
        if reach.is_ok() {
            let operation = Operation { action, path: path.to_owned(), to: to.map(Path::to_owned) };
            self.log.lock().expect("no holder of the log panics").push(operation);
        }
        reach
    }

    fn decide(&self, action: Action, number: u64) -> Result<Reach, Stop> {
        if self.crashed.load(Ordering::SeqCst) {
            return Err(Stop::Crash);
        }
        match self.fault {
            Fault::Crash { at, torn } if action.is_change() && number >= at => {
                self.crashed.store(true, Ordering::SeqCst);
                if torn && number == at && action == Action::Write {
                    return Ok(Reach::Half(Stop::Crash));
                }
                Err(Stop::Crash)
            }
            Fault::Full { at } if action.needs_space() && number >= at => {
                if action == Action::Write {
                    return Ok(Reach::Half(Stop::Full));
                }
                Err(Stop::Full)
            }
            _ => Ok(Reach::Whole),
        }
    }
}
