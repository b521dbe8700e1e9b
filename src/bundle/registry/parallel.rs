//! Many requests at once: what takes time is the way to the registry.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many as the client keeps connections.
const THREADS: usize = 8;

/// Does something with each item, several at the same time. After the first error no further one is
/// begun, and that error is given.
pub(super) fn each<T: Sync, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<E>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(item) {
                        next.store(items.len(), Ordering::Relaxed);
                        failed.lock().expect("no holder panics").get_or_insert(error);
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no holder panics").map_or(Ok(()), Err)
}
