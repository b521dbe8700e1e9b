//! Writes one object.

use serde_json::{Value, json};

use super::apply::{ApplyError, doing};
use super::bind::PeerBindings;
use super::client::{ApplyOptions, MANAGER};
use super::desired::Vault;
use super::field;
use super::key::Key;
use super::plan::{Action, Step, uid};
use super::resource::Resource;
use super::survey::Member;
use super::wait::Waiter;
use crate::pki::Wiped;

pub(super) async fn resource(
    member: &Member,
    key: &Key,
    api_version: &str,
) -> Result<Resource, ApplyError> {
    let identity = super::resource::identity(api_version, key);
    let found = member.kinds.resource(member.client(), &identity, true).await;
    let found = found.map_err(doing(format!("asking for the kind of {key}")))?;
    found.ok_or_else(|| {
        ApplyError::Moved(format!("the server has no kind {} in {api_version}", key.kind))
    })
}

/// Writes one object, unless it shows that it is as it should be. Gives its UID.
pub(super) async fn write(
    member: &Member,
    vault: &Vault,
    bindings: &PeerBindings<'_>,
    waiter: &Waiter,
    step: &mut Step,
) -> Result<Option<String>, ApplyError> {
    let key = &step.key;
    let Some(desired) = &step.desired else { return Ok(None) };
    if !step.writes {
        return Ok(step.uid().map(str::to_owned));
    }
    let client = member.client();
    let path = resource(member, key, &desired.identity.api_version).await?.path(key);
    let payload = vault
        .fill(desired, bindings)
        .map_err(|error| ApplyError::Moved(format!("{key}: {error}")))?;
    // a token that came after the plan: istiod reconnects when its remote secret is written again
    if !desired.bindings.is_empty()
        && step.action == Action::Change
        && let Some(live) = &step.live
        && field::settled(payload.value(), live, MANAGER)
    {
        step.writes = false;
        return Ok(uid(live).map(str::to_owned));
    }
    let mut live = step.live.clone();
    match (&step.action, &live) {
        (Action::Recreate { .. }, Some(old)) => {
            let uid = uid(old).unwrap_or_default().to_owned();
            client.delete(&path, &uid).await.map_err(doing(format!("deleting {key}")))?;
            waiter.gone(key, &path, &uid).await?;
            live = None;
        }
        // on its way out: it is created anew when it is gone
        (Action::Create, Some(old)) => {
            let uid = uid(old).unwrap_or_default().to_owned();
            waiter.gone(key, &path, &uid).await?;
            live = None;
        }
        // what was the installer's is not another's any more, and must be sent
        (Action::Adopt, Some(old)) => live = Some(take_fields(member, key, &path, old).await?),
        _ => {}
    }
    let options = ApplyOptions { dry_run: false, force: step.force };
    let send = async |live: Option<&Value>| {
        let mut sent = field::hand_over(payload.value(), live, &desired.handover, MANAGER);
        // of the object that was planned, and no other of its name
        if let Some(uid) = live.and_then(uid) {
            sent["metadata"]["uid"] = Value::from(uid);
        }
        let sent = Wiped(sent);
        client.apply(&path, &sent.0, options).await
    };
    let mut written = send(live.as_ref()).await;
    // another may have taken a field that is left to him since this was planned
    if !desired.handover.is_empty() && written.as_ref().is_err_and(|error| error.is(409)) {
        let live = client.get(&path).await.map_err(doing(format!("reading {key}")))?;
        written = send(live.as_ref()).await;
    }
    let written = written.map_err(doing(format!("{} {key}", step.action.word())))?;
    if step.action == Action::Create && !field::foreign_in(&written, &is_maker).is_empty() {
        return Err(ApplyError::Foreign(key.clone()));
    }
    Ok(uid(&written).map(str::to_owned))
}

/// Managers that may have made an object before us: all but Kubernetes itself, which adds to what
/// we made.
pub(super) fn is_maker(manager: &str) -> bool {
    manager != MANAGER && !manager.starts_with("kube-") && manager != "pilot-discovery"
}

/// Moves the fields of who installs to our manager, of the object that was planned and no other.
///
/// The patch holds the state that it was made from. Where that moved since (a status was written),
/// or our own patch was done and its answer lost, it is made anew from what is there now. Gives the
/// object as it is then.
async fn take_fields(
    member: &Member,
    key: &Key,
    path: &str,
    planned: &Value,
) -> Result<Value, ApplyError> {
    const TRIES: usize = 5;
    let client = member.client();
    let mut live = planned.clone();
    for _ in 0..TRIES {
        let fields = field::adopt_managed_fields(&live, &is_installer, MANAGER);
        let Some(fields) = fields else { return Ok(live) };
        let version = live.pointer("/metadata/resourceVersion").cloned();
        let patch = json!({"metadata": {"managedFields": fields, "resourceVersion": version}});
        match client.merge(path, &patch).await {
            Err(error) if error.is(409) => {}
            other => return other.map_err(doing(format!("adopting {key}"))),
        }
        let now = client.get(path).await.map_err(doing(format!("reading {key}")))?;
        match now.filter(|now| uid(now) == uid(planned)) {
            Some(now) => live = now,
            None => return Err(ApplyError::Moved(format!("{key} was made anew by somebody else"))),
        }
    }
    Err(ApplyError::Moved(format!("{key} changes all the time: it cannot be adopted")))
}

/// Managers whose fields an adoption moves to ours: those that install.
pub fn is_installer(manager: &str) -> bool {
    manager == "istio-operator" || manager == "helm" || manager.starts_with("kubectl")
}
