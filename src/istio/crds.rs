//! The CRDs of the base chart, rendered once for all that asks for the same.
//!
//! They are nine tenths of a control plane's bytes, and hardly anything changes them. The template that makes them is
//! rendered by itself, with nothing but the values that it reads: what it gives is a function of the key under which it is
//! kept. Where a chart's text does not show that this is so, it is rendered whole.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;
use serde_json::Value;

mod known;

use super::generate::RenderedObject;
use super::tree::Tree;
use crate::helm::Chart;
pub(super) use known::Known;

/// The template that makes them, and the one that sets the values for all.
const TEMPLATE: &str = "templates/crds.yaml";
const PROFILE: &str = "templates/zzz_profile.yaml";

/// What the latter reads beside the maps that it merges.
const PROFILE_READS: [&str; 7] = [
    "defaults",
    "_internal_defaults_do_not_set",
    "profile",
    "platform",
    "compatibilityVersion",
    "global.profile",
    "global.platform",
];

/// How many different sets of CRDs are kept.
const KEPT: usize = 16;

/// A base chart in two parts.
pub(super) struct Split {
    /// What makes the CRDs.
    pub(super) crds: Chart,
    /// The rest.
    pub(super) rest: Chart,
    /// The template, where it is one that we know.
    pub(super) known: Option<Known>,
    /// The path of the template among rendered files.
    pub(super) path: String,
    /// The values that the CRDs are made from, by their paths.
    reads: Vec<String>,
    made: Mutex<BTreeMap<String, Made>>,
}

type Made = Arc<Vec<RenderedObject>>;

impl Split {
    /// Splits a chart; `None` where its CRDs may depend on more than can be seen.
    pub(super) fn of(chart: &Chart) -> Option<Self> {
        let text = chart.templates.get(TEMPLATE)?;
        let profile = chart.templates.get(PROFILE)?;
        let is_simple = chart.schema.is_none() && chart.dependencies.is_empty();
        let changes_nothing = |(name, text): (&Arc<str>, &Arc<str>)| {
            matches!(name.as_ref(), TEMPLATE | PROFILE) || !changes_values(text)
        };
        if !is_simple || !knows(profile) || !chart.templates.iter().all(changes_nothing) {
            return None;
        }
        let mut reads = reads(text)?;
        reads.extend(PROFILE_READS.map(str::to_owned));
        let is_partial =
            |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        let is_part = |name: &str| matches!(name, TEMPLATE | PROFILE) || is_partial(name);
        Some(Self {
            crds: chart.with_templates(|name, text| is_part(name).then(|| text.clone())),
            rest: chart.with_templates(|name, text| (name != TEMPLATE).then(|| text.clone())),
            known: Known::of(chart, text, is_part),
            path: format!("{}/{TEMPLATE}", chart.metadata.name),
            reads,
            made: Mutex::default(),
        })
    }

    /// The values that the CRDs are made from.
    pub(super) fn values(&self, values: &Tree) -> Tree {
        let mut picked = Tree::new();
        for path in &self.reads {
            pick(values, path, &mut picked);
        }
        picked
    }

    /// What was made for a key, or is made now.
    ///
    /// Two threads may make the same at once; nothing waits, so that making may use all threads.
    pub(super) fn get<E>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Vec<RenderedObject>, E>,
    ) -> Result<Made, E> {
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = lock().get(key) {
            return Ok(made.clone());
        }
        let made = Arc::new(make()?);
        let mut kept = lock();
        if kept.len() < KEPT {
            kept.insert(key.to_owned(), made.clone());
        }
        Ok(made)
    }
}

fn pick(values: &Tree, path: &str, into: &mut Tree) {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let Some(value) = values.get(key) else { return };
    match (value, rest) {
        (Value::Object(inner), Some(rest)) => {
            let entry = into.entry(key).or_insert_with(|| Tree::new().into());
            if let Value::Object(into) = entry {
                pick(inner, rest, into);
            }
        }
        _ => drop(into.insert(key.to_owned(), value.clone())),
    }
}

/// Whether a template may change the values that others see: it holds a word of a function that does.
fn changes_values(text: &str) -> bool {
    ["set ", "erge", "define"].iter().any(|word| text.contains(word))
}

/// The paths of values in a template; `None` where it also takes them whole.
fn reads(text: &str) -> Option<Vec<String>> {
    static VALUES: LazyLock<Regex> = LazyLock::new(|| {
        // names are ASCII, and the tables of Unicode would take longer than all else here
        Regex::new(r"\.Values(?-u:\b)(?:\.([0-9A-Za-z_]+)\.([0-9A-Za-z_]+))?")
            .expect("the pattern is a regular expression")
    });
    let paths = VALUES
        .captures_iter(text)
        .map(|found| Some(format!("{}.{}", found.get(1)?.as_str(), found.get(2)?.as_str())));
    paths.collect()
}

/// Whether the template of profiles is one whose reads are known.
fn knows(text: &str) -> bool {
    static VALUES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\.Values\)?\.([0-9A-Za-z_]+)(?:\)?\.([0-9A-Za-z_]+))?")
            .expect("the pattern is a regular expression")
    });
    VALUES.captures_iter(text).all(|found| {
        let first = &found[1];
        let path = found.get(2).map(|second| format!("{first}.{}", second.as_str()));
        PROFILE_READS.contains(&first)
            || path.map_or(first == "global", |path| PROFILE_READS.contains(&path.as_str()))
    })
}
