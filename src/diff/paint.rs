//! Colours on a terminal, for all that is written there as text.

use anstyle::{AnsiColor, Color, Style};

/// What is gone, or wrong.
pub const RED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
/// What is new, or well.
pub const GREEN: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
/// What has changed, or deserves a look.
pub const YELLOW: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));
/// What a line is about.
pub const BOLD: Style = Style::new().bold();
/// What may be passed over.
pub const DIM: Style = Style::new().dimmed();

/// A text in a style, or as it is where there are no colours.
pub fn paint(colour: bool, style: Style, text: &str) -> String {
    if colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
