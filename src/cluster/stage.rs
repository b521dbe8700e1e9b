//! The writes of a stage, by rank, and the deletions at the end.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::apply::{ApplyError, doing};
use super::bind::PeerBindings;
use super::desired::{Desired, rank};
use super::observe::joined;
use super::plan::{Action, Answer, Step};
use super::probe::ask;
use super::report::Event;
use super::work::Work;
use super::write::write;

/// Objects that are written at the same time, within a rank.
const PARALLEL: usize = 4;

impl Work<'_> {
    /// The steps of a stage, by rank.
    pub(super) async fn stage(&mut self, stage: &str) -> Result<(), ApplyError> {
        let steps: Vec<Step> = self
            .surveyed
            .plan
            .steps
            .iter()
            .filter(|step| step.stage == stage && step.desired.is_some())
            .cloned()
            .collect();
        if steps.is_empty() {
            return Ok(());
        }
        if self.surveyed.plan.steps.iter().any(|step| step.key.is_crd()) {
            self.member.kinds.refresh();
        }
        self.rehearse(&steps).await?;
        for level in 0..=5 {
            let batch: Vec<Step> =
                steps.iter().filter(|step| rank(&step.key) == level).cloned().collect();
            self.batch(batch).await?;
            if level == 1 {
                // kinds are known when their definitions are established
                self.established(stage).await?;
            }
        }
        Ok(())
    }

    /// Objects that could not be asked about in the plan are asked about before the first is sent.
    pub(super) async fn rehearse(&mut self, steps: &[Step]) -> Result<(), ApplyError> {
        // a namespace or definition of this stage itself must come first
        let provides = steps.iter().any(|step| step.key.is_crd() || step.key.is_namespace());
        if provides {
            return Ok(());
        }
        let present = self.run.mesh.present();
        let mut asked = JoinSet::new();
        for step in
            steps.iter().filter(|step| step.after.is_none() && step.action == Action::Create)
        {
            let Some(desired) = step.desired.clone() else { continue };
            let bindings = PeerBindings::new(
                &self.run.mesh.tokens,
                &self.member.wanted,
                &self.surveyed.live,
                &present,
            );
            let Ok(payload) = self.run.mesh.vault.fill(&desired, &bindings) else { continue };
            let (client, kinds) = (self.member.client().clone(), self.member.kinds.clone());
            asked.spawn(async move {
                let answer = ask(&client, &kinds, &desired, &payload, None, false).await;
                (desired.key.clone(), answer)
            });
        }
        let mut refused = Vec::new();
        while let Some(done) = asked.join_next().await {
            let (key, answer) = joined(done);
            let answer = answer.map_err(doing(format!("asking about {key}")))?;
            if let Some(Answer::Refused(why) | Answer::Immutable { message: why, .. }) = answer {
                refused.push(format!("{key}: {why}"));
            }
        }
        refused.sort();
        match refused.as_slice() {
            [] => Ok(()),
            list => Err(ApplyError::Moved(format!("the server takes no {}", list.join("; no ")))),
        }
    }

    pub(super) async fn batch(&mut self, steps: Vec<Step>) -> Result<(), ApplyError> {
        if steps.is_empty() {
            return Ok(());
        }
        let permits = Arc::new(Semaphore::new(PARALLEL));
        let present = Arc::new(self.run.mesh.present());
        let live = Arc::new(self.surveyed.live.clone());
        let mut tasks = JoinSet::new();
        for mut step in steps {
            let permits = permits.clone();
            let (mesh, at) = (self.run.mesh.clone(), self.at);
            let waiter = self.waiter.clone();
            let (present, live) = (present.clone(), live.clone());
            tasks.spawn(async move {
                let _permit = permits.acquire().await;
                let member = &mesh.members[at];
                let bindings = PeerBindings::new(&mesh.tokens, &member.wanted, &live, &present);
                let result = write(member, &mesh.vault, &bindings, &waiter, &mut step).await;
                (step, result)
            });
        }
        let mut first = None;
        while let Some(done) = tasks.join_next().await {
            let (step, result) = joined(done);
            match result {
                Ok(uid) => self.wrote(&step, uid),
                // requests in flight are waited for, so that nothing is forgotten
                Err(error) => {
                    if let ApplyError::Foreign(key) = &error {
                        self.inventory.entries.remove(key);
                    }
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    pub(super) fn wrote(&mut self, step: &Step, uid: Option<String>) {
        let digest = step.desired.as_ref().map(|desired| desired.digest);
        if let Some(entry) = self.inventory.entries.get_mut(&step.key) {
            entry.uid = uid.or(entry.uid.take());
            entry.digest = digest;
        }
        self.left.retain(|key| *key != step.key);
        if step.writes {
            self.done += 1;
            (self.run.tell)(Event::Did {
                cluster: self.member.name.clone(),
                stage: step.stage.clone(),
                action: step.action.word(),
                key: step.key.clone(),
            });
        }
    }

    pub(super) async fn established(&mut self, stage: &str) -> Result<(), ApplyError> {
        let crds: Vec<Arc<Desired>> = self
            .member
            .wanted
            .objects
            .iter()
            .filter(|desired| desired.stage == stage && desired.key.is_crd())
            .cloned()
            .collect();
        self.ready(&crds).await?;
        self.member.kinds.refresh();
        Ok(())
    }

    /// Takes away what the inventory holds and the tree does not; everything new is ready by now.
    pub(super) async fn prune(&mut self) -> Result<(), ApplyError> {
        let steps: Vec<Step> = self.surveyed.plan.of("prune").cloned().collect();
        // what istioctl left is replaced by ours when ours answers
        if steps.iter().any(|step| !self.inventory.entries.contains_key(&step.key)) {
            self.injector().await?;
        }
        for step in steps {
            let resource = self.resource(&step.key, &step.api_version).await?;
            let path = resource.path(&step.key);
            let Some(uid) = step.uid() else { continue };
            let deleted = self.member.client().delete(&path, uid).await;
            match deleted {
                Ok(_) => self.waiter.gone(&step.key, &path, uid).await?,
                // another object of that name: not ours
                Err(error) if error.is(409) => {}
                Err(error) => return Err(doing(format!("deleting {}", step.key))(error)),
            }
            self.inventory.entries.remove(&step.key);
            self.wrote(&step, None);
        }
        Ok(())
    }
}
