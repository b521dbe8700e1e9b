//! A stack that fits.

use std::{io, thread};

/// The stack of a thread that executes templates. Only what is touched takes memory.
const SIZE: usize = 512 << 20;

/// The most levels of the engine's own recursion that fit on that stack, also in a debug build.
pub(super) const MAX_LEVELS: usize = 12_000;

/// Runs work that parses or executes templates on a thread with a large stack.
///
/// # Errors
/// When the system gives no thread.
///
/// # Panics
/// When the work panics.
pub fn on_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("templates".into())
            .stack_size(SIZE)
            .spawn_scoped(scope, work);
        match thread?.join() {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
