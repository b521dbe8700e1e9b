//! Splits the text of a template into words.

use super::token::{Token, TokenKind};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
/// The characters that trim markers take away and that stand between words.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Reads words one by one.
///
/// The rules are those of Go's package `text/template/parse`: a trim marker needs a space beside it, a comment fills
/// its action, a name ends where a blank, `.`, `,`, `|`, `:`, a parenthesis or the right delimiter follows.
pub struct Lexer<'a> {
    input: &'a str,
    pos: usize,
    start: usize,
    parens: usize,
    inside_action: bool,
    failed: bool,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of a text.
    pub fn new(input: &'a str) -> Self {
        Self { input, pos: 0, start: 0, parens: 0, inside_action: false, failed: false }
    }

    /// Returns the next word; after the end or an error always the end.
    pub fn next_token(&mut self) -> Token {
        if self.failed {
            return Token { kind: TokenKind::Eof, span: self.input.len()..self.input.len() };
        }
        if self.inside_action { self.action_token() } else { self.text_token() }
    }

    fn rest(&self) -> &'a str {
        &self.input[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.pos += rest.find(|c| !accept(c)).unwrap_or(rest.len());
    }

    fn accept(&mut self, chars: &str) -> bool {
        let found = self.peek().is_some_and(|c| chars.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn emit(&mut self, kind: TokenKind) -> Token {
        let span = self.start..self.pos;
        self.start = self.pos;
        Token { kind, span }
    }

    fn error(&mut self, message: impl Into<String>) -> Token {
        self.failed = true;
        let end = self.pos.max(self.start);
        Token { kind: TokenKind::Error(message.into()), span: self.start..end }
    }

    fn text_token(&mut self) -> Token {
        loop {
            let rest = self.rest();
            let Some(offset) = rest.find(LEFT) else {
                self.pos = self.input.len();
                let kind = if rest.is_empty() { TokenKind::Eof } else { TokenKind::Text };
                return self.emit(kind);
            };
            if offset > 0 {
                let text = &rest[..offset];
                let trims = has_left_trim(&rest[offset + LEFT.len()..]);
                let kept = if trims { text.trim_end_matches(SPACES).len() } else { offset };
                let span = self.start..self.start + kept;
                self.pos += offset;
                self.start = self.pos;
                if kept > 0 {
                    return Token { kind: TokenKind::Text, span };
                }
            }
            if let Some(token) = self.left_delim() {
                return token;
            }
        }
    }

    /// Reads the left delimiter; a comment gives no word.
    fn left_delim(&mut self) -> Option<Token> {
        self.pos += LEFT.len();
        let marker = if has_left_trim(self.rest()) { 2 } else { 0 };
        if self.rest()[marker..].starts_with("/*") {
            self.pos += marker;
            return self.comment();
        }
        let token = self.emit(TokenKind::LeftDelim);
        self.pos += marker;
        self.start = self.pos;
        self.inside_action = true;
        self.parens = 0;
        Some(token)
    }

    fn comment(&mut self) -> Option<Token> {
        self.start = self.pos;
        let Some(end) = self.rest()[2..].find("*/") else {
            self.pos = self.input.len().min(self.pos + 2);
            return Some(self.error("unclosed comment"));
        };
        self.pos += end + 4;
        let Some(trims) = self.at_right_delim() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        self.right_delim_text(trims);
        self.start = self.pos;
        None
    }

    /// Tells whether a right delimiter stands here, and whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest[2..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn right_delim_text(&mut self, trims: bool) {
        self.pos += if trims { 2 + RIGHT.len() } else { RIGHT.len() };
        if trims {
            self.take_while(is_space);
        }
    }

    fn right_delim(&mut self, trims: bool) -> Token {
        if trims {
            self.pos += 2;
            self.start = self.pos;
        }
        self.pos += RIGHT.len();
        let token = self.emit(TokenKind::RightDelim);
        if trims {
            self.take_while(is_space);
            self.start = self.pos;
        }
        self.inside_action = false;
        token
    }

    fn action_token(&mut self) -> Token {
        if let Some(trims) = self.at_right_delim() {
            if self.parens > 0 {
                return self.error("unclosed left paren");
            }
            return self.right_delim(trims);
        }
        let Some(c) = self.next() else {
            return self.error("unclosed action");
        };
        match c {
            _ if is_space(c) => self.space(),
            '=' => self.emit(TokenKind::Assign),
            ':' if self.accept("=") => self.emit(TokenKind::Declare),
            ':' => self.error("expected :="),
            '|' => self.emit(TokenKind::Pipe),
            '"' => self.quoted('"', TokenKind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', TokenKind::CharConstant, "unterminated character constant"),
            '`' => self.raw_quoted(),
            '$' => self.name(TokenKind::Variable, TokenKind::Variable),
            '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) && self.peek().is_some() => {
                self.name(TokenKind::Field, TokenKind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = self.start;
                self.number()
            }
            _ if is_word(c) => self.identifier(),
            '(' => {
                self.parens += 1;
                self.emit(TokenKind::LeftParen)
            }
            ')' if self.parens == 0 => self.error("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.emit(TokenKind::RightParen)
            }
            ' '..='~' => self.emit(TokenKind::Char),
            _ => self.error(format!("unrecognized character in action: U+{:04X}", u32::from(c))),
        }
    }

    /// Reads blanks, leaving the one that belongs to a trim marker.
    fn space(&mut self) -> Token {
        self.take_while(is_space);
        let before = self.pos - 1;
        let tail = &self.input[before..];
        if has_right_trim(tail) && tail[2..].starts_with(RIGHT) {
            self.pos = before;
            if self.pos == self.start {
                return self.action_token();
            }
        }
        self.emit(TokenKind::Space)
    }

    fn quoted(&mut self, quote: char, kind: TokenKind, unterminated: &str) -> Token {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return self.error(unterminated);
                    }
                }
                None | Some('\n') => return self.error(unterminated),
                Some(c) if c == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Token {
        match self.rest().find('`') {
            Some(end) => {
                self.pos += end + 1;
                self.emit(TokenKind::RawString)
            }
            None => self.error("unterminated raw quoted string"),
        }
    }

    /// Reads the name after `.` or `$`; `bare` is the word without one.
    fn name(&mut self, kind: TokenKind, bare: TokenKind) -> Token {
        if self.at_terminator() {
            return self.emit(bare);
        }
        self.take_while(is_word);
        if self.at_terminator() { self.emit(kind) } else { self.bad_character() }
    }

    fn identifier(&mut self) -> Token {
        self.take_while(is_word);
        let word = &self.input[self.start..self.pos];
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match word {
            "true" | "false" => TokenKind::Bool,
            _ => TokenKind::keyword(word).unwrap_or(TokenKind::Identifier),
        };
        self.emit(kind)
    }

    fn bad_character(&mut self) -> Token {
        let c = self.next().map_or(0, u32::from);
        self.error(format!("bad character U+{c:04X} after a name"))
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => is_space(c) || self.rest().starts_with(RIGHT),
        }
    }

    fn number(&mut self) -> Token {
        if !self.scan_number() {
            return self.bad_number();
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            let kind = if self.ends_in_i() { TokenKind::Imaginary } else { TokenKind::Number };
            return self.emit(kind);
        }
        if !self.scan_number() || !self.ends_in_i() {
            return self.bad_number();
        }
        self.emit(TokenKind::Imaginary)
    }

    fn ends_in_i(&self) -> bool {
        self.input[self.start..self.pos].ends_with('i')
    }

    fn bad_number(&mut self) -> Token {
        let text = &self.input[self.start..self.pos];
        self.error(format!("bad number syntax: {text:?}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        let (mut exponent, mut has_prefix) = ("eE", false);
        if self.accept("0") {
            if self.accept("xX") {
                (digits, exponent) = ("0123456789abcdefABCDEF_", "pP");
            } else if self.accept("oO") {
                (digits, has_prefix) = ("01234567_", true);
            } else if self.accept("bB") {
                (digits, has_prefix) = ("01_", true);
            }
        }
        self.take_while(|c| digits.contains(c));
        if self.accept(".") {
            self.take_while(|c| digits.contains(c));
        }
        if !has_prefix && self.accept(exponent) {
            self.accept("+-");
            self.take_while(|c| "0123456789_".contains(c));
        }
        self.accept("i");
        if self.peek().is_some_and(is_word) {
            self.next();
            return false;
        }
        true
    }
}

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphabetic() || c.is_numeric()
}

fn has_left_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

fn has_right_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_space) && chars.next() == Some('-')
}
