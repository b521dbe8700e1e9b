//! Changes as one HTML file that needs no network and no scripts.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::card::{Card, Effect, FieldCard, highlights, table, tree_name};
use super::changes::Changes;
use super::line::{Line, Sign, visible};

/// The page; every value that is put into it is escaped.
const TEMPLATE: &str = include_str!("report.html");
/// Changes of more lines than this are folded when the page opens.
const OPEN_LINES: usize = 24;
/// Pages of more changes than this open with everything folded.
const OPEN_CARDS: usize = 40;

#[derive(Serialize)]
struct CardView {
    what: &'static str,
    sign: char,
    title: String,
    clusters: String,
    stage: String,
    effects: Vec<Effect>,
    notes: Vec<String>,
    fields: Vec<FieldView>,
    open: bool,
}

#[derive(Serialize)]
struct FieldView {
    path: String,
    note: &'static str,
    lines: Vec<LineView>,
}

#[derive(Serialize)]
struct LineView {
    class: &'static str,
    sign: char,
    parts: Vec<(bool, String)>,
}

#[derive(Serialize)]
struct FactView {
    subject: String,
    sentence: String,
}

/// The changes as a complete HTML page: styles inline, light and dark, folding without scripts,
/// fit for a phone and for paper.
pub fn to_html(changes: &Changes) -> String {
    let cards: Vec<Card> = changes.entries.iter().map(|entry| Card::of(changes, entry)).collect();
    let few = cards.len() <= OPEN_CARDS;
    let cards: Vec<CardView> = cards.into_iter().map(|card| CardView::of(card, few)).collect();
    let (columns, rows) = table(changes);
    let fact = |change: &super::IndexChange| FactView {
        subject: visible(&change.subject),
        sentence: visible(&change.sentence()),
    };
    let facts: Vec<FactView> = changes.index.iter().map(fact).collect();
    let page = context! {
        old => tree_name(&changes.old),
        new => tree_name(&changes.new),
        columns => columns,
        rows => rows,
        highlights => Value::from(Serde(highlights(changes))),
        facts => Value::from(Serde(facts)),
        cards => Value::from(Serde(cards)),
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let mut text = environment
        .render_named_str("report.html", TEMPLATE, page)
        .expect("the page's template is part of the program and its values are complete");
    text.push('\n');
    text
}

impl CardView {
    fn of(card: Card, few: bool) -> Self {
        let open = few && (1..=OPEN_LINES).contains(&card.line_count());
        Self {
            what: card.what.word(),
            sign: card.what.character(),
            title: card.title,
            clusters: card.clusters,
            stage: card.stage,
            effects: card.effects,
            notes: card.notes,
            fields: card.fields.into_iter().map(FieldView::of).collect(),
            open,
        }
    }
}

impl FieldView {
    fn of(field: FieldCard) -> Self {
        let lines = field.lines.into_iter().map(LineView::of).collect();
        Self { path: field.path, note: field.note, lines }
    }
}

impl LineView {
    fn of(line: Line) -> Self {
        let class = match line.sign {
            Sign::Same => "same",
            Sign::Removed => "gone",
            Sign::Added => "new",
            Sign::Note => "note",
        };
        let sign = if line.sign == Sign::Note { ' ' } else { line.sign.character() };
        Self { class, sign, parts: line.parts }
    }
}
