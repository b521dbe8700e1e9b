//! Changes as a comment in a pull request.

use std::fmt::Write;

use super::card::{Card, highlights, table, tree_name};
use super::changes::Changes;
use super::comment::{code, escape, fence};
use super::line::{Sign, visible};

/// Room that is kept for the sentence on what was left out.
const RESERVE: usize = 640;
/// Most of the room that the summary may take.
const SUMMARY_SHARE: usize = 3;

/// The changes as GitHub-flavoured Markdown of at most `limit` bytes, which is
/// [`super::MARKDOWN_LIMIT`] for a comment.
///
/// The summary comes first, then details as far as they fit: changes with consequences before
/// others. What does not fit is named, and what cannot even be named is counted. Values cannot
/// leave their code block or become markup, mentions or links.
pub fn to_markdown(changes: &Changes, limit: usize) -> String {
    let mut out = format!(
        "### Mesh diff\n\n{} → {}\n",
        code(&tree_name(&changes.old)),
        code(&tree_name(&changes.new))
    );
    if changes.is_empty() {
        out.push_str("\nNo differences.\n");
        return out;
    }
    let mut room = Room { left: limit.saturating_sub(out.len() + RESERVE) };
    let mut left_out = LeftOut::default();
    summary(&mut out, changes, &mut room, limit / SUMMARY_SHARE, &mut left_out);
    details(&mut out, changes, &mut room, &mut left_out);
    out.push_str(&left_out.sentence());
    out
}

/// How many bytes may still be written.
struct Room {
    left: usize,
}

impl Room {
    fn take(&mut self, out: &mut String, text: &str) -> bool {
        if text.len() > self.left {
            return false;
        }
        self.left -= text.len();
        out.push_str(text);
        true
    }
}

/// What does not fit.
#[derive(Default)]
struct LeftOut {
    /// Changes that are named without details.
    details: usize,
    /// Their lines.
    lines: usize,
    /// Changes that are not even named.
    changes: usize,
    /// Rows of the summary.
    rows: usize,
    /// Consequences.
    effects: usize,
    /// Facts of the index.
    index: usize,
}

impl LeftOut {
    fn sentence(&self) -> String {
        let mut parts = Vec::new();
        let mut part = |count: usize, one: &str, many: &str| {
            if count > 0 {
                parts.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        };
        part(self.rows, "row of the summary", "rows of the summary");
        part(self.effects, "consequence", "consequences");
        part(self.index, "fact of the index", "facts of the index");
        let details = |count: &str| format!("{count} ({} lines)", self.lines);
        part(
            self.details,
            &details("change without its details"),
            &details("changes without their details"),
        );
        part(self.changes, "change that is not even named", "changes that are not even named");
        if parts.is_empty() {
            return String::new();
        }
        format!(
            "\n> [!WARNING]\n> This comment is full. Left out: {}. `meshgen diff` prints all of it, \
             `-o html` as one file.\n",
            parts.join(", ")
        )
    }
}

fn summary(
    out: &mut String,
    changes: &Changes,
    room: &mut Room,
    share: usize,
    left_out: &mut LeftOut,
) {
    let floor = room.left.saturating_sub(share);
    let mut add = |out: &mut String, text: &str, missing: &mut usize| {
        if room.left < floor + text.len() || !room.take(out, text) {
            *missing += 1;
        }
    };
    let (columns, rows) = table(changes);
    if !rows.is_empty() {
        let mut head = format!("\n| | {} |\n|---|", columns.join(" | "));
        head.push_str(&"---:|".repeat(columns.len()));
        head.push('\n');
        add(out, &head, &mut 0);
    }
    for (name, counts) in rows {
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        let row = format!("| {} | {} |\n", escape(&name), counts.join(" | "));
        add(out, &row, &mut left_out.rows);
    }
    for (number, highlight) in highlights(changes).iter().enumerate() {
        let mut text = if number == 0 { "\n".to_owned() } else { String::new() };
        let (title, clusters) = (code(&highlight.title), escape(&highlight.clusters));
        write!(text, "- **{}**: {title} ({clusters})", highlight.effect.label)
            .expect("writing into a string cannot fail");
        for sentence in &highlight.effect.sentences {
            write!(text, "\n  - {}", escape(sentence)).expect("writing into a string cannot fail");
        }
        text.push('\n');
        add(out, &text, &mut left_out.effects);
    }
    for (number, change) in changes.index.iter().enumerate() {
        let head = if number == 0 { "\nIn the index:\n\n" } else { "" };
        let subject = code(&change.subject);
        let text = format!("{head}- {subject}: {}\n", escape(&visible(&change.sentence())));
        add(out, &text, &mut left_out.index);
    }
}

fn details(out: &mut String, changes: &Changes, room: &mut Room, left_out: &mut LeftOut) {
    let cards: Vec<Card> = changes.entries.iter().map(|entry| Card::of(changes, entry)).collect();
    let titles: Vec<String> = cards.iter().map(|card| format!("\n- {}\n", title(card))).collect();
    // the room for details is what remains when every change is named; consequences go first
    let named: usize = titles.iter().map(String::len).sum();
    let mut spare = room.left.saturating_sub(named);
    let mut full: Vec<Option<String>> = vec![None; cards.len()];
    let mut order: Vec<usize> = (0..cards.len()).collect();
    order.sort_by_key(|place| cards[*place].effects.is_empty());
    for place in order {
        let text = detail(&cards[place]);
        let cost = text.len().saturating_sub(titles[place].len());
        if cost <= spare {
            spare -= cost;
            full[place] = Some(text);
        }
    }
    for ((card, title), full) in cards.iter().zip(&titles).zip(&full) {
        let is_full = full.is_some();
        if !room.take(out, full.as_ref().unwrap_or(title)) {
            left_out.changes += 1;
        } else if !is_full {
            left_out.details += 1;
            left_out.lines += card.line_count();
        }
    }
}

fn title(card: &Card) -> String {
    let mut text = format!("{} {}", card.what.word(), code(&card.title));
    let place: Vec<&str> = [card.clusters.as_str(), card.stage.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    if !place.is_empty() {
        write!(text, " ({})", escape(&place.join("; ")))
            .expect("writing into a string cannot fail");
    }
    for effect in &card.effects {
        write!(text, " <b>{}</b>", effect.label).expect("writing into a string cannot fail");
    }
    text
}

/// A change with its fields, folded.
fn detail(card: &Card) -> String {
    let mut text = format!("\n<details><summary>{}</summary>\n\n", title(card));
    for note in &card.notes {
        writeln!(text, "{}\n", escape(note)).expect("writing into a string cannot fail");
    }
    let mut body = String::new();
    for field in &card.fields {
        if !field.path.is_empty() {
            let note = if field.note.is_empty() { "" } else { "  # " };
            writeln!(body, "@@ {}{note}{} @@", field.path, field.note)
                .expect("writing into a string cannot fail");
        }
        for line in &field.lines {
            let sign = if line.sign == Sign::Note { '#' } else { line.sign.character() };
            writeln!(body, "{sign} {}", line.text()).expect("writing into a string cannot fail");
        }
    }
    if !body.is_empty() {
        let fence = fence(&body);
        write!(text, "{fence}diff\n{body}{fence}\n\n").expect("writing into a string cannot fail");
    }
    text.push_str("</details>\n");
    text
}
