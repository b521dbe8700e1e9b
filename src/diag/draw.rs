//! Drawing diagnostics: for people in the manner of rustc, for programs as JSON.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};
use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Severity, SourceId, Sources};

/// Draws every diagnostic, an empty line between two, with or without ANSI colours.
pub fn draw(diagnostics: &Diagnostics, sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for group in groups(diagnostics) {
        text.push_str(&draw_one(&group, sources, &renderer));
        text.push_str("\n\n");
    }
    text
}

/// One problem of a shared line is drawn once for all the clusters that have it.
struct Group<'a> {
    first: &'a Diagnostic,
    others: Vec<&'a str>,
}

fn groups(diagnostics: &Diagnostics) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for diagnostic in diagnostics.iter() {
        let same = |group: &&mut Group<'_>| {
            let first = group.first;
            !first.labels.is_empty()
                && first.rule == diagnostic.rule
                && first.labels == diagnostic.labels
                && first.severity == diagnostic.severity
                && first.cluster.is_some()
                && first.cluster != diagnostic.cluster
                && general(first) == general(diagnostic)
        };
        let at_the_place =
            groups.iter_mut().rev().take_while(|group| group.first.labels == diagnostic.labels);
        match (at_the_place.into_iter().find(same), &diagnostic.cluster) {
            (Some(group), Some(cluster)) => group.others.push(cluster),
            _ => groups.push(Group { first: diagnostic, others: Vec::new() }),
        }
    }
    groups
}

/// A message without the name of the cluster that it is about.
fn general(diagnostic: &Diagnostic) -> String {
    match &diagnostic.cluster {
        Some(cluster) => diagnostic.message.replace(&format!("`{cluster}`"), "``"),
        None => diagnostic.message.clone(),
    }
}

/// Names that are listed before the rest is counted.
const MAX_NAMES: usize = 5;

fn draw_one(group: &Group<'_>, sources: &Sources, renderer: &Renderer) -> String {
    let diagnostic = group.first;
    let others = match group.others.len() {
        0 => String::new(),
        count if count <= MAX_NAMES => format!("the same for `{}`", group.others.join("`, `")),
        count => format!(
            "the same for `{}` and {} more clusters",
            group.others[..MAX_NAMES].join("`, `"),
            count - MAX_NAMES
        ),
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Allowed => Level::NOTE.with_name("allowed"),
    };
    let message = match (&diagnostic.file, diagnostic.labels.is_empty()) {
        (Some(file), true) => format!("{}: {}", file, diagnostic.message),
        _ => diagnostic.message.clone(),
    };
    let mut picture =
        annotate_snippets::Group::with_title(level.primary_title(message).id(diagnostic.rule.code));
    for source in files_of(diagnostic) {
        picture = picture.element(snippet(diagnostic, source, sources));
    }
    if !others.is_empty() {
        picture = picture.element(Level::NOTE.message(others));
    }
    if let Some(reason) = &diagnostic.reason {
        picture = picture.element(Level::NOTE.message(format!("allowed: {reason}")));
    }
    for hint in &diagnostic.hints {
        picture = picture.element(Level::HELP.with_name("hint").message(hint.clone()));
    }
    renderer.render(&[picture])
}

/// The sources of the labels, that of the place at fault first.
fn files_of(diagnostic: &Diagnostic) -> Vec<SourceId> {
    let mut files = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.source) {
            files.push(label.span.source);
        }
    }
    files
}

fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    source: SourceId,
    sources: &'a Sources,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = sources.text(source);
    let mut snippet = Snippet::source(text).path(sources.name(source)).fold(true);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        if label.span.source != source {
            continue;
        }
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(clamp(text, label.span.start, label.span.end));
        if !label.text.is_empty() {
            annotation = annotation.label(label.text.clone());
        }
        snippet = snippet.annotation(annotation);
    }
    snippet
}

/// A range that lies in the text, on character boundaries, and on one line if it began so.
fn clamp(text: &str, start: u32, end: u32) -> std::ops::Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(start as usize);
    let mut end = floor(end as usize).max(start);
    if let Some(newline) = text[start..end].find('\n') {
        end = start + newline;
    }
    start..end
}

/// Returns the same as data: a list of objects with `code`, `severity`, `message`, `file`, `line`,
/// `column`, `cluster`, `labels`, `hints` and, where it was allowed, `reason`.
pub fn to_json(diagnostics: &Diagnostics, sources: &Sources) -> Value {
    let items = diagnostics.iter().map(|diagnostic| {
        let labels: Vec<Value> = diagnostic
            .labels
            .iter()
            .map(|label| {
                let start = sources.position(label.span.source, label.span.start);
                let end = sources.position(label.span.source, label.span.end);
                json!({
                    "file": sources.name(label.span.source),
                    "line": start.line, "column": start.column,
                    "endLine": end.line, "endColumn": end.column,
                    "text": label.text,
                })
            })
            .collect();
        let first = labels.first();
        let place = |key: &str| first.map_or(Value::Null, |label| label[key].clone());
        let file = match first {
            Some(label) => label["file"].clone(),
            None => json!(diagnostic.file),
        };
        let mut item = json!({
            "code": diagnostic.rule.code,
            "severity": diagnostic.severity.as_str(),
            "message": diagnostic.message,
            "file": file, "line": place("line"), "column": place("column"),
            "cluster": diagnostic.cluster,
            "labels": labels,
            "hints": diagnostic.hints,
        });
        if let Some(reason) = &diagnostic.reason {
            item["reason"] = json!(reason);
        }
        item
    });
    Value::Array(items.collect())
}
