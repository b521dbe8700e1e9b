//! Diagnostics: what is wrong, where, why, and what to do.
//!
//! Problems in inputs are *collected*, not thrown: every check pushes into a [`Diagnostics`] and
//! goes on, so that one run reports everything. Each carries the [`Rule`] it breaks, whose stable
//! code `meshgen explain` and `allow` in `mesh.yaml` refer to.

mod draw;
mod rule;
mod source;

pub use draw::{draw, to_json};
pub use rule::{Rule, find_rule, rules};
pub use rule::{
    cluster as cluster_rules, facts as facts_rules, input as input_rules, keyring as keyring_rules,
    network as network_rules, pin as pin_rules, render as render_rules, version as version_rules,
};
pub use source::{Position, SourceId, Sources, Span};

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Lowered by `allow`: listed by `check`, stops nothing.
    Allowed,
    /// Worth reading; stops nothing.
    Warning,
    /// Nothing is built while it stands.
    Error,
}

impl Severity {
    /// Returns the word that is printed in front of the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Allowed => "allowed",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place in a source and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to know of this place; may be empty.
    pub text: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// How bad it is; the rule's own severity until `allow` lowers it.
    pub severity: Severity,
    /// What is wrong, on one line, without a full stop.
    pub message: String,
    /// The file at fault where no span can be given, relative to the project.
    pub file: Option<String>,
    /// The places: the first is the one at fault, the others are what it clashes with.
    pub labels: Vec<Label>,
    /// What to do.
    pub hints: Vec<String>,
    /// The cluster that it is about, if it is about one.
    pub cluster: Option<String>,
    /// Why it was allowed, if it was.
    pub reason: Option<String>,
}

impl Diagnostic {
    /// Starts a diagnostic of `rule` with the rule's own severity.
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: message.into(),
            file: None,
            labels: Vec::new(),
            hints: Vec::new(),
            cluster: None,
            reason: None,
        }
    }

    /// Names the place at fault (first call), or a place that it clashes with (later calls).
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// As [`Diagnostic::at`], for a place that may be unknown.
    #[must_use]
    pub fn at_maybe(self, span: Option<Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, text),
            None => self,
        }
    }

    /// Names the file at fault where there is no text to point into.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says which cluster it is about.
    #[must_use]
    pub fn of_cluster(mut self, cluster: impl Into<String>) -> Self {
        self.cluster = Some(cluster.into());
        self
    }
}

/// Everything that was found wrong in one run, in the order it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Starts with nothing wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one problem.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Diagnostics) {
        self.items.extend(other.items);
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether anything found stops the build.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|item| item.severity == Severity::Error)
    }

    /// The problems in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// How many there are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|item| item.severity == severity).count()
    }

    /// Lowers every lowerable problem of the rule `code` to [`Severity::Allowed`].
    ///
    /// `cluster` narrows it to one cluster. Returns how many problems it covered.
    pub fn allow(&mut self, code: &str, cluster: Option<&str>, reason: &str) -> usize {
        let mut covered = 0;
        for item in &mut self.items {
            let same_cluster = cluster.is_none() || item.cluster.as_deref() == cluster;
            if item.rule.code == code && item.rule.lowerable && same_cluster {
                item.severity = Severity::Allowed;
                item.reason = Some(reason.to_owned());
                covered += 1;
            }
        }
        covered
    }

    /// Orders by file, place and code, and drops exact repetitions.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.labels.first().map(|label| label.span);
            (place(a), a.rule.code, &a.file, &a.message).cmp(&(
                place(b),
                b.rule.code,
                &b.file,
                &b.message,
            ))
        });
        self.items.dedup();
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
