//! Templates: minijinja, strict, with values that can never be mistaken for text.
//!
//! What `{{ … }}` gives is written as a *value* of the format that the template is for: a YAML value
//! in `*.yaml`, an HCL expression in `*.tfvars`. A cluster called `on` or an annotation with a line end
//! stays exactly that string, wherever it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, ObjectRepr, Serde, Value as JinjaValue};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use super::hcl;
use crate::derivation::Digest;
use crate::diag::{Diagnostic, Diagnostics, SourceId, Sources, Span, input_rules, render_rules};
use crate::yaml;

macro_rules! built_in {
    ($($path:literal),* $(,)?) => {
        /// The templates in the binary: path under `templates/` and text.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($path, include_str!(concat!("../../templates/", $path)))),*];
    };
}

built_in![
    "expose/expose-services.yaml",
    "istio-operator/istio-operator.yaml",
    "namespaces/namespaces.yaml",
    "remote-secrets/remote-secret.yaml",
    "samples/helloworld.yaml",
    "samples/sleep.yaml",
    "terraform/terraform.tfvars",
    "tokens/reader-token.yaml",
];

/// A template as text.
#[derive(Debug, Clone)]
pub struct Text {
    /// The text.
    pub text: Arc<str>,
    /// Whether the project overrides the built-in one.
    pub own: bool,
    /// Where diagnostics point.
    pub source: SourceId,
    /// The digest of the text and of all texts that it includes.
    pub digest: Digest,
}

/// All templates of a project: the built-in ones, overridden by path.
#[derive(Debug)]
pub struct Templates {
    texts: BTreeMap<String, Text>,
    environment: Environment<'static>,
}

impl Templates {
    /// Puts the project's own templates over the built-in ones.
    ///
    /// A template that equals the built-in one of its path is the built-in one. Other paths can be
    /// included by overriding templates. Syntax errors come out when a template is used.
    pub fn new(
        own: &BTreeMap<String, String>,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        idle_overrides(own, diagnostics);
        let mut all: BTreeMap<String, (Arc<str>, bool)> = BUILT_IN
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (Arc::from(*text), false)))
            .collect();
        for (path, text) in own {
            let same = all.get(path).is_some_and(|(built_in, _)| **built_in == **text);
            if !same {
                all.insert(path.clone(), (Arc::from(text.as_str()), true));
            }
        }
        let texts: BTreeMap<String, Text> = all
            .iter()
            .map(|(path, (text, own))| {
                let file = if *own {
                    format!("templates/{path}")
                } else {
                    format!("<built-in>/templates/{path}")
                };
                let source = sources.add(file, Arc::clone(text));
                let digest = digest_with_includes(path, &all);
                (path.clone(), Text { text: Arc::clone(text), own: *own, source, digest })
            })
            .collect();
        let environment = environment(&all);
        Self { texts, environment }
    }

    /// A template by its path.
    pub fn get(&self, path: &str) -> Option<&Text> {
        self.texts.get(path)
    }

    /// The digest of a built-in or overridden template, with all that it includes.
    pub fn digest(&self, path: &str) -> Digest {
        self.get(path).expect("builders name built-in templates").digest
    }

    /// All templates by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text))
    }

    /// Renders a template.
    ///
    /// Refuses names that do not exist, and gives the template, the line and the expression.
    pub fn render<T: Serialize>(&self, path: &str, context: &T) -> Result<String, Box<Diagnostic>> {
        let template = self.environment.get_template(path).map_err(|e| self.fault(path, &e))?;
        let context = JinjaValue::from(Serde(context));
        let text = template.render(context).map_err(|error| self.fault(path, &error))?;
        Ok(if is_hcl(path) { hcl::align(&text) } else { text })
    }

    fn fault(&self, path: &str, error: &minijinja::Error) -> Box<Diagnostic> {
        // the innermost error that knows its place
        let mut place: Option<(&str, usize)> = None;
        let mut message = describe(error);
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(current) = next {
            if let Some(inner) = current.downcast_ref::<minijinja::Error>() {
                message = describe(inner);
                if let (Some(name), Some(line)) = (inner.name(), inner.line()) {
                    place = Some((name, line));
                }
            }
            next = current.source();
        }
        let (name, line) = place.unwrap_or((path, 1));
        let span = self.texts.get(name).map(|text| expression_span(text, line));
        let mut diagnostic = Diagnostic::new(
            &render_rules::TEMPLATE,
            format!("the template `{name}` does not render: {message}"),
        )
        .at_maybe(span, "");
        if self.texts.get(name).is_some_and(|text| text.own) {
            diagnostic =
                diagnostic.hint(format!("`meshgen templates show {name}` prints the built-in one"));
        }
        Box::new(diagnostic)
    }
}

/// Instructions that one rendering of a template may take. Ten thousand clusters in one file take
/// fewer.
const MAX_STEPS: u64 = 2_000_000;

/// Files under `templates/` that nothing reads.
fn idle_overrides(own: &BTreeMap<String, String>, diagnostics: &mut Diagnostics) {
    for path in own.keys() {
        let is_built_in = BUILT_IN.iter().any(|(known, _)| known == path);
        let is_included = own.values().any(|text| text.contains(path.as_str()));
        if !is_built_in && !is_included {
            let message = "there is no built-in template of this path, and none includes it";
            diagnostics.push(
                Diagnostic::new(&input_rules::IDLE_OVERRIDE, message)
                    .in_file(format!("templates/{path}"))
                    .hint("`meshgen templates list` shows the paths"),
            );
        }
    }
}

fn describe(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("it does not end within {MAX_STEPS} steps"),
        (ErrorKind::UndefinedError, None) => "a value that is not there is used".to_owned(),
        (_, Some(detail)) => format!("{}: {detail}", error.kind()),
        (kind, None) => kind.to_string(),
    }
}

/// The `{{ … }}` or `{% … %}` of a line, or all of it.
fn expression_span(text: &Text, line: usize) -> Span {
    let start: usize = text.text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let content = text.text[start..].lines().next().unwrap_or_default();
    let tag = ["{{", "{%"].iter().filter_map(|open| content.find(open)).min();
    let end = ["}}", "%}"].iter().filter_map(|close| content.rfind(close)).max();
    let (from, to) = match (tag, end) {
        (Some(from), Some(to)) if from < to => (from, to + 2),
        _ => (content.len() - content.trim_start().len(), content.trim_end().len()),
    };
    let at = |offset: usize| u32::try_from(start + offset).unwrap_or(u32::MAX);
    Span { source: text.source, start: at(from), end: at(to) }
}

fn is_hcl(path: &str) -> bool {
    path.ends_with(".tfvars")
}

/// What the filter `key` gives: an HCL key, written as it is. An object, so that whatever else is
/// done with it (joining, replacing) gives a string, which is a value again.
#[derive(Debug)]
struct Key(String);

impl Object for Key {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn environment(all: &BTreeMap<String, (Arc<str>, bool)>) -> Environment<'static> {
    let texts: BTreeMap<String, Arc<str>> =
        all.iter().map(|(path, (text, _))| (path.clone(), Arc::clone(text))).collect();
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment.set_loader(move |path| Ok(texts.get(path).map(ToString::to_string)));
    environment.set_recursion_limit(100);
    environment.set_auto_escape_callback(|path| {
        AutoEscape::Custom(Cow::Borrowed(if is_hcl(path) { "hcl" } else { "yaml" }))
    });
    environment.set_formatter(|out, state, value| {
        let is_hcl = matches!(state.auto_escape(), AutoEscape::Custom(format) if format == "hcl");
        if let Some(key) = value.downcast_object_ref::<Key>() {
            if is_hcl {
                return out.write_str(&key.0).map_err(minijinja::Error::from);
            }
            let message = "`key` is for `.tfvars`: a key in YAML is a value as any other";
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, message));
        }
        // what a macro or a `set` block gives: joined to a value it would take that in as text, and
        // nothing tells the two apart
        if value.is_safe() {
            let message = "the text of a macro or of a `set` block is no value: write it with `for`, \
                           or `include` it";
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, message));
        }
        if value.is_undefined() {
            return Err(minijinja::Error::from(ErrorKind::UndefinedError));
        }
        let value = serde_json::to_value(value).map_err(|error| {
            minijinja::Error::new(ErrorKind::BadSerialization, error.to_string())
        })?;
        let text = match state.auto_escape() {
            AutoEscape::Custom(_) if is_hcl => hcl::inline(&value),
            AutoEscape::Custom(_) => yaml::inline(&value),
            // an `autoescape` block: values are those of the file's format, and of no other
            _ => {
                let message = "`autoescape` cannot be changed: the name of the file says how values \
                               are written";
                return Err(minijinja::Error::new(ErrorKind::InvalidOperation, message));
            }
        };
        out.write_str(&text).map_err(minijinja::Error::from)
    });
    // these would be doors for raw text
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    // JSON is one string, to be written as a value like any other
    environment.add_filter("tojson", |value: &JinjaValue| {
        serde_json::to_string(value)
            .map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))
    });
    // a template ends, whatever its loops say
    environment.set_fuel(Some(MAX_STEPS));
    environment.add_filter("key", |text: String| JinjaValue::from_object(Key(hcl::key(&text))));
    environment
}

/// The digest of a template and of everything that it names, and so may include.
fn digest_with_includes(path: &str, all: &BTreeMap<String, (Arc<str>, bool)>) -> Digest {
    let mut reached = vec![path];
    let mut next = 0;
    while next < reached.len() {
        let text = &all[reached[next]].0;
        for name in all.keys() {
            if !reached.contains(&name.as_str()) && text.contains(name.as_str()) {
                reached.push(name);
            }
        }
        next += 1;
    }
    reached[1..].sort_unstable();
    let digests: Vec<String> = reached
        .iter()
        .map(|path| format!("{path} {}", Digest::of(all[*path].0.as_bytes())))
        .collect();
    Digest::of(digests.join("\n"))
}
