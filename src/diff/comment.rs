//! What a comment on a pull request may hold, and how text stands in it that nobody vouches for.

use std::fmt::Write;

use super::line::visible;

/// What GitHub takes in one comment, in characters. Bytes are counted here, which are never fewer.
pub const MARKDOWN_LIMIT: usize = 65_536;

/// A fence that is longer than any run of backticks in the body.
pub fn fence(body: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for character in body.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(3.max(longest + 1))
}

/// Text in which nothing is markup, mention, link or emoji: all that could be is a numeric entity.
pub fn escape(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        let after = &text[place + character.len_utf8()..];
        let plain = match character {
            // `www.` starts a link, `:name:` is an emoji, `https:` starts a link
            '.' => !text[..place].ends_with(['w', 'W']),
            ':' => after.is_empty() || after.starts_with(' '),
            _ => character.is_alphanumeric() || " -,;/→()".contains(character),
        };
        if plain {
            out.push(character);
        } else {
            write!(out, "&#{};", u32::from(character)).expect("writing into a string cannot fail");
        }
    }
    out
}

/// Text as inline code that works inside HTML, tables and lists alike, and in which GitHub links
/// and notifies nobody.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}
