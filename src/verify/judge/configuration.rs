//! Whether the clusters hold what was reviewed.

use super::super::report::{Finding, Status};
use super::{Verdict, View, count, count_of};
use crate::cluster::readiness::{Readiness, readiness};
use crate::cluster::{Action, Desired, Key, NAMESPACE, NETWORK_LABEL};
use crate::tree::stage_name::SAMPLES;
use crate::verify::seen::text;

/// Differences of one cluster that are listed one by one.
const LISTED: usize = 12;

pub fn clusters(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for seen in &view.seen.clusters {
        if let Some(lost) = &seen.lost {
            let status = if lost.stranger { Status::Failed } else { Status::NotLooked };
            verdict.add(status, &seen.name, lost.why.clone()).hint.clone_from(&lost.hint);
        }
    }
    let looked = view.looked().count();
    verdict.summary =
        count_of(looked, "cluster answers, the right one", "clusters answer, the right ones");
    verdict
}

pub fn objects(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut equal = 0;
    for seen in view.looked() {
        let Some(surveyed) = &seen.surveyed else { continue };
        let (name, plan) = (&seen.name, &surveyed.plan);
        equal += plan.unchanged.len();
        let mut differ: Vec<Finding> = Vec::new();
        let mut say = |message: String, evidence: Vec<String>, hint: Option<String>| {
            differ.push(Finding { message, evidence, hint, ..Finding::default() });
        };
        for step in plan.steps.iter().filter(|step| step.writes) {
            let key = step.key.to_string();
            let what = match &step.action {
                Action::Create => format!("{key} is not there"),
                Action::Prune => format!("{key} is there, and the tree has it no more"),
                _ => format!("{key} is not as the tree has it"),
            };
            say(what, seen.fields.get(&key).cloned().unwrap_or_default(), None);
        }
        // what is no object's is for other checks
        for refusal in &plan.refusals {
            if let Some(key) = &refusal.key {
                say(format!("{key}: {}", refusal.message), Vec::new(), refusal.hint.clone());
            }
        }
        for held in &plan.held {
            let (key, why) = (&held.key, &held.why);
            if seen.pending.contains(key) {
                verdict.warning(name, format!("{key} is pending: {why}"));
            } else if surveyed.live.objects.contains_key(key) {
                verdict.not_looked(name, format!("{key} cannot be compared: {why}"));
            } else {
                say(format!("{key} is not there: {why}"), Vec::new(), held.hint.clone());
            }
        }
        for (key, why) in &plan.unreadable {
            verdict.not_looked(name, format!("{key} cannot be read: {why}"));
        }
        let more = differ.len().saturating_sub(LISTED);
        for one in differ.into_iter().take(LISTED) {
            let finding = verdict.failed(name, one.message);
            (finding.evidence, finding.hint) = (one.evidence, one.hint);
        }
        if more > 0 {
            verdict.failed(name, format!("{} more differ", count(more, "object")));
        }
        if surveyed.inventory.unfinished {
            verdict.warning(name, "its last apply was not finished".to_owned());
        }
    }
    verdict.summary = format!("{} equal to the tree", count(equal, "object"));
    verdict
}

pub fn ready(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let Some(surveyed) = &seen.surveyed else { continue };
        let member = view.mesh.members.iter().find(|member| member.name == seen.name);
        for desired in member.into_iter().flat_map(|member| &member.wanted.objects) {
            // what is not there is said already
            let Some(live) = surveyed.live.objects.get(&desired.key) else { continue };
            match readiness(live) {
                Readiness::Ready => right += 1,
                Readiness::Waiting(_) | Readiness::Failed(_) if has_own_check(desired) => {}
                Readiness::Waiting(why) | Readiness::Failed(why) => {
                    verdict.failed(&seen.name, format!("{}: {why}", desired.key));
                }
            }
        }
    }
    verdict.summary = format!("{} ready", count(right, "object"));
    verdict
}

/// Whether another check says why an object is not ready.
fn has_own_check(desired: &Desired) -> bool {
    let is_istiod = text(&desired.rendered, "/metadata/labels/app") == Some("istiod");
    desired.stage == SAMPLES
        || desired.key.is("", "Service")
        || (is_istiod && desired.key.is("apps", "Deployment"))
}

pub fn network(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let key = Key::namespace(NAMESPACE);
    let label = format!("/metadata/labels/{}", NETWORK_LABEL.replace('/', "~1"));
    let mut right = 0;
    for seen in view.looked() {
        let Some(surveyed) = &seen.surveyed else { continue };
        let wanted = &seen.network;
        if let Some(why) = seen.unreadable(&key) {
            verdict.not_looked(&seen.name, format!("{key} cannot be read: {why}"));
            continue;
        }
        let Some(live) = surveyed.live.objects.get(&key) else {
            verdict.failed(&seen.name, format!("there is no namespace {NAMESPACE}"));
            continue;
        };
        match text(live, &label) {
            Some(found) if found == wanted => right += 1,
            Some(found) => {
                verdict.failed(
                    &seen.name,
                    format!("namespace {NAMESPACE} says network `{found}`, and it is `{wanted}`"),
                );
            }
            None => {
                verdict.failed(
                    &seen.name,
                    format!("namespace {NAMESPACE} has no label {NETWORK_LABEL}, and the network is `{wanted}`"),
                );
            }
        }
    }
    verdict.summary = format!("{} labelled with the network", count(right, "cluster"));
    verdict
}

pub fn expose(view: &View<'_>) -> Verdict {
    if view.is_one_network() {
        return Verdict::skip("the mesh has one network");
    }
    let mut verdict = Verdict::default();
    let mut exposed = 0;
    for seen in view.looked() {
        let (Some(gateways), Some(exposures)) =
            (verdict.take(&seen.name, &seen.gateways), verdict.take(&seen.name, &seen.exposures))
        else {
            continue;
        };
        for gateway in gateways {
            // a Gateway takes pods that bear all of its selector; a Service's pods bear all of its own
            let fits =
                exposures.iter().find(|exposure| {
                    exposure.selector.iter().all(|(key, value)| {
                        gateway.selector.get(key).is_none_or(|own| own == value)
                    }) && exposure.selector.keys().any(|key| gateway.selector.contains_key(key))
                        && exposure.ports.contains(&gateway.port)
                });
            if fits.is_some() {
                exposed += 1;
                continue;
            }
            let (name, port) = (&gateway.name, gateway.port);
            let finding = verdict.failed(
                &seen.name,
                format!("no Gateway in mode AUTO_PASSTHROUGH takes port {port} of {name}"),
            );
            let others: Vec<&str> = exposures.iter().map(|one| one.name.as_str()).collect();
            if !others.is_empty() {
                finding.evidence.push(format!("there are {}", others.join(", ")));
            }
        }
    }
    verdict.summary =
        count_of(exposed, "gateway lets services through", "gateways let services through");
    verdict
}
