//! The tree of a parsed template. It is `Send` and `Sync`: parse once, execute on many threads.

use std::ops::Range;
use std::sync::Arc;

use super::error::Source;
use super::function::Function;
use super::text::Text;

/// A named template.
#[derive(Debug)]
pub struct Template {
    pub name: Arc<str>,
    pub source: Arc<Source>,
    pub body: Block,
}

/// Statements one after the other.
pub type Block = Vec<Statement>;

/// Text or an action.
#[derive(Debug)]
pub enum Statement {
    Text(Arc<str>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { name: Arc<str>, pipe: Option<Pipe>, span: Range<usize> },
    Break,
    Continue,
}

/// What `if`, `with` and `range` have in common.
#[derive(Debug)]
pub struct Branch {
    pub pipe: Pipe,
    pub list: Block,
    pub otherwise: Option<Block>,
}

/// Commands that hand their value on, and the variables that take the last.
#[derive(Debug)]
pub struct Pipe {
    pub span: Range<usize>,
    pub variables: Vec<Arc<str>>,
    /// `=` instead of `:=`.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A word with arguments. The first is what is called or read.
#[derive(Debug)]
pub struct Command {
    pub span: Range<usize>,
    pub words: Vec<Expr>,
}

/// An operand.
#[derive(Debug)]
pub struct Expr {
    pub span: Range<usize>,
    pub kind: ExprKind,
}

/// The kinds of operands.
#[derive(Debug)]
pub enum ExprKind {
    Bool(bool),
    Dot,
    Nil,
    Number(Number),
    Str(Text),
    /// `.a.b`
    Field(Vec<Arc<str>>),
    /// `$x`, `$x.a.b`
    Variable(Arc<str>, Vec<Arc<str>>),
    /// `(…).a.b`, `name.a`
    Chain(Box<Expr>, Vec<Arc<str>>),
    Function(&'static Function),
    Pipe(Box<Pipe>),
}

/// A number as written, and what it can be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number {
    pub int: Option<i64>,
    pub uint: Option<u64>,
    pub float: Option<f64>,
    /// The way it is written makes it a float where no type is asked for.
    pub reads_as_float: bool,
}

/// Reports whether a template prints nothing but blanks, and therefore replaces no other of its name.
pub fn is_blank(block: &Block) -> bool {
    block
        .iter()
        .all(|statement| matches!(statement, Statement::Text(text) if text.trim().is_empty()))
}
