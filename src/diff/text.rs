//! Changes for a terminal.

use std::fmt::Write;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::card::{Card, FieldCard, highlights, table, tree_name};
use super::changes::Changes;
use super::entry::What;
use super::line::{Line, Sign, visible};
use super::paint::{BOLD, DIM, GREEN, RED, YELLOW, paint};

/// How much is printed, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to use colours. The text is complete without.
    pub colour: bool,
    /// Whether to stop after the summary and one line a change.
    pub brief: bool,
}

/// The changes as text: the summary, what follows, then every change.
pub fn to_text(changes: &Changes, options: TextOptions) -> String {
    let mut out = Out { text: String::new(), colour: options.colour };
    let names = (tree_name(&changes.old), tree_name(&changes.new));
    out.line(&format!("{} → {}", names.0, names.1));
    if changes.is_empty() {
        out.line("no differences");
        return out.text;
    }
    out.counts(changes);
    out.effects(changes);
    out.index(changes);
    out.line("");
    for entry in &changes.entries {
        let card = Card::of(changes, entry);
        out.title(&card);
        if !options.brief {
            out.details(&card);
        }
    }
    out.text
}

struct Out {
    text: String,
    colour: bool,
}

impl Out {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        paint(self.colour, style, text)
    }

    fn counts(&mut self, changes: &Changes) {
        let (columns, rows) = table(changes);
        if rows.is_empty() {
            return;
        }
        self.line("");
        let width = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        let mut head = " ".repeat(width + 2);
        for column in &columns {
            write!(head, "  {column}").expect("writing into a string cannot fail");
        }
        self.line(&head);
        for (name, counts) in rows {
            let mut line = format!("  {name}{}", " ".repeat(width - name.width()));
            for (column, count) in columns.iter().zip(counts) {
                let count = if count == 0 { "-".to_owned() } else { count.to_string() };
                write!(line, "  {count:>0$}", column.len())
                    .expect("writing into a string cannot fail");
            }
            self.line(&line);
        }
    }

    fn effects(&mut self, changes: &Changes) {
        let highlights = highlights(changes);
        if highlights.is_empty() {
            return;
        }
        self.line("");
        for highlight in highlights {
            let label = self.paint(YELLOW, highlight.effect.label);
            self.line(&format!("  {label}: {} ({})", highlight.title, highlight.clusters));
            for sentence in highlight.effect.sentences {
                self.line(&format!("    {sentence}"));
            }
        }
    }

    fn index(&mut self, changes: &Changes) {
        if changes.index.is_empty() {
            return;
        }
        self.line("");
        self.line("  in the index:");
        for change in &changes.index {
            self.line(&visible(&format!("    {}: {}", change.subject, change.sentence())));
        }
    }

    fn title(&mut self, card: &Card) {
        let style = match card.what {
            What::Added => GREEN,
            What::Removed => RED,
            _ => YELLOW,
        };
        let mut line = self.paint(style, &card.what.character().to_string());
        line = format!("{line} {}", self.paint(BOLD, &card.title));
        let place: Vec<&str> = [card.clusters.as_str(), card.stage.as_str()]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        if !place.is_empty() {
            line = format!("{line}  {}", self.paint(DIM, &format!("({})", place.join("; "))));
        }
        let labels: Vec<&str> = card.effects.iter().map(|effect| effect.label).collect();
        if !labels.is_empty() {
            line = format!("{line}  {}", self.paint(YELLOW, &labels.join(", ")));
        }
        self.line(&line);
    }

    fn details(&mut self, card: &Card) {
        for note in &card.notes {
            let note = self.paint(DIM, note);
            self.line(&format!("    {note}"));
        }
        for field in &card.fields {
            self.field(field);
        }
        self.line("");
    }

    fn field(&mut self, field: &FieldCard) {
        let note = match field.note {
            "" => String::new(),
            note => format!("  ({note})"),
        };
        if let Some((old, new)) = field.short() {
            let (old, new) = (self.parts(old), self.parts(new));
            self.line(&format!("    {}: {old} → {new}{note}", field.path));
            return;
        }
        if let ([line], false) = (field.lines.as_slice(), field.path.is_empty()) {
            let sign = match line.sign {
                Sign::Note => String::new(),
                sign => format!("{} ", sign.character()),
            };
            let value = self.parts(line);
            self.line(&format!("    {}{}: {value}{note}", self.sign(line.sign, &sign), field.path));
            return;
        }
        if !field.path.is_empty() {
            self.line(&format!("    {}:{note}", field.path));
        }
        for line in &field.lines {
            let (sign, parts) = (line.sign.character().to_string(), self.parts(line));
            let sign = self.sign(line.sign, &sign);
            self.line(&format!("      {sign} {parts}"));
        }
    }

    fn sign(&self, sign: Sign, text: &str) -> String {
        match style(sign) {
            Some(style) => self.paint(style, text),
            None => text.to_owned(),
        }
    }

    fn parts(&self, line: &Line) -> String {
        let Some(style) = style(line.sign) else { return line.text() };
        let paint = |(strong, text): &(bool, String)| {
            self.paint(if *strong { style.bold().underline() } else { style }, text)
        };
        line.parts.iter().map(paint).collect()
    }
}

fn style(sign: Sign) -> Option<Style> {
    match sign {
        Sign::Same => None,
        Sign::Removed => Some(RED),
        Sign::Added => Some(GREEN),
        Sign::Note => Some(DIM),
    }
}
