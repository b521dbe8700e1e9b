//! `meshgen status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::cluster::session::{self, ConnectArgs, Look, Request, Unconnected};
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::readiness::{Readiness, readiness};
use crate::cluster::{Applied, Entry, Inventory, Key, Mesh, Surveyed};
use crate::diff::{TextOptions, to_json, to_text};
use crate::store::{Catalogue, Digest, Store};
use crate::tree::source::{Source, resolve};
use crate::tree::view;

/// Say for each cluster which tree is applied, what has drifted from it, and what is not ready.
///
/// Drift is live state that differs from the applied tree in a field that meshgen owns. A cluster is
/// compared with the tree that was applied to it, if out/ or the store has it, else with out/. Rights
/// to read suffice; what could not be read is said.
///
/// Exit 0 when nothing drifted, 1 when something did, or when a cluster has no apply yet, 3 when a
/// cluster could not be looked at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connect: ConnectArgs,
}

/// One cluster as it is shown.
#[derive(Default)]
struct Row {
    name: String,
    /// The tree that was applied, if any.
    applied: Option<Digest>,
    last: Option<Applied>,
    unfinished: bool,
    /// Whether the current tree has the same rows for this cluster.
    current: bool,
    /// Why it could not be looked at.
    error: Option<String>,
    ready: usize,
    waiting: Vec<(String, String)>,
    drift: Vec<(String, String)>,
    unreadable: Vec<(String, String)>,
    notes: Vec<String>,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, None, None)?;
    let store = Store::open(&context.disk, &view::store_folder(&context.project.join("out")))?;
    let catalogue = store.generations()?;
    session::block_on(async {
        let request = Request::reading(&source, &args.connect);
        let mut look = session::look(context, request).await?;
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut texts = Vec::new();
        // a cluster that has another tree is compared with that one
        for (at, tree) in others(context, &look, &source) {
            let name = look.mesh.members[at].name.clone();
            let request = Request::reading(&tree, &args.connect);
            let (mesh, missing) =
                session::open_as(context, request, std::slice::from_ref(&name)).await?;
            let other = Look::at(mesh, missing).await;
            if let Some(surveyed) = other.survey.first() {
                rows.insert(name, row(&other.mesh, 0, surveyed.as_ref(), &source));
                texts.push(other.shown(&tree, false).changes()?);
                look.survey[at] = Err("it is shown with its own tree".to_owned());
            }
        }
        for (at, surveyed) in look.survey.iter().enumerate() {
            let row = row(&look.mesh, at, surveyed.as_ref(), &source);
            rows.entry(row.name.clone()).or_insert(row);
        }
        texts.insert(0, look.shown(&source, false).changes()?);
        texts.retain(|changes| !changes.is_empty());
        let missing = &look.missing;
        for one in missing {
            rows.insert(one.name.clone(), unconnected(one));
        }
        let options = TextOptions { colour: context.colour_out, brief: false };
        if context.output == Format::Json {
            let drift: Vec<Value> = texts
                .iter()
                .map(|changes| serde_json::from_str(&to_json(changes)).unwrap_or(Value::Null))
                .collect();
            let clusters: Vec<Value> = rows.values().map(|row| row.json(&catalogue)).collect();
            context.print_json(&json!({
                "mesh": source.index.mesh,
                "tree": source.digest.to_string(),
                "clusters": clusters,
                "drift": drift,
            }));
        } else {
            let mut text: String = rows.values().map(|row| row.text(&catalogue)).collect();
            for changes in &texts {
                text.push('\n');
                text.push_str(&to_text(changes, options));
            }
            context.print(&text);
        }
        Ok(exit(&rows))
    })
}

/// The trees of clusters that have another one than out/ applied, where they can be had, by the
/// places of the members.
fn others(context: &Context, look: &Look, source: &Source) -> Vec<(usize, Source)> {
    let mut others = Vec::new();
    for (at, surveyed) in look.survey.iter().enumerate() {
        let inventory = surveyed.as_ref().ok().and_then(|found| found.records.inventory.as_ref());
        let Some(inventory) = inventory else { continue };
        let tree = inventory.tree.filter(|tree| *tree != source.digest);
        let Some(tree) = tree.filter(|_| !is_current(&look.mesh.members[at].wanted, inventory))
        else {
            continue;
        };
        if let Ok(other) = resolve(&context.disk, &context.project, Some(&tree.to_string())) {
            others.push((at, other));
        }
    }
    others
}

/// Whether a tree has for a cluster just what its inventory says was sent.
fn is_current(wanted: &crate::cluster::Wanted, inventory: &Inventory) -> bool {
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

fn row(mesh: &Mesh, at: usize, surveyed: Result<&Surveyed, &String>, view: &Source) -> Row {
    let member = &mesh.members[at];
    let mut row = Row { name: member.name.clone(), ..Row::default() };
    let surveyed = match surveyed {
        Ok(surveyed) => surveyed,
        Err(why) => {
            row.error = Some(why.clone());
            return row;
        }
    };
    let inventory = surveyed.records.inventory.as_ref();
    row.applied = inventory.and_then(|inventory| inventory.tree);
    row.unfinished = inventory.is_some_and(|inventory| inventory.unfinished);
    row.last = surveyed.records.history.applies.last().cloned();
    row.current = row.applied == Some(view.digest)
        || (mesh.index == view.index
            && inventory.is_some_and(|inventory| is_current(&member.wanted, inventory)));
    for desired in &member.wanted.objects {
        let Some(live) = surveyed.live.objects.get(&desired.key) else { continue };
        match readiness(live) {
            Readiness::Ready => row.ready += 1,
            Readiness::Waiting(why) | Readiness::Failed(why) => {
                row.waiting.push((desired.key.to_string(), why));
            }
        }
    }
    let plan = &surveyed.plan;
    for step in plan.steps.iter().filter(|step| step.writes) {
        row.drift.push((step.key.to_string(), step.action.word().to_owned()));
    }
    for refusal in &plan.refusals {
        let of = refusal.key.as_ref().map(ToString::to_string);
        match of {
            Some(key) => row.drift.push((key, refusal.message.clone())),
            None => row.notes.push(refusal.message.clone()),
        }
    }
    row.unreadable =
        plan.unreadable.iter().map(|(key, why)| (key.to_string(), why.clone())).collect();
    row.notes.extend(plan.notes.iter().cloned());
    row.notes
        .extend(plan.held.iter().map(|held| format!("{} is held back: {}", held.key, held.why)));
    row
}

fn unconnected(one: &Unconnected) -> Row {
    Row { name: one.name.clone(), error: Some(one.error.to_string()), ..Row::default() }
}

impl Row {
    fn number(&self, catalogue: &Catalogue) -> Option<u64> {
        catalogue.of_tree(&self.applied?).map(|generation| generation.number)
    }

    fn text(&self, catalogue: &Catalogue) -> String {
        let mut text = format!("{}  ", self.name);
        if let Some(error) = &self.error {
            let _ = writeln!(text, "could not be looked at: {error}");
            return text;
        }
        let Some(applied) = self.applied else {
            text.push_str("nothing was applied yet\n");
            return text;
        };
        let digest = applied.to_string();
        let number = self.number(catalogue).map(|number| format!(" (generation {number})"));
        let current = if self.current { "equal to out/ here" } else { "out/ is another tree here" };
        let unfinished = if self.unfinished { ", not finished" } else { "" };
        let _ = writeln!(
            text,
            "{}{}{unfinished}, {current}",
            &digest[..19.min(digest.len())],
            number.unwrap_or_default()
        );
        if let Some(last) = &self.last {
            let _ = writeln!(text, "    last apply {} by {}: {}", last.at, last.by, last.result);
        }
        let drift = match self.drift.len() {
            0 => "no drift".to_owned(),
            1 => "1 object drifted".to_owned(),
            count => format!("{count} objects drifted"),
        };
        let all = self.ready + self.waiting.len();
        let _ = writeln!(text, "    {drift}, {} of {all} objects ready", self.ready);
        for (key, why) in &self.drift {
            let _ = writeln!(text, "    ~ {key}: {why}");
        }
        for (key, why) in &self.waiting {
            let _ = writeln!(text, "    … {key}: {why}");
        }
        for (key, why) in &self.unreadable {
            let _ = writeln!(text, "    ? {key} could not be read: {why}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "    {note}");
        }
        text
    }

    fn json(&self, catalogue: &Catalogue) -> Value {
        let pairs = |list: &[(String, String)]| -> Vec<Value> {
            list.iter().map(|(key, why)| json!({"object": key, "why": why})).collect()
        };
        json!({
            "name": self.name,
            "error": self.error,
            "applied": self.applied.map(|tree| tree.to_string()),
            "generation": self.number(catalogue),
            "unfinished": self.unfinished,
            "current": self.current,
            "lastApply": self.last,
            "ready": self.ready,
            "notReady": pairs(&self.waiting),
            "drift": pairs(&self.drift),
            "unreadable": pairs(&self.unreadable),
            "notes": self.notes,
        })
    }
}

fn exit(rows: &BTreeMap<String, Row>) -> Exit {
    if rows.values().any(|row| row.error.is_some() || !row.unreadable.is_empty()) {
        return Exit::Partial;
    }
    let differs = |row: &Row| !row.drift.is_empty() || row.applied.is_none() || row.unfinished;
    if rows.values().any(differs) { Exit::Different } else { Exit::Done }
}
