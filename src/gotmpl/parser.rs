//! Statements: text, actions, branches, definitions.

use std::fmt::Write;

use std::ops::Range;
use std::sync::Arc;

use super::ast::{Block, Branch, Pipe, Statement, Template, is_blank};
use super::error::{Error, ErrorKind, Place, Source};
use super::function::Functions;
use super::lexer::Lexer;
use super::quote::unquote;
use super::token::{Token, TokenKind};

/// The deepest nesting of branches and parentheses.
const MAX_DEPTH: usize = 1_000;

/// Parses a source into the templates that it defines; the last is the source itself.
///
/// # Errors
/// With the first fault of the text.
pub fn parse(source: &Arc<Source>, functions: &Functions) -> Result<Vec<Template>, Error> {
    let mut parser = Parser::new(source, functions);
    let body = parser.source_body()?;
    let name = source.name.clone();
    parser.define(name, body, 0..0)?;
    Ok(parser.templates)
}

/// What ended a list of statements.
enum Ender {
    End,
    Else,
}

/// Reads words and builds the tree.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    pub(super) source: &'a Arc<Source>,
    pub(super) functions: &'a Functions,
    /// Words that were read and put back; the next one is last.
    waiting: Vec<Token>,
    /// The variables in sight.
    pub(super) variables: Vec<Arc<str>>,
    templates: Vec<Template>,
    ranges: usize,
    pub(super) depth: usize,
    /// Where the action under way starts.
    action_start: usize,
}

pub(super) type Parsed<T> = Result<T, Error>;

impl<'a> Parser<'a> {
    fn new(source: &'a Arc<Source>, functions: &'a Functions) -> Self {
        Self {
            lexer: Lexer::new(&source.text),
            source,
            functions,
            waiting: Vec::new(),
            variables: vec!["$".into()],
            templates: Vec::new(),
            ranges: 0,
            depth: 0,
            action_start: 0,
        }
    }

    pub(super) fn next(&mut self) -> Token {
        self.waiting.pop().unwrap_or_else(|| self.lexer.next_token())
    }

    pub(super) fn put_back(&mut self, token: Token) {
        self.waiting.push(token);
    }

    pub(super) fn peek(&mut self) -> Token {
        let token = self.next();
        self.put_back(token.clone());
        token
    }

    pub(super) fn next_word(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_word(&mut self) -> Token {
        let token = self.next_word();
        self.put_back(token.clone());
        token
    }

    pub(super) fn text(&self, token: &Token) -> &'a str {
        &self.source.text[token.span.clone()]
    }

    pub(super) fn error(
        &self,
        kind: ErrorKind,
        span: Range<usize>,
        detail: impl Into<String>,
    ) -> Error {
        let place = Place { source: self.source.clone(), span, template: self.source.name.clone() };
        Error::new(kind, detail, Some(place))
    }

    pub(super) fn syntax(&self, token: &Token, detail: impl Into<String>) -> Error {
        self.error(ErrorKind::Syntax, token.span.clone(), detail)
    }

    pub(super) fn unexpected(&self, token: &Token, context: &str) -> Error {
        match &token.kind {
            TokenKind::Error(message) => {
                let line = |at| self.source.text[..at].matches('\n').count() + 1;
                let mut detail = message.clone();
                if line(self.action_start) != line(token.span.start) && !message.contains("comment")
                {
                    let _ =
                        write!(detail, " (the action started at line {})", line(self.action_start));
                }
                self.syntax(token, detail)
            }
            TokenKind::Eof => self.syntax(token, "unexpected end of the template"),
            _ => self.syntax(token, format!("unexpected `{}` in {context}", self.text(token))),
        }
    }

    fn expect(&mut self, kind: &TokenKind, context: &str) -> Parsed<Token> {
        let token = self.next_word();
        if token.kind == *kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    pub(super) fn enter(&mut self, at: &Token) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(
                ErrorKind::Limit,
                at.span.clone(),
                format!("branches and parentheses nest deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    fn define(&mut self, name: Arc<str>, body: Block, span: Range<usize>) -> Parsed<()> {
        let template = Template { name, source: self.source.clone(), body };
        let Some(old) = self.templates.iter_mut().find(|old| old.name == template.name) else {
            self.templates.push(template);
            return Ok(());
        };
        if is_blank(&old.body) {
            *old = template;
        } else if !is_blank(&template.body) {
            let detail = format!("template {:?} is defined twice in this file", template.name);
            return Err(self.error(ErrorKind::Syntax, span, detail));
        }
        Ok(())
    }

    /// Parses to the end of the source; only here `define` is allowed.
    fn source_body(&mut self) -> Parsed<Block> {
        let mut body = Block::new();
        loop {
            let token = self.next();
            if token.kind == TokenKind::Eof {
                return Ok(body);
            }
            if token.kind == TokenKind::LeftDelim {
                let word = self.next_word();
                if word.kind == TokenKind::Define {
                    self.action_start = token.span.start;
                    self.definition()?;
                    continue;
                }
                self.put_back(word);
            }
            self.put_back(token);
            let start = self.peek();
            match self.statement()? {
                Ok(statement) => body.push(statement),
                Err(Ender::End) => return Err(self.syntax(&start, "unexpected {{end}}")),
                Err(Ender::Else) => return Err(self.syntax(&start, "unexpected {{else}}")),
            }
        }
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_word();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(&TokenKind::RightDelim, CONTEXT)?;
        let body = self.own_body()?;
        self.define(name, body, token.span)
    }

    /// Parses the body of a template in the template, which sees no variable and no loop of the outer one.
    fn own_body(&mut self) -> Parsed<Block> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (body, ender, token) = self.block()?;
        if matches!(ender, Ender::Else) {
            return Err(self.syntax(&token, "unexpected {{else}} in a definition"));
        }
        self.variables = variables;
        self.ranges = ranges;
        Ok(body)
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<Arc<str>> {
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(token, context));
        }
        unquote(self.text(token))
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Into::into)
            .ok_or_else(|| self.syntax(token, "invalid string literal"))
    }

    /// Parses statements up to `end` or `else`.
    fn block(&mut self) -> Parsed<(Block, Ender, Token)> {
        let mut block = Block::new();
        loop {
            let start = self.peek_word();
            if start.kind == TokenKind::Eof {
                return Err(
                    self.syntax(&start, "unexpected end of the template: an `end` is missing")
                );
            }
            match self.statement()? {
                Ok(statement) => block.push(statement),
                Err(ender) => return Ok((block, ender, start)),
            }
        }
    }

    fn statement(&mut self) -> Parsed<Result<Statement, Ender>> {
        let token = self.next_word();
        match token.kind {
            TokenKind::Text => Ok(Ok(Statement::Text(self.text(&token).into()))),
            TokenKind::LeftDelim => {
                self.action_start = token.span.start;
                self.action()
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Result<Statement, Ender>> {
        let token = self.next_word();
        let statement = match token.kind {
            TokenKind::Block => self.block_action(&token)?,
            TokenKind::Break => self.loop_exit(&token, "{{break}}", Statement::Break)?,
            TokenKind::Continue => self.loop_exit(&token, "{{continue}}", Statement::Continue)?,
            TokenKind::Else => return self.else_action().map(|()| Err(Ender::Else)),
            TokenKind::End => {
                self.expect(&TokenKind::RightDelim, "end")?;
                return Ok(Err(Ender::End));
            }
            TokenKind::If => Statement::If(self.branch(&token, "if")?),
            TokenKind::With => Statement::With(self.branch(&token, "with")?),
            TokenKind::Range => Statement::Range(self.branch(&token, "range")?),
            TokenKind::Template => self.template_action()?,
            _ => {
                self.put_back(token);
                // Variables stay in sight until the enclosing `end`.
                Statement::Action(self.pipe("command", &TokenKind::RightDelim)?)
            }
        };
        Ok(Ok(statement))
    }

    fn loop_exit(&mut self, token: &Token, name: &str, statement: Statement) -> Parsed<Statement> {
        self.expect(&TokenKind::RightDelim, name)?;
        if self.ranges == 0 {
            return Err(self.syntax(token, format!("{name} outside {{{{range}}}}")));
        }
        Ok(statement)
    }

    /// Reads the rest of `else`. `else if` and `else with` leave their word waiting.
    fn else_action(&mut self) -> Parsed<()> {
        let next = self.peek_word();
        if !matches!(next.kind, TokenKind::If | TokenKind::With) {
            self.expect(&TokenKind::RightDelim, "else")?;
        }
        Ok(())
    }

    fn branch(&mut self, token: &Token, context: &'static str) -> Parsed<Branch> {
        self.enter(token)?;
        let variables = self.variables.len();
        let pipe = self.pipe(context, &TokenKind::RightDelim)?;
        let in_range = usize::from(context == "range");
        self.ranges += in_range;
        let (list, ender, _) = self.block()?;
        self.ranges -= in_range;
        let otherwise = match ender {
            Ender::End => None,
            Ender::Else => Some(self.otherwise(context)?),
        };
        self.variables.truncate(variables);
        self.depth -= 1;
        Ok(Branch { pipe, list, otherwise })
    }

    fn otherwise(&mut self, context: &'static str) -> Parsed<Block> {
        let next = self.peek();
        match (context, &next.kind) {
            ("if", TokenKind::If) => {
                self.next();
                Ok(vec![Statement::If(self.branch(&next, "if")?)])
            }
            ("with", TokenKind::With) => {
                self.next();
                Ok(vec![Statement::With(self.branch(&next, "with")?)])
            }
            _ => {
                let (block, ender, token) = self.block()?;
                match ender {
                    Ender::End => Ok(block),
                    Ender::Else => Err(self.syntax(&token, "expected end; found {{else}}")),
                }
            }
        }
    }

    fn block_action(&mut self, block: &Token) -> Parsed<Statement> {
        const CONTEXT: &str = "block clause";
        self.enter(block)?;
        let token = self.next_word();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipe(CONTEXT, &TokenKind::RightDelim)?;
        let body = self.own_body()?;
        self.define(name.clone(), body, token.span.clone())?;
        self.depth -= 1;
        Ok(Statement::Template { name, pipe: Some(pipe), span: token.span })
    }

    fn template_action(&mut self) -> Parsed<Statement> {
        const CONTEXT: &str = "template clause";
        let token = self.next_word();
        let name = self.template_name(&token, CONTEXT)?;
        let next = self.next_word();
        let pipe: Option<Pipe> = if next.kind == TokenKind::RightDelim {
            None
        } else {
            self.put_back(next);
            Some(self.pipe(CONTEXT, &TokenKind::RightDelim)?)
        };
        Ok(Statement::Template { name, pipe, span: token.span })
    }
}
