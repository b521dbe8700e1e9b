//! Changes that are the same in many clusters become one entry.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::changes::Comparison;
use super::entry::{Entry, Member, What};
use super::field_change::{Change, FieldChange};
use super::index_change::IndexChange;
use crate::yaml;

/// One object or file with its change, before grouping.
pub(super) struct Item<'a> {
    pub what: What,
    pub member: Member,
    pub comparison: &'a Comparison,
    pub index: Vec<IndexChange>,
    /// Whether nothing follows from it.
    pub silent: bool,
    pub same_file: bool,
}

impl Item<'_> {
    /// Whether there is anything to show.
    pub fn says_something(&self) -> bool {
        self.what != What::Moved || !self.index.is_empty()
    }

    /// The cluster in whose name the file was rendered, from its path.
    fn owner(&self) -> &str {
        let path = self.member.path();
        let shared =
            path.strip_prefix("remote-secrets/").and_then(|rest| rest.strip_suffix(".yaml"));
        shared.unwrap_or_else(|| path.split('/').next().unwrap_or_default())
    }

    /// All that is shown of it, save clusters and, of a path, the first folder.
    fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.what.word(), self.same_file);
        if let Some(object) = &self.member.object {
            let _ = writeln!(text, "{}\n{object}", object.api_version);
        } else {
            let path = self.member.path();
            text.push_str(path.split_once('/').map_or(path, |(_, rest)| rest));
        }
        let stage = self.member.stage.as_deref().unwrap_or_default();
        let _ = writeln!(text, "\n{stage}\n{}", self.member.clusters.is_empty());
        text.push_str(&self.body());
        text
    }

    /// What is shown below its title.
    fn body(&self) -> String {
        let mut text = String::new();
        for field in &self.comparison.fields {
            field_text(&mut text, field);
        }
        if let (Some(content), false) = (&self.comparison.content, self.same_file) {
            text.push_str(&yaml::canonical(&content.to_shown()));
        }
        for consequence in self.comparison.consequences.iter().filter(|_| !self.silent) {
            let _ = writeln!(text, "\n{}", consequence.word());
            text.push_str(&consequence.sentences().join("\n"));
        }
        for change in &self.index {
            let _ = writeln!(text, "\n{}", change.sentence());
        }
        text
    }
}

fn field_text(text: &mut String, field: &FieldChange) {
    let _ = writeln!(text, "\n{} {}", field.path, field.handed_over);
    let mut side = |sign: &str, content: &super::Content| {
        let _ = write!(text, "{sign}\n{}", yaml::canonical(&content.to_shown()));
    };
    match &field.change {
        Change::Added(content) => side("+", content),
        Change::Removed(content) => side("-", content),
        Change::Changed { old, new } => {
            side("-", old);
            side("+", new);
        }
        Change::Reordered => text.push_str("reordered"),
        Change::Rewritten => text.push_str("rewritten"),
    }
}

/// Groups items whose text is the same, and then those whose text is the same once the name of the
/// cluster that each stands for, and of its network, are taken out.
///
/// Two items whose texts name *the same* cluster never meet through the second rule unless it is
/// each one's own name, so that a mix-up of clusters stays visible.
pub(super) fn group(items: Vec<Item>, networks: &BTreeMap<String, String>) -> Vec<Entry> {
    let mut equal: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for item in items {
        equal.entry(item.text()).or_default().push(item);
    }
    let mut entries = Vec::new();
    let mut alike: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (text, items) in equal {
        let network = items.first().and_then(|item| networks.get(item.owner()));
        match network {
            Some(network) if items.len() == 1 => {
                let owner = items[0].owner().to_owned();
                alike.entry(without(&text, &owner, network)).or_default().extend(items);
            }
            _ => entries.push(entry(items)),
        }
    }
    entries.extend(alike.into_values().map(entry));
    entries
}

fn entry(mut items: Vec<Item>) -> Entry {
    items.sort_by(|a, b| a.member.path().cmp(b.member.path()));
    let body = items[0].body();
    let own_names = items.iter().any(|item| item.body() != body);
    let first = &items[0];
    let content = first.comparison.content.clone().filter(|_| !first.same_file);
    let consequences =
        if first.silent { Vec::new() } else { first.comparison.consequences.clone() };
    Entry {
        what: first.what,
        fields: first.comparison.fields.clone(),
        content,
        index: first.index.clone(),
        consequences,
        own_names,
        same_file: first.same_file,
        members: items.into_iter().map(|item| item.member).collect(),
    }
}

/// The text with marks in place of a cluster's and its network's name, where they stand as words.
fn without(text: &str, cluster: &str, network: &str) -> String {
    let text = replace_word(text, cluster, "\u{1}");
    replace_word(&text, network, "\u{2}")
}

fn replace_word(text: &str, word: &str, mark: &str) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(start) = rest.find(word) {
        let end = start + word.len();
        let left = rest[..start].chars().next_back().or(before);
        let right = rest[end..].chars().next();
        let free = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
        out.push_str(&rest[..start]);
        out.push_str(if free(left) && free(right) { mark } else { word });
        before = word.chars().next_back();
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}
