//! Reading YAML: events of the parser to [`Node`]s, with duplicate keys refused and with budgets.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use granit_parser::{Event, Options, Parser, ScalarStyle, Span as EventSpan, Tag};
use serde_json::Value;

use super::keys::Keys;
use super::node::{Entry, Kind, Node};
use super::scalar::{Scalar, Schema, json_key, json_number, resolve};
use crate::diag::{SourceId, Sources, Span};

/// Nesting deeper than this is refused: nothing that people write comes near it.
const MAX_DEPTH: usize = 200;
/// Values that aliases and merge keys may copy before the document counts as a bomb.
const MAX_COPIES: usize = 250_000;

/// Why a text is not usable YAML, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// What is wrong, without a place.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What it clashes with: the first of two equal keys.
    pub other: Option<Span>,
}

impl ReadError {
    /// The error with its line and column in `text`, for callers that keep no [`Sources`].
    pub fn with_position(&self, text: &str) -> String {
        let mut sources = Sources::new();
        let id = sources.add("", text);
        let place = sources.position(id, self.span.start);
        format!("line {}, column {}: {}", place.line, place.column, self.message)
    }
}

/// Reads every document of a text, with places. Empty documents come as [`Kind::Null`].
///
/// Refuses duplicate keys, anchors that repeat themselves without end, more than a quarter million
/// copied values, nesting beyond 200, keys that are no scalar, own tags, `!!binary` that is no text or
/// stands in a file of meshgen's own, and what JSON cannot hold (`.nan`, `.inf`).
pub fn nodes(source: SourceId, text: &str, schema: Schema) -> Result<Vec<Node>, ReadError> {
    let mut reader = Reader::new(source, text, schema);
    reader.check_line_ends()?;
    let mut documents = Vec::new();
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(..) => {
                reader.anchors.clear();
                let (event, span) = reader.next()?;
                documents.push(reader.node(event, span, 0)?);
            }
            _ => return Err(reader.error("no document starts here", span)),
        }
    }
}

/// Reads a text that holds one document at most; nothing at all is [`Kind::Null`].
pub fn parse(source: SourceId, text: &str, schema: Schema) -> Result<Node, ReadError> {
    let mut documents = nodes(source, text, schema)?;
    if documents.len() > 1 {
        return Err(ReadError {
            message: "a second document starts here, but this file holds just one".into(),
            span: documents.swap_remove(1).span,
            other: None,
        });
    }
    Ok(documents
        .pop()
        .unwrap_or(Node { span: Span { source, start: 0, end: 0 }, kind: Kind::Null }))
}

/// As [`nodes`], for callers that need no places.
pub fn documents(text: &str, schema: Schema) -> Result<Vec<Value>, ReadError> {
    let source = Sources::new().add("", "");
    Ok(nodes(source, text, schema)?.into_iter().map(Node::into_value).collect())
}

/// As [`parse`], for callers that need no places.
pub fn document(text: &str, schema: Schema) -> Result<Value, ReadError> {
    let source = Sources::new().add("", "");
    Ok(parse(source, text, schema)?.into_value())
}

/// Reads the first document of a text as `sigs.k8s.io/yaml` does when it is not strict, for Helm's
/// functions and files: of equal keys the last counts, and what follows the first document is
/// ignored.
pub fn go_document(text: &str) -> Result<Value, ReadError> {
    let source = Sources::new().add("", "");
    let mut reader = Reader::new(source, text, Schema::Go);
    reader.last_key_counts = true;
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (Event::StreamEnd, _) => return Ok(Value::Null),
            (event, span) => return Ok(reader.node(event, span, 0)?.into_value()),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
    /// Bytes of a byte order mark before `text`, which places count and the parser does not see.
    mark: usize,
    source: SourceId,
    schema: Schema,
    /// Nodes by anchor id; `None` while the anchored node is still being read.
    anchors: Vec<(usize, Option<Node>)>,
    copies: usize,
    /// Whether a second equal key replaces the first, and is no error.
    last_key_counts: bool,
}

impl<'a> Reader<'a> {
    fn new(source: SourceId, text: &'a str, schema: Schema) -> Self {
        let all = text.len();
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        // kube's reader switches comments on in the parser that we share
        let mut options = Options::default();
        options.set_emit_comments(false);
        let parser = Parser::new_from_str_with_options(text, options);
        let (mark, anchors) = (all - text.len(), Vec::new());
        Self { parser, text, mark, source, schema, anchors, copies: 0, last_key_counts: false }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ReadError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.span(span);
                Ok((event, span))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(self.text.len());
                let span = self.place(at..at);
                let message = error.info().clone();
                Err(self.error(&message, span))
            }
            None => {
                let end = self.text.len();
                Ok((Event::StreamEnd, self.place(end..end)))
            }
        }
    }

    fn span(&self, span: EventSpan) -> Span {
        self.place(span.byte_range().unwrap_or(0..0))
    }

    fn place(&self, range: std::ops::Range<usize>) -> Span {
        let at = |offset: usize| u32::try_from(self.mark + offset).unwrap_or(u32::MAX);
        Span { source: self.source, start: at(range.start), end: at(range.end) }
    }

    #[expect(clippy::unused_self, reason = "reads well where it is used")]
    fn error(&self, message: &str, span: Span) -> ReadError {
        ReadError { message: message.to_owned(), span, other: None }
    }

    /// Go's reader is one of YAML 1.1 and folds at these characters, the parser here is one of 1.2
    /// and does not: better no value than one that the API server sees otherwise.
    fn check_line_ends(&self) -> Result<(), ReadError> {
        let odd = |character: char| matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}');
        let found = self.text.char_indices().find(|(_, character)| odd(*character));
        let (Schema::Go, Some((at, character))) = (self.schema, found) else { return Ok(()) };
        let code = u32::from(character);
        let message =
            format!("YAML 1.1 takes U+{code:04X} for a line end: write \"\\u{code:04x}\"");
        Err(self.error(&message, self.place(at..at)))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, ReadError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested deeper than 200 levels", span));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(&text, style, tag.as_deref(), span)?;
                self.anchored(anchor, Node { span, kind })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", span)?;
                self.open(anchor);
                let node = self.list(span, depth)?;
                self.anchored(anchor, node)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", span)?;
                self.open(anchor);
                let node = self.map(span, depth)?;
                self.anchored(anchor, node)
            }
            Event::Alias(id) => self.alias(id, span),
            _ => Err(self.error("a value is missing here", span)),
        }
    }

    fn open(&mut self, anchor: usize) {
        if anchor != 0 {
            self.anchors.push((anchor, None));
        }
    }

    fn anchored(&mut self, anchor: usize, node: Node) -> Result<Node, ReadError> {
        if anchor != 0 {
            self.anchors.retain(|(id, _)| *id != anchor);
            self.anchors.push((anchor, Some(node.clone())));
            self.count(&node, node.span)?;
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, ReadError> {
        let found = self.anchors.iter().rev().find(|(anchor, _)| *anchor == id);
        match found {
            Some((_, Some(node))) => {
                let node = node.clone();
                self.count(&node, span)?;
                Ok(node)
            }
            Some((_, None)) => Err(self.error("this alias stands inside its own anchor", span)),
            None => Err(self.error("no anchor of this name stands before this alias", span)),
        }
    }

    /// Counts the values that a copy brings, so that aliases of aliases cannot fill the memory.
    fn count(&mut self, node: &Node, span: Span) -> Result<(), ReadError> {
        self.copies += size(node);
        if self.copies > MAX_COPIES {
            let message = "aliases expand to more than 250000 values: refused as a YAML bomb";
            return Err(self.error(message, span));
        }
        Ok(())
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, ReadError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Node { span: join(start, span), kind: Kind::List(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, ReadError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Keys::default();
        let mut merges: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                merge_into(&mut entries, &merges);
                return Ok(Node { span: join(start, span), kind: Kind::Map(entries) });
            }
            let is_merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.key(event, span)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if is_merge {
                self.check_merge(&value, value_span)?;
                seen.keep(&entries);
                if self.schema == Schema::Go {
                    merge_over(&mut entries, &value);
                }
                merges.push(value);
                continue;
            }
            let is_new = seen.insert(&entries, &key);
            if !is_new && !self.last_key_counts {
                let first = entries.iter().find(|entry| entry.key == key);
                return Err(ReadError {
                    message: format!("the key `{key}` stands here a second time"),
                    span,
                    other: first.map(|entry| entry.key_span),
                });
            }
            let entry = Entry { key, key_span: span, value };
            if merges.is_empty() && is_new {
                entries.push(entry);
            } else {
                put(&mut entries, entry);
            }
        }
    }

    fn check_merge(&mut self, value: &Node, span: Span) -> Result<(), ReadError> {
        let is_map = |node: &Node| matches!(node.kind, Kind::Map(_));
        let fits = match &value.kind {
            Kind::Map(_) => true,
            Kind::List(items) => items.iter().all(is_map),
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(self.error("`<<` takes a mapping or a list of mappings", span))
        }
    }

    /// A key as a string: as it was typed, or with [`Schema::Go`] as `sigs.k8s.io/yaml` makes a
    /// JSON key of it (`1` → `"1"`, `yes` → `"true"`).
    fn key(&mut self, event: Event<'a>, span: Span) -> Result<String, ReadError> {
        let Event::Scalar(text, style, anchor, tag) = event else {
            return Err(self.error("a key must be a plain or quoted string", span));
        };
        let scalar = match self.schema {
            Schema::Strict => Scalar::String,
            Schema::Go => self.resolved(&text, style, tag.as_deref(), span)?,
        };
        let key = match &scalar {
            Scalar::String => text.to_string(),
            Scalar::Bool(flag) => flag.to_string(),
            Scalar::Integer(number) if number.is_i64() => number.to_string(),
            Scalar::Float(value) => json_key(*value),
            Scalar::Null => return Err(self.error("a key is missing: it cannot be null", span)),
            Scalar::Integer(_) => {
                return Err(self.error("this number is too large for a key", span));
            }
        };
        if anchor != 0 {
            let kind = self.kind(scalar, &text, span)?;
            self.anchored(anchor, Node { span, kind })?;
        }
        Ok(key)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Kind, ReadError> {
        let is_binary = |tag: &Tag| tag.original() == "!!binary";
        if self.schema == Schema::Go && tag.is_some_and(is_binary) {
            return self.binary(text, span);
        }
        let scalar = self.resolved(text, style, tag, span)?;
        self.kind(scalar, self.ended(text, style, span), span)
    }

    /// A string in Base64, as Go decodes it: bits left over are not looked at.
    fn binary(&self, text: &str, span: Span) -> Result<Kind, ReadError> {
        let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
        let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
        let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient)
            .decode(text)
            .map_err(|error| self.error(&format!("`!!binary`: {error}"), span))?;
        String::from_utf8(bytes).map(Kind::String).map_err(|_| {
            self.error("the tag `!!binary` is not supported for what is no UTF-8", span)
        })
    }

    /// Go's reader makes no line end where the text of a block ends with the file, in the middle of a line.
    fn ended<'t>(&self, text: &'t str, style: ScalarStyle, span: Span) -> &'t str {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let is_last = usize::try_from(span.end).is_ok_and(|end| end >= self.mark + self.text.len());
        if !is_block || !is_last {
            return text;
        }
        let line = self.text.rsplit(['\n', '\r']).next().unwrap_or_default().trim_start();
        match text.strip_suffix('\n') {
            Some(cut) if self.schema == Schema::Go => {
                if !line.is_empty() && cut.ends_with(line) {
                    cut
                } else {
                    text
                }
            }
            _ => text,
        }
    }

    fn kind(&self, scalar: Scalar, text: &str, span: Span) -> Result<Kind, ReadError> {
        match scalar {
            Scalar::Null => Ok(Kind::Null),
            Scalar::Bool(flag) => Ok(Kind::Bool(flag)),
            Scalar::Integer(number) => Ok(Kind::Number(number)),
            Scalar::Float(value) => json_number(value)
                .map(Kind::Number)
                .ok_or_else(|| self.error("JSON, and so Kubernetes, has no such number", span)),
            Scalar::String => Ok(Kind::String(text.to_owned())),
        }
    }

    /// What a scalar means by its tag, or by its look where it is plain and has none.
    fn resolved(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Scalar, ReadError> {
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => resolve(text, self.schema),
                _ => Scalar::String,
            });
        };
        if tag.original() == "!" {
            return Ok(Scalar::String);
        }
        let scalar = resolve(text, self.schema);
        let wanted = match (tag.core_suffix(), &scalar) {
            (Some("str"), _) => return Ok(Scalar::String),
            (Some("null"), Scalar::Null)
            | (Some("bool"), Scalar::Bool(_))
            | (Some("int" | "float"), Scalar::Integer(_) | Scalar::Float(_)) => return Ok(scalar),
            (Some("null"), _) => "null",
            (Some("bool"), _) => "boolean",
            (Some("int" | "float"), _) => "number",
            _ => {
                let message = format!("the tag `{}` is not supported", tag.original());
                return Err(self.error(&message, span));
            }
        };
        Err(self.error(&format!("`{text}` is no {wanted}"), span))
    }

    fn collection_tag(&self, tag: Option<&Tag>, fits: &str, span: Span) -> Result<(), ReadError> {
        match tag {
            Some(tag) if tag.core_suffix() != Some(fits) => {
                Err(self.error(&format!("the tag `{}` is not supported", tag.original()), span))
            }
            _ => Ok(()),
        }
    }
}

/// Go's own rule: a merge key also overrides what stands before it, and what follows overrides it.
fn merge_over(entries: &mut Vec<Entry>, merge: &Node) {
    for entry in merged(merge).iter().rev().flat_map(Node::entries) {
        put(entries, entry.clone());
    }
}

fn merged(merge: &Node) -> &[Node] {
    match &merge.kind {
        Kind::List(items) => items,
        _ => std::slice::from_ref(merge),
    }
}

/// Puts an entry in the place of one with its key, or at the end.
fn put(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|own| own.key == entry.key) {
        Some(own) => *own = entry,
        None => entries.push(entry),
    }
}

/// Adds what merge keys bring and the mapping itself does not have; earlier ones win (YAML 1.1).
fn merge_into(entries: &mut Vec<Entry>, merges: &[Node]) {
    for merge in merges {
        for entry in merged(merge).iter().flat_map(Node::entries) {
            if !entries.iter().any(|own| own.key == entry.key) {
                entries.push(entry.clone());
            }
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|entry| size(&entry.value)).sum::<usize>(),
        _ => 1,
    }
}

fn join(start: Span, end: Span) -> Span {
    Span { end: end.end.max(start.end), ..start }
}
