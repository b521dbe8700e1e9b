//! Executes statements.

use std::ops::Range;
use std::sync::Arc;

use super::ast::{Block, Branch, Pipe, Statement, Template};
use super::compare::is_true;
use super::error::{Error, ErrorKind, Place};
use super::function::Failure;
use super::meter::Meter;
use super::print::display;
use super::session::Session;
use super::set::TemplateSet;
use super::stack::MAX_LEVELS;
use super::text::Text;
use super::value::{Int, Uint, Value};

/// A template under way. Functions get it, so that they can execute templates themselves.
pub struct Exec<'a> {
    pub(super) set: &'a TemplateSet,
    pub(super) session: &'a mut Session,
    pub(super) template: &'a Template,
    pub(super) variables: Vec<(Arc<str>, Value)>,
}

/// Where execution goes after a statement.
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'a> Exec<'a> {
    pub(super) fn new(
        set: &'a TemplateSet,
        session: &'a mut Session,
        template: &'a Template,
        dot: Value,
    ) -> Self {
        Self { set, session, template, variables: vec![("$".into(), dot)] }
    }

    /// Returns the templates and functions of this execution.
    pub fn set(&self) -> &'a TemplateSet {
        self.set
    }

    /// Returns the meter, on which functions count what they spend.
    pub fn meter(&self) -> &Meter {
        &self.session.meter
    }

    /// Returns the name of the source under way.
    pub fn source_name(&self) -> &str {
        &self.template.source.name
    }

    /// Executes another template and returns its output.
    ///
    /// # Errors
    /// When there is none of that name, when it fails, or when too many call each other.
    pub fn call_template(
        &mut self,
        name: &str,
        data: Value,
        call: &'static str,
    ) -> Result<Text, Failure> {
        let set = self.set;
        self.call_template_of(set, name, data, call)
    }

    /// Executes a template of another set, as `tpl` does, and returns its output.
    ///
    /// # Errors
    /// As [`Exec::call_template`].
    pub fn call_template_of(
        &mut self,
        set: &TemplateSet,
        name: &str,
        data: Value,
        call: &'static str,
    ) -> Result<Text, Failure> {
        let Some(template) = set.get(name) else {
            return Err(format!("no template {name:?} is defined").into());
        };
        self.count_call()?;
        let outer = std::mem::take(&mut self.session.out);
        let result = Exec::new(set, self.session, template, data).run();
        let inner = std::mem::replace(&mut self.session.out, outer);
        self.session.calls -= 1;
        result.map_err(|error| Failure::Inner { error, call })?;
        self.session.meter.string(inner.len())?;
        Ok(Text::from_bytes(inner))
    }

    fn count_call(&mut self) -> Result<(), Failure> {
        let limit = self.session.options.limits.calls;
        if self.session.calls >= limit {
            return Err(Failure::Limit(format!(
                "templates call each other more than {limit} levels deep"
            )));
        }
        self.session.calls += 1;
        Ok(())
    }

    pub(super) fn run(&mut self) -> Result<(), Error> {
        let template = self.template;
        let dot = self.variables[0].1.clone();
        self.block(&dot, &template.body).map(|_| ())
    }

    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        Place {
            source: self.template.source.clone(),
            span: span.clone(),
            template: self.template.name.clone(),
        }
    }

    pub(super) fn fail(
        &self,
        kind: ErrorKind,
        span: &Range<usize>,
        detail: impl Into<String>,
    ) -> Error {
        Error::new(kind, detail, Some(self.place(span)))
    }

    /// Gives a failure its place.
    pub(super) fn locate(&self, failure: Failure, span: &Range<usize>) -> Error {
        match failure {
            Failure::Message(detail) => self.fail(ErrorKind::Function, span, detail),
            Failure::Limit(detail) => self.fail(ErrorKind::Limit, span, detail),
            Failure::Inner { error, call } => error.called_from(call, self.place(span)),
        }
    }

    /// Counts a level of recursion and a step, and runs work in it.
    pub(super) fn level<T>(
        &mut self,
        span: &Range<usize>,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.session.levels += 1;
        if self.session.levels > MAX_LEVELS {
            return Err(self.fail(ErrorKind::Limit, span, "the templates nest too deep"));
        }
        self.session.meter.step(1).map_err(|failure| self.locate(failure, span))?;
        let result = work(self);
        self.session.levels -= 1;
        result
    }

    fn block(&mut self, dot: &Value, block: &'a Block) -> Result<Flow, Error> {
        for statement in block {
            match self.statement(dot, statement)? {
                Flow::Next => {}
                exit => return Ok(exit),
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, dot: &Value, statement: &'a Statement) -> Result<Flow, Error> {
        match statement {
            Statement::Text(text) => self.write(text.as_bytes(), &(0..0))?,
            Statement::Action(pipe) => {
                let value = self.pipe(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(&value, &pipe.span)?;
                }
            }
            Statement::If(branch) => {
                return self.level(&branch.pipe.span, |exec| exec.condition(dot, branch, false));
            }
            Statement::With(branch) => {
                return self.level(&branch.pipe.span, |exec| exec.condition(dot, branch, true));
            }
            Statement::Range(branch) => {
                return self.level(&branch.pipe.span, |exec| exec.range(dot, branch));
            }
            Statement::Template { name, pipe, span } => {
                self.template(dot, name, pipe.as_ref(), span)?;
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, bytes: &[u8], span: &Range<usize>) -> Result<(), Error> {
        self.session.write(bytes).map_err(|failure| self.locate(failure, span))
    }

    fn print(&mut self, value: &Value, span: &Range<usize>) -> Result<(), Error> {
        match value {
            Value::Str(text) => self.write(text.as_bytes(), span),
            Value::Missing => self.write(b"<no value>", span),
            Value::Object(object) => self.write(object.display().as_bytes(), span),
            _ => {
                let text = display(&self.session.meter, value)
                    .map_err(|failure| self.locate(failure, span))?;
                self.write(text.as_bytes(), span)
            }
        }
    }

    fn condition(
        &mut self,
        dot: &Value,
        branch: &'a Branch,
        sets_dot: bool,
    ) -> Result<Flow, Error> {
        let mark = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let flow = if is_true(&value) {
            self.block(if sets_dot { &value } else { dot }, &branch.list)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.block(dot, otherwise)?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn template(
        &mut self,
        dot: &Value,
        name: &str,
        pipe: Option<&'a Pipe>,
        span: &Range<usize>,
    ) -> Result<(), Error> {
        let set = self.set;
        let Some(template) = set.get(name) else {
            return Err(self.fail(
                ErrorKind::UnknownTemplate,
                span,
                format!("template {name:?} not defined"),
            ));
        };
        // Variables that the pipeline declares stay.
        let dot = pipe.map_or(Ok(Value::Missing), |pipe| self.pipe(dot, pipe))?;
        self.count_call().map_err(|failure| self.locate(failure, span))?;
        let result =
            self.level(span, |exec| Ok(Exec::new(set, exec.session, template, dot).run()))?;
        self.session.calls -= 1;
        result.map_err(|error| error.called_from("template", self.place(span)))
    }

    fn range(&mut self, dot: &Value, branch: &'a Branch) -> Result<Flow, Error> {
        let mark = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let ran = self.iterate(&value, branch)?;
        let flow = match &branch.otherwise {
            Some(otherwise) if !ran => self.block(dot, otherwise)?,
            _ => Flow::Next,
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// Walks a value; returns whether there was anything to walk.
    fn iterate(&mut self, value: &Value, branch: &'a Branch) -> Result<bool, Error> {
        match value {
            Value::Missing | Value::Nil => Ok(false),
            Value::Int(count, kind) if *kind != Int::Duration => {
                let kind = *kind;
                self.check_one_variable(value, branch)?;
                self.each(
                    branch,
                    (0..*count).map(|index| (Value::Missing, Value::Int(index, kind))),
                )
            }
            Value::Uint(count, kind) => {
                let kind: Uint = *kind;
                self.check_one_variable(value, branch)?;
                self.each(
                    branch,
                    (0..*count).map(|index| (Value::Missing, Value::Uint(index, kind))),
                )
            }
            Value::List(list) => {
                let items = list.items().iter().cloned();
                self.each(branch, (0..).map(Value::int).zip(items))
            }
            Value::Bytes(bytes) => {
                let items = bytes.iter().map(|byte| Value::Uint(u64::from(*byte), Uint::Uint8));
                self.each(branch, (0..).map(Value::int).zip(items))
            }
            Value::Map(map) => {
                let entries = map.to_vec();
                self.each(branch, entries.into_iter().map(|(key, value)| (Value::Str(key), value)))
            }
            Value::Object(object) => match object.entries() {
                Some(entries) => self.each(branch, entries.into_iter()),
                None => Err(self.no_iteration(value, branch)),
            },
            _ => Err(self.no_iteration(value, branch)),
        }
    }

    fn check_one_variable(&self, value: &Value, branch: &Branch) -> Result<(), Error> {
        if branch.pipe.variables.len() <= 1 {
            return Ok(());
        }
        let detail =
            format!("can't use {} to iterate over more than one variable", self.shown(value));
        Err(self.fail(ErrorKind::Value, &branch.pipe.span, detail))
    }

    fn no_iteration(&self, value: &Value, branch: &Branch) -> Error {
        let detail = format!("range can't iterate over {}", self.shown(value));
        self.fail(ErrorKind::Value, &branch.pipe.span, detail)
    }

    /// Returns the start of what a value prints, for messages.
    fn shown(&self, value: &Value) -> String {
        let text = display(&self.session.meter, value).map(|text| text.to_str().into_owned());
        let text = text.unwrap_or_else(|_| value.type_name().to_owned());
        if text.chars().count() > 60 {
            text.chars().take(60).chain(['…']).collect()
        } else {
            text
        }
    }

    fn each(
        &mut self,
        branch: &'a Branch,
        pairs: impl Iterator<Item = (Value, Value)>,
    ) -> Result<bool, Error> {
        let mark = self.variables.len();
        let mut ran = false;
        for (index, element) in pairs {
            ran = true;
            self.session
                .meter
                .step(1)
                .map_err(|failure| self.locate(failure, &branch.pipe.span))?;
            self.set_range_variables(&branch.pipe, index, &element)?;
            let flow = self.block(&element, &branch.list)?;
            self.variables.truncate(mark);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(ran)
    }

    fn set_range_variables(
        &mut self,
        pipe: &Pipe,
        index: Value,
        element: &Value,
    ) -> Result<(), Error> {
        let top = self.variables.len();
        match (pipe.variables.as_slice(), pipe.assigns) {
            ([name], true) => self.assign(name, element.clone(), &pipe.span),
            ([first, second], true) => {
                self.assign(first, index, &pipe.span)?;
                self.assign(second, element.clone(), &pipe.span)
            }
            ([_], false) => {
                self.variables[top - 1].1 = element.clone();
                Ok(())
            }
            ([_, _], false) => {
                self.variables[top - 1].1 = element.clone();
                self.variables[top - 2].1 = index;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
