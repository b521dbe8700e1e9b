//! `meshgen status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::session::{self, ConnectArgs, Request, Unconnected};
use super::cluster::show::Shown;
use super::pki::IdentityArgs;
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::readiness::{Readiness, readiness};
use crate::cluster::{
    Allowed, Applied, Entry, Inventory, Key, Mesh, Options, Stop, Surveyed, records, survey,
};
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

    #[command(flatten)]
    identity: IdentityArgs,
}

/// One cluster as it is shown.
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
    let source = session::tree(context, None)?;
    let store = Store::open(&context.disk, &view::store_folder(&context.project.join("out")))?;
    let catalogue = store.generations()?;
    session::block_on(async {
        let (mesh, missing) = open(context, args, &source).await?;
        let applied = applied(&mesh).await;
        let others = others(context, &mesh, &source, &applied);
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut texts = Vec::new();
        // clusters by the tree that they are compared with
        let mut groups: Vec<(&Source, Vec<String>)> = Vec::new();
        let of_view: Vec<String> = mesh
            .members
            .iter()
            .map(|member| member.name.clone())
            .filter(|name| !others.contains_key(name))
            .collect();
        groups.push((&source, of_view));
        for (name, other) in &others {
            groups.push((other, vec![name.clone()]));
        }
        for (tree, names) in groups {
            if names.is_empty() {
                continue;
            }
            let request = request(args, tree);
            let (mesh, _) = session::open_as(context, request, &names).await?;
            let surveyed = survey(&mesh).await;
            let keep: Vec<usize> = (0..mesh.members.len())
                .filter(|at| names.contains(&mesh.members[*at].name))
                .collect();
            for at in &keep {
                let row = row(&mesh, *at, surveyed[*at].as_ref(), &source);
                rows.insert(row.name.clone(), row);
            }
            let survey: Vec<_> =
                surveyed
                    .into_iter()
                    .enumerate()
                    .map(|(at, surveyed)| {
                        if keep.contains(&at) { surveyed } else { Err("not asked for".to_owned()) }
                    })
                    .collect();
            let shown = Shown {
                mesh: &mesh,
                survey: &survey,
                missing: &[],
                label: &tree.name,
                digest: tree.digest,
                brief: false,
            };
            let changes = shown.changes()?;
            if !changes.is_empty() {
                texts.push(changes);
            }
        }
        for one in &missing {
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

async fn open(
    context: &Context,
    args: &Args,
    source: &Source,
) -> Result<(Arc<Mesh>, Vec<Unconnected>), CommandError> {
    session::open(context, request(args, source)).await
}

fn request<'a>(args: &'a Args, source: &'a Source) -> Request<'a> {
    Request {
        source,
        connect: &args.connect,
        identity: &args.identity,
        options: Options::default(),
        allowed: Allowed::default(),
        stop: Stop::default(),
    }
}

/// The inventories, as far as they can be read.
async fn applied(mesh: &Arc<Mesh>) -> BTreeMap<String, Inventory> {
    let mut found = BTreeMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..mesh.members.len() {
        let mesh = mesh.clone();
        tasks.spawn(async move {
            let member = &mesh.members[at];
            (member.name.clone(), records(member.client()).await)
        });
    }
    while let Some(Ok((name, records))) = tasks.join_next().await {
        if let Ok(Some(inventory)) = records.map(|records| records.inventory) {
            found.insert(name, inventory);
        }
    }
    found
}

/// The trees of clusters that have another one than out/ applied, where they can be had.
fn others(
    context: &Context,
    mesh: &Mesh,
    source: &Source,
    applied: &BTreeMap<String, Inventory>,
) -> BTreeMap<String, Source> {
    let mut others = BTreeMap::new();
    for (name, inventory) in applied {
        let Some(tree) = inventory.tree.filter(|tree| *tree != source.digest) else { continue };
        let member = mesh.members.iter().find(|member| member.name == *name);
        if member.is_some_and(|member| is_current(&member.wanted, inventory)) {
            continue;
        }
        if let Ok(other) = resolve(&context.disk, &context.project, Some(&tree.to_string())) {
            others.insert(name.clone(), other);
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
    let mut row = Row {
        name: member.name.clone(),
        applied: None,
        last: None,
        unfinished: false,
        current: false,
        error: None,
        ready: 0,
        waiting: Vec::new(),
        drift: Vec::new(),
        unreadable: Vec::new(),
        notes: Vec::new(),
    };
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
    Row {
        name: one.name.clone(),
        applied: None,
        last: None,
        unfinished: false,
        current: false,
        error: Some(one.error.to_string()),
        ready: 0,
        waiting: Vec::new(),
        drift: Vec::new(),
        unreadable: Vec::new(),
        notes: Vec::new(),
    }
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
