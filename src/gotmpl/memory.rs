//! What functions made of texts before, so that it need not be made again.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// The shortest text that is worth remembering, and the bytes of all together.
const SHORTEST: usize = 1 << 10;
const MOST: usize = 32 << 20;

type Made = Arc<dyn Any + Send + Sync>;

/// Remembers what functions made of long texts. It never changes a result, only saves time; all clones of a template
/// set share one, so that a chart rendered for many clusters reads its embedded documents once.
#[derive(Default)]
pub struct Memory(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    bytes: usize,
    by_hash: BTreeMap<u64, (Arc<str>, Made)>,
}

impl Memory {
    /// Returns what was made of a text, making it where it is not remembered. `make` must depend on the text alone.
    ///
    /// # Errors
    /// With that of `make`; it is not remembered.
    pub fn recall<T: Any + Send + Sync, E>(
        &self,
        text: &Arc<str>,
        make: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if text.len() < SHORTEST {
            return make(text).map(Arc::new);
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(made) = self.find(hash, text).and_then(|made| made.downcast().ok()) {
            return Ok(made);
        }
        let made = Arc::new(make(text)?);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.bytes + text.len() <= MOST {
            entries.bytes += text.len();
            entries.by_hash.insert(hash, (text.clone(), made.clone()));
        }
        Ok(made)
    }

    fn find(&self, hash: u64, text: &Arc<str>) -> Option<Made> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, made) = entries.by_hash.get(&hash)?;
        // Two texts may have one hash.
        (Arc::ptr_eq(known, text) || known == text).then(|| made.clone())
    }
}
