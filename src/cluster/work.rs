//! One cluster's apply while it goes on: its stages, and its inventory before and after.

use tokio::sync::OwnedSemaphorePermit;

use super::apply::{ApplyError, Run, doing};
use super::board::Phase;
use super::history::Applied;
use super::inventory::{Entry, Inventory};
use super::key::Key;
use super::lease::is_lost;
use super::plan::{Action, Held, bound_cluster, uid};
use super::record::{remove, write_history, write_inventory};
use super::survey::{Member, Surveyed};
use super::wait::Waiter;
use crate::tree::stage_name::{CACERTS, ISTIOD, REMOTE_SECRETS, TOKENS, is_of_bindings};

/// One cluster's apply while it goes on.
pub(super) struct Work<'a> {
    pub(super) run: &'a Run,
    pub(super) at: usize,
    pub(super) member: &'a Member,
    pub(super) waiter: Waiter,
    pub(super) surveyed: Surveyed,
    pub(super) inventory: Inventory,
    pub(super) done: usize,
    pub(super) left: Vec<Key>,
    pub(super) held: Vec<Held>,
}

impl Work<'_> {
    pub(super) async fn all(
        &mut self,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<(), ApplyError> {
        self.intend();
        self.write_inventory(false).await?;
        let mut permit = permit;
        let last = self.last_stage();
        let mut stages: Vec<String> =
            self.member.wanted.objects.iter().map(|desired| desired.stage.clone()).collect();
        stages.dedup();
        let mut passed_tokens = false;
        let only = self.run.mesh.options.only_bindings;
        for stage in stages.into_iter().filter(|stage| !only || is_of_bindings(stage)) {
            if stage.as_str() > TOKENS && !passed_tokens {
                passed_tokens = true;
                self.run.board.cluster(&self.member.name, Phase::Ready);
                permit = None;
            }
            let is_left = last.as_deref().is_some_and(|last| stage.as_str() <= last);
            if stage.as_str() > CACERTS && is_left {
                self.control_plane().await?;
            }
            if stage == REMOTE_SECRETS {
                self.remote_secrets().await?;
                continue;
            }
            self.stage(&stage).await?;
            if is_left {
                self.wait(&stage, last.as_deref()).await?;
            }
        }
        drop(permit);
        self.run.board.cluster(&self.member.name, Phase::Ready);
        self.prune().await?;
        self.reduce();
        if self.inventory.entries.is_empty() && self.is_retired() {
            let removed = remove(self.member.client(), &self.inventory.parts).await;
            return removed.map_err(doing("removing the records"));
        }
        self.write_inventory(false).await
    }

    /// The last stage that anything is done in; all of them if the last apply did not end.
    pub(super) fn last_stage(&self) -> Option<String> {
        if self.surveyed.inventory.unfinished && !self.is_partial() {
            return Some("99".to_owned());
        }
        let steps = self.surveyed.plan.steps.iter();
        let last = steps.filter(|step| step.desired.is_some()).map(|step| step.stage.clone()).max();
        let tokens = self.surveyed.waits_for_token.then(|| TOKENS.to_owned());
        last.max(tokens)
    }

    /// What is about to be done goes into the inventory before it is done.
    pub(super) fn intend(&mut self) {
        self.inventory.unfinished = true;
        if !self.is_partial() {
            self.inventory.tree = Some(self.run.tree);
        }
        for step in &self.surveyed.plan.steps {
            let Some(desired) = &step.desired else { continue };
            if let Some(known) = self.inventory.entries.get_mut(&step.key) {
                // it goes by the address at which it is sent now
                known.api_version.clone_from(&step.api_version);
                known.stage.clone_from(&step.stage);
                continue;
            }
            // what is there is recorded by its UID where nothing is written to it but what is equal
            let uid = match step.action {
                Action::Take | Action::Join => step.uid().map(str::to_owned),
                _ => None,
            };
            let entry = Entry {
                api_version: step.api_version.clone(),
                stage: step.stage.clone(),
                cluster: bound_cluster(desired).map(str::to_owned),
                digest: None,
                uid,
                joined: step.action == Action::Join,
            };
            self.inventory.entries.insert(step.key.clone(), entry);
        }
    }

    /// What is there and wanted, and what stays.
    pub(super) fn reduce(&mut self) {
        let wanted = &self.member.wanted;
        let kept: Vec<&Key> = self.surveyed.plan.kept.iter().map(|(key, _)| key).collect();
        let unread: Vec<&Key> = self.surveyed.plan.unreadable.iter().map(|(key, _)| key).collect();
        let lost = |key: &Key, entry: &Entry| {
            self.surveyed.plan.kept.iter().any(|(kept, _)| kept == key)
                && self.surveyed.live.objects.get(key).and_then(uid) != entry.uid.as_deref()
        };
        let partial = self.is_partial();
        self.inventory.entries.retain(|key, entry| {
            let is_wanted = wanted.get(key).is_some() || wanted.pending.contains_key(key);
            let stays = partial || is_wanted || kept.contains(&key) || unread.contains(&key);
            let gone = self.surveyed.plan.gone.contains(key);
            stays && !gone && entry.uid.is_some() && !lost(key, entry)
        });
        if !partial {
            // what is in the tree no more and stays is not of this tree
            for (_, entry) in
                self.inventory.entries.iter_mut().filter(|(key, _)| kept.contains(key))
            {
                entry.digest = None;
            }
        }
        for desired in &wanted.objects {
            let held = self.held.iter().any(|held| held.key == desired.key);
            if let Some(entry) =
                self.inventory.entries.get_mut(&desired.key).filter(|_| !held && !partial)
            {
                entry.digest = Some(desired.digest);
            }
        }
        // a part that is done does not finish the whole
        self.inventory.unfinished = partial && self.surveyed.inventory.unfinished;
    }

    pub(super) fn is_retired(&self) -> bool {
        self.run.mesh.options.retired.contains(&self.member.name)
    }

    pub(super) fn is_partial(&self) -> bool {
        self.run.mesh.options.is_partial()
    }

    /// `last`: also after Ctrl-C, but not after the Lease was lost.
    pub(super) async fn write_inventory(&mut self, last: bool) -> Result<(), ApplyError> {
        let client = self.member.client();
        let last = last && !is_lost(client.stop());
        let written = write_inventory(client, &mut self.inventory, last).await;
        written.map_err(doing("writing the inventory"))
    }

    pub(super) async fn remember(&mut self, result: String) -> Result<(), ApplyError> {
        let client = self.member.client();
        if is_lost(client.stop()) || !self.run.mesh.options.retired.is_empty() {
            return Ok(());
        }
        let applied = Applied {
            tree: self.run.tree,
            at: rfc3339((self.run.me.now)()),
            by: format!("{}@{}", self.run.me.holder.user, self.run.me.holder.host),
            result,
            meshgen: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut history = self.surveyed.records.history.clone();
        history.push(applied);
        write_history(client, &history).await.map_err(doing("writing the history"))
    }

    /// After `10-cacerts`, a tree without a control plane needs one that others installed.
    pub(super) async fn control_plane(&mut self) -> Result<(), ApplyError> {
        if self.member.wanted.has_stage(ISTIOD) || self.run.mesh.options.only_bindings {
            return Ok(());
        }
        let is_there = self.waiter.istiod().await.map_err(doing("looking for istiod"))?;
        if is_there { Ok(()) } else { Err(ApplyError::NoControlPlane) }
    }
}

pub(super) fn rfc3339(now: time::OffsetDateTime) -> String {
    let now = now.replace_nanosecond(0).unwrap_or(now);
    now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
