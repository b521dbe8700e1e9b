//! What a cluster waits for: its own objects, its tokens, and its peers.

use std::sync::Arc;

use serde_json::Value;

use super::apply::{ApplyError, doing};
use super::bind::PeerBindings;
use super::client::RequestError;
use super::desired::{Bindings as _, Desired};
use super::key::Key;
use super::plan::{Held, Step, bound_cluster};
use super::readiness::{Readiness, readiness};
use super::report::Event;
use super::resource::Resource;
use super::wait::WaitError;
use super::work::Work;
use super::write::resource;
use crate::tree::stage_name::{ISTIOD, REMOTE_SECRETS, TOKENS};

impl Work<'_> {
    /// Waits for a stage's objects, and for what the next stages need of it.
    pub(super) async fn wait(&mut self, stage: &str, last: Option<&str>) -> Result<(), ApplyError> {
        let objects: Vec<Arc<Desired>> = self
            .member
            .wanted
            .objects
            .iter()
            .filter(|desired| desired.stage == stage && !desired.key.is_crd())
            .cloned()
            .collect();
        self.ready(&objects).await?;
        if stage == TOKENS {
            self.tokens().await?;
        }
        // gateways start after the injector answers
        let more = last.is_some_and(|last| last > stage);
        if stage == ISTIOD && more {
            self.injector().await?;
        }
        Ok(())
    }

    /// Waits until the injector that the tree brings answers.
    pub(super) async fn injector(&self) -> Result<(), ApplyError> {
        let injector = self.member.wanted.objects.iter().find(|desired| {
            desired.key.kind == "MutatingWebhookConfiguration"
                && desired.key.name.starts_with("istio-sidecar-injector")
        });
        let Some(injector) = injector else { return Ok(()) };
        let revision = injector.rendered.pointer("/metadata/labels/istio.io~1rev");
        let revision = revision.and_then(Value::as_str).filter(|rev| *rev != "default");
        Ok(self.waiter.injector(revision).await?)
    }

    pub(super) async fn ready(&mut self, objects: &[Arc<Desired>]) -> Result<(), ApplyError> {
        for desired in objects {
            let touched = self.surveyed.plan.steps.iter().any(|step| step.key == desired.key);
            let live = self.surveyed.live.objects.get(&desired.key);
            let is_ready = live.is_some_and(|live| {
                live.get("kind").and_then(Value::as_str) == Some("Service")
                    || readiness(live) == Readiness::Ready
            });
            if (!touched && is_ready) || !is_waited_for(&desired.key) {
                continue;
            }
            let resource = self.resource(&desired.key, &desired.identity.api_version).await?;
            self.waiter.ready(&desired.key, &resource.path(&desired.key)).await?;
        }
        Ok(())
    }

    /// Waits until the cluster has written the tokens that its peers need.
    pub(super) async fn tokens(&mut self) -> Result<(), ApplyError> {
        for asked in self.run.mesh.asked(&self.member.name) {
            let Some(key) = asked.object() else { continue };
            let resource = self.resource(&key, "v1").await?;
            let path = resource.path(&key);
            let (client, tokens) = (self.member.client(), &self.run.mesh.tokens);
            let (path, asked) = (&path, &asked);
            let what = format!("the token in {key}");
            let found = self.waiter.until(&what, |_| async move {
                let live = client.get(path).await?;
                let learnt = live.as_ref().is_some_and(|live| tokens.learn(asked, live));
                Ok(match (learnt, live) {
                    (true, _) => super::wait::Look::There(()),
                    (false, Some(_)) => super::wait::Look::NotYet(
                        "the token controller has not written it".to_owned(),
                    ),
                    (false, None) => super::wait::Look::NotYet(
                        "the Secret is gone: is its ServiceAccount there?".to_owned(),
                    ),
                })
            });
            match found.await {
                Ok(()) => {}
                // it blocks its own remote secret, and nothing else
                Err(error @ (WaitError::Timeout { .. } | WaitError::Failed { .. })) => {
                    tokens.block(&self.member.name, error.to_string(), None);
                    (self.run.tell)(Event::Note {
                        cluster: self.member.name.clone(),
                        text: error.to_string(),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Remote secrets, in order, each when its cluster can be reached.
    pub(super) async fn remote_secrets(&mut self) -> Result<(), ApplyError> {
        let steps: Vec<Step> = self
            .surveyed
            .plan
            .steps
            .iter()
            .filter(|step| step.stage == REMOTE_SECRETS && step.desired.is_some())
            .cloned()
            .collect();
        for step in steps {
            let Some(of) = step.desired.as_ref().and_then(|desired| bound_cluster(desired)) else {
                self.batch(vec![step]).await?;
                continue;
            };
            let of = of.to_owned();
            match self.barrier(&of).await? {
                Ok(()) => {}
                Err((why, hint)) => {
                    self.hold(step.key.clone(), why, hint);
                    continue;
                }
            }
            if !self.is_bound(&step) {
                let why = format!("the token of `{of}` is not there");
                self.hold(step.key.clone(), why, None);
                continue;
            }
            self.batch(vec![step]).await?;
        }
        Ok(())
    }

    /// Whether everything that is put into an object is at hand.
    fn is_bound(&self, step: &Step) -> bool {
        let present = self.run.mesh.present();
        let (mesh, wanted) = (&self.run.mesh, &self.member.wanted);
        let bindings = PeerBindings::new(&mesh.tokens, wanted, &self.surveyed.live, &present);
        let desired = step.desired.iter();
        desired.flat_map(|desired| &desired.bindings).all(|one| bindings.value(one).is_some())
    }

    fn hold(&mut self, key: Key, why: String, hint: Option<String>) {
        self.left.retain(|left| *left != key);
        // what was only intended is not there
        self.inventory.entries.retain(|of, entry| *of != key || entry.uid.is_some());
        self.held.push(Held { key, why, hint });
    }

    /// Waits until a cluster can be reached by its peers, or never will.
    pub(super) async fn barrier(
        &self,
        of: &str,
    ) -> Result<Result<(), (String, Option<String>)>, ApplyError> {
        let index = &self.run.mesh.index;
        let row = index.clusters.iter().find(|row| row.name == of);
        let network = row.map(|row| row.network.clone());
        let many = index.clusters.iter().any(|row| Some(&row.network) != network.as_ref());
        // the gateway of who is left out is not ours to look at
        let network = network.filter(|_| many && self.run.mesh.present().contains(of));
        if let Some(network) = &network {
            self.run.board.ask(network);
        }
        let answer = self.run.board.until(|state| {
            match state.is_ready(of) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(why) => return Some(Err(why)),
            }
            match &network {
                None => Some(Ok(())),
                Some(network) => state.networks.get(network).cloned(),
            }
        });
        let state = self.run.board.now();
        let is_open = state.is_ready(of) != Ok(false)
            && network.as_ref().is_none_or(|network| state.networks.contains_key(network));
        if !is_open {
            (self.run.tell)(Event::Waiting {
                cluster: self.member.name.clone(),
                what: format!("`{of}`: its token, and the address of its network's gateway"),
            });
        }
        let stop = self.member.client().stop();
        let Some(answer) = stop.or(answer).await else {
            let reason = stop.check().err().unwrap_or(super::stop::StopReason::Interrupted);
            return Err(doing("waiting for other clusters")(RequestError::Stopped(reason)));
        };
        if let Some(blocked) = self.run.mesh.tokens.blocked(of) {
            return Ok(Err(blocked));
        }
        Ok(answer.map_err(|why| (why, None)))
    }

    pub(super) async fn resource(
        &self,
        key: &Key,
        api_version: &str,
    ) -> Result<Resource, ApplyError> {
        resource(self.member, key, api_version).await
    }
}

/// Kinds that take time to do their work.
pub(super) fn is_waited_for(key: &Key) -> bool {
    key.is_crd()
        || key.is_webhook()
        || matches!(key.group.as_str(), "apps" | "batch")
        || key.is("", "Namespace")
        || key.is("", "PersistentVolumeClaim")
}
