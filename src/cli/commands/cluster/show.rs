//! How plans look.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::session::Unconnected;
use crate::cli::{CommandError, Context, Format};
use crate::cluster::{ClusterPlan, Mesh, Survey, changes, renews_token};
use crate::diff::{Changes, MARKDOWN_LIMIT, TextOptions, to_html, to_json, to_markdown, to_text};
use crate::store::Digest;
use crate::tree::API_VERSION;

/// A plan of all clusters, ready to be shown.
pub struct Shown<'a> {
    /// The clusters.
    pub mesh: &'a Mesh,
    /// What would be done.
    pub survey: &'a Survey,
    /// Clusters that could not be connected to.
    pub missing: &'a [Unconnected],
    /// The tree as it was called.
    pub label: &'a str,
    /// Its digest.
    pub digest: Digest,
    /// Only the summary, and one line a change.
    pub brief: bool,
}

/// Actions in the order in which they are counted.
const WORDS: [&str; 7] = ["create", "change", "recreate", "adopt", "take", "join", "prune"];

impl Shown<'_> {
    /// What differs, as `diff` has it.
    pub fn changes(&self) -> Result<Changes, CommandError> {
        Ok(changes(self.mesh, self.survey, self.label, self.digest)?)
    }

    /// Says the plan on stderr: the summary, and a line a change.
    pub fn note(&self, context: &Context) -> Result<(), CommandError> {
        context.note(self.summary().trim_end());
        let changes = self.changes()?;
        if !changes.is_empty() {
            let options = TextOptions { colour: context.colour, brief: true };
            context.note(&format!("\n{}", to_text(&changes, options).trim_end()));
        }
        Ok(())
    }

    /// Prints the plan in the format that was asked for.
    pub fn print(&self, context: &Context) -> Result<(), CommandError> {
        let changes = self.changes()?;
        match context.output {
            // `junit` was refused before (cli/mod.rs)
            Format::Text | Format::Junit => {
                let options = TextOptions { colour: context.colour_out, brief: self.brief };
                let mut text = self.summary();
                if !changes.is_empty() {
                    text.push('\n');
                    text.push_str(&to_text(&changes, options));
                }
                context.print(&text);
            }
            Format::Json => {
                let diff: Value = serde_json::from_str(&to_json(&changes)).unwrap_or(Value::Null);
                let mut value = self.json();
                value["changes"] = diff;
                context.print_json(&value);
            }
            Format::Markdown => {
                let fence = format!("```\n{}```\n\n", self.summary());
                let room = MARKDOWN_LIMIT.saturating_sub(fence.len()).max(1000);
                context.print(&format!("{fence}{}", to_markdown(&changes, room)));
            }
            Format::Html => context.print(&to_html(&changes)),
        }
        Ok(())
    }

    /// One line a cluster, then what people should know.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let clusters = self.mesh.clusters.len();
        let digest = self.digest.to_string();
        let _ = writeln!(
            text,
            "{} ({}) for {clusters} clusters",
            self.label,
            &digest[..19.min(digest.len())]
        );
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for (member, surveyed) in self.mesh.members.iter().zip(self.survey) {
            let line = match surveyed {
                Ok(surveyed) => {
                    let first =
                        if surveyed.records.inventory.is_none() { ", first contact" } else { "" };
                    format!("{}{first}", counts(&surveyed.plan))
                }
                Err(why) => format!("could not be looked at: {why}"),
            };
            lines.insert(&member.name, line);
        }
        for one in self.missing {
            lines.insert(&one.name, format!("could not be connected to: {}", one.error));
        }
        for name in &self.mesh.clusters {
            let line = lines.get(name.as_str()).map_or("left out", String::as_str);
            let _ = writeln!(text, "  {name}  {line}");
        }
        for (member, surveyed) in self.mesh.members.iter().zip(self.survey) {
            if let Ok(surveyed) = surveyed {
                remarks(&mut text, &member.name, &surveyed.plan);
            }
        }
        text
    }

    fn json(&self) -> Value {
        let cluster = |at: usize| {
            let member = &self.mesh.members[at];
            match &self.survey[at] {
                Ok(surveyed) => {
                    let plan = &surveyed.plan;
                    let step = |step: &crate::cluster::Step| {
                        json!({
                            "action": step.action.word(),
                            "object": step.key.to_string(),
                            "apiVersion": step.api_version,
                            "stage": step.stage,
                            "uid": step.uid(),
                        })
                    };
                    let refusal = |refusal: &crate::cluster::Refusal| {
                        json!({
                            "object": refusal.key.as_ref().map(ToString::to_string),
                            "message": refusal.message,
                            "hint": refusal.hint,
                        })
                    };
                    json!({
                        "name": member.name,
                        "context": member.context,
                        "uid": surveyed.records.uid,
                        "firstContact": surveyed.records.inventory.is_none(),
                        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
                        "unchanged": plan.unchanged.len(),
                        "kept": plan.kept.iter().map(|(key, why)| json!({"object": key.to_string(), "why": why})).collect::<Vec<_>>(),
                        "held": plan.held.iter().map(|held| json!({"object": held.key.to_string(), "why": held.why, "hint": held.hint})).collect::<Vec<_>>(),
                        "refusals": plan.refusals.iter().map(refusal).collect::<Vec<_>>(),
                        "notes": plan.notes,
                        "unreadable": plan.unreadable.iter().map(|(key, why)| json!({"object": key.to_string(), "why": why})).collect::<Vec<_>>(),
                    })
                }
                Err(why) => json!({"name": member.name, "context": member.context, "error": why}),
            }
        };
        let mut clusters: Vec<Value> = (0..self.mesh.members.len()).map(cluster).collect();
        for one in self.missing {
            clusters.push(json!({"name": one.name, "error": one.error.to_string()}));
        }
        json!({
            "apiVersion": API_VERSION,
            "kind": "Plan",
            "tree": {"tree": self.label, "digest": self.digest.to_string()},
            "clusters": clusters,
        })
    }
}

/// `3 to create, 1 to change, 51 unchanged`.
pub fn counts(plan: &ClusterPlan) -> String {
    let mut parts: Vec<String> = Vec::new();
    for word in WORDS {
        let count = plan.of(word).count();
        if count > 0 {
            parts.push(format!("{count} to {word}"));
        }
    }
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    parts.push(format!("{} unchanged", plan.unchanged.len()));
    if !plan.held.is_empty() {
        parts.push(format!("{} held back", plan.held.len()));
    }
    parts.join(", ")
}

fn remarks(text: &mut String, cluster: &str, plan: &ClusterPlan) {
    let hint = |hint: &Option<String>| {
        hint.as_ref().map(|hint| format!("\n      {hint}")).unwrap_or_default()
    };
    for refusal in &plan.refusals {
        let key = refusal.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        let _ = writeln!(text, "  ! {cluster}: {key}{}{}", refusal.message, hint(&refusal.hint));
    }
    for held in &plan.held {
        let _ = writeln!(
            text,
            "  ? {cluster}: {} is held back: {}{}",
            held.key,
            held.why,
            hint(&held.hint)
        );
    }
    for (key, why) in &plan.unreadable {
        let _ = writeln!(text, "  ? {cluster}: {key} could not be read: {why}");
    }
    for (key, why) in &plan.kept {
        let _ = writeln!(text, "  = {cluster}: {key} stays: {why}");
    }
    for step in &plan.steps {
        let key = &step.key;
        if let crate::cluster::Action::Recreate { field } = &step.action {
            let _ = writeln!(
                text,
                "  - {cluster}: {key} is deleted and created: `{field}` cannot change"
            );
        }
        if step.live.is_some() && renews_token(step) {
            let _ = writeln!(text, "  ~ {cluster}: {key} gets another token");
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "  {cluster}: {note}");
    }
}
