//! The words of a template.

use std::ops::Range;

/// A word of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Range<usize>,
}

/// The kinds of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The text cannot be split into words; says why.
    Error(String),
    Eof,
    /// Text outside of actions, trimmed.
    Text,
    LeftDelim,
    RightDelim,
    LeftParen,
    RightParen,
    Space,
    Assign,
    Declare,
    Pipe,
    /// A single character without a meaning of its own, such as a comma.
    Char,
    Bool,
    CharConstant,
    Number,
    Imaginary,
    String,
    RawString,
    /// `.name`
    Field,
    /// `$` or `$name`
    Variable,
    Identifier,
    Dot,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

impl TokenKind {
    /// Returns the keyword that a word is, if it is one.
    pub fn keyword(word: &str) -> Option<Self> {
        Some(match word {
            "block" => Self::Block,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "define" => Self::Define,
            "else" => Self::Else,
            "end" => Self::End,
            "if" => Self::If,
            "range" => Self::Range,
            "nil" => Self::Nil,
            "template" => Self::Template,
            "with" => Self::With,
            _ => return None,
        })
    }

    /// Reports whether an operand of a command may start with it.
    pub fn starts_operand(&self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::CharConstant
                | Self::Imaginary
                | Self::Dot
                | Self::Field
                | Self::Identifier
                | Self::Number
                | Self::Nil
                | Self::RawString
                | Self::String
                | Self::Variable
                | Self::LeftParen
        )
    }
}
