//! Whether a file has the shape of its type: all faults at once, each with its place.
//!
//! The type's JSON Schema (the one that `meshgen schema` exports) is walked beside the nodes, so
//! that what editors show, what is checked and what is read cannot part.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::diag::{Diagnostic, Diagnostics, input_rules as rules};
use crate::yaml::{Entry, Kind, Node};

/// The JSON Schema of a type of the model.
pub fn schema_of<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}

/// Checks a file against the schema of its type.
///
/// Takes what does not fit out of `node`, so that the rest can be read and checked further, and
/// returns the dotted paths that were taken out.
pub fn check(schema: &Value, node: &mut Node, diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut walk = Walk { root: schema, diagnostics, bad: Vec::new() };
    if !walk.node(schema, node, &mut Vec::new()) {
        // the file as a whole is something else: nothing of it can be read
        walk.bad.push(String::new());
    }
    walk.bad
}

struct Walk<'a> {
    root: &'a Value,
    diagnostics: &'a mut Diagnostics,
    bad: Vec<String>,
}

impl<'a> Walk<'a> {
    /// Returns whether the node fits; faults inside of it are taken out of it.
    fn node(&mut self, schema: &'a Value, node: &mut Node, path: &mut Vec<String>) -> bool {
        let schema = self.follow(schema);
        if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")) {
            return self.choice(choices, node, path);
        }
        let types = types_of(schema);
        if !types.is_empty() && !types.iter().any(|name| is_a(name, &node.kind)) {
            return self.wrong_type(&types, node, path);
        }
        if let Some(word) = schema.get("const").and_then(Value::as_str)
            && node.as_str() != Some(word)
        {
            return self.wrong_word(&[word], node, path);
        }
        if let Some(minimum) = schema.get("minimum").and_then(Value::as_f64)
            && let Kind::Number(number) = &node.kind
            && number.as_f64().is_some_and(|value| value < minimum)
        {
            let message = format!("`{}` must be at least {minimum}", path.join("."));
            self.fault(&rules::BAD_VALUE, message, node, "", path);
            return false;
        }
        if schema.get("format").and_then(Value::as_str) == Some("uint32")
            && let Kind::Number(number) = &node.kind
            && number.as_u64().is_some_and(|value| value > u64::from(u32::MAX))
        {
            let message = format!("`{}` must be at most {}", path.join("."), u32::MAX);
            self.fault(&rules::BAD_VALUE, message, node, "", path);
            return false;
        }
        match &mut node.kind {
            Kind::Map(entries) => self.map(schema, entries, node.span, path),
            Kind::List(items) => self.list(schema, items, path),
            _ => {}
        }
        true
    }

    fn follow(&self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str);
        match name.and_then(|name| name.strip_prefix("#/$defs/")) {
            Some(name) => self.root.get("$defs").and_then(|defs| defs.get(name)).unwrap_or(schema),
            None => schema,
        }
    }

    fn map(
        &mut self,
        schema: &'a Value,
        entries: &mut Vec<Entry>,
        span: crate::diag::Span,
        path: &mut Vec<String>,
    ) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let others = schema.get("additionalProperties");
        self.required(schema, entries, span, path);
        entries.retain_mut(|entry| {
            path.push(entry.key.clone());
            let fits = match (self.property(schema, &entry.key), others) {
                (Some(property), _) => self.node(property, &mut entry.value, path),
                (None, Some(Value::Bool(false))) => {
                    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                    self.unknown_key(entry, &known, path);
                    false
                }
                (None, Some(other @ Value::Object(_))) => self.node(other, &mut entry.value, path),
                (None, _) => true,
            };
            if !fits {
                self.bad.push(path.join("."));
            }
            path.pop();
            fits
        });
    }

    #[expect(clippy::unused_self, reason = "beside the other keywords of a schema")]
    fn property(&self, schema: &'a Value, key: &str) -> Option<&'a Value> {
        schema.get("properties")?.get(key)
    }

    fn required(
        &mut self,
        schema: &Value,
        entries: &[Entry],
        span: crate::diag::Span,
        path: &[String],
    ) {
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let Some(key) = key.as_str() else { continue };
            if entries.iter().any(|entry| entry.key == key) {
                continue;
            }
            let place =
                if path.is_empty() { "the file".into() } else { format!("`{}`", path.join(".")) };
            let start = crate::diag::Span { end: span.start, ..span };
            self.diagnostics.push(
                Diagnostic::new(&rules::MISSING_KEY, format!("{place} has no `{key}`"))
                    .at(start, ""),
            );
            self.bad
                .push(path.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join("."));
        }
    }

    fn list(&mut self, schema: &'a Value, items: &mut Vec<Node>, path: &mut Vec<String>) {
        let Some(schema) = schema.get("items") else {
            return;
        };
        let mut index = 0;
        items.retain_mut(|item| {
            path.push(index.to_string());
            index += 1;
            let fits = self.node(schema, item, path);
            path.pop();
            fits
        });
    }

    /// One of several schemas; the first whose type fits is taken, so that its faults are shown.
    fn choice(&mut self, choices: &'a Value, node: &mut Node, path: &mut Vec<String>) -> bool {
        let choices: Vec<&'a Value> = choices.as_array().into_iter().flatten().collect();
        let words: Vec<&str> = choices
            .iter()
            .filter_map(|choice| self.follow(choice).get("const").and_then(Value::as_str))
            .collect();
        if !words.is_empty() && words.len() == choices.len() {
            return match node.as_str() {
                Some(word) if words.contains(&word) => true,
                _ => self.wrong_word(&words, node, path),
            };
        }
        let fitting = choices.iter().find(|choice| {
            let schema = self.follow(choice);
            let nested = schema.get("oneOf").or_else(|| schema.get("anyOf")).is_some();
            let types = types_of(schema);
            if nested {
                !matches!(node.kind, Kind::Null)
            } else {
                types.iter().any(|name| is_a(name, &node.kind))
            }
        });
        if let Some(choice) = fitting {
            return self.node(choice, node, path);
        }
        let types: Vec<&str> =
            choices.iter().flat_map(|choice| types_of(self.follow(choice))).collect();
        self.wrong_type(&types, node, path)
    }

    fn wrong_type(&mut self, types: &[&str], node: &Node, path: &[String]) -> bool {
        let wanted: Vec<&str> =
            types.iter().filter(|name| **name != "null").map(|n| words_for(n)).collect();
        let wanted = wanted.join(" or ");
        let place = match path {
            [] => "the file".to_owned(),
            path => format!("`{}`", path.join(".")),
        };
        let message = format!("{place} takes {wanted}, but this is {}", node.describe());
        let mut diagnostic = Diagnostic::new(&rules::WRONG_TYPE, message)
            .at(node.span, format!("{wanted} belongs here"));
        let scalar = matches!(node.kind, Kind::Number(_) | Kind::Bool(_));
        if scalar && types.contains(&"string") {
            diagnostic = diagnostic.hint("put the value in double quotes");
        } else if types.contains(&"boolean") && node.as_str().is_some_and(is_boolean_word) {
            diagnostic = diagnostic.hint("only `true` and `false` are booleans here");
        }
        self.diagnostics.push(diagnostic);
        false
    }

    fn wrong_word(&mut self, words: &[&str], node: &Node, path: &[String]) -> bool {
        let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let message = format!("`{}` must be {}", path.join("."), list.join(", "));
        let mut diagnostic = Diagnostic::new(&rules::BAD_VALUE, message).at(node.span, "");
        if let Some(close) = node.as_str().and_then(|text| closest(text, words)) {
            diagnostic = diagnostic.hint(format!("did you mean `{close}`?"));
        }
        self.diagnostics.push(diagnostic);
        false
    }

    fn unknown_key(&mut self, entry: &Entry, known: &[&str], path: &[String]) {
        let message = match path {
            [_] => format!("unknown key `{}`", entry.key),
            [parents @ .., key] => format!("unknown key `{key}` in `{}`", parents.join(".")),
            [] => unreachable!("a key has a path"),
        };
        let mut diagnostic = Diagnostic::new(&rules::UNKNOWN_KEY, message).at(entry.key_span, "");
        diagnostic = match closest(&entry.key, known) {
            Some(close) => diagnostic.hint(format!("did you mean `{close}`?")),
            None => diagnostic.hint(format!("known here: {}", known.join(", "))),
        };
        self.diagnostics.push(diagnostic);
    }

    fn fault(
        &mut self,
        rule: &'static crate::diag::Rule,
        message: String,
        node: &Node,
        label: &str,
        _path: &[String],
    ) {
        self.diagnostics.push(Diagnostic::new(rule, message).at(node.span, label));
    }
}

/// The known word that looks most like `word`.
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    similar::get_close_matches(word, known, 1, 0.6).into_iter().next()
}

fn is_boolean_word(text: &str) -> bool {
    ["yes", "no", "on", "off", "y", "n", "true", "false"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

fn types_of(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_a(name: &str, kind: &Kind) -> bool {
    match (name, kind) {
        ("null", Kind::Null)
        | ("boolean", Kind::Bool(_))
        | ("string", Kind::String(_))
        | ("array", Kind::List(_))
        | ("object", Kind::Map(_))
        | ("number", Kind::Number(_)) => true,
        ("integer", Kind::Number(number)) => !number.is_f64(),
        _ => false,
    }
}

fn words_for(name: &str) -> &'static str {
    match name {
        "boolean" => "`true` or `false`",
        "string" => "a string",
        "array" => "a list",
        "object" => "a mapping",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "nothing",
    }
}
