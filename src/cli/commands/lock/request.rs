//! What is asked for, checked against what is pinned.

use std::collections::{BTreeMap, BTreeSet};

use super::{Args, refused};
use crate::cli::CommandError;
use crate::fetch::Source;
use crate::mesh::suggest_label;
use crate::pin::{LOCK_FILE, Lock, PinName};
use crate::spec::closest;

/// Pins to make or change, and pins to take away.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Where each comes from.
    pub wanted: BTreeMap<PinName, Source>,
    /// Those that may change.
    pub update: BTreeSet<PinName>,
    /// Those that go.
    pub remove: BTreeSet<PinName>,
}

impl Request {
    /// Reads the arguments; says everything that is wrong with them.
    pub fn new(args: &Args, lock: &Lock) -> Result<Self, CommandError> {
        let mut request = Self::default();
        let mut problems = Vec::new();
        for text in &args.pins {
            match pair(text) {
                Ok((name, source)) => {
                    if request.wanted.insert(name.clone(), source).is_some() {
                        problems.push(format!("`{name}` is given twice"));
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        for text in &args.update {
            match known(text, lock) {
                Ok((name, source)) => {
                    if !request.wanted.contains_key(&name) {
                        match Source::parse(source) {
                            Ok(source) => drop(request.wanted.insert(name.clone(), source)),
                            Err(error) => problems.push(format!("{LOCK_FILE}: `{name}`: {error}")),
                        }
                    }
                    request.update.insert(name);
                }
                // a pin that is made now may change from nothing
                Err(_) if request.wanted.keys().any(|name| name.as_str() == text) => {}
                Err(problem) => problems.push(problem),
            }
        }
        for text in &args.remove {
            match known(text, lock) {
                Ok((name, _)) if request.wanted.contains_key(&name) => {
                    problems.push(format!("`{name}` cannot be both pinned and taken away"));
                }
                Ok((name, _)) => drop(request.remove.insert(name)),
                Err(problem) => problems.push(problem),
            }
        }
        if args.digest.is_some() && request.wanted.len() != 1 && problems.is_empty() {
            problems.push("`--digest` is for one pin".to_owned());
        }
        if problems.is_empty() { Ok(request) } else { Err(refused(&problems)) }
    }
}

fn pair(text: &str) -> Result<(PinName, Source), String> {
    let Some((name, source)) = text.split_once('=') else {
        let example = if PinName::parse(text).is_some() { text } else { "NAME" };
        return Err(format!("`{text}` has not the form NAME=SOURCE: `{example}=1.27.0`"));
    };
    let Some(parsed) = PinName::parse(name) else {
        let hint = suggest_label(name).map(|label| format!("; `{label}` would do"));
        return Err(format!("the name `{name}` is no DNS label{}", hint.unwrap_or_default()));
    };
    let source = Source::parse(source).map_err(|error| format!("`{parsed}`: {error}"))?;
    Ok((parsed, source))
}

/// A pin that is there, and its source.
fn known<'a>(text: &str, lock: &'a Lock) -> Result<(PinName, &'a str), String> {
    let found = PinName::parse(text).and_then(|name| {
        let source = lock.pins.get(&name)?.source.as_str();
        Some((name, source))
    });
    found.ok_or_else(|| {
        let names: Vec<&str> = lock.pins.keys().map(PinName::as_str).collect();
        let hint = closest(text, &names).map(|close| format!("; did you mean `{close}`?"));
        format!("there is no pin `{text}` in {LOCK_FILE}{}", hint.unwrap_or_default())
    })
}
