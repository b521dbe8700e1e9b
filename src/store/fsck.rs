//! Finding damage: every blob against its name, every name against its blob.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Digest, Store, StoreError, oci};

/// What is wrong with a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its bytes are not those of its name.
    Damaged,
    /// A generation, a root or an import names it, but it is not there.
    Missing,
}

/// A blob that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which blob.
    pub digest: Digest,
    /// What is wrong with it.
    pub what: What,
    /// Where it is needed: `gen:3 c1/10-cacerts/secret_istio-system_cacerts.yaml`. Sorted; empty
    /// for a damaged blob that no generation, no root and no import names.
    pub used_by: Vec<String>,
}

/// Reads every blob and follows every generation, root and import. Returns how many blobs were read,
/// and what is wrong, by digest. Reads only, needs no lock.
pub fn fsck(store: &Store) -> Result<(usize, Vec<Finding>), StoreError> {
    let mut uses: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    let mut note = |digest: Digest, user: String| {
        uses.entry(digest).or_default().insert(user);
    };
    for generation in &store.generations()?.generations {
        let number = generation.number;
        note(generation.tree, format!("gen:{number} index.json"));
        note(generation.descriptor.digest, format!("gen:{number}, its list of manifests"));
        // what cannot be read is found by reading the blobs
        for manifest in store.manifests(generation).unwrap_or_default() {
            let group = manifest.annotation(oci::GROUP).unwrap_or_default();
            note(manifest.digest, format!("gen:{number}, the manifest of `{group}`"));
            for layer in store.layers(&manifest).unwrap_or_default() {
                let title = layer.annotation(oci::TITLE).unwrap_or("its record");
                note(layer.digest, format!("gen:{number} {title}"));
            }
        }
    }
    for root in store.living_roots()?.0 {
        for named in root.all() {
            note(named.tree, format!("the root of {} index.json", root.path.display()));
            let Some(manifest) = named.manifest else { continue };
            note(manifest, format!("the root of {}, its manifest", root.path.display()));
            for (digest, path) in store.blobs_of(&named).unwrap_or_default() {
                if digest != manifest {
                    note(digest, format!("the root of {} {path}", root.path.display()));
                }
            }
        }
    }
    for import in store.imports()? {
        let user = format!("what came in {}", import.from);
        note(import.tree, user.clone());
        note(import.index, user.clone());
        // what cannot be read is found by reading the blobs
        for digest in store.blobs_of_import(&import).unwrap_or_default() {
            note(digest, user.clone());
        }
    }
    let mut all: BTreeSet<Digest> = uses.keys().copied().collect();
    if store.disk().exists(&store.blobs())? {
        for entry in store.disk().list(&store.blobs())? {
            all.extend(entry.name.to_str().and_then(Digest::from_hex));
        }
    }
    let all: Vec<Digest> = all.into_iter().collect();
    let check = |digest: &Digest| match store.read(digest) {
        Ok(_) => Ok(None),
        Err(StoreError::Missing(_)) => Ok(Some((*digest, What::Missing))),
        Err(StoreError::Damaged { .. }) => Ok(Some((*digest, What::Damaged))),
        Err(error) => Err(error),
    };
    let findings: Result<Vec<_>, StoreError> = all.par_iter().map(check).collect();
    let findings = findings?.into_iter().flatten().map(|(digest, what)| {
        let used_by = uses.get(&digest).into_iter().flatten().cloned().collect();
        Finding { digest, what, used_by }
    });
    Ok((all.len(), findings.collect()))
}
