//! Changes for programs. `docs/diff-json.md` tells the format, `docs/diff.schema.json` is its
//! JSON Schema.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::changes::{Changes, TreeName};
use super::entry::Entry;
use super::field_change::{Change, FieldChange};
use super::index_change::IndexChange;
use super::line::lines;
use super::summary::Tally;
use crate::tree::API_VERSION;

/// The changes as a JSON document that ends with a line end.
pub fn to_json(changes: &Changes) -> String {
    let document = Document {
        api_version: API_VERSION,
        kind: "Diff",
        old: Tree::of(&changes.old),
        new: Tree::of(&changes.new),
        different: !changes.is_empty(),
        clusters: clusters(changes),
        files: Counts::of(&changes.summary.files),
        index: changes.index.iter().map(Fact::of).collect(),
        changes: changes.entries.iter().map(|entry| EntryJson::of(changes, entry)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)
        .expect("the document holds strings and lists alone");
    text.push('\n');
    text
}

/// The JSON Schema of what [`to_json`] writes.
pub fn json_schema() -> Value {
    schemars::schema_for!(Document).to_value()
}

/// What differs between two trees.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "meshgen diff")]
struct Document {
    /// `meshgen.dev/v1alpha1`.
    api_version: &'static str,
    /// `Diff`.
    kind: &'static str,
    /// The old tree.
    old: Tree,
    /// The new tree.
    new: Tree,
    /// Whether anything differs; the exit code is 1 then.
    different: bool,
    /// Counts of objects for every cluster with a change, sorted by name.
    clusters: Vec<ClusterCounts>,
    /// Counts of files that are not sent to a cluster.
    files: Counts,
    /// What the indexes say differently of mesh, clusters and pending files.
    index: Vec<Fact>,
    /// The changes, files that are not sent first, then by stage and name.
    changes: Vec<EntryJson>,
}

/// A tree.
#[derive(Serialize, JsonSchema)]
struct Tree {
    /// As it was asked for.
    tree: String,
    /// `sha256:` and 64 hex digits; absent for a folder without an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// Counts of a cluster.
#[derive(Serialize, JsonSchema)]
struct ClusterCounts {
    /// The cluster.
    name: String,
    #[serde(flatten)]
    counts: Counts,
}

/// Counts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Counts {
    /// New.
    added: usize,
    /// Of other content.
    changed: usize,
    /// Gone.
    removed: usize,
    /// Of the same content, about which the index says something else.
    moved: usize,
    /// Waiting for facts now.
    postponed: usize,
    /// Workloads that replace their pods.
    restarts: usize,
    /// Objects that must be deleted and made anew.
    recreates: usize,
    /// Objects that allow more than before.
    widens_rbac: usize,
}

/// A fact of the index.
#[derive(Serialize, JsonSchema)]
struct Fact {
    /// What it is about: `mesh`, `cluster c1`, a path.
    subject: String,
    /// Which fact.
    field: &'static str,
    /// What it was; absent where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    /// What it is; absent where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

/// One change, in all the places where it is the same.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Change")]
struct EntryJson {
    /// `added`, `changed`, `removed`, `moved` (only the index differs) or `postponed` (waits for
    /// facts now).
    change: &'static str,
    /// What it happened to.
    objects: Vec<Object>,
    /// Whether values are those of the first of `objects`, and the others have the name of their
    /// own cluster or network wherever the first has its own.
    own_names: bool,
    /// Whether an added or removed file is in both trees, and only goes to more or fewer clusters.
    same_file: bool,
    /// What follows.
    consequences: Vec<ConsequenceJson>,
    /// The fields that differ.
    fields: Vec<Field>,
    /// The whole object, of one that came or went.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Value>,
    /// What the index says differently of it.
    index: Vec<Fact>,
}

/// An object or file.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Object {
    /// Absent for files that are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    /// Absent for files that are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Absent for what is cluster-scoped, and for files that are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Absent for files that are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The file in the old tree; absent if it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_path: Option<String>,
    /// The file in the new tree; absent if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The stage; absent for files that are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
    /// The clusters: a list of names, or `{"except": […]}` of the clusters of both trees.
    clusters: Value,
}

/// What follows from a change.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Consequence")]
struct ConsequenceJson {
    /// `restarts`, `recreates`, `widensRbac`, `reloadsCa`, `changesRoot`, `takesAlong` or
    /// `disconnects`.
    kind: &'static str,
    /// A few words.
    label: &'static str,
    /// What it means, a sentence each.
    sentences: Vec<String>,
}

/// A field that differs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Field {
    /// For people: `spec.template.spec.containers[discovery].image`.
    path: String,
    /// For programs: keys are strings, places in lists numbers, items of lists that are merged by
    /// key objects of their key, and `null` leads into a document inside a string.
    steps: Value,
    /// `added`, `removed`, `changed`, `reordered` or `rewritten` (same meaning, other bytes).
    change: &'static str,
    /// What it was. Hidden values are `{"meshgen.dev/hidden": WORD}`, certificates
    /// `{"meshgen.dev/certificates": […]}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value>,
    /// In place of `old` and `new` for a text with line ends: its lines that differ, with some
    /// around them, each after `-`, `+`, a space, or `!` for a remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<String>>,
    /// Whether it is handed over, so that `apply` sends it at creation alone.
    handed_over: bool,
}

impl Tree {
    fn of(name: &TreeName) -> Self {
        let digest = name.digest.map(|digest| digest.to_string());
        Self { tree: name.label.clone(), digest }
    }
}

impl Counts {
    fn of(tally: &Tally) -> Self {
        Self {
            added: tally.added,
            changed: tally.changed,
            removed: tally.removed,
            moved: tally.moved,
            postponed: tally.postponed,
            restarts: tally.restarts,
            recreates: tally.recreates,
            widens_rbac: tally.widens,
        }
    }
}

fn clusters(changes: &Changes) -> Vec<ClusterCounts> {
    let counts = |(place, tally): &(u32, Tally)| ClusterCounts {
        name: changes.names.name(*place).to_owned(),
        counts: Counts::of(tally),
    };
    changes.summary.clusters.iter().map(counts).collect()
}

impl Fact {
    fn of(change: &IndexChange) -> Self {
        Self {
            subject: change.subject.clone(),
            field: change.field,
            old: change.old.clone(),
            new: change.new.clone(),
        }
    }
}

impl EntryJson {
    fn of(changes: &Changes, entry: &Entry) -> Self {
        let object = |member: &super::Member| {
            let identity = member.object.as_ref();
            Object {
                api_version: identity.map(|object| object.api_version.clone()),
                kind: identity.map(|object| object.kind.clone()),
                namespace: identity.and_then(|object| object.namespace.clone()),
                name: identity.map(|object| object.name.clone()),
                old_path: member.old_path.as_ref().map(ToString::to_string),
                path: member.new_path.as_ref().map(ToString::to_string),
                stage: member.stage.clone(),
                clusters: changes.names.to_json(&member.clusters),
            }
        };
        let consequence = |consequence: &super::Consequence| ConsequenceJson {
            kind: consequence.word(),
            label: consequence.label(),
            sentences: consequence.sentences(),
        };
        Self {
            change: entry.what.word(),
            objects: entry.members.iter().map(object).collect(),
            own_names: entry.own_names,
            same_file: entry.same_file,
            consequences: entry.consequences.iter().map(consequence).collect(),
            fields: entry.fields.iter().map(Field::of).collect(),
            content: entry.content.as_ref().map(super::Content::to_json),
            index: entry.index.iter().map(Fact::of).collect(),
        }
    }
}

impl Field {
    fn of(field: &FieldChange) -> Self {
        let (change, old, new) = match &field.change {
            Change::Added(new) => ("added", None, Some(new)),
            Change::Removed(old) => ("removed", Some(old), None),
            Change::Changed { old, new } => ("changed", Some(old), Some(new)),
            Change::Reordered => ("reordered", None, None),
            Change::Rewritten => ("rewritten", None, None),
        };
        let is_long =
            |content: &&super::Content| content.as_str().is_some_and(|text| text.contains('\n'));
        let both = old.is_some() && new.is_some();
        let long = both && [old, new].into_iter().flatten().any(|content| is_long(&content));
        let line = |line: &super::Line| format!("{}{}", line.sign.character(), line.text());
        Self {
            path: field.path.to_string(),
            steps: field.path.to_json(),
            change,
            lines: long.then(|| lines(&field.change).iter().map(line).collect()),
            old: old.filter(|_| !long).map(super::Content::to_json),
            new: new.filter(|_| !long).map(super::Content::to_json),
            handed_over: field.handed_over,
        }
    }
}
