//! Go's regular expressions as those of the crate `regex`.
//!
//! Both are of one family, with differences in syntax and classes: Go's `\d`, `\w`, `\s` and `\b` are ASCII, `\Q…\E`
//! quotes, `&&` and `--` in a class are plain characters. A pattern is translated piece by piece; what has no equal is
//! an error, never another match.

use std::fmt::Write;

use regex::bytes::{Captures, Regex, RegexBuilder};

/// The longest pattern, and the largest automaton made of one.
const MAX_PATTERN: usize = 16 << 10;
const MAX_SIZE: usize = 4 << 20;
/// The largest count of a repetition that Go takes.
const MAX_REPEAT: u32 = 1_000;

/// Translates and compiles a pattern, for use on a text.
///
/// # Errors
/// When Go would refuse it, or it has no equal here.
pub fn compile(pattern: &str, text: &[u8]) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN {
        return Err("the regular expression is too long".into());
    }
    let chars: Vec<char> = pattern.chars().collect();
    let mut reader = Reader { chars: &chars, pos: 0, out: String::new(), not_boundary: false };
    reader.pattern().map_err(|reason| format!("error parsing regexp: {reason}: `{pattern}`"))?;
    if reader.not_boundary && !text.is_ascii() {
        return Err(format!(
            "the regular expression `{pattern}` uses \\B on a text that is not ASCII"
        ));
    }
    RegexBuilder::new(&reader.out)
        .size_limit(MAX_SIZE)
        .build()
        .map_err(|error| format!("the regular expression `{pattern}` is not supported: {error}"))
}

/// Quotes what has a meaning in patterns.
pub fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Writes a replacement with its `$1`, `${1}` and `$name` filled in.
pub fn expand(template: &[u8], groups: &Captures<'_>, out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(b"$") {
            out.push(b'$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            out.push(b'$');
            continue;
        };
        rest = after;
        let group = match name.parse::<usize>() {
            Ok(index) => groups.get(index),
            Err(_) => groups.name(name),
        };
        out.extend_from_slice(group.map_or(b"", |group| group.as_bytes()));
    }
    out.extend_from_slice(rest);
}

fn reference(text: &[u8]) -> Option<(&str, &[u8])> {
    let (has_brace, body) = text.strip_prefix(b"{").map_or((false, text), |body| (true, body));
    let length =
        body.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let name = std::str::from_utf8(&body[..length]).ok().filter(|name| !name.is_empty())?;
    let after = &body[length..];
    if has_brace {
        after.strip_prefix(b"}").map(|after| (name, after))
    } else {
        Some((name, after))
    }
}

struct Reader<'a> {
    chars: &'a [char],
    pos: usize,
    out: String,
    not_boundary: bool,
}

/// What the last piece was, for the rules on repetition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Piece,
    Repetition,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.pos += usize::from(c.is_some());
        c
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.pos += usize::from(found);
        found
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && !c.is_ascii_control() && c != ' ' {
            self.out.push('\\');
            if matches!(c, '<' | '>') {
                // An escaped angle bracket is a word boundary in the crate.
                self.out.pop();
            }
        }
        if matches!(c, '_' | '"' | '\'' | '/' | ',' | ';' | ':' | '=' | '!' | '@' | '%' | '`') {
            self.out.pop();
        }
        self.out.push(c);
    }

    fn pattern(&mut self) -> Result<(), String> {
        let mut last = Last::Nothing;
        while let Some(c) = self.next() {
            last = match c {
                '(' => {
                    self.open()?;
                    Last::Nothing
                }
                '|' => {
                    self.out.push('|');
                    Last::Nothing
                }
                ')' => {
                    self.out.push(')');
                    Last::Piece
                }
                '*' | '+' | '?' => self.repeat(c, last)?,
                '{' => {
                    if let Some((count, length)) = self.count()? {
                        self.pos += length;
                        self.repetition(&count, last)?
                    } else {
                        self.out.push_str("\\{");
                        Last::Piece
                    }
                }
                '[' => {
                    self.class()?;
                    Last::Piece
                }
                '\\' => {
                    self.escape()?;
                    Last::Piece
                }
                '.' | '^' | '$' => {
                    self.out.push(c);
                    Last::Piece
                }
                c => {
                    self.literal(c);
                    Last::Piece
                }
            };
        }
        Ok(())
    }

    fn repeat(&mut self, operator: char, last: Last) -> Result<Last, String> {
        self.repetition(&operator.to_string(), last)
    }

    fn repetition(&mut self, operator: &str, last: Last) -> Result<Last, String> {
        match last {
            Last::Nothing => {
                return Err(format!("missing argument to repetition operator: `{operator}`"));
            }
            Last::Repetition => return Err("invalid nested repetition operator".into()),
            Last::Piece => {}
        }
        self.out.push_str(operator);
        if self.take('?') {
            self.out.push('?');
        }
        Ok(Last::Repetition)
    }

    /// Reads `{2}`, `{2,}` or `{2,3}` without moving on; anything else is plain text.
    fn count(&self) -> Result<Option<(String, usize)>, String> {
        let rest = &self.chars[self.pos..];
        let Some(end) = rest.iter().position(|c| *c == '}') else { return Ok(None) };
        let body: String = rest[..end].iter().collect();
        let (low, high) =
            body.split_once(',').map_or((body.as_str(), None), |(low, high)| (low, Some(high)));
        let is_number = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && (text.len() == 1 || !text.starts_with('0'))
        };
        if !is_number(low) || high.is_some_and(|high| !high.is_empty() && !is_number(high)) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MAX_REPEAT);
        let fits = match high {
            Some("") | None => number(low).is_some(),
            Some(high) => {
                matches!((number(low), number(high)), (Some(low), Some(high)) if low <= high)
            }
        };
        if !fits {
            return Err(format!("invalid repeat count: `{{{body}}}`"));
        }
        Ok(Some((format!("{{{body}}}"), end + 1)))
    }

    fn open(&mut self) -> Result<(), String> {
        if !self.take('?') {
            self.out.push('(');
            return Ok(());
        }
        let start = self.pos;
        let is_name = self.take('P');
        if self.take('<') {
            let name: String = self.chars[self.pos..]
                .iter()
                .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
                .collect();
            self.pos += name.len();
            if name.is_empty() || !self.take('>') {
                return Err("invalid named capture".into());
            }
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                return Err("a group whose name starts with a digit is not supported".into());
            }
            self.out.push_str(&format!("(?P<{name}>"));
            return Ok(());
        }
        if is_name {
            return Err("invalid or unsupported Perl syntax".into());
        }
        let flags: String =
            self.chars[start..].iter().take_while(|c| "imsU-".contains(**c)).collect();
        self.pos = start + flags.len();
        match self.next() {
            Some(end @ (':' | ')')) => {
                if flags.ends_with('-')
                    || flags.matches('-').count() > 1
                    || (flags.is_empty() && end == ')')
                {
                    return Err("invalid or unsupported Perl syntax".into());
                }
                self.out.push_str(&format!("(?{flags}{end}"));
                Ok(())
            }
            _ => Err("invalid or unsupported Perl syntax".into()),
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let c = self.next().ok_or("trailing backslash at end of expression")?;
        match c {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                let _ = write!(self.out, "[{}]", perl_class(c));
            }
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => {
                self.not_boundary = true;
                self.out.push_str("(?-u:\\B)");
            }
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'Q' => {
                while self.pos < self.chars.len()
                    && !(self.peek() == Some('\\') && self.chars.get(self.pos + 1) == Some(&'E'))
                {
                    if let Some(c) = self.next() {
                        self.literal(c);
                    }
                }
                self.pos = (self.pos + 2).min(self.chars.len());
            }
            'p' | 'P' => {
                let class = self.unicode_class(c)?;
                self.out.push_str(&class);
            }
            _ => {
                let c = self.escaped_char(c)?;
                self.literal_or_hex(c);
            }
        }
        Ok(())
    }

    fn literal_or_hex(&mut self, c: char) {
        if c.is_ascii_control() || c == ' ' {
            let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
        } else {
            self.literal(c);
        }
    }

    /// Reads the rest of an escape that stands for one character.
    fn escaped_char(&mut self, c: char) -> Result<char, String> {
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hex()?,
            '1'..='7' if !self.peek().is_some_and(|c| ('0'..='7').contains(&c)) => {
                return Err("invalid escape sequence".into());
            }
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.pos += 1;
                }
                char::from_u32(code).ok_or("invalid escape sequence")?
            }
            _ if c.is_ascii_punctuation() => c,
            _ => return Err(format!("invalid escape sequence: `\\{c}`")),
        })
    }

    fn hex(&mut self) -> Result<char, String> {
        let digits: String = if self.take('{') {
            let digits = self.chars[self.pos..]
                .iter()
                .take_while(|c| c.is_ascii_hexdigit())
                .collect::<String>();
            self.pos += digits.len();
            if !self.take('}') {
                return Err("invalid escape sequence".into());
            }
            digits
        } else {
            let digits = self.chars[self.pos..]
                .iter()
                .take(2)
                .take_while(|c| c.is_ascii_hexdigit())
                .collect::<String>();
            self.pos += digits.len();
            if digits.len() != 2 {
                return Err("invalid escape sequence".into());
            }
            digits
        };
        u32::from_str_radix(&digits, 16)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| "invalid escape sequence".into())
    }

    fn unicode_class(&mut self, sign: char) -> Result<String, String> {
        let name: String = if self.take('{') {
            let name = self.chars[self.pos..].iter().take_while(|c| **c != '}').collect::<String>();
            self.pos += name.chars().count();
            if !self.take('}') {
                return Err("invalid character class range".into());
            }
            name
        } else {
            self.next().ok_or("invalid character class range")?.to_string()
        };
        let (negated, name) =
            name.strip_prefix('^').map_or((false, name.as_str()), |name| (true, name));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic() || c == '_') {
            return Err(format!("invalid character class range: `\\p{{{name}}}`"));
        }
        let sign = if negated == (sign == 'P') { 'p' } else { 'P' };
        Ok(if name == "Any" && sign == 'p' {
            "(?s:.)".into()
        } else {
            format!("\\{sign}{{{name}}}")
        })
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take('^') {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let c = self.next().ok_or("missing closing ]")?;
            match c {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.peek() == Some(':') && self.posix_class()? => {}
                '\\' if matches!(self.peek(), Some('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
                    let class = self.next().map_or("", perl_class);
                    self.out.push_str(class);
                }
                '\\' if matches!(self.peek(), Some('p' | 'P')) => {
                    let sign = self.next().unwrap_or('p');
                    let class = self.unicode_class(sign)?;
                    self.out.push_str(&class);
                }
                // A dash is plain at the ends only.
                '-' if !is_first && self.peek() != Some(']') => {
                    return Err("invalid character class range".into());
                }
                c => self.range(c)?,
            }
            is_first = false;
        }
    }

    fn range(&mut self, c: char) -> Result<(), String> {
        let low = self.class_char(c)?;
        self.class_literal(low);
        if self.peek() == Some('-') && self.chars.get(self.pos + 1).is_some_and(|c| *c != ']') {
            self.pos += 1;
            let c = self.next().ok_or("missing closing ]")?;
            let high = self.class_char(c)?;
            if high < low {
                return Err("invalid character class range".into());
            }
            self.out.push('-');
            self.class_literal(high);
        }
        Ok(())
    }

    fn class_char(&mut self, c: char) -> Result<char, String> {
        if c != '\\' {
            return Ok(c);
        }
        let c = self.next().ok_or("missing closing ]")?;
        self.escaped_char(c)
    }

    fn class_literal(&mut self, c: char) {
        let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
    }

    /// Reads `[:alpha:]`; returns whether it was one.
    fn posix_class(&mut self) -> Result<bool, String> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let rest: String = self.chars[self.pos + 1..].iter().take(10).collect();
        let Some(end) = rest.find(":]") else { return Ok(false) };
        let (negated, name) =
            rest[..end].strip_prefix('^').map_or(("", &rest[..end]), |name| ("^", name));
        if !NAMES.contains(&name) {
            return Err("invalid character class range".into());
        }
        let _ = write!(self.out, "[:{negated}{name}:]");
        self.pos += end + 3;
        Ok(true)
    }
}

/// Returns the inside of Go's ASCII class.
fn perl_class(c: char) -> &'static str {
    match c {
        'd' => "0-9",
        'D' => "[^0-9]",
        's' => "\\t\\n\\f\\r\\x20",
        'S' => "[^\\t\\n\\f\\r\\x20]",
        'w' => "0-9A-Za-z_",
        _ => "[^0-9A-Za-z_]",
    }
}
