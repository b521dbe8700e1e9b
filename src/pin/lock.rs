//! `meshgen.lock`: the pins by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{LOCK_FILE, Pin, PinKind, PinName};
use crate::diag::{Diagnostic, Diagnostics, Sources, Span, input_rules, pin_rules};
use crate::mesh::suggest_label;
use crate::spec::{self, model::ApiVersion};
use crate::yaml::{self, Node};

/// All pins of a project.
///
/// Written in one form: YAML, a block a pin, sorted by name, an empty line between two blocks, so that
/// git merges changes of neighbours; a name that both sides of a merge added is a key that stands
/// twice, and refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The pins by name.
    pub pins: BTreeMap<PinName, Pin>,
}

/// A lock file that was read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// What it says.
    pub lock: Lock,
    /// Where each pin's digest stands.
    pub places: BTreeMap<PinName, Span>,
}

/// The file, for its shape.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "meshgen.lock")]
#[expect(dead_code, reason = "read as nodes, which have places; the type is the shape")]
struct LockFile {
    /// `meshgen.dev/v1alpha1`.
    api_version: ApiVersion,
    /// `Lock`.
    kind: LockKind,
    /// The pins by name.
    pins: BTreeMap<String, Entry>,
}

/// The `kind` of the file.
#[derive(Deserialize, JsonSchema)]
enum LockKind {
    /// A lock file.
    Lock,
}

/// A pin.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
struct Entry {
    kind: PinKind,
    source: String,
    #[serde(default)]
    version: Option<String>,
    digest: String,
}

impl Lock {
    /// Reads the file; everything that is wrong with it becomes diagnostics.
    ///
    /// `None` where nothing of it can be understood. A pin with a fault is left out.
    pub fn parse(
        text: &str,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<Parsed> {
        let source = sources.add(LOCK_FILE, text);
        let mut node = spec::parse(source, text, diagnostics)?;
        let bad = spec::check(&spec::schema_of::<LockFile>(), &mut node, diagnostics);
        if bad.iter().any(|path| ["", "apiVersion", "kind", "pins"].contains(&path.as_str())) {
            return None;
        }
        let mut parsed = Parsed::default();
        for entry in node.get("pins").map(Node::entries).unwrap_or_default() {
            let Some(name) = PinName::parse(&entry.key) else {
                diagnostics.push(bad_name(&entry.key).at(entry.key_span, ""));
                continue;
            };
            let Some((pin, place)) = pin(&entry.value, diagnostics) else { continue };
            parsed.lock.pins.insert(name.clone(), pin);
            parsed.places.insert(name, place);
        }
        Some(parsed)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = "apiVersion: meshgen.dev/v1alpha1\nkind: Lock\npins:".to_owned();
        if self.pins.is_empty() {
            text.push_str(" {}\n");
        }
        for (name, pin) in &self.pins {
            let scalar = |text: &str| yaml::inline(&Value::String(text.to_owned()));
            let _ = write!(
                text,
                "\n  {}:\n    kind: {}\n    source: {}\n",
                scalar(name.as_str()),
                pin.kind.as_str(),
                scalar(&pin.source),
            );
            if let Some(version) = &pin.version {
                let _ = writeln!(text, "    version: {}", scalar(version));
            }
            let _ = writeln!(text, "    digest: {}", scalar(&pin.digest.to_string()));
        }
        text
    }

    /// Whether a pin has this content.
    pub fn needs(&self, digest: crate::store::Digest) -> bool {
        self.pins.values().any(|pin| pin.digest == digest)
    }
}

/// Says that a text is no name of a pin.
fn bad_name(text: &str) -> Diagnostic {
    let message = format!("the pin's name `{text}` is no DNS label");
    let diagnostic = Diagnostic::new(&pin_rules::NAME, message);
    match suggest_label(text) {
        Some(label) => diagnostic.hint(format!("`{label}` would do")),
        None => diagnostic.hint("lower case letters, digits and dashes, 63 at most"),
    }
}

/// An entry that has its shape; what was wrong with its shape has been said, and is not there.
fn pin(node: &Node, diagnostics: &mut Diagnostics) -> Option<(Pin, Span)> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let digest = node.get("digest")?;
    let parsed = match digest.as_str()?.parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            let error: crate::store::DigestError = error;
            diagnostics.push(
                Diagnostic::new(&input_rules::BAD_VALUE, error.to_string()).at(digest.span, ""),
            );
            return None;
        }
    };
    let pin = Pin {
        kind: match text("kind")? {
            "istio" => PinKind::Istio,
            _ => PinKind::Chart,
        },
        source: text("source")?.to_owned(),
        version: text("version").map(str::to_owned),
        digest: parsed,
    };
    Some((pin, digest.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Digest;

    fn parse(text: &str) -> (Option<Parsed>, Vec<String>) {
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        let parsed = Lock::parse(text, &mut sources, &mut found);
        let codes = found.iter().map(|one| format!("{} {}", one.rule.code, one.message));
        (parsed, codes.collect())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut lock = Lock::default();
        assert_eq!(parse(&lock.text()).0.expect("an empty lock").lock, lock);
        for (name, source) in
            [("1-27", "1.27.0"), ("null", "./a: b\n#"), ("canary", "https://x.example/a?b#c")]
        {
            let pin = Pin {
                kind: PinKind::Istio,
                source: source.to_owned(),
                version: (name != "null").then(|| "1.27.0".to_owned()),
                digest: Digest::of(name),
            };
            lock.pins.insert(PinName::parse(name).expect("a name"), pin);
        }
        let (parsed, problems) = parse(&lock.text());
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(parsed.expect("a lock").lock, lock, "{}", lock.text());
    }

    #[test]
    fn blocks_are_apart() {
        let mut lock = Lock::default();
        for name in ["b", "a"] {
            let digest = Digest::of(name);
            let pin = Pin { kind: PinKind::Chart, source: "c.tgz".into(), version: None, digest };
            lock.pins.insert(PinName::parse(name).expect("a name"), pin);
        }
        let text = lock.text();
        let blocks: Vec<&str> = text.split("\n\n").collect();
        assert!(
            matches!(blocks.as_slice(), [first, second]
            if first.contains("\n  a:\n") && second.starts_with("  b:\n")),
            "{text}"
        );
    }

    #[test]
    fn faults_are_all_said() {
        let (parsed, problems) = parse(
            "apiVersion: meshgen.dev/v1alpha1\nkind: Lock\npins:\n  Bad: {kind: istio, source: a, digest: \
             \"sha256:00\"}\n  b: {kind: other, source: a, digest: \"sha256:00\", x: 1}\n",
        );
        assert!(parsed.expect("a lock").lock.pins.is_empty());
        let codes: Vec<&str> = problems.iter().map(|one| &one[..6]).collect();
        assert_eq!(codes, ["MG0106", "MG0102", "MG0801", "MG0106"], "{problems:?}");
        let twice = "pins:\n  a: {}\n  a: {}\n";
        assert!(parse(twice).1[0].starts_with("MG0103"));
    }
}
