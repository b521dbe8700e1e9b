//! A change as lines with a sign: what terminal, Markdown and HTML have in common.

use std::fmt::Write;

use serde_json::Value;
use similar::{Algorithm, ChangeTag, TextDiff};

use super::Certificate;
use super::content::Content;
use super::field_change::Change;
use crate::yaml;

/// Unchanged lines that are shown around a change of a text.
const CONTEXT: usize = 3;
/// Texts beyond this many bytes are compared by lines alone, without words.
const MAX_EMPHASIS: usize = 64 * 1024;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It stands on both sides.
    Same,
    /// It is gone.
    Removed,
    /// It is new.
    Added,
    /// It is about the change and stands in no file.
    Note,
}

impl Sign {
    /// The character in front of the line.
    pub fn character(self) -> char {
        match self {
            Sign::Same => ' ',
            Sign::Removed => '-',
            Sign::Added => '+',
            Sign::Note => '!',
        }
    }
}

/// A line of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub sign: Sign,
    /// Its text in parts: the emphasised ones are what differs within the line.
    pub parts: Vec<(bool, String)>,
}

impl Line {
    /// A line without emphasis. Control characters are made visible.
    pub fn new(sign: Sign, text: &str) -> Self {
        Self { sign, parts: vec![(false, visible(text))] }
    }

    /// Its text without its sign.
    pub fn text(&self) -> String {
        self.parts.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// The text with every character that a terminal, a browser or a reader could take for something
/// else as an escape: control characters but tabs, and those that turn or hide text.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => out.push('\t'),
            '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

/// The lines of a change.
pub fn lines(change: &Change) -> Vec<Line> {
    match change {
        Change::Added(content) => block(Sign::Added, content),
        Change::Removed(content) => block(Sign::Removed, content),
        Change::Changed { old, new } => changed(old, new),
        Change::Reordered => vec![Line::new(Sign::Note, "the same items in another order")],
        Change::Rewritten => vec![Line::new(Sign::Note, "the same meaning, written otherwise")],
    }
}

/// A value that came or went, as YAML.
pub fn block(sign: Sign, content: &Content) -> Vec<Line> {
    match content {
        Content::Hidden(why, _) => vec![Line::new(sign, &format!("‹{}, not shown›", why.name()))],
        Content::Certificates(list, _) => certificates(sign, list),
        _ => yaml_lines(&content.to_shown()).iter().map(|line| Line::new(sign, line)).collect(),
    }
}

fn yaml_lines(value: &Value) -> Vec<String> {
    let text = match value {
        Value::String(text) if text.contains('\n') => text.clone(),
        Value::Object(_) | Value::Array(_) => yaml::canonical(value),
        scalar => yaml::inline(scalar),
    };
    text.strip_suffix('\n').unwrap_or(&text).split('\n').map(str::to_owned).collect()
}

fn changed(old: &Content, new: &Content) -> Vec<Line> {
    match (old, new) {
        (Content::Hidden(old, _), Content::Hidden(new, _)) if old == new => {
            vec![Line::new(Sign::Note, &format!("{} changed", old.name()))]
        }
        (Content::Certificates(old, _), Content::Certificates(new, _)) => {
            certificate_change(old, new)
        }
        (Content::Scalar(old), Content::Scalar(new)) => scalars(old, new),
        _ => {
            let mut lines = block(Sign::Removed, old);
            lines.extend(block(Sign::Added, new));
            lines
        }
    }
}

fn scalars(old: &Value, new: &Value) -> Vec<Line> {
    match (old, new) {
        (Value::String(old), Value::String(new)) if old.contains('\n') || new.contains('\n') => {
            text(old, new)
        }
        _ => {
            let (old, new) = (yaml::inline(old), yaml::inline(new));
            words(&visible(&old), &visible(&new))
        }
    }
}

/// One line that became another, with the words that differ emphasised.
fn words(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::from_unicode_words(old, new);
    let mut removed = Line { sign: Sign::Removed, parts: Vec::new() };
    let mut added = Line { sign: Sign::Added, parts: Vec::new() };
    let related = diff.iter_all_changes().any(|change| {
        change.tag() == ChangeTag::Equal && change.value().chars().any(char::is_alphanumeric)
    });
    for change in diff.iter_all_changes() {
        let (tag, value) = (change.tag(), change.value());
        let emphasis = related && tag != ChangeTag::Equal;
        if tag != ChangeTag::Insert {
            push(&mut removed.parts, emphasis, value);
        }
        if tag != ChangeTag::Delete {
            push(&mut added.parts, emphasis, value);
        }
    }
    vec![removed, added]
}

fn push(parts: &mut Vec<(bool, String)>, emphasis: bool, text: &str) {
    match parts.last_mut() {
        Some((same, last)) if *same == emphasis => last.push_str(text),
        _ => parts.push((emphasis, text.to_owned())),
    }
}

/// A text with line ends that became another: hunks with context.
fn text(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old, new);
    let emphasise = old.len().max(new.len()) <= MAX_EMPHASIS;
    let mut lines = Vec::new();
    for (number, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        let start = group.first().map_or(0, |op| op.new_range().start);
        if number > 0 || start > 0 {
            lines.push(Line::new(Sign::Note, &format!("line {}", start + 1)));
        }
        for op in group {
            if emphasise {
                // no deadline: what is emphasised must not depend on the machine's speed
                for change in diff.iter_inline_changes_deadline(op, None) {
                    let parts = change.iter_strings_lossy();
                    let parts: Vec<(bool, String)> =
                        parts.map(|(strong, part)| (strong, part.into_owned())).collect();
                    lines.push(text_line(change.tag(), &parts));
                }
            } else {
                for change in diff.iter_changes(op) {
                    lines.push(text_line(change.tag(), &[(false, change.value().to_owned())]));
                }
            }
        }
    }
    match (old.ends_with('\n'), new.ends_with('\n')) {
        (true, false) => lines.push(Line::new(Sign::Note, "the last line end is gone")),
        (false, true) => lines.push(Line::new(Sign::Note, "the last line now has a line end")),
        _ => {}
    }
    lines
}

fn text_line(tag: ChangeTag, parts: &[(bool, String)]) -> Line {
    let sign = match tag {
        ChangeTag::Equal => Sign::Same,
        ChangeTag::Delete => Sign::Removed,
        ChangeTag::Insert => Sign::Added,
    };
    let clean = |(strong, part): &(bool, String)| {
        let part = part.as_str().trim_end_matches('\n');
        (!part.is_empty()).then(|| (*strong, visible(part)))
    };
    Line { sign, parts: parts.iter().filter_map(clean).collect() }
}

fn certificates(sign: Sign, list: &[Certificate]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, certificate) in list.iter().enumerate() {
        lines.push(Line::new(sign, &title(index, list.len())));
        for (name, value) in certificate.facts() {
            lines.push(Line::new(sign, &fact(name, value)));
        }
    }
    lines
}

fn title(index: usize, count: usize) -> String {
    match count {
        1 => "certificate".to_owned(),
        _ => format!("certificate {} of {count}", index + 1),
    }
}

fn fact(name: &str, value: &str) -> String {
    format!("  {name:<12} {value}")
}

/// Certificates side by side: facts that stay are shown once.
fn certificate_change(old: &[Certificate], new: &[Certificate]) -> Vec<Line> {
    let mut lines = Vec::new();
    let count = old.len().max(new.len());
    for index in 0..count {
        match (old.get(index), new.get(index)) {
            (Some(old), Some(new)) if old == new => {
                let same = format!("{}: {}, unchanged", title(index, count), new.subject);
                lines.push(Line::new(Sign::Same, &same));
            }
            (Some(old), Some(new)) => {
                lines.push(Line::new(Sign::Note, &format!("{} changed", title(index, count))));
                for ((name, old), (_, new)) in old.facts().into_iter().zip(new.facts()) {
                    if old == new {
                        lines.push(Line::new(Sign::Same, &fact(name, new)));
                    } else {
                        lines.push(Line::new(Sign::Removed, &fact(name, old)));
                        lines.push(Line::new(Sign::Added, &fact(name, new)));
                    }
                }
            }
            (Some(gone), None) => lines.extend(numbered(Sign::Removed, index, count, gone)),
            (None, Some(added)) => lines.extend(numbered(Sign::Added, index, count, added)),
            (None, None) => {}
        }
    }
    lines
}

fn numbered(sign: Sign, index: usize, count: usize, certificate: &Certificate) -> Vec<Line> {
    let mut lines = vec![Line::new(sign, &title(index, count))];
    lines.extend(certificate.facts().map(|(name, value)| Line::new(sign, &fact(name, value))));
    lines
}
