//! The end of a write: from the last look to the lock's release.
#![expect(clippy::disallowed_types, reason = "sets for membership; what is listed is sorted first")]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::place::Place;
use super::writer::{Added, Writer, Written};
use super::{Edit, Happened, INDEX, ViewError, folders};
use crate::file::Stat;
use crate::store::{Digest, Group, GroupFile, Record, Temporary};
use crate::tree::TreePath;
use crate::tree::rows::{self, Rows};

/// A file of the view that is to be removed.
struct Stale {
    path: TreePath,
    before: Option<Stat>,
}

/// Everything that finishing will do to the view.
struct Change {
    added: Vec<Added>,
    stale: Vec<Stale>,
    /// `index.json` and `.gitignore`, in this order.
    own: Vec<(Temporary, PathBuf)>,
}

impl Writer {
    /// Writes the view and the generation, given the text of the new index.
    ///
    /// The index must list exactly what was added. Refuses hand edits and another mesh, unless the
    /// options allow them; the view is then as it was. After `Ok`, a power cut loses nothing; after
    /// an error that came while files were moved, the next write settles it.
    pub fn finish(mut self, index_text: &str, record: &Record) -> Result<Written, ViewError> {
        let digest = Digest::of(index_text);
        let added = self.take_added(index_text)?;
        self.check_mesh(index_text)?;
        let stale = self.find_stale(&self.known.without(&added.iter().map(|one| &one.path)))?;
        self.check_edits()?;

        let index_stays = self.known.digest == Some(digest);
        let index_new = self.transaction.put(digest, index_text.as_bytes())?;
        let count =
            |written: bool| added.iter().filter(|one| one.write.is_some() == written).count();
        let (files_written, unchanged) = (count(true), count(false));
        let current = self.transaction.catalogue().current();
        let settled = self.transaction.interrupted().is_empty()
            && current.is_some_and(|current| current.tree == digest);
        let mut written = Written {
            digest,
            generation: None,
            files_written,
            files_removed: stale.iter().filter(|one| one.before.is_some()).count(),
            unchanged,
        };
        let nothing = files_written == 0 && stale.is_empty() && index_stays;
        if nothing && settled && !index_new && !self.transaction.has_new_blobs() {
            self.transaction.finish_unchanged();
            return Ok(written);
        }

        let mut groups = groups(&added, digest, index_text.len() as u64);
        if self.known.digest.is_some() && self.known.digest == current.map(|one| one.tree) {
            mark_current(&mut groups, &self.known.old);
        }
        let mut change = Change { added, stale, own: Vec::new() };
        let missing = self.missing_folders(&change)?;
        let published = self
            .make_folders(&missing)
            .and_then(|()| self.prepare(&mut change, index_text, index_stays))
            .and_then(|()| Ok(self.transaction.stage(digest, &groups, record)?))
            .and_then(|generation| self.publish(&change).map(|()| generation));
        match published {
            Ok(generation) => written.generation = generation,
            Err(error) => {
                // nothing of the view was touched: leave no trace in it
                let _ = folders::remove_announced(&self.disk, &self.out, &self.places);
                return Err(error);
            }
        }
        self.move_files(&change)?;
        self.end(&change)?;
        Ok(written)
    }

    /// The artifacts by path, checked against the index that lists them.
    fn take_added(&self, index_text: &str) -> Result<Vec<Added>, ViewError> {
        let mut added = std::mem::take(&mut *self.added.lock().expect("no holder panics"));
        added.par_sort_by(|a, b| a.path.cmp(&b.path));
        // a recipe of which one artifact was gone is built again: the others come a second time
        added.dedup_by(|a, b| a.path == b.path && a.digest == b.digest);
        let listed: Vec<(&str, &str)> = index_text.lines().filter_map(rows::listed).collect();
        let fits = |(one, (path, digest)): (&Added, &(&str, &str))| {
            *path == one.path.as_str() && digest.parse() == Ok(one.digest)
        };
        let pairs = added.par_iter().zip(&listed);
        if let Some((one, _)) = pairs.find_first(|(one, row)| !fits((one, row))) {
            return Err(ViewError::Inconsistent(one.path.to_string()));
        }
        let longer = added.get(listed.len()).map(|one| one.path.as_str());
        match longer.or_else(|| Some(listed.get(added.len())?.0)) {
            Some(path) => Err(ViewError::Inconsistent(path.to_owned())),
            None => Ok(added),
        }
    }

    fn check_mesh(&self, index_text: &str) -> Result<(), ViewError> {
        let there = &self.known.old.meshes;
        let new = Rows::read(index_text.lines().next().unwrap_or_default()).meshes;
        let new = new.first().cloned().unwrap_or_default();
        if self.options.allow_other_mesh || there.is_empty() || there.contains(&new) {
            return Ok(());
        }
        Err(ViewError::OtherMesh { there: there.join("`, `"), new })
    }

    /// Looks at the files that are no longer rendered; those that are not ours stay.
    fn find_stale(&self, paths: &[TreePath]) -> Result<Vec<Stale>, ViewError> {
        let cache = (self.transaction.view(), self.transaction.started());
        let look = |path: &TreePath| -> Result<Option<Stale>, ViewError> {
            let stale = |before| Some(Stale { path: path.clone(), before });
            let place = match self.places.look(path, Some(cache)) {
                // a folder on the way became something else: whatever is there is not ours
                Err(ViewError::InTheWay { .. }) => return Ok(None),
                other => other?,
            };
            match place {
                Place::Empty => Ok(stale(None)),
                Place::Other(_) => Ok(None),
                Place::File { stat, digest, bytes } => {
                    if !self.known.lists(path)
                        && !self.known.is_ours(path, digest.as_ref(), bytes.as_deref())
                    {
                        // a killed write named it, but somebody else put it there
                        return Ok(None);
                    }
                    self.note_edit(path, digest, bytes.as_deref())?;
                    Ok(stale(Some(stat)))
                }
            }
        };
        let found: Result<Vec<_>, ViewError> = paths.par_iter().map(look).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    fn check_edits(&self) -> Result<(), ViewError> {
        let mut edits = std::mem::take(&mut *self.edits.lock().expect("no holder panics"));
        if edits.is_empty() || self.options.overwrite_edits {
            return Ok(());
        }
        edits.sort();
        Err(ViewError::Edits(edits))
    }

    /// The folders that have to be made, outermost first.
    fn missing_folders(&self, change: &Change) -> Result<BTreeSet<String>, ViewError> {
        let mut missing = BTreeSet::new();
        for one in change.added.iter().filter(|one| one.write.is_some()) {
            let mut path = one.path.as_str();
            while let Some((folder, _)) = path.rsplit_once('/') {
                if self.places.is_there(folder)? || !missing.insert(folder.to_owned()) {
                    break;
                }
                path = folder;
            }
        }
        Ok(missing)
    }

    /// Makes folders while a full disk still changes nothing.
    fn make_folders(&self, missing: &BTreeSet<String>) -> Result<(), ViewError> {
        if missing.is_empty() {
            return Ok(());
        }
        folders::announce(&self.disk, &self.out, missing)?;
        for folder in missing {
            self.disk.create_dir_all(&self.out.join(folder))?;
        }
        Ok(())
    }

    /// Writes our own files under temporary names.
    fn prepare(
        &self,
        change: &mut Change,
        index_text: &str,
        index_stays: bool,
    ) -> Result<(), ViewError> {
        let ignore = self.out.join(super::IGNORE);
        if !self.disk.exists(&ignore)? {
            change.own.push((self.transaction.temporary(b"/store/\n")?, ignore));
        }
        if !index_stays {
            let temporary = self.transaction.temporary(index_text.as_bytes())?;
            change.own.push((temporary, self.out.join(INDEX)));
        }
        Ok(())
    }

    /// The last look, and the point of no return.
    fn publish(&self, change: &Change) -> Result<(), ViewError> {
        let written = change.added.iter().filter_map(|one| Some((&one.path, one.write.as_ref()?)));
        let replaced = written.clone().map(|(path, write)| (path, write.before));
        let removed = change.stale.iter().map(|one| (&one.path, one.before));
        let places: Vec<_> = replaced.chain(removed).collect();
        let moved: Result<Vec<_>, ViewError> = places
            .par_iter()
            .map(|(path, before)| {
                let now = self.disk.stat(&self.places.file(path))?;
                Ok((now != *before)
                    .then(|| Edit { path: path.to_string(), happened: Happened::Changed }))
            })
            .collect();
        let edits: Vec<Edit> = moved?.into_iter().flatten().collect();
        if !edits.is_empty() {
            // changed while we were at work: no option covers what nobody has seen
            return Err(ViewError::Edits(edits));
        }
        let temporaries = written.map(|(_, write)| write.temporary.path.as_path());
        let own = change.own.iter().map(|(temporary, _)| temporary.path.as_path());
        let others: Vec<&Path> = temporaries.chain(own).collect();
        Ok(self.transaction.publish(&others)?)
    }

    /// Moves the files to their places, removes stale ones, and the index last.
    fn move_files(&self, change: &Change) -> Result<(), ViewError> {
        // by one thread: the kernel does one rename at a time, a second thread would only spin
        change.added.iter().try_for_each(|one| match &one.write {
            Some(write) => self.disk.rename(&write.temporary.path, &self.places.file(&one.path)),
            None => Ok(()),
        })?;
        change
            .stale
            .par_iter()
            .filter(|one| one.before.is_some())
            .try_for_each(|one| self.disk.remove(&self.places.file(&one.path)))?;
        self.remove_empty_folders(&change.stale)?;
        for (temporary, path) in &change.own {
            self.disk.rename(&temporary.path, path)?;
        }
        Ok(())
    }

    /// Removes the folders that stale files leave empty, innermost first.
    fn remove_empty_folders(&self, stale: &[Stale]) -> Result<(), ViewError> {
        let mut folders = HashSet::new();
        for one in stale {
            let mut path = one.path.as_str();
            while let Some((folder, _)) = path.rsplit_once('/') {
                if !folders.insert(folder) {
                    break;
                }
                path = folder;
            }
        }
        let mut folders: Vec<&str> = folders.into_iter().collect();
        folders.sort_unstable_by(|a, b| b.cmp(a));
        for folder in folders {
            self.disk.remove_empty_folder(&self.out.join(folder))?;
        }
        Ok(())
    }

    /// Ends the transaction, and remembers the digests of the files just written.
    fn end(self, change: &Change) -> Result<(), ViewError> {
        let Self { disk, out, transaction, places, .. } = self;
        let files: Vec<PathBuf> = change
            .added
            .iter()
            .filter(|one| one.write.is_some())
            .map(|one| &one.path)
            .chain(change.stale.iter().map(|one| &one.path))
            .map(|path| places.file(path))
            .chain(change.own.iter().map(|(_, path)| path.clone()))
            .collect();
        let changed: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        disk.remove(&folders::list(&out))?;
        transaction.finish(&changed, |transaction| {
            let clock = transaction.clock()?;
            change.added.par_iter().try_for_each(|one| {
                let Some(write) = &one.write else { return Ok(()) };
                let Some(now) = disk.stat(&places.file(&one.path))? else { return Ok(()) };
                let then = write.temporary.stat;
                // the move changed `changed` alone; anything else is somebody else's doing
                if now.inode == then.inode && now.modified == then.modified && now.size == then.size
                {
                    transaction.view().insert(one.path.as_str(), &now, one.digest, clock);
                }
                Ok(())
            })
        })?;
        Ok(())
    }
}

/// The group of what is not one cluster's own; no cluster can have this name.
const SHARED: &str = "_shared";

fn group_of(path: &TreePath) -> &str {
    let first = path.first();
    let shared = first == path.as_str() || matches!(first, "terraform" | "remote-secrets" | "crds");
    if shared { SHARED } else { first }
}

/// Marks the groups whose files are those that `rows`, the current tree, lists.
fn mark_current(groups: &mut [Group], rows: &Rows) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for path in rows.paths() {
        *counts.entry(group_of(path)).or_default() += 1;
    }
    groups.par_iter_mut().for_each(|group| {
        group.is_current = counts.get(&*group.name) == Some(&group.files.len())
            && group.files.iter().all(|file| rows.holds(&file.path, &file.digest));
    });
}

/// Groups files into manifests: one a cluster, and one for what is shared, with the index.
fn groups(added: &[Added], tree: Digest, index_size: u64) -> Vec<Group> {
    let index = GroupFile { path: INDEX.to_owned(), digest: tree, size: index_size };
    let mut groups = vec![Group { name: SHARED.to_owned(), files: vec![index], is_current: false }];
    let mut by_name: HashMap<&str, usize> = HashMap::from([(SHARED, 0)]);
    for one in added {
        let name = group_of(&one.path);
        let at = *by_name.entry(name).or_insert_with(|| {
            groups.push(Group { name: name.to_owned(), files: Vec::new(), is_current: false });
            groups.len() - 1
        });
        let path = one.path.to_string();
        groups[at].files.push(GroupFile { path, digest: one.digest, size: one.size });
    }
    groups
}
