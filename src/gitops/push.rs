//! Bringing the artifact of a cluster into a registry.

use std::io::Read;

use super::Artifact;
use crate::registry::{RegistryError, Repository, Sent};

/// What was brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blobs that were sent.
    pub sent: usize,
    /// Those that were there.
    pub there: usize,
}

impl Artifact {
    /// Brings it into a repository: blobs, then the manifest under its digest, then the tag that stays,
    /// and at last the one that moves. Broken off, the same again does the rest.
    pub fn push(&self, repository: &Repository) -> Result<Pushed, RegistryError> {
        const MANIFEST_TYPE: &str = crate::store::oci::MANIFEST_TYPE;
        let mut pushed = Pushed::default();
        for (digest, bytes) in &self.blobs {
            let open = || Ok(Box::new(bytes.as_slice()) as Box<dyn Read>);
            match repository.put_blob(digest, bytes.len() as u64, &open)? {
                Sent::Sent => pushed.sent += 1,
                Sent::There | Sent::Mounted => pushed.there += 1,
            }
        }
        let names = [
            self.digest().to_string(),
            self.lasting_tag(),
            Self::moving_tag(&self.mesh, &self.cluster),
        ];
        for name in names {
            repository.put_manifest(&name, MANIFEST_TYPE, &self.manifest)?;
        }
        Ok(pushed)
    }
}
