//! Dropping old generations, and the blobs that nothing names any more.
#![expect(clippy::disallowed_types, reason = "sets for membership alone")]

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::root::{Named, Root};
use super::{Catalogue, Digest, Generation, Store, StoreError, Transaction, oci};

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Numbers of the generations, sorted.
    pub generations: Vec<u64>,
    /// Trees of the imports, oldest first.
    pub imports: Vec<Digest>,
    /// How many blobs.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Keeps the newest `keep` generations and as many imports, the current generation, those of `trees`, those that a killed
/// write was about to bring into the view, and whatever a root names whose file is there; removes
/// the others, every blob that none of the kept names, and the roots whose file is gone.
///
/// Catalogue and roots are made durable before the first blob goes, so that a killed run leaves
/// nothing but blobs for the next one. A kept generation that is itself damaged, or a root that
/// cannot be read, stops it: nothing is removed then.
pub fn gc(
    transaction: &mut Transaction,
    keep: usize,
    trees: &[Digest],
) -> Result<Swept, StoreError> {
    let plan =
        plan(transaction.store(), transaction.catalogue(), transaction.interrupted(), keep, trees)?;
    if !plan.swept.generations.is_empty() {
        transaction.replace_catalogue(plan.kept)?;
    }
    let store = transaction.store();
    if !plan.dead.is_empty() {
        plan.dead.iter().try_for_each(|root| store.disk().remove(root))?;
        let dead: Vec<&Path> = plan.dead.iter().map(PathBuf::as_path).collect();
        store.disk().barrier(store.folder(), &dead)?;
    }
    plan.garbage
        .par_iter()
        .try_for_each(|(name, _)| store.disk().remove(&store.blobs().join(name)))?;
    Ok(plan.swept)
}

/// What [`gc`] would remove. Reads only, needs no lock.
pub fn would_sweep(store: &Store, keep: usize, trees: &[Digest]) -> Result<Swept, StoreError> {
    let catalogue = store.generations()?;
    Ok(plan(store, &catalogue, &store.interrupted()?, keep, trees)?.swept)
}

struct Plan {
    kept: Catalogue,
    /// The files of roots that keep nothing, and of imports that go.
    dead: Vec<PathBuf>,
    garbage: Vec<(OsString, u64)>,
    swept: Swept,
}

fn plan(
    store: &Store,
    catalogue: &Catalogue,
    interrupted: &[Digest],
    keep: usize,
    trees: &[Digest],
) -> Result<Plan, StoreError> {
    let (roots, mut dead) = store.living_roots()?;
    let imports = store.imports()?;
    let rooted: Vec<Named> = roots.iter().flat_map(Root::all).collect();
    let newest = catalogue.generations.len().saturating_sub(keep);
    let stays = |index: usize, generation: &Generation| {
        index >= newest
            || Some(generation.number) == catalogue.current
            || trees.contains(&generation.tree)
            || interrupted.contains(&generation.tree)
            || rooted.iter().any(|named| named.tree == generation.tree)
    };
    let mut kept = Catalogue { generations: Vec::new(), ..catalogue.clone() };
    let mut swept = Swept::default();
    for (index, generation) in catalogue.generations.iter().enumerate() {
        if stays(index, generation) {
            kept.generations.push(generation.clone());
        } else {
            swept.generations.push(generation.number);
        }
    }
    let mut used = reachable(store, &kept)?;
    used.extend(interrupted);
    let old = imports.len().saturating_sub(keep);
    for (index, import) in imports.iter().enumerate() {
        if index >= old || trees.contains(&import.tree) {
            used.extend(store.blobs_of_import(import)?);
        } else {
            swept.imports.push(import.tree);
            dead.push(store.import_path(import.number));
        }
    }
    for named in rooted {
        // a generation's manifests list its blobs already
        if named.manifest.is_some() || kept.of_tree(&named.tree).is_none() {
            used.extend(store.blobs_of(&named)?.into_iter().map(|(digest, _)| digest));
        }
    }
    let garbage = garbage(store, &used)?;
    swept.blobs = garbage.len();
    swept.bytes = garbage.iter().map(|(_, size)| size).sum();
    Ok(Plan { kept, dead, garbage, swept })
}

/// The digests of everything that the generations name.
fn reachable(store: &Store, catalogue: &Catalogue) -> Result<HashSet<Digest>, StoreError> {
    let mut used = HashSet::from([Digest::of(oci::EMPTY)]);
    for generation in &catalogue.generations {
        used.insert(generation.tree);
        used.insert(generation.descriptor.digest);
        // generations share most manifests: each is read once
        let manifests = store.manifests(generation)?.into_iter();
        let manifests: Vec<_> = manifests.filter(|one| used.insert(one.digest)).collect();
        let layers: Result<Vec<_>, StoreError> =
            manifests.par_iter().map(|manifest| store.layers(manifest)).collect();
        used.extend(layers?.into_iter().flatten().map(|layer| layer.digest));
    }
    Ok(used)
}

/// Names and sizes of the files in the blob folder that are not used.
fn garbage(store: &Store, used: &HashSet<Digest>) -> Result<Vec<(OsString, u64)>, StoreError> {
    let names: HashSet<String> = used.iter().map(Digest::hex).collect();
    let mut garbage = Vec::new();
    if !store.disk().exists(&store.blobs())? {
        return Ok(garbage);
    }
    for entry in store.disk().list(&store.blobs())? {
        let unused = entry.name.to_str().is_none_or(|name| !names.contains(name));
        if unused
            && let Some(stat) = store.disk().stat(&store.blobs().join(&entry.name))?
            && stat.is_file()
        {
            garbage.push((entry.name, stat.size));
        }
    }
    Ok(garbage)
}
