//! What is done to one object that the tree wants.

use std::sync::Arc;

use serde_json::Value;

use super::client::{Cause, MANAGER};
use super::desired::{Desired, in_data, without_sops};
use super::field;
use super::key::Key;
use super::plan::{Action, Answer, ClusterPlan, Held, Refusal, Step, View, is_leaving, owns};
use super::present::unbound;
use super::write::is_installer;

pub(super) fn object(plan: &mut ClusterPlan, view: &View<'_>, desired: &Arc<Desired>) {
    let key = &desired.key;
    if let Some(why) = view.live.unreadable.get(key) {
        plan.unreadable.push((key.clone(), why.clone()));
        return;
    }
    let live = view.live.objects.get(key);
    // before the answer is looked at: the server refuses to drop such a version
    if let Some(note) = live.and_then(|live| needs_version(desired, live)) {
        plan.notes.push(note);
        return plan.unchanged.push(key.clone());
    }
    let answer = view.answers.get(key);
    match answer {
        Some(Answer::Refused(why)) => {
            return plan.refusals.push(Refusal {
                key: Some(key.clone()),
                message: why.clone(),
                hint: None,
            });
        }
        Some(Answer::Sealed(why)) => plan.refusals.push(Refusal {
            key: Some(key.clone()),
            message: why.clone(),
            hint: Some("give an age identity: `--identity FILE` or SOPS_AGE_KEY_FILE".to_owned()),
        }),
        _ => {}
    }
    if let Some(Answer::Unbound(why, hint)) = answer {
        let held = Held { key: key.clone(), why: why.clone(), hint: hint.clone() };
        return plan.held.push(held);
    }
    let mut step = Step {
        key: key.clone(),
        action: Action::Change,
        stage: desired.stage.clone(),
        api_version: desired.identity.api_version.clone(),
        desired: Some(desired.clone()),
        live: live.cloned(),
        after: None,
        force: view.options.force.contains(view.cluster, key),
        writes: true,
    };
    let Some(live) = live.filter(|live| !is_leaving(live)) else {
        step.action = Action::Create;
        if let Some(Answer::Object(after)) = answer {
            step.after = Some(after.clone());
        }
        plan.steps.push(step);
        return;
    };
    let owned = owns(view.inventory, key, live);
    let joined = view.inventory.entries.get(key).is_some_and(|entry| entry.joined);
    if let Some(Answer::Immutable { field, message }) = answer {
        return recreate(plan, view, step, field, message);
    }
    if let Some(Answer::Conflicts(causes)) = answer
        && (owned || joined || key.is_namespace())
    {
        return conflict(plan, key, causes);
    }
    let differs = differs(&mut step, plan, answer, live, owned);
    if owned {
        if differs {
            plan.steps.push(step);
        } else {
            plan.unchanged.push(key.clone());
        }
        return;
    }
    foreign(plan, view, step, differs);
}

/// Whether an apply would change what is there, as far as that is known; the step is told how.
fn differs(
    step: &mut Step,
    plan: &mut ClusterPlan,
    answer: Option<&Answer>,
    live: &Value,
    owned: bool,
) -> bool {
    match answer {
        None => {
            step.writes = false;
            false
        }
        Some(Answer::Object(after)) => {
            let same = field::normal(after) == field::normal(live);
            let managed = field::managed(after, MANAGER) == field::managed(live, MANAGER);
            step.after = Some(after.clone());
            step.writes = !(same && managed);
            if owned { step.writes } else { !same }
        }
        Some(Answer::Unasked(why)) => {
            plan.notes.push(format!("{} was compared by the fields that we own: {why}", step.key));
            let after = unasked(step.desired.as_deref(), live);
            let same = after == field::normal(live);
            step.after = Some(after);
            !same
        }
        Some(_) => true,
    }
}

/// What an apply would give, as far as that can be told without asking: our fields as the tree has
/// them, and without those that it has no more.
fn unasked(desired: Option<&Desired>, live: &Value) -> Value {
    let normal = field::normal(live);
    let Some(desired) = desired else { return normal };
    let wanted = field::hand_over(&desired.rendered, Some(live), &desired.handover, MANAGER);
    let wanted = match desired.bindings.as_slice() {
        [] => in_data(without_sops(&wanted, &desired.sealed)),
        // the token is not ours to compare here
        _ if field::contains(&wanted, &unbound(desired, &normal)) => Value::Null,
        _ => wanted,
    };
    let ours = field::managed(live, MANAGER).unwrap_or_default();
    let others = field::other_owners(live, MANAGER);
    let others = others.iter().fold(field::FieldSet::default(), |all, (_, set)| all.union(set));
    if wanted.is_null() {
        return normal;
    }
    let kept = field::drop_fields(&normal, &ours, &others, &wanted);
    if field::contains(&wanted, &kept) { kept } else { field::overlay(&kept, &wanted) }
}

/// An object that is there, and that the inventory does not hold.
fn foreign(plan: &mut ClusterPlan, view: &View<'_>, mut step: Step, differs: bool) {
    let (key, live) = (step.key.clone(), step.live.as_ref());
    let managers = live.map(field::managers).unwrap_or_default();
    let adopts = view.options.adopt.contains(view.cluster, &key);
    let is_installed = live.is_some_and(|live| !field::foreign_in(live, &is_installer).is_empty());
    step.action = match (differs, key.is_namespace()) {
        // made by us a moment ago, or by an apply that was killed before it could say so
        (_, true) if managers == [MANAGER] => Action::Take,
        (_, true) => Action::Join,
        // what an installer set beside us would stay when the tree drops it
        (false, false) if adopts && is_installed => Action::Adopt,
        (false, false) => Action::Take,
        (true, false) => Action::Adopt,
    };
    // the dry run was forced: without, a default that the other manager's apply filled in is
    // a conflict, though nothing differs
    step.force |= step.action == Action::Take;
    step.writes |= step.action == Action::Adopt;
    if step.action == Action::Adopt {
        step.force = true;
        if !adopts {
            let by = match managers.as_slice() {
                [] => String::new(),
                list => format!(" (managed by {})", list.join(", ")),
            };
            plan.refusals.push(Refusal {
                key: Some(key.clone()),
                message: format!("it is there already{by}, differs, and meshgen does not own it"),
                hint: Some(format!(
                    "`--adopt` takes it over (or `--adopt {key}` this one alone); the diff shows \
                     what would change"
                )),
            });
        }
    }
    plan.steps.push(step);
}

/// Why a CRD is left as it is: objects are stored in a version that ours does not have, and the
/// server would refuse to drop it.
fn needs_version(desired: &Desired, live: &Value) -> Option<String> {
    if !desired.key.is_crd() {
        return None;
    }
    let stored = live.pointer("/status/storedVersions")?.as_array()?;
    let ours = desired.rendered.pointer("/spec/versions")?.as_array()?;
    let has = |version: &&Value| ours.iter().any(|own| own.get("name") == Some(version));
    let lacking = stored.iter().find(|version| !has(version))?.as_str()?;
    Some(format!("{} is left as it is: objects of it are stored as `{lacking}`", desired.key))
}

fn conflict(plan: &mut ClusterPlan, key: &Key, causes: &[Cause]) {
    let fields: Vec<String> = causes
        .iter()
        .map(|cause| format!("`{}` ({})", cause.field, other_manager(&cause.message)))
        .collect();
    plan.refusals.push(Refusal {
        key: Some(key.clone()),
        message: format!("others manage fields that differ: {}", fields.join(", ")),
        hint: Some(format!(
            "`--force-conflicts {key}` takes them; or let the tree say what they say"
        )),
    });
}

/// The manager of a conflict: `conflict with "kubectl-edit" using v1`.
fn other_manager(message: &str) -> &str {
    message.split('"').nth(1).unwrap_or(message)
}

fn recreate(plan: &mut ClusterPlan, view: &View<'_>, mut step: Step, field: &str, message: &str) {
    let key = step.key.clone();
    step.action = Action::Recreate { field: field.to_owned() };
    let never = key.is_namespace() || key.is_crd() || key.is("", "PersistentVolumeClaim");
    let freely = key.group == "rbac.authorization.k8s.io" && key.kind.ends_with("Binding");
    let live = step.live.as_ref();
    let owned = live.is_some_and(|live| owns(view.inventory, &key, live));
    if never {
        return plan.refusals.push(Refusal {
            key: Some(key),
            message: format!("`{field}` cannot change, and it is never deleted: {message}"),
            hint: None,
        });
    }
    if !owned && !view.options.adopt.contains(view.cluster, &key) {
        return plan.refusals.push(Refusal {
            key: Some(key.clone()),
            message: format!("`{field}` cannot change, and meshgen does not own it: {message}"),
            hint: Some(format!("`--adopt {key} --recreate {key}` deletes and creates it")),
        });
    }
    let selected = view.options.recreate.names(view.cluster, &key);
    if !(selected || (freely && owned)) {
        plan.refusals.push(Refusal {
            key: Some(key.clone()),
            message: format!("`{field}` cannot change: {message}"),
            hint: Some(format!("`--recreate {key}` deletes and creates it: {}", loss(&key))),
        });
    }
    plan.steps.push(step);
}

/// What is lost when an object is deleted and made anew.
fn loss(key: &Key) -> &'static str {
    match key.kind.as_str() {
        "Service" => "a Service loses its cluster IP and the address of its load balancer",
        "Deployment" | "DaemonSet" | "StatefulSet" | "Job" => "all its pods end at once",
        "Secret" => "what the cluster wrote into it, such as a token, is lost",
        _ => "it is missing for a moment",
    }
}
