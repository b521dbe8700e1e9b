//! What stands against a rotation, before its first write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Rotation;
use super::proof::unseen;
use super::state::{Phase, State, Subject, api_version, is_second};
use crate::cluster::client::MANAGER;
use crate::cluster::desired::{Desired, in_data};
use crate::cluster::field;
use crate::cluster::identity::stranger;
use crate::cluster::inventory::Inventory;
use crate::cluster::key::Key;
use crate::cluster::observe::{each, records};
use crate::cluster::permission::missing;
use crate::cluster::plan::{Action, ClusterPlan, Refusal, Step, owns};
use crate::pki::Wiped;
use crate::tree::stage_name::{REMOTE_SECRETS, TOKENS};

/// A token that can be made anew.
pub struct Found {
    /// Whose, and who reads it.
    pub subject: Subject,
    /// How far a rotation is.
    pub phase: Phase,
    /// The names of the readers that get the new token.
    pub readers: Vec<String>,
    /// Peers that the tree gives a remote secret and that have none: they get no token.
    pub strangers: Vec<String>,
}

/// Looks at the tokens of these clusters and at who reads them. Gives what was found, or all that
/// stands against it, by cluster.
///
/// Whatever else stands against an apply (a root that changes, certificates that end, objects that
/// differ) is no reason to leave a token that somebody copied. Refused are: a cluster that cannot be
/// reached, that is another, or that nothing was applied to; a token or remote secret that is not there as the tree has it (only tokens may
/// differ), that is not ours, a right that is missing, an istiod of a reader that cannot be asked.
pub async fn look(
    rotation: &Rotation,
    names: &[String],
) -> Result<Vec<Found>, Vec<(String, Refusal)>> {
    let mesh = &rotation.mesh;
    let mut faults = Vec::new();
    let inventories = inventories(rotation, &mut faults).await;
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut all = Vec::new();
    for name in names {
        let at = rotation.members.iter().copied().find(|at| mesh.members[*at].name == *name);
        let Some(subject) = at.and_then(|at| Subject::of(mesh, &rotation.members, at)) else {
            let message = "no remote secret of the tree has a token of it".to_owned();
            faults.push((name.clone(), Refusal { key: None, message, hint: None }));
            continue;
        };
        match State::read(mesh, &subject).await {
            Ok(state) => {
                let found = examine(rotation, &inventories, &subject, &state);
                faults.extend(
                    found.into_iter().map(|(at, refusal)| (mesh.members[at].name.clone(), refusal)),
                );
                let has = |there: bool| {
                    let pairs = subject.readers.iter().zip(&state.remote);
                    let fits = pairs.filter(|(_, live)| live.is_some() == there);
                    fits.map(|(reader, _)| mesh.members[reader.at].name.clone()).collect()
                };
                let (readers, strangers) = (has(true), has(false));
                all.push(Found { phase: state.phase(), subject, readers, strangers });
            }
            Err(error) => {
                let refusal = Refusal { key: None, message: error.to_string(), hint: None };
                faults.push((name.clone(), refusal));
            }
        }
    }
    if faults.is_empty() {
        faults.extend(rights(rotation, &all).await);
    }
    if faults.is_empty() && rotation.unseen.is_none() {
        faults.extend(blind(rotation, &all).await);
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

/// The inventories of all that take part. Each must be the cluster that bears its name, and ours.
async fn inventories(
    rotation: &Rotation,
    faults: &mut Vec<(String, Refusal)>,
) -> BTreeMap<usize, Inventory> {
    let seen = each(rotation.members.clone(), |at| {
        let client = rotation.mesh.members[at].client().clone();
        async move { (at, records(&client).await) }
    });
    let mut all = BTreeMap::new();
    for (at, found) in seen.await {
        let member = &rotation.mesh.members[at];
        let (message, hint) = match found {
            Ok(records) => {
                let trusted = &member.connection.authority;
                match (stranger(&member.claim, &records, trusted, false), records.inventory) {
                    (Some(refusal), _) => refusal,
                    (None, Some(inventory)) => {
                        all.insert(at, inventory);
                        continue;
                    }
                    (None, None) => (
                        "meshgen has applied nothing to it yet".to_owned(),
                        "`meshgen apply` first, then rotate".to_owned(),
                    ),
                }
            }
            Err(error) => (
                error.to_string(),
                "a cluster that is gone leaves the mesh first: `meshgen retire CLUSTER --gone`"
                    .to_owned(),
            ),
        };
        faults.push((member.name.clone(), Refusal { key: None, message, hint: Some(hint) }));
    }
    all
}

/// What stands against rotating one token, with the member that it is about.
pub(super) fn examine(
    rotation: &Rotation,
    inventories: &BTreeMap<usize, Inventory>,
    subject: &Subject,
    state: &State,
) -> Vec<(usize, Refusal)> {
    let mesh = &rotation.mesh;
    let mut faults = Vec::new();
    let mut refuse = |at: usize, desired: &Desired, message: &str, hint: &str| {
        let (message, hint) = (message.to_owned(), Some(hint.to_owned()));
        faults.push((at, Refusal { key: Some(desired.key.clone()), message, hint }));
    };
    let is_ours = |at: usize, desired: &Desired, live: &Value| {
        let Some(inventory) = inventories.get(&at) else { return true };
        // made by a run that was killed before it could record the UID
        let is_made =
            inventory.entries.contains_key(&desired.key) && field::managed(live, MANAGER).is_some();
        is_made || owns(inventory, &desired.key, live)
    };
    let apply = "`meshgen apply` first, then rotate";
    let own = &subject.own;
    match (&state.own, &state.second) {
        (Some(held), _) => {
            let wanted = Wiped(in_data((*own.rendered).clone()));
            if !is_ours(subject.at, own, &held.live) {
                refuse(subject.at, own, "it is not meshgen's", apply);
            } else if !field::settled(&wanted.0, &held.live, MANAGER) {
                refuse(subject.at, own, "it is not as the tree has it", apply);
            }
        }
        (None, None) => refuse(subject.at, own, "it is not there", apply),
        (None, Some(_)) => {}
    }
    if let Some(second) = &state.second {
        let is_known = is_second(&second.live)
            && second.replaced_account().is_some()
            && field::managed(&second.live, MANAGER).is_some();
        if !is_known {
            let key = Some(subject.second());
            let message = "somebody else made it".to_owned();
            let hint = Some("a rotation needs this name: delete it, if nobody uses it".to_owned());
            faults.push((subject.at, Refusal { key, message, hint }));
        }
    }
    let account = subject.account();
    let wanted = mesh.members[subject.at].wanted.get(&account);
    let message = match (&state.account, wanted) {
        (None, _) if state.second.is_none() => Some("it is not there"),
        (Some(held), Some(desired)) if !is_ours(subject.at, desired, &held.live) => {
            Some("it is not meshgen's")
        }
        _ => None,
    };
    if let Some(message) = message {
        let (message, hint) = (message.to_owned(), Some(apply.to_owned()));
        faults.push((subject.at, Refusal { key: Some(account), message, hint }));
    }
    // its peers must trust the server that the token is for
    for asked in mesh.asked(&subject.name) {
        if let Some(held) = &state.own {
            mesh.tokens.learn(&asked, &held.live);
        }
    }
    if let Some((why, hint)) = mesh.tokens.blocked(&subject.name) {
        faults.push((subject.at, Refusal { key: None, message: why, hint }));
    }
    for (reader, live, token) in state.readers(subject) {
        let desired = &reader.desired;
        let is_equal = token.is_some_and(|token| {
            let filled = mesh.vault.fill(desired, &token);
            filled.is_ok_and(|filled| field::settled(filled.value(), live, MANAGER))
        });
        let message = if !is_ours(reader.at, desired, live) {
            "it is not meshgen's"
        } else if !is_equal {
            "its token aside, it is not as the tree has it"
        } else {
            continue;
        };
        let (key, hint) = (Some(desired.key.clone()), Some(apply.to_owned()));
        faults.push((reader.at, Refusal { key, message: message.to_owned(), hint }));
    }
    faults
}

/// Rights that are missing.
async fn rights(rotation: &Rotation, all: &[Found]) -> Vec<(String, Refusal)> {
    let mut plans: BTreeMap<usize, ClusterPlan> = BTreeMap::new();
    for found in all {
        let subject = &found.subject;
        let recreate = Action::Recreate { field: String::new() };
        let own = step(&subject.own, TOKENS, recreate);
        // stand-ins are made of the same kinds
        let account = subject.account();
        let binding = Key {
            group: "rbac.authorization.k8s.io".to_owned(),
            kind: "ClusterRoleBinding".to_owned(),
            namespace: None,
            ..account.clone()
        };
        let others = [account, binding].map(|key| Step {
            api_version: api_version(&key),
            key,
            desired: None,
            ..step(&subject.own, TOKENS, Action::Recreate { field: String::new() })
        });
        let steps = &mut plans.entry(subject.at).or_default().steps;
        steps.push(own);
        steps.extend(others);
        for reader in &subject.readers {
            let change = step(&reader.desired, REMOTE_SECRETS, Action::Change);
            plans.entry(reader.at).or_default().steps.push(change);
        }
    }
    let mesh = &rotation.mesh;
    let asked = each(plans, |(at, plan)| {
        let member = mesh.members[at].clone();
        async move {
            let found = missing(member.client(), &member.kinds, &plan).await;
            let messages = match found {
                Ok(rights) => {
                    rights.iter().map(|right| format!("the right to {right} is missing")).collect()
                }
                Err(error) => vec![error.to_string()],
            };
            (member.name, messages)
        }
    });
    let mut faults = Vec::new();
    for (name, messages) in asked.await {
        for message in messages {
            faults.push((name.clone(), Refusal { key: None, message, hint: None }));
        }
    }
    faults
}

fn step(desired: &std::sync::Arc<Desired>, stage: &str, action: Action) -> Step {
    Step {
        key: desired.key.clone(),
        action,
        stage: stage.to_owned(),
        api_version: desired.identity.api_version.clone(),
        desired: Some(desired.clone()),
        live: None,
        after: None,
        force: false,
        writes: true,
    }
}

/// Readers whose istiods cannot be asked.
async fn blind(rotation: &Rotation, all: &[Found]) -> Vec<(String, Refusal)> {
    let readers = all.iter().flat_map(|found| &found.subject.readers);
    let readers: BTreeSet<usize> = readers.map(|reader| reader.at).collect();
    let asked = each(readers, |at| {
        let member = rotation.mesh.members[at].clone();
        async move { unseen(&member).await.map(|why| (member.name, why)) }
    });
    let refusal = |(name, why): (String, String)| {
        let message = format!("whether its istiods take a new token cannot be seen: {why}");
        let hint = "`--allow-unseen 5m` waits so long after each change instead".to_owned();
        (name, Refusal { key: None, message, hint: Some(hint) })
    };
    asked.await.into_iter().flatten().map(refusal).collect()
}
