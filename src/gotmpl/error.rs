//! What can go wrong with a template, and where.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::draw;

/// The text of a template file and the name it was parsed under.
#[derive(Debug)]
pub struct Source {
    /// The name, for Helm the path in the chart.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

/// A piece of a source.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where the piece stands.
    pub source: Arc<Source>,
    /// Its bytes.
    pub span: Range<usize>,
    /// The template that was executed, which may be one of several in the source.
    pub template: Arc<str>,
}

impl Place {
    /// Returns the line, counted from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// Returns the column in characters, counted from 1.
    pub fn column(&self) -> usize {
        let before = self.before();
        let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
        line.chars().count() + 1
    }

    fn before(&self) -> &str {
        &self.source.text[..self.span.start]
    }
}

/// A call that was under way when an error happened.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What called: `include`, `template`, `tpl`.
    pub call: &'static str,
    /// Where the call stands.
    pub place: Place,
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// The text is no template.
    #[error("bad template syntax")]
    Syntax,
    /// A function is called that does not exist.
    #[error("unknown function")]
    UnknownFunction,
    /// A variable is used that is not declared.
    #[error("undefined variable")]
    UndefinedVariable,
    /// A template is called that does not exist.
    #[error("unknown template")]
    UnknownTemplate,
    /// A value has no such field, or is nil.
    #[error("no such field")]
    Field,
    /// An argument is of the wrong type, or there are too many or too few.
    #[error("wrong argument")]
    Argument,
    /// A value cannot be used in this way: ranged over, printed.
    #[error("wrong value")]
    Value,
    /// A function failed.
    #[error("function failed")]
    Function,
    /// A limit against hostile templates was reached.
    #[error("limit reached")]
    Limit,
}

/// An error of parsing or executing a template.
#[derive(Clone)]
pub struct Error(Box<Body>);

#[derive(Clone)]
struct Body {
    kind: ErrorKind,
    detail: String,
    place: Option<Place>,
    stack: Vec<Frame>,
}

impl Error {
    /// Makes an error at a place.
    pub fn new(kind: ErrorKind, detail: impl Into<String>, place: Option<Place>) -> Self {
        Self(Box::new(Body { kind, detail: detail.into(), place, stack: Vec::new() }))
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what is wrong, without the place.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Returns where it is wrong.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Returns the calls that led there, the innermost first.
    pub fn stack(&self) -> &[Frame] {
        &self.0.stack
    }

    /// Adds the next outer call. Long recursions keep both ends only.
    #[must_use]
    pub fn called_from(mut self, call: &'static str, place: Place) -> Self {
        const KEPT: usize = 32;
        let frame = Frame { call, place };
        if self.0.stack.len() < KEPT {
            self.0.stack.push(frame);
        } else {
            self.0.stack[KEPT - 1] = frame;
        }
        self
    }

    /// Draws the error as compilers do: message, place, the line with carets, the calls that led there.
    pub fn draw(&self) -> String {
        draw::draw(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{}:{}:{}: ", place.source.name, place.line(), place.column())?;
        }
        f.write_str(&self.0.detail)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for Error {}
