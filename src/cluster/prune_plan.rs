//! What is taken away, and what keeps it.

use std::cmp::Reverse;

use serde_json::Value;

use super::desired::rank;
use super::inventory::Entry;
use super::key::Key;
use super::plan::{Action, ClusterPlan, Refusal, Step, View, uid};
use super::rotation::is_second;
use crate::tree::stage_name::ISTIOD;

/// Marks an object that is never pruned, as a label or an annotation.
pub const KEEP: &str = "meshgen.dev/keep";
/// More objects than this are not pruned without being asked for.
const PRUNE_MAX: usize = 20;
/// More of an inventory than this, in percent, is not pruned without being asked for.
const PRUNE_PERCENT: usize = 30;

pub(super) fn prunes(plan: &mut ClusterPlan, view: &View<'_>, uninstall: bool) {
    let mut steps = Vec::new();
    for (key, entry) in &view.inventory.entries {
        let retired = entry
            .cluster
            .as_ref()
            .is_some_and(|name| view.options.retired.iter().any(|retired| retired == name));
        let is_wanted = view.wanted.get(key).is_some() || view.wanted.pending.contains_key(key);
        let goes = if view.options.retired.is_empty() { !is_wanted } else { uninstall || retired };
        if !goes {
            continue;
        }
        if let Some(why) = view.live.unreadable.get(key) {
            plan.unreadable.push((key.clone(), why.clone()));
            continue;
        }
        let Some(live) = view.live.objects.get(key) else {
            // another apply drops the entry by the way, and need not be made for it
            if !view.options.retired.is_empty() {
                plan.gone.push(key.clone());
            }
            continue;
        };
        match stays(view, key, entry, live, uninstall || retired) {
            Some(why) => plan.kept.push((key.clone(), why)),
            None => steps.push(Step {
                key: key.clone(),
                action: Action::Prune,
                stage: entry.stage.clone(),
                api_version: entry.api_version.clone(),
                desired: None,
                live: Some(live.clone()),
                after: None,
                force: false,
                writes: true,
            }),
        }
    }
    guard(plan, view, &steps, uninstall);
    let mut leftovers = Vec::new();
    for (key, live) in view.leftovers.iter().filter(|_| view.options.leftovers) {
        if is_marked(live) {
            plan.kept.push((key.clone(), marked()));
            continue;
        }
        leftovers.push(Step {
            key: key.clone(),
            action: Action::Prune,
            stage: ISTIOD.to_owned(),
            api_version: text(live, "apiVersion"),
            desired: None,
            live: Some(live.clone()),
            after: None,
            force: false,
            writes: true,
        });
    }
    // they were asked for; so many are another installation
    if leftovers.len() > PRUNE_MAX && !view.options.allow_prune {
        let count = leftovers.len();
        plan.refusals.push(Refusal {
            key: None,
            message: format!("{count} objects that istioctl left would be pruned"),
            hint: Some("look at the plan, then give `--allow-prune`".to_owned()),
        });
    }
    steps.extend(leftovers);
    // webhooks first, so that nothing is left that calls what goes; then stages backwards
    let order = |step: &Step| {
        (
            !step.key.is_webhook(),
            Reverse(step.stage.clone()),
            Reverse(rank(&step.key)),
            step.key.clone(),
        )
    };
    steps.sort_by_key(order);
    plan.steps.extend(steps);
}

fn text(live: &Value, key: &str) -> String {
    live.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether an object bears [`KEEP`], as a label or an annotation.
fn is_marked(live: &Value) -> bool {
    ["/metadata/labels", "/metadata/annotations"].iter().any(|map| {
        let mark = live.pointer(map).and_then(|map| map.get(KEEP)).and_then(Value::as_str);
        mark == Some("true")
    })
}

fn marked() -> String {
    format!("it bears `{KEEP}: \"true\"`")
}

/// Why an object that is not in the tree stays.
fn stays(view: &View<'_>, key: &Key, entry: &Entry, live: &Value, retired: bool) -> Option<String> {
    if entry.joined {
        return Some("it was there before meshgen".to_owned());
    }
    if entry.uid.as_deref() != uid(live) {
        return Some("somebody made it anew: it is not meshgen's any more".to_owned());
    }
    if view.options.prune.names(view.cluster, key) {
        return None;
    }
    if key.is_namespace() || key.is_crd() {
        return Some(format!(
            "a {} is pruned when it is asked for by name: `--prune {key}`",
            key.kind
        ));
    }
    if is_marked(live) {
        return Some(marked());
    }
    // peers may have its token, and only a rotation knows when they do not any more
    if is_second(live) && !retired {
        let name = view.cluster;
        return Some(format!("a token is being made anew: `meshgen pki rotate-tokens {name}`"));
    }
    let of = entry.cluster.as_ref()?;
    let in_tree = view.clusters.iter().any(|name| name == of);
    (!in_tree && !retired).then(|| format!("`{of}` is in the tree no more: `meshgen retire {of}`"))
}

fn guard(plan: &mut ClusterPlan, view: &View<'_>, steps: &[Step], uninstall: bool) {
    if steps.is_empty() || uninstall {
        return;
    }
    let (count, all) = (steps.len(), view.inventory.entries.len());
    let list: Vec<String> = steps.iter().take(5).map(|step| step.key.to_string()).collect();
    let more = if count > 5 { ", …" } else { "" };
    if view.wanted.objects.is_empty() && !view.options.allow_empty {
        plan.refusals.push(Refusal {
            key: None,
            message: format!(
                "the tree holds nothing for this cluster; all {count} objects would go"
            ),
            hint: Some("`--allow-empty`, if that is meant; or is it the wrong tree?".to_owned()),
        });
    }
    let many = count > PRUNE_MAX || count * 100 > all * PRUNE_PERCENT;
    // those that were asked for, one by one, are meant
    let asked = steps.iter().all(|step| view.options.prune.names(view.cluster, &step.key))
        || steps.iter().all(|step| {
            view.inventory.entries.get(&step.key).is_some_and(|entry| {
                entry.cluster.as_ref().is_some_and(|of| view.options.retired.contains(of))
            })
        });
    if many && !asked && !view.options.allow_prune {
        plan.refusals.push(Refusal {
            key: None,
            message: format!("{count} of {all} objects would be pruned: {}{more}", list.join(", ")),
            hint: Some("look at the plan, then give `--allow-prune`".to_owned()),
        });
    }
}
