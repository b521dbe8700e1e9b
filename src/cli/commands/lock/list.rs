//! `meshgen lock` alone: the pins, and whether their content is what it must be.

use std::fmt::Write as _;

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::cli::{CommandError, Context, Exit};
use crate::inputs::{self, PinFault};
use crate::pin::{Lock, Pin, PinName};

/// Lists the pins; exit 1 if the content of one is missing or damaged.
pub(super) fn run(context: &Context, lock: &Lock) -> Result<Exit, CommandError> {
    let rows: Vec<(&PinName, &Pin, Option<PinFault>)> = lock
        .pins
        .iter()
        .map(|(name, pin)| {
            let content = inputs::content(&context.disk, &context.project, pin.digest);
            (name, pin, content.err())
        })
        .collect();
    let unused = inputs::unused_content(&context.disk, &context.project, lock)?;
    let is_good = rows.iter().all(|(_, _, fault)| fault.is_none());
    if context.json() {
        let pins = rows.iter().map(|(name, pin, fault)| {
            json!({
                "name": name,
                "kind": pin.kind,
                "source": pin.source,
                "version": pin.version,
                "digest": pin.digest,
                "path": pin.path(),
                "problem": fault.as_ref().map(ToString::to_string),
            })
        });
        context.print_json(&json!({ "pins": pins.collect::<Vec<_>>(), "unused": unused }));
    } else if rows.is_empty() {
        context.note("there are no pins; `meshgen lock NAME=SOURCE` makes one");
    } else {
        context.print(&table(&rows));
    }
    let mut hints: Vec<String> = Vec::new();
    for (name, _, fault) in &rows {
        let Some(fault) = fault else { continue };
        context.note(&format!("{name}: {fault}"));
        if !hints.contains(&fault.hint()) {
            hints.push(fault.hint());
        }
    }
    for hint in hints {
        context.note(&format!("hint: {hint}"));
    }
    for path in &unused {
        context.note(&format!("note: {path} belongs to no pin"));
    }
    Ok(if is_good { Exit::Done } else { Exit::Different })
}

fn table(rows: &[(&PinName, &Pin, Option<PinFault>)]) -> String {
    let head = ["NAME", "KIND", "VERSION", "DIGEST", "CONTENT", "SOURCE"].map(str::to_owned);
    let lines = rows.iter().map(|(name, pin, fault)| {
        [
            name.to_string(),
            pin.kind.as_str().to_owned(),
            pin.version.clone().unwrap_or_else(|| "-".to_owned()),
            pin.digest.short(),
            match fault {
                None => "good",
                Some(PinFault::Missing) => "missing",
                Some(_) => "damaged",
            }
            .to_owned(),
            pin.source.chars().flat_map(char::escape_debug).collect(),
        ]
    });
    let lines: Vec<_> = std::iter::once(head).chain(lines).collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = lines.iter().map(|line| line[column].width()).max().unwrap_or(0);
            let _ = write!(text, "{cell}{:1$}", "", width - cell.width() + 2);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}
