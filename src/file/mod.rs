//! The only user of the file system: reads, atomic writes, barriers, lock.
//!
//! Everything goes through a [`Disk`], which counts its operations. A test makes one that stops
//! dead at its n-th change, or is full from there on ([`Disk::with_faults`]), and reads back the
//! order of calls ([`Disk::log`]): that is how "safe to interrupt" is shown rather than claimed.

mod change;
mod disk;
mod error;
mod fault;
mod input;
mod lock;
mod stat;
mod stream;
mod walk;

pub use disk::{Disk, Entry};
pub use error::FileError;
pub use fault::{Action, Fault, Operation};
pub use lock::Lock;
pub use stat::{FileKind, Stat};
pub use stream::{FileReader, NewFile, OpenFile, Replacement};

/// Mode of every file that others may read.
pub const FILE_MODE: u32 = 0o644;
/// Mode of a file that is for its owner alone.
pub const PRIVATE_MODE: u32 = 0o600;
/// Mode of every folder.
pub const FOLDER_MODE: u32 = 0o755;
