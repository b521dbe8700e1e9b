//! Upper case, lower case, and the cases of programming languages.

/// Reports what Go's `unicode.IsSpace` does.
pub fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// Turns one character to upper case; characters without a single upper-case form stay.
fn upper_char(c: char) -> char {
    let code = u32::from(c);
    // These have a longer form too, which the standard library prefers.
    match code {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => {
            return char::from_u32(code + 8).unwrap_or(c);
        }
        0x1fb3 | 0x1fc3 | 0x1ff3 => return char::from_u32(code + 9).unwrap_or(c),
        _ => {}
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

fn lower_char(c: char) -> char {
    c.to_lowercase().next().filter(|_| c.to_lowercase().count() == 1 || c == 'İ').unwrap_or(c)
}

/// Turns a character to title case, which differs from upper case for a few letter pairs.
fn title_char(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        _ => upper_char(c),
    }
}

pub fn to_upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

pub fn to_lower(text: &str) -> String {
    text.chars().map(lower_char).collect()
}

/// Turns the first letter of every word to title case, as Go's `strings.Title`.
pub fn title(text: &str) -> String {
    let mut before = ' ';
    let change = |c: char| {
        let is_start = !is_part_of_word(before);
        before = c;
        if is_start { title_char(c) } else { c }
    };
    text.chars().map(change).collect()
}

fn is_part_of_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        c.is_alphanumeric() || !is_space(c)
    }
}

/// Turns the first letter of every word to lower case.
pub fn untitle(text: &str) -> String {
    let mut at_start = true;
    let change = |c: char| {
        if is_space(c) {
            at_start = true;
            return c;
        }
        if std::mem::take(&mut at_start) { lower_char(c) } else { c }
    };
    text.chars().map(change).collect()
}

/// Swaps upper and lower case.
pub fn swap(text: &str) -> String {
    let mut at_start = true;
    let change = |c: char| {
        if c.is_uppercase() {
            at_start = false;
            lower_char(c)
        } else if c.is_lowercase() {
            if std::mem::take(&mut at_start) { title_char(c) } else { upper_char(c) }
        } else {
            at_start = is_space(c);
            c
        }
    };
    text.chars().map(change).collect()
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || is_space(c)
}

/// Turns `some-words` into `SomeWords`.
pub fn camel(text: &str) -> String {
    let mut chars = text.chars();
    let mut out = String::new();
    let mut current = None;
    let mut first_was_upper = false;
    for c in chars.by_ref() {
        if is_connector(c) {
            out.push(c);
        } else {
            first_was_upper = c.is_uppercase();
            current = Some(upper_char(c));
            break;
        }
    }
    let Some(mut current) = current else { return out };
    for next in chars {
        let before = std::mem::replace(&mut current, next);
        if is_connector(next) && is_connector(before) {
            out.push(before);
        } else if is_connector(before) {
            first_was_upper = next.is_uppercase();
            current = upper_char(next);
        } else {
            if first_was_upper {
                if next.is_uppercase() {
                    current = lower_char(next);
                } else {
                    first_was_upper = false;
                }
            }
            out.push(before);
        }
    }
    out.push(current);
    out
}

/// The kinds of pieces that a name is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Nothing,
    Number,
    Upper,
    Letters,
    Connector,
    Punctuation,
    Other,
}

/// Turns `SomeWords` into `some_words`, with any connector.
pub fn split_case(text: &str, connector: char) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = Pieces { rest: &chars };
    let mut out = String::new();
    let (mut kind, mut word) = pieces.next_piece();
    while !pieces.rest.is_empty() {
        if kind != Piece::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word) = pieces.next_piece();
        match before {
            Piece::Number => {
                while matches!(kind, Piece::Letters | Piece::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word) = pieces.next_piece();
                }
                if !matches!(kind, Piece::Nothing | Piece::Punctuation | Piece::Connector) {
                    out.push(connector);
                }
            }
            Piece::Connector => push_lower(&mut out, before, last, connector),
            Piece::Punctuation => {}
            _ if kind != Piece::Number => {
                if !matches!(kind, Piece::Connector | Piece::Punctuation) {
                    out.push(connector);
                }
            }
            _ if pieces.rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word) = pieces.next_piece();
                if kind != Piece::Letters {
                    push_lower(&mut out, Piece::Number, number, connector);
                    if !matches!(kind, Piece::Connector | Piece::Punctuation) {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                push_lower(&mut out, Piece::Number, number, connector);
                while matches!(kind, Piece::Letters | Piece::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word) = pieces.next_piece();
                }
                if !matches!(kind, Piece::Nothing | Piece::Connector | Piece::Punctuation) {
                    out.push(connector);
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}

struct Pieces<'a> {
    rest: &'a [char],
}

impl<'a> Pieces<'a> {
    fn next_piece(&mut self) -> (Piece, &'a [char]) {
        let Some(first) = self.rest.first().copied() else {
            return (Piece::Nothing, &[]);
        };
        let run = |rest: &[char], accept: &dyn Fn(char) -> bool| {
            rest.iter().take_while(|c| accept(**c)).count()
        };
        let (kind, length) = if is_connector(first) {
            (Piece::Connector, run(self.rest, &is_connector))
        } else if is_punctuation(first) {
            (Piece::Punctuation, run(self.rest, &is_punctuation))
        } else if first.is_uppercase() {
            (Piece::Upper, self.upper_length())
        } else if is_letter(first) {
            (Piece::Letters, run(self.rest, &|c| is_letter(c) && !c.is_uppercase()))
        } else if first.is_numeric() {
            (Piece::Number, run(self.rest, &char::is_numeric))
        } else {
            let is_other =
                |c: char| !(is_connector(c) || is_letter(c) || c.is_numeric() || is_punctuation(c));
            (Piece::Other, run(self.rest, &is_other))
        };
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        (kind, word)
    }

    /// A word such as `Word`, or capitals such as `HTTP` without the one that starts the next word.
    fn upper_length(&self) -> usize {
        let capitals = self.rest.iter().take_while(|c| c.is_uppercase()).count();
        let next = self.rest.get(capitals).copied();
        if capitals > 1 {
            return if next.is_some_and(is_letter) { capitals - 1 } else { capitals };
        }
        1 + self.rest[1..].iter().take_while(|c| is_letter(**c) && !c.is_uppercase()).count()
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

/// Reports what Go's `unicode.IsPunct` does, for ASCII and the common blocks of punctuation.
fn is_punctuation(c: char) -> bool {
    matches!(c, '!'..='#' | '%'..='*' | ','..='/' | ':' | ';' | '?' | '@' | '['..=']' | '_' | '{' | '}')
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '‐'..='‧' | '‰'..='⁃' | '⁅'..='⁑' | '、'..='〃' | '〈'..='】' | '！'..='＃')
}

fn push_lower(out: &mut String, kind: Piece, word: &[char], connector: char) {
    for c in word {
        if !matches!(kind, Piece::Upper | Piece::Connector) {
            out.push(*c);
        } else if is_connector(*c) {
            out.push(connector);
        } else {
            out.push(if c.is_uppercase() { lower_char(*c) } else { *c });
        }
    }
}
