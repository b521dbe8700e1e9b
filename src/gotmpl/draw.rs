//! Draws an error with the line it stands in.

use std::fmt::Write;

use super::error::{Error, Place};

/// The widest piece of a line that is shown, in characters.
const WIDTH: usize = 120;

/// Draws an error: message, place, the line with carets, the calls that led there.
pub fn draw(error: &Error) -> String {
    let mut out = format!("error: {}\n", error.detail());
    let number_width = error.place().map_or(1, |place| place.line().to_string().len());
    if let Some(place) = error.place() {
        draw_place(&mut out, place, number_width);
    }
    for frame in error.stack() {
        let place = &frame.place;
        let _ = writeln!(
            out,
            "{:number_width$} = called by `{}` at {}:{}:{}",
            "",
            frame.call,
            place.source.name,
            place.line(),
            place.column()
        );
    }
    out
}

fn draw_place(out: &mut String, place: &Place, number_width: usize) {
    let (line, column) = (place.line(), place.column());
    let text = place.source.text.lines().nth(line - 1).unwrap_or_default();
    let _ = writeln!(out, "{:number_width$}--> {}:{line}:{column}", "", place.source.name);
    let _ = writeln!(out, "{:number_width$} |", "");
    let skipped = if column > WIDTH { column - WIDTH / 2 } else { 0 };
    let shown: String = text.chars().skip(skipped).take(WIDTH).map(visible).collect();
    let _ = writeln!(out, "{line} | {shown}");
    let marked =
        place.source.text[place.span.clone()].lines().next().unwrap_or_default().chars().count();
    let room = shown.chars().count().saturating_sub(column - 1 - skipped);
    let carets = "^".repeat(marked.min(room).max(1));
    let indent = " ".repeat(column - 1 - skipped);
    let _ = writeln!(out, "{:number_width$} | {indent}{carets}", "");
}

fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}
