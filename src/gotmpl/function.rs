//! Functions that templates call.

use std::collections::BTreeMap;

use super::error::Error;
use super::exec::Exec;
use super::value::Value;

/// A function of the host.
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// The types of its parameters.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// What it does; gets arguments that fit `params`.
    pub call: Call,
    /// For `and` and `or`: the truth that decides, after which no argument is evaluated.
    pub(super) stops_at: Option<bool>,
}

impl Function {
    /// Makes a function with a fixed number of parameters.
    pub const fn new(name: &'static str, params: &'static [Type], call: Call) -> Self {
        Self { name, params, variadic: false, call, stops_at: None }
    }

    /// Makes a function whose last parameter takes any number of arguments.
    pub const fn variadic(name: &'static str, params: &'static [Type], call: Call) -> Self {
        Self { name, params, variadic: true, call, stops_at: None }
    }

    /// Returns the type that the argument with this index must have.
    pub(super) fn param(&self, index: usize) -> Type {
        let last = self.params.len().saturating_sub(1);
        self.params[index.min(last)]
    }
}

/// The Rust side of a function. For a method the receiver is the first argument.
pub type Call = fn(&mut Exec<'_>, &[Value]) -> Result<Value, Failure>;

/// The Go types that parameters have. An argument of another type is an error of the template, as in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `reflect.Value`: takes everything, and tells nil from missing.
    Raw,
    /// `interface {}`: takes everything; missing becomes nil.
    Any,
    /// `bool`
    Bool,
    /// `string`
    Str,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `float64`
    Float,
    /// `map[string]interface {}`
    Map,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// A type of the host, by its Go name.
    Host(&'static str),
}

impl Type {
    /// Returns Go's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "reflect.Value",
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Str => "string",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float => "float64",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Host(name) => name,
        }
    }
}

/// Why a function could not give a value.
#[derive(Debug)]
pub enum Failure {
    /// What the function says. The caller adds its name and the place.
    Message(String),
    /// A limit was reached; no default or retry may hide it.
    Limit(String),
    /// A template that the function executed failed; the error knows its own place.
    Inner {
        /// The error of the inner template.
        error: Error,
        /// What executed it: `include`, `tpl`.
        call: &'static str,
    },
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The functions a template may call, by name. A later one replaces an earlier one of its name.
#[derive(Clone, Default)]
pub struct Functions(BTreeMap<&'static str, &'static Function>);

impl Functions {
    /// Returns Go's own functions.
    pub fn builtin() -> Self {
        let mut functions = Self::default();
        functions.add(super::builtin::FUNCTIONS);
        functions
    }

    /// Adds functions.
    pub fn add(&mut self, functions: &'static [Function]) {
        self.0.extend(functions.iter().map(|function| (function.name, function)));
    }

    /// Finds a function.
    pub fn get(&self, name: &str) -> Option<&'static Function> {
        self.0.get(name).copied()
    }

    /// Returns all names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}
