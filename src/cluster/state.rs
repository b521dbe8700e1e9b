//! How a cluster stands to the tree that was applied to it: what `status` and `report` say.

use serde::Serialize;

use super::Wanted;
use super::history::Applied;
use super::inventory::{Entry, Inventory};
use super::key::Key;
use super::readiness::{Readiness, gateway_addresses, readiness};
use super::survey::{Mesh, Surveyed, gateway_of};
use crate::store::Digest;
use crate::tree::source::Source;

/// A cluster as it is shown. As JSON it is a row of `status -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Its name.
    pub name: String,
    /// Why it could not be looked at; then the rest says nothing.
    pub error: Option<String>,
    /// The tree that was applied, if any.
    #[serde(serialize_with = "as_text")]
    pub applied: Option<Digest>,
    /// Its number here, if it is a generation of this store.
    pub generation: Option<u64>,
    /// Whether an apply has begun and not ended.
    pub unfinished: bool,
    /// Whether the tree that was asked about has the same rows for this cluster.
    pub current: bool,
    /// The last apply that was recorded.
    pub last_apply: Option<Applied>,
    /// How many objects are ready.
    pub ready: usize,
    /// Objects that are not, and why.
    pub not_ready: Vec<Remark>,
    /// Objects that differ from the applied tree, and how.
    pub drift: Vec<Remark>,
    /// Objects that could not be read, and why.
    pub unreadable: Vec<Remark>,
    /// What people should know.
    pub notes: Vec<String>,
    /// The Services that are gateways of a network.
    pub gateways: Vec<GatewayState>,
}

/// Something about an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Remark {
    /// `Kind/namespace/name`.
    pub object: String,
    /// A word or a sentence.
    pub why: String,
}

/// A Service that is the gateway of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct GatewayState {
    /// `Service/namespace/name`.
    pub object: String,
    /// The network.
    pub network: String,
    /// Where other networks reach it; empty if it has no address yet.
    pub addresses: Vec<String>,
}

#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn as_text<S: serde::Serializer>(digest: &Option<Digest>, to: S) -> Result<S::Ok, S::Error> {
    match digest {
        Some(digest) => to.collect_str(digest),
        None => to.serialize_none(),
    }
}

impl Remark {
    fn new(object: &impl ToString, why: impl Into<String>) -> Self {
        Self { object: object.to_string(), why: why.into() }
    }
}

impl State {
    /// What is known of a cluster of which nothing could be seen.
    pub fn unseen(name: &str, why: &(impl ToString + ?Sized)) -> Self {
        Self { name: name.to_owned(), error: Some(why.to_string()), ..Self::default() }
    }

    /// What was seen of the member at this place. `view` is the tree that was asked about, which may
    /// be another than the one that the survey compared with.
    pub fn of(mesh: &Mesh, at: usize, surveyed: &Surveyed, view: &Source) -> Self {
        let member = &mesh.members[at];
        let inventory = surveyed.records.inventory.as_ref();
        let applied = inventory.and_then(|inventory| inventory.tree);
        let mut state = Self {
            name: member.name.clone(),
            applied,
            unfinished: inventory.is_some_and(|inventory| inventory.unfinished),
            last_apply: surveyed.records.history.applies.last().cloned(),
            current: applied == Some(view.digest)
                || (mesh.index == view.index
                    && inventory.is_some_and(|inventory| is_sent(&member.wanted, inventory))),
            ..Self::default()
        };
        for desired in &member.wanted.objects {
            let Some(live) = surveyed.live.objects.get(&desired.key) else { continue };
            match readiness(live) {
                Readiness::Ready => state.ready += 1,
                Readiness::Waiting(why) | Readiness::Failed(why) => {
                    state.not_ready.push(Remark::new(&desired.key, why));
                }
            }
        }
        state.planned(surveyed);
        for (key, live) in &surveyed.live.objects {
            if let Some(network) = gateway_of(live) {
                state.gateways.push(GatewayState {
                    object: key.to_string(),
                    network: network.to_owned(),
                    addresses: gateway_addresses(live),
                });
            }
        }
        state
    }

    /// What an apply would do is what drifted.
    fn planned(&mut self, surveyed: &Surveyed) {
        let plan = &surveyed.plan;
        for step in plan.steps.iter().filter(|step| step.writes) {
            self.drift.push(Remark::new(&step.key, step.action.word()));
        }
        for refusal in &plan.refusals {
            match &refusal.key {
                Some(key) => self.drift.push(Remark::new(key, &refusal.message)),
                None => self.notes.push(refusal.message.clone()),
            }
        }
        self.unreadable = plan.unreadable.iter().map(|(key, why)| Remark::new(key, why)).collect();
        self.notes.extend(plan.notes.iter().cloned());
        let held = |held: &super::Held| format!("{} is held back: {}", held.key, held.why);
        self.notes.extend(plan.held.iter().map(held));
    }

    /// How many objects there is something to say of, and sentences beside.
    pub fn remarks(&self) -> usize {
        self.drift.len() + self.not_ready.len() + self.unreadable.len() + self.notes.len()
    }

    /// Whether anything is known of it, and all of that could be read.
    pub fn is_whole(&self) -> bool {
        self.error.is_none() && self.unreadable.is_empty()
    }

    /// Whether it is not as a finished apply leaves it.
    pub fn differs(&self) -> bool {
        !self.drift.is_empty() || self.applied.is_none() || self.unfinished
    }
}

/// Whether a tree has for a cluster just what its inventory says was sent.
pub fn is_sent(wanted: &Wanted, inventory: &Inventory) -> bool {
    let sent = wanted.objects.iter().all(|desired| {
        let entry = inventory.entries.get(&desired.key);
        entry.is_some_and(|entry| entry.digest == Some(desired.digest))
    });
    // what only stays is there without a digest
    let is_known = |(key, entry): (&Key, &Entry)| {
        let stays = key.is_namespace() || key.is_crd() || entry.joined;
        stays || entry.digest.is_none() || wanted.get(key).is_some()
    };
    sent && inventory.entries.iter().all(is_known)
}
