//! Pipelines, commands and operands.

use std::sync::Arc;

use super::ast::{Command, Expr, ExprKind, Number, Pipe};
use super::error::ErrorKind;
use super::number::{parse_char, parse_number};
use super::parser::{Parsed, Parser};
use super::quote::unquote;
use super::text::Text;
use super::token::{Token, TokenKind};

impl Parser<'_> {
    /// Parses a pipeline up to and with its end.
    pub(super) fn pipe(&mut self, context: &str, end: &TokenKind) -> Parsed<Pipe> {
        let start = self.peek_word().span.start;
        let mut pipe = Pipe {
            span: start..start,
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_word();
            if token.kind == *end {
                self.check_pipe(&pipe, &token, context)?;
                return Ok(pipe);
            }
            if !token.kind.starts_operand() {
                return Err(self.unexpected(&token, context));
            }
            self.put_back(token);
            let command = self.command()?;
            pipe.span.end = command.span.end;
            pipe.commands.push(command);
        }
    }

    /// Reads `$x :=`, `$x =` and, in a range, `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_word();
            if variable.kind != TokenKind::Variable {
                return Ok(());
            }
            self.next_word();
            // `$x foo` has a space that must come back, or the argument would stick to the variable.
            let after = self.peek();
            let next = self.peek_word();
            let is_comma = next.kind == TokenKind::Char && self.text(&next) == ",";
            if !is_comma && !matches!(next.kind, TokenKind::Assign | TokenKind::Declare) {
                if after.kind == TokenKind::Space {
                    self.put_back(after);
                }
                self.put_back(variable);
                return Ok(());
            }
            self.next_word();
            let name: Arc<str> = self.text(&variable).into();
            pipe.variables.push(name.clone());
            self.variables.push(name);
            if !is_comma {
                pipe.assigns = next.kind == TokenKind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.variables.len() >= 2 {
                return Err(self.syntax(&variable, format!("too many declarations in {context}")));
            }
            let follows = self.peek_word();
            if !matches!(
                follows.kind,
                TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen
            ) {
                return Err(self.syntax(&follows, "range can only initialize variables"));
            }
        }
    }

    fn check_pipe(&self, pipe: &Pipe, end: &Token, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return Err(self.syntax(end, format!("missing value for {context}")));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = &command.words[0];
            if matches!(
                first.kind,
                ExprKind::Bool(_)
                    | ExprKind::Dot
                    | ExprKind::Nil
                    | ExprKind::Number(_)
                    | ExprKind::Str(_)
            ) {
                let detail = format!("non executable command in pipeline stage {}", index + 1);
                return Err(self.error(ErrorKind::Syntax, first.span.clone(), detail));
            }
        }
        Ok(())
    }

    /// Parses operands up to a pipe, which it takes, or the end of the pipeline, which it leaves.
    fn command(&mut self) -> Parsed<Command> {
        let mut command = Command { span: 0..0, words: Vec::new() };
        loop {
            let start = self.peek_word();
            if let Some(operand) = self.operand()? {
                if command.words.is_empty() {
                    command.span = operand.span.clone();
                }
                command.span.end = operand.span.end;
                command.words.push(operand);
            }
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelim | TokenKind::RightParen => self.put_back(token),
                TokenKind::Pipe => {}
                _ => return Err(self.unexpected(&token, "operand")),
            }
            if command.words.is_empty() {
                return Err(self.syntax(&start, "empty command"));
            }
            return Ok(command);
        }
    }

    /// Parses a term and the fields that hang on it.
    fn operand(&mut self) -> Parsed<Option<Expr>> {
        let Some(mut term) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        while self.peek().kind == TokenKind::Field {
            let token = self.next();
            fields.push(self.field_name(&token));
            term.span.end = token.span.end;
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        match &mut term.kind {
            ExprKind::Field(path) | ExprKind::Variable(_, path) => path.extend(fields),
            ExprKind::Bool(_)
            | ExprKind::Str(_)
            | ExprKind::Number(_)
            | ExprKind::Nil
            | ExprKind::Dot => {
                let text = &self.source.text[term.span.clone()];
                let detail = format!("unexpected field after a term in `{text}`");
                return Err(self.error(ErrorKind::Syntax, term.span, detail));
            }
            _ => {
                let span = term.span.clone();
                term = Expr { span, kind: ExprKind::Chain(Box::new(term), fields) };
            }
        }
        Ok(Some(term))
    }

    fn field_name(&self, token: &Token) -> Arc<str> {
        self.text(token)[1..].into()
    }

    fn term(&mut self) -> Parsed<Option<Expr>> {
        let token = self.next_word();
        let text = self.text(&token);
        let mut span = token.span.clone();
        let kind = match token.kind {
            TokenKind::Identifier => {
                let Some(function) = self.functions.get(text) else {
                    let detail = format!("function {text:?} not defined");
                    return Err(self.error(ErrorKind::UnknownFunction, span, detail));
                };
                ExprKind::Function(function)
            }
            TokenKind::Dot => ExprKind::Dot,
            TokenKind::Nil => ExprKind::Nil,
            TokenKind::Variable => self.variable(&token)?,
            TokenKind::Field => ExprKind::Field(vec![self.field_name(&token)]),
            TokenKind::Bool => ExprKind::Bool(text == "true"),
            TokenKind::CharConstant => ExprKind::Number(self.number(&token, parse_char(text))?),
            TokenKind::Number => ExprKind::Number(self.number(&token, parse_number(text))?),
            TokenKind::Imaginary => {
                return Err(self.syntax(&token, "imaginary numbers are not supported"));
            }
            TokenKind::LeftParen => {
                self.enter(&token)?;
                let pipe = self.pipe("parenthesized pipeline", &TokenKind::RightParen)?;
                self.depth -= 1;
                let tail = &self.source.text[pipe.span.end..];
                span.end = pipe.span.end + tail.find(')').map_or(0, |end| end + 1);
                ExprKind::Pipe(Box::new(pipe))
            }
            TokenKind::String | TokenKind::RawString => match unquote(text) {
                Some(bytes) => ExprKind::Str(Text::from_bytes(bytes)),
                None => return Err(self.syntax(&token, format!("invalid string literal {text}"))),
            },
            _ => {
                self.put_back(token);
                return Ok(None);
            }
        };
        Ok(Some(Expr { span, kind }))
    }

    fn variable(&mut self, token: &Token) -> Parsed<ExprKind> {
        let name = self.text(token);
        let Some(variable) = self.variables.iter().find(|variable| ***variable == *name) else {
            let detail = format!("undefined variable {name:?}");
            return Err(self.error(ErrorKind::UndefinedVariable, token.span.clone(), detail));
        };
        Ok(ExprKind::Variable(variable.clone(), Vec::new()))
    }

    fn number(&self, token: &Token, number: Result<Number, String>) -> Parsed<Number> {
        number.map_err(|detail| self.syntax(token, detail))
    }
}
