//! What an apply says while it goes on, and what it came to.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::{Context, Exit};
use crate::cluster::{Event, Held, Key, Mesh, Outcome, Report, Survey};
use crate::tree::source::Source;

/// The actions that were shown.
pub fn consented(mesh: &Mesh, survey: &Survey) -> BTreeMap<String, Vec<(Key, &'static str)>> {
    let all = mesh.members.iter().zip(survey).filter_map(|(member, surveyed)| {
        let steps = &surveyed.as_ref().ok()?.plan.steps;
        let said = steps.iter().map(|step| (step.key.clone(), step.action.word())).collect();
        Some((member.name.clone(), said))
    });
    all.collect()
}

/// Says what goes on, on stderr.
pub fn tell(context: &Context, event: &Event) {
    match event {
        Event::Did { cluster, stage, action, key } => {
            context.note(&format!("{cluster}  {stage}  {action} {key}"));
        }
        Event::Waiting { cluster, what } => context.note(&format!("{cluster}  waiting for {what}")),
        Event::Note { cluster, text } => context.note(&format!("{cluster}  {text}")),
    }
}

/// What it came to: data on stdout, what is left on stderr.
pub fn conclude(context: &Context, reports: &[Report], source: &Source, again: &str) -> Exit {
    let mut exit = Exit::Done;
    for report in reports {
        let is_done = matches!(report.outcome, Outcome::Unchanged | Outcome::Done);
        if !is_done || !report.held.is_empty() {
            exit = Exit::Partial;
        }
    }
    if context.json() {
        let clusters: Vec<_> = reports.iter().map(to_json).collect();
        context.print_json(&json!({
            "tree": source.digest.to_string(),
            "clusters": clusters,
        }));
        return exit;
    }
    for report in reports {
        context.print(&format!("{}  {}\n", report.cluster, words(report)));
        for held in &report.held {
            let Held { key, why, hint } = held;
            context.note(&format!("{}  {key} is held back: {why}", report.cluster));
            if let Some(hint) = hint {
                context.note(&format!("hint: {hint}"));
            }
        }
        match &report.outcome {
            Outcome::NeedsControlPlane => context.note(&format!(
                "hint: `istioctl install -f out/{0}/istio-operator.yaml` in `{0}`, then `meshgen apply` again",
                report.cluster
            )),
            Outcome::Failed(_, hint) => {
                if !report.left.is_empty() {
                    let list: Vec<String> = report.left.iter().take(8).map(ToString::to_string).collect();
                    let more = if report.left.len() > 8 { ", …" } else { "" };
                    context.note(&format!("{}  left: {}{more}", report.cluster, list.join(", ")));
                }
                let again = format!("`{again}` goes on from here");
                context.note(&format!("hint: {}", hint.as_deref().unwrap_or(&again)));
            }
            _ => {}
        }
    }
    exit
}

fn words(report: &Report) -> String {
    let objects = if report.done == 1 { "1 object" } else { &format!("{} objects", report.done) };
    match &report.outcome {
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Done => format!("done, {objects} written"),
        Outcome::NeedsControlPlane => "waits for istiod: the tree does not bring one".to_owned(),
        Outcome::NotBegun(why) => format!("not begun: {why}"),
        Outcome::Failed(why, _) => format!("failed after {objects}: {why}"),
    }
}

fn to_json(report: &Report) -> serde_json::Value {
    let (outcome, why) = match &report.outcome {
        Outcome::Unchanged => ("unchanged", None),
        Outcome::Done => ("done", None),
        Outcome::NeedsControlPlane => ("needsControlPlane", None),
        Outcome::NotBegun(why) => ("notBegun", Some(why)),
        Outcome::Failed(why, _) => ("failed", Some(why)),
    };
    let held =
        |held: &Held| json!({"object": held.key.to_string(), "why": held.why, "hint": held.hint});
    json!({
        "name": report.cluster,
        "outcome": outcome,
        "why": why,
        "written": report.done,
        "left": report.left.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "held": report.held.iter().map(held).collect::<Vec<_>>(),
    })
}
