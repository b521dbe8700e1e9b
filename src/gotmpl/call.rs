//! Calls functions and methods: counts and types of arguments.

use std::ops::Range;

use super::ast::{Expr, ExprKind};
use super::compare::is_true;
use super::error::{Error, ErrorKind};
use super::eval::Args;
use super::exec::Exec;
use super::function::{Failure, Function, Type};
use super::list::{Elem, List};
use super::map::{Map, MapKind};
use super::value::{Int, Uint, Value};

impl<'a> Exec<'a> {
    pub(super) fn call(
        &mut self,
        dot: &Value,
        function: &'static Function,
        receiver: Option<Value>,
        span: &Range<usize>,
        args: Args<'a>,
    ) -> Result<Value, Error> {
        self.check_count(function, span, &args)?;
        if let Some(stop) = function.stops_at {
            return self.short_circuit(dot, stop, args);
        }
        let mut values = Vec::with_capacity(args.words.len() + 2);
        values.extend(receiver);
        for (index, word) in args.words.iter().enumerate() {
            values.push(self.argument(dot, function.param(index), word)?);
        }
        if let Some(last) = args.last {
            let kind = function.param(args.words.len());
            values.push(self.fit(last, kind, span)?);
        }
        (function.call)(self, &values).map_err(|failure| match failure {
            Failure::Message(detail) => self.fail(
                ErrorKind::Function,
                span,
                format!("error calling {}: {detail}", function.name),
            ),
            other => self.locate(other, span),
        })
    }

    fn check_count(
        &self,
        function: &Function,
        span: &Range<usize>,
        args: &Args<'_>,
    ) -> Result<(), Error> {
        let given = args.words.len() + usize::from(args.last.is_some());
        let name = function.name;
        let detail = if function.variadic {
            let least = function.params.len() - 1;
            if given >= least {
                return Ok(());
            }
            format!("wrong number of args for {name}: want at least {least} got {given}")
        } else {
            let want = function.params.len();
            if given == want {
                return Ok(());
            }
            format!("wrong number of args for {name}: want {want} got {given}")
        };
        Err(self.fail(ErrorKind::Argument, span, detail))
    }

    /// Evaluates `and` and `or`: arguments after the one that decides are not evaluated.
    fn short_circuit(&mut self, dot: &Value, stop: bool, args: Args<'a>) -> Result<Value, Error> {
        let mut value = Value::Missing;
        for word in args.words {
            value = self.operand(dot, word)?;
            if is_true(&value) == stop {
                return Ok(value);
            }
        }
        Ok(args.last.unwrap_or(value))
    }

    /// Evaluates an argument to the type that the function wants.
    fn argument(&mut self, dot: &Value, kind: Type, word: &'a Expr) -> Result<Value, Error> {
        let found = || self.template.source.text[word.span.clone()].to_owned();
        let wrong = |wanted: &str| {
            Err(self.fail(
                ErrorKind::Argument,
                &word.span,
                format!("expected {wanted}; found {}", found()),
            ))
        };
        match (&word.kind, kind) {
            (ExprKind::Nil, _) => zero(kind).ok_or_else(|| {
                let detail = format!("cannot assign nil to {}", kind.name());
                self.fail(ErrorKind::Argument, &word.span, detail)
            }),
            (ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Str(_), Type::Any | Type::Raw) => {
                self.operand(dot, word)
            }
            (ExprKind::Bool(value), Type::Bool) => Ok(Value::Bool(*value)),
            (ExprKind::Str(text), Type::Str) => Ok(Value::Str(text.clone())),
            (ExprKind::Number(number), Type::Int | Type::Int64) => match number.int {
                Some(int) if kind == Type::Int => Ok(Value::int(int)),
                Some(int) => Ok(Value::int64(int)),
                None => wrong("integer"),
            },
            (ExprKind::Number(number), Type::Uint32) => match number.uint {
                // Go cuts off what does not fit.
                Some(uint) => Ok(Value::Uint(uint & 0xffff_ffff, Uint::Uint32)),
                None => wrong("unsigned integer"),
            },
            (ExprKind::Number(number), Type::Float) => match number.float {
                Some(float) => Ok(Value::Float(float)),
                None => wrong("float"),
            },
            (ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Str(_), _) => match kind {
                Type::Bool => wrong("bool"),
                Type::Str => wrong("string"),
                Type::Int | Type::Int64 => wrong("integer"),
                Type::Uint32 => wrong("unsigned integer"),
                Type::Float => wrong("float"),
                _ => {
                    let detail =
                        format!("can't handle {} for arg of type {}", found(), kind.name());
                    Err(self.fail(ErrorKind::Argument, &word.span, detail))
                }
            },
            _ => {
                let value = self.operand(dot, word)?;
                self.fit(value, kind, &word.span)
            }
        }
    }

    /// Checks that a value has the type that a function wants.
    fn fit(&self, value: Value, kind: Type, span: &Range<usize>) -> Result<Value, Error> {
        if matches!(value, Value::Missing) {
            return zero(kind).ok_or_else(|| {
                self.fail(
                    ErrorKind::Argument,
                    span,
                    format!("invalid value; expected {}", kind.name()),
                )
            });
        }
        if fits(&value, kind) {
            return Ok(value);
        }
        let detail =
            format!("wrong type for value; expected {}; got {}", kind.name(), value.type_name());
        Err(self.fail(ErrorKind::Argument, span, detail))
    }
}

/// Returns what nil becomes as a type, if the type has a nil.
fn zero(kind: Type) -> Option<Value> {
    match kind {
        Type::Raw => Some(Value::Missing),
        Type::Any => Some(Value::Nil),
        Type::Map => Some(Value::Map(Map::nil(MapKind::Any))),
        Type::List => Some(Value::List(List::nil(Elem::Any))),
        Type::Strings => Some(Value::List(List::nil(Elem::Str))),
        Type::Bool
        | Type::Str
        | Type::Int
        | Type::Int64
        | Type::Float
        | Type::Uint32
        | Type::Host(_) => None,
    }
}

/// Reports whether Go could assign a value to a type.
fn fits(value: &Value, kind: Type) -> bool {
    match kind {
        Type::Raw | Type::Any => true,
        Type::Bool => matches!(value, Value::Bool(_)),
        Type::Str => matches!(value, Value::Str(_)),
        Type::Int => matches!(value, Value::Int(_, Int::Int)),
        Type::Int64 => matches!(value, Value::Int(_, Int::Int64)),
        Type::Uint32 => matches!(value, Value::Uint(_, Uint::Uint32)),
        Type::Float => matches!(value, Value::Float(_)),
        Type::Map => matches!(value, Value::Map(map) if !matches!(map.kind(), MapKind::Str)),
        Type::List => matches!(value, Value::List(list) if list.elem() == Elem::Any),
        Type::Strings => matches!(value, Value::List(list) if list.elem() == Elem::Str),
        Type::Host(name) => value.type_name() == name,
    }
}
