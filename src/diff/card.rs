//! An entry laid out for people: what text, Markdown and HTML print, each in its own dress.

use serde::Serialize;

use super::changes::Changes;
use super::consequence::Consequence;
use super::content::Content;
use super::entry::{Entry, What};
use super::field_change::{Change, FieldChange};
use super::line::{Line, Sign, block, lines, visible};

/// An entry as texts. Everything in it is safe for a terminal; nothing is escaped for markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// What happened.
    pub what: What,
    /// `Deployment/istio-system/istiod`.
    pub title: String,
    /// `all 12 clusters`; empty for files that are not sent.
    pub clusters: String,
    /// `30-istiod`; empty for files that are not sent.
    pub stage: String,
    /// What follows: a label, and sentences.
    pub effects: Vec<Effect>,
    /// What else to know, a sentence each.
    pub notes: Vec<String>,
    /// The fields.
    pub fields: Vec<FieldCard>,
}

/// What follows from a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// A class for style sheets.
    pub word: &'static str,
    /// `restarts pods`.
    pub label: &'static str,
    /// What it means.
    pub sentences: Vec<String>,
}

/// A field of a [`Card`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCard {
    /// `+`, `-` or `~`.
    pub sign: char,
    /// The path; empty for a document as a whole.
    pub path: String,
    /// What to know of the field; mostly empty.
    pub note: &'static str,
    /// The lines; for a short scalar that changed, its old and its new value.
    pub lines: Vec<Line>,
}

impl Card {
    /// Lays out an entry.
    pub fn of(changes: &Changes, entry: &Entry) -> Self {
        let stage = entry.members.first().and_then(|member| member.stage.clone());
        let mut fields: Vec<FieldCard> = entry.fields.iter().map(FieldCard::of).collect();
        fields.extend(entry.content.as_ref().and_then(|content| whole(entry.what, content)));
        Self {
            what: entry.what,
            title: visible(&entry.title()),
            clusters: visible(&changes.names.describe(&entry.clusters())),
            stage: visible(&stage.unwrap_or_default()),
            effects: entry.consequences.iter().map(Effect::of).collect(),
            notes: notes(entry),
            fields,
        }
    }

    /// The number of lines that its fields take.
    pub fn line_count(&self) -> usize {
        self.fields.iter().map(|field| field.lines.len() + 1).sum()
    }
}

impl Effect {
    fn of(consequence: &Consequence) -> Self {
        let sentences = consequence.sentences().iter().map(|text| visible(text)).collect();
        Self { word: consequence.word(), label: consequence.label(), sentences }
    }
}

impl FieldCard {
    fn of(field: &FieldChange) -> Self {
        let sign = match &field.change {
            Change::Added(_) => '+',
            Change::Removed(_) => '-',
            _ => '~',
        };
        let note = if field.handed_over { "handed over: sent at creation alone" } else { "" };
        let path = visible(&field.path.to_string());
        Self { sign, path, note, lines: lines(&field.change) }
    }

    /// Old and new, where both are one short line.
    pub fn short(&self) -> Option<(&Line, &Line)> {
        match self.lines.as_slice() {
            [old, new] if old.sign == Sign::Removed && new.sign == Sign::Added => {
                let length = |line: &Line| line.text().chars().count();
                let fits = self.path.chars().count() + length(old) + length(new) <= 84;
                (self.sign == '~' && fits).then_some((old, new))
            }
            _ => None,
        }
    }
}

/// The content of an object that is new. What an object held that is gone is in the old tree; one
/// line says it all.
fn whole(what: What, content: &Content) -> Option<FieldCard> {
    if what != What::Added {
        return None;
    }
    let lines = block(Sign::Added, content);
    Some(FieldCard { sign: '+', path: String::new(), note: "", lines })
}

fn notes(entry: &Entry) -> Vec<String> {
    let mut notes = Vec::new();
    let first = entry.members.first();
    let title = entry.members.first().map(super::Member::title).unwrap_or_default();
    let mut others: Vec<String> = entry.members.iter().map(super::Member::title).collect();
    others.retain(|other| *other != title);
    if !others.is_empty() {
        notes.push(format!("the same in {}", others.join(", ")));
    }
    if entry.own_names && (!entry.fields.is_empty() || entry.content.is_some()) {
        let path = first.map(super::Member::path).unwrap_or_default();
        notes.push(format!(
            "shown as in {path}; the others have their own cluster's name in its place"
        ));
    }
    match entry.what {
        What::Added if entry.same_file => {
            notes.push("the file is unchanged; it now goes to these clusters too".to_owned());
        }
        What::Removed if entry.same_file => {
            notes.push("the file is unchanged; it no longer goes to these clusters".to_owned());
        }
        What::Postponed => notes.push(
            "it waits for facts; until they are imported, the cluster keeps what it has".to_owned(),
        ),
        What::Changed if entry.fields.is_empty() => {
            notes.push("the same meaning, written otherwise".to_owned());
        }
        _ => {}
    }
    notes.extend(entry.index.iter().map(|change| format!("index: {}", change.sentence())));
    notes.iter().map(|note| visible(note)).collect()
}

/// An effect with all that it is about, for the list at the top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Highlight {
    /// What follows.
    pub effect: Effect,
    /// The object.
    pub title: String,
    /// Where.
    pub clusters: String,
}

/// Everything that follows from the changes, the gravest first.
pub fn highlights(changes: &Changes) -> Vec<Highlight> {
    let mut found = Vec::new();
    for entry in &changes.entries {
        for consequence in &entry.consequences {
            found.push((
                rank(consequence),
                Highlight {
                    effect: Effect::of(consequence),
                    title: visible(&entry.title()),
                    clusters: visible(&changes.names.describe(&entry.clusters())),
                },
            ));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, highlight)| highlight).collect()
}

fn rank(consequence: &Consequence) -> u8 {
    match consequence {
        Consequence::ChangesRoot => 0,
        Consequence::TakesAlong(_) => 1,
        Consequence::Disconnects(_) => 2,
        Consequence::Recreates(_) => 3,
        Consequence::Widens(_) => 4,
        Consequence::Restarts(_) => 5,
        Consequence::ReloadsCa => 6,
    }
}

/// `git:HEAD (sha256:0123456789ab)`.
pub fn tree_name(name: &super::TreeName) -> String {
    match &name.digest {
        Some(digest) => format!("{} (sha256:{})", visible(&name.label), digest.short()),
        None => visible(&name.label),
    }
}

/// A table of counts: its columns, and a row for each group of clusters, files last. Columns in
/// which nothing was counted are left out, save the first three.
pub fn table(changes: &Changes) -> (Vec<&'static str>, Vec<(String, Vec<usize>)>) {
    let mut rows: Vec<(String, super::Tally)> = changes
        .summary
        .rows()
        .iter()
        .map(|(set, tally)| (visible(&changes.names.describe(set)), *tally))
        .collect();
    if changes.summary.files != super::Tally::default() {
        rows.push(("files that are not sent".to_owned(), changes.summary.files));
    }
    let columns = super::Tally::default().columns();
    let shown = |place: usize| place < 3 || rows.iter().any(|(_, row)| row.columns()[place].1 > 0);
    let places: Vec<usize> = (0..columns.len()).filter(|place| shown(*place)).collect();
    let names = places.iter().map(|place| columns[*place].0).collect();
    let counts =
        |tally: &super::Tally| places.iter().map(|place| tally.columns()[*place].1).collect();
    (names, rows.iter().map(|(name, tally)| (name.clone(), counts(tally))).collect())
}
