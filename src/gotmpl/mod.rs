//! Go's `text/template`, whole, for templates whose data are plain values.
//!
//! Parse texts into a [`TemplateSet`] once; it is `Send` and `Sync`. Execute its templates in a [`Session`], which
//! counts steps, output and memory, on a thread with a large stack ([`on_stack`]). Values share: a map that a function
//! changes is changed for every template that sees it. The host adds functions ([`Functions`]) and objects with
//! methods ([`Object`]); a function gets the [`Exec`] under way, so that it can execute templates itself.
//!
//! Source of the rules: the packages `text/template`, `text/template/parse`, `fmt` and `strconv` of Go 1.26.

mod ast;
mod builtin;
mod call;
mod compare;
mod draw;
mod duration;
mod error;
mod escape;
mod eval;
mod exec;
mod expression;
mod float;
mod function;
mod json;
mod lexer;
mod list;
mod map;
mod memory;
mod meter;
mod number;
mod object;
mod pad;
mod parser;
mod print;
mod printf;
mod quote;
mod session;
mod set;
mod stack;
mod text;
mod token;
mod value;

pub use compare::{equal, is_true, less};
pub use duration::display_duration;
pub use error::{Error, ErrorKind, Frame, Place, Source};
pub use exec::Exec;
pub use float::{display_float, format_float};
pub use function::{Call, Failure, Function, Functions, Type};
pub use json::base64;
pub use list::{Elem, List};
pub use map::{Entries, Map, MapKind, NamedMap};
pub use memory::Memory;
pub use meter::{Limits, Meter};
pub use number::{parse_float, parse_int};
pub use object::{Object, downcast};
pub use pad::{rune_count, rune_offset};
pub use print::{display, sprint};
pub use quote::{is_print, quote};
pub use session::{MissingKey, Options, Session};
pub use set::TemplateSet;
pub use stack::on_stack;
pub use text::Text;
pub use value::{Int, Uint, Value};
