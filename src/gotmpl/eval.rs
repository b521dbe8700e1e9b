//! Evaluates pipelines, commands, fields and arguments.

use std::ops::Range;
use std::sync::Arc;

use super::ast::{Command, Expr, ExprKind, Number, Pipe};
use super::duration;
use super::error::{Error, ErrorKind};
use super::exec::Exec;
use super::map::MapKind;
use super::session::MissingKey;
use super::value::{Int, Value};

/// The arguments of a call: the words after the first, and what the pipeline hands on.
#[derive(Clone)]
pub(super) struct Args<'a> {
    pub words: &'a [Expr],
    pub last: Option<Value>,
}

impl Args<'_> {
    const NONE: Self = Args { words: &[], last: None };

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.last.is_none()
    }
}

impl<'a> Exec<'a> {
    pub(super) fn pipe(&mut self, dot: &Value, pipe: &'a Pipe) -> Result<Value, Error> {
        let value = self.level(&pipe.span, |exec| {
            let mut last = None;
            for command in &pipe.commands {
                last = Some(exec.command(dot, command, last)?.unwrap_interface());
            }
            Ok(last.unwrap_or_default())
        })?;
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone(), &pipe.span)?;
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    pub(super) fn assign(
        &mut self,
        name: &str,
        value: Value,
        span: &Range<usize>,
    ) -> Result<(), Error> {
        match self.variables.iter_mut().rev().find(|(known, _)| **known == *name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.fail(
                ErrorKind::UndefinedVariable,
                span,
                format!("undefined variable: {name}"),
            )),
        }
    }

    fn variable(&self, name: &Arc<str>, span: &Range<usize>) -> Result<&Value, Error> {
        self.variables
            .iter()
            .rev()
            .find(|(known, _)| Arc::ptr_eq(known, name) || **known == **name)
            .map(|(_, value)| value)
            .ok_or_else(|| {
                self.fail(ErrorKind::UndefinedVariable, span, format!("undefined variable: {name}"))
            })
    }

    fn command(
        &mut self,
        dot: &Value,
        command: &'a Command,
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let (first, words) =
            command.words.split_first().expect("the parser refuses an empty command");
        let args = Args { words, last };
        match &first.kind {
            ExprKind::Field(path) => self.fields(dot, dot.clone(), path, &first.span, args),
            ExprKind::Chain(node, path) => {
                let receiver = self.chain_start(dot, node)?;
                self.fields(dot, receiver, path, &first.span, args)
            }
            ExprKind::Variable(name, path) if !path.is_empty() => {
                let receiver = self.variable(name, &first.span)?.clone();
                self.fields(dot, receiver, path, &first.span, args)
            }
            ExprKind::Function(function) => self.call(dot, function, None, &first.span, args),
            _ if !args.is_empty() => {
                let text = &self.template.source.text[first.span.clone()];
                let detail = format!("can't give argument to non-function {text}");
                Err(self.fail(ErrorKind::Argument, &first.span, detail))
            }
            ExprKind::Nil => Err(self.fail(ErrorKind::Value, &first.span, "nil is not a command")),
            _ => self.operand(dot, first),
        }
    }

    /// Evaluates an operand without arguments, to the type that it has by itself.
    pub(super) fn operand(&mut self, dot: &Value, expr: &'a Expr) -> Result<Value, Error> {
        match &expr.kind {
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Nil => Ok(Value::Nil),
            ExprKind::Number(number) => self.ideal_constant(number, &expr.span),
            ExprKind::Str(text) => Ok(Value::Str(text.clone())),
            ExprKind::Field(path) => self.fields(dot, dot.clone(), path, &expr.span, Args::NONE),
            ExprKind::Variable(name, path) => {
                let value = self.variable(name, &expr.span)?.clone();
                if path.is_empty() {
                    Ok(value)
                } else {
                    self.fields(dot, value, path, &expr.span, Args::NONE)
                }
            }
            ExprKind::Chain(node, path) => {
                let receiver = self.chain_start(dot, node)?;
                self.fields(dot, receiver, path, &expr.span, Args::NONE)
            }
            ExprKind::Function(function) => self.call(dot, function, None, &expr.span, Args::NONE),
            ExprKind::Pipe(pipe) => self.pipe(dot, pipe),
        }
    }

    fn chain_start(&mut self, dot: &Value, node: &'a Expr) -> Result<Value, Error> {
        if matches!(node.kind, ExprKind::Nil) {
            return Err(self.fail(
                ErrorKind::Field,
                &node.span,
                "indirection through explicit nil",
            ));
        }
        self.operand(dot, node)
    }

    fn ideal_constant(&self, number: &Number, span: &Range<usize>) -> Result<Value, Error> {
        match (number.float, number.int) {
            (Some(float), _) if number.reads_as_float => Ok(Value::Float(float)),
            (_, Some(int)) => Ok(Value::int(int)),
            _ => {
                let text = &self.template.source.text[span.clone()];
                Err(self.fail(ErrorKind::Value, span, format!("{text} overflows int")))
            }
        }
    }

    /// Walks `.a.b.c`; arguments go to the last.
    fn fields(
        &mut self,
        dot: &Value,
        start: Value,
        path: &[Arc<str>],
        span: &Range<usize>,
        args: Args<'a>,
    ) -> Result<Value, Error> {
        let (last, path) = path.split_last().expect("the parser gives a field at least one name");
        let mut receiver = start;
        for (index, name) in path.iter().enumerate() {
            receiver = self.field(dot, &receiver, name, index > 0, span, Args::NONE)?;
        }
        self.field(dot, &receiver, last, !path.is_empty(), span, args)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        name: &str,
        is_inner: bool,
        span: &Range<usize>,
        args: Args<'a>,
    ) -> Result<Value, Error> {
        match receiver {
            Value::Missing if self.session.options.missing_key == MissingKey::Error => Err(
                self.fail(ErrorKind::Field, span, format!("nil data; no entry for key {name:?}"))
            ),
            Value::Missing => Ok(Value::Missing),
            Value::Nil => Err(self.fail(
                ErrorKind::Field,
                span,
                format!("nil pointer evaluating interface {{}}.{name}"),
            )),
            Value::Map(map) => {
                if let MapKind::Named(named) = map.kind()
                    && let Some(method) = (named.method)(name)
                {
                    return self.call(dot, method, Some(receiver.clone()), span, args);
                }
                if !args.is_empty() {
                    let detail = format!("{name} is not a method but has arguments");
                    return Err(self.fail(ErrorKind::Argument, span, detail));
                }
                match (map.get(name), self.session.options.missing_key) {
                    (Some(value), _) => Ok(value),
                    (None, MissingKey::Default) => Ok(Value::Missing),
                    (None, MissingKey::Zero) => Ok(map.kind().zero()),
                    (None, MissingKey::Error) => Err(self.fail(
                        ErrorKind::Field,
                        span,
                        format!("map has no entry for key {name:?}"),
                    )),
                }
            }
            Value::Object(object) => {
                if let Some(method) = object.method(name) {
                    return self.call(dot, method, Some(receiver.clone()), span, args);
                }
                match object.field(name) {
                    Some(_) if !args.is_empty() => {
                        let detail =
                            format!("{name} has arguments but cannot be invoked as function");
                        Err(self.fail(ErrorKind::Argument, span, detail))
                    }
                    Some(value) => Ok(value),
                    None => Err(self.no_field(receiver, name, is_inner, span)),
                }
            }
            Value::Int(_, Int::Duration) => match duration::method(name) {
                Some(method) => self.call(dot, method, Some(receiver.clone()), span, args),
                None => Err(self.no_field(receiver, name, is_inner, span)),
            },
            _ => Err(self.no_field(receiver, name, is_inner, span)),
        }
    }

    fn no_field(&self, receiver: &Value, name: &str, is_inner: bool, span: &Range<usize>) -> Error {
        // What comes out of a map or list has the type of its elements.
        let type_name = if is_inner { "interface {}" } else { receiver.type_name() };
        self.fail(
            ErrorKind::Field,
            span,
            format!("can't evaluate field {name} in type {type_name}"),
        )
    }
}
