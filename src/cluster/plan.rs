//! What an apply would do to one cluster. Pure: from what is wanted, what is there, and what the
//! server answered to dry runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::client::{Cause, MANAGER};
use super::desired::{Desired, Wanted};
use super::field;
use super::inventory::Inventory;
use super::key::{Key, Selection};
use super::object_plan::object;
use super::observe::Live;
use super::prune_plan::prunes;
use crate::tree::stage_name::{RUNNING, is_of_bindings};

/// What is done to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is not there.
    Create,
    /// Its fields differ, or we do not manage them yet.
    Change,
    /// A field that cannot change differs: deleted, then created.
    Recreate {
        /// The field.
        field: String,
    },
    /// It was there before us, and is equal in our fields: only recorded.
    Take,
    /// A Namespace that was there before us: our labels, and nothing else.
    Join,
    /// It was there before us, and differs: our fields win.
    Adopt,
    /// It is in the inventory and not in the tree any more.
    Prune,
}

impl Action {
    /// The word in texts and in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Recreate { .. } => "recreate",
            Action::Take => "take",
            Action::Join => "join",
            Action::Adopt => "adopt",
            Action::Prune => "prune",
        }
    }
}

/// One object of a plan.
#[derive(Clone)]
pub struct Step {
    /// Which object.
    pub key: Key,
    /// What is done to it.
    pub action: Action,
    /// The step of the apply.
    pub stage: String,
    /// The API version by which it is addressed.
    pub api_version: String,
    /// What the tree wants; nothing for a prune.
    pub desired: Option<Arc<Desired>>,
    /// As it is, if it is there.
    pub live: Option<Value>,
    /// As it will be, if the server said so.
    pub after: Option<Value>,
    /// Whether fields are taken from other managers.
    pub force: bool,
    /// Whether the object itself is written, and not only its record.
    pub writes: bool,
}

impl Step {
    /// The UID of what is there.
    pub fn uid(&self) -> Option<&str> {
        uid(self.live.as_ref()?)
    }
}

/// What the server answered when it was asked by a dry run.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// This would come out.
    Object(Value),
    /// Others manage fields that we would change.
    Conflicts(Vec<Cause>),
    /// A field cannot change.
    Immutable {
        /// The field.
        field: String,
        /// What the server says.
        message: String,
    },
    /// The server takes no such object.
    Refused(String),
    /// It could not be asked: a webhook is down, or the right to patch is missing.
    Unasked(String),
    /// What is put in comes in this run.
    Later,
    /// What is put in is not to be had, with what to do.
    Unbound(String, Option<String>),
    /// What is sealed could not be opened.
    Sealed(String),
}

/// Why a plan cannot be carried out as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which object, where it is about one.
    pub key: Option<Key>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// An object that is held back alone; the rest goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which object.
    pub key: Key,
    /// Why.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What an apply would do to one cluster.
#[derive(Clone, Default)]
pub struct ClusterPlan {
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Objects that are as the tree wants them.
    pub unchanged: Vec<Key>,
    /// Objects that are not in the tree and stay, with the reason.
    pub kept: Vec<(Key, String)>,
    /// Objects that are held back.
    pub held: Vec<Held>,
    /// What must be settled before.
    pub refusals: Vec<Refusal>,
    /// What people should know.
    pub notes: Vec<String>,
    /// Objects that could not be read.
    pub unreadable: Vec<(Key, String)>,
    /// Entries of the inventory that are settled by this plan: intended before, owned now.
    pub settled: Vec<Key>,
    /// Entries whose objects a retirement that was stopped has deleted already.
    pub gone: Vec<Key>,
}

/// What was allowed on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--adopt`.
    pub adopt: Selection,
    /// `--recreate`.
    pub recreate: Selection,
    /// `--force-conflicts`.
    pub force: Selection,
    /// `--prune`: objects that are pruned because they are named.
    pub prune: Selection,
    /// `--allow-prune`.
    pub allow_prune: bool,
    /// `--allow-empty`.
    pub allow_empty: bool,
    /// Only bindings: stages 55 and 60, nothing pruned.
    pub only_bindings: bool,
    /// `--adopt-leftovers`: prune what `istioctl install` left beside what is adopted.
    pub leftovers: bool,
    /// `retire`: nothing is applied; the remote secrets of these clusters go from their peers, and
    /// everything from these clusters themselves.
    pub retired: Vec<String>,
}

impl Options {
    /// Whether only a part of the tree is looked at, so that the rest of an inventory stays as it is.
    pub fn is_partial(&self) -> bool {
        self.only_bindings || !self.retired.is_empty()
    }
}

/// What is known of a cluster when a plan is made.
pub struct View<'a> {
    /// Its name.
    pub cluster: &'a str,
    /// What the tree wants.
    pub wanted: &'a Wanted,
    /// What is there.
    pub live: &'a Live,
    /// What meshgen owns, settled.
    pub inventory: &'a Inventory,
    /// What the server answered.
    pub answers: &'a BTreeMap<Key, Answer>,
    /// What `istioctl install` left beside what the tree has.
    pub leftovers: &'a [(Key, Value)],
    /// Clusters of the tree.
    pub clusters: &'a [String],
    /// What was allowed.
    pub options: &'a Options,
}

/// The UID of a live object.
pub fn uid(live: &Value) -> Option<&str> {
    live.pointer("/metadata/uid")?.as_str()
}

/// Whether an inventory owns a live object: by UID, never by name alone.
pub fn owns(inventory: &Inventory, key: &Key, live: &Value) -> bool {
    let entry = inventory.entries.get(key);
    entry.is_some_and(|entry| entry.uid.is_some() && entry.uid.as_deref() == uid(live))
}

/// Settles entries that were only intended: live with our manager's entry → its UID; else the entry
/// goes. The same where a UID is another's than recorded, but our manager made the object: a
/// recreation was stopped between creation and record. Gives the keys that it settled.
pub fn settle(inventory: &mut Inventory, live: &Live) -> Vec<Key> {
    let mut settled = Vec::new();
    let mut gone = Vec::new();
    for (key, entry) in &mut inventory.entries {
        if live.unreadable.contains_key(key) {
            continue;
        }
        let found = live.objects.get(key);
        let ours = found.filter(|live| field::managed(live, MANAGER).is_some());
        let actual = found.and_then(uid).map(str::to_owned);
        if entry.uid.is_none() {
            settled.push(key.clone());
            match ours {
                Some(_) => entry.uid = actual,
                None => gone.push(key.clone()),
            }
        } else if ours.is_some() && entry.uid != actual && !entry.joined {
            entry.uid = actual;
            settled.push(key.clone());
        }
    }
    for key in gone {
        inventory.entries.remove(&key);
    }
    settled
}

/// Makes the plan of one cluster.
pub fn plan(view: &View<'_>) -> ClusterPlan {
    let mut plan = ClusterPlan::default();
    let uninstall = view.options.retired.iter().any(|name| name == view.cluster);
    if view.options.retired.is_empty() {
        for desired in &view.wanted.objects {
            if view.options.only_bindings && !is_of_bindings(&desired.stage) {
                continue;
            }
            object(&mut plan, view, desired);
        }
        for (key, needs) in &view.wanted.pending {
            plan.held.push(Held {
                key: key.clone(),
                why: format!("it waits for {}", needs.join(", ")),
                hint: Some("`meshgen facts import`, then `meshgen render`".to_owned()),
            });
        }
    }
    if !view.options.only_bindings {
        prunes(&mut plan, view, uninstall);
    }
    if !view.options.leftovers && !view.leftovers.is_empty() {
        let names: Vec<String> = view.leftovers.iter().map(|(key, _)| key.to_string()).collect();
        plan.notes.push(format!(
            "`istioctl install` left {} beside; `--adopt-leftovers` prunes that",
            names.join(", ")
        ));
    }
    plan
}

/// The cluster whose remote secret an object is.
pub fn bound_cluster(desired: &Desired) -> Option<&str> {
    desired.bindings.first().map(|binding| binding.from.cluster.as_str())
}

/// Whether an object is on its way out.
pub fn is_leaving(live: &Value) -> bool {
    live.pointer("/metadata/deletionTimestamp").is_some()
}

impl ClusterPlan {
    /// Whether nothing is to be done, records included.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.settled.is_empty() && self.gone.is_empty()
    }

    /// The steps of an action.
    pub fn of(&self, word: &str) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.action.word() == word)
    }

    /// Whether a running istiod, gateway or node agent is changed.
    pub fn disturbs(&self) -> bool {
        self.steps.iter().any(|step| {
            let workload = step.key.group == "apps";
            let stage = RUNNING.contains(&step.stage.as_str());
            workload && stage && step.live.is_some() && step.writes && step.action != Action::Prune
        })
    }
}
