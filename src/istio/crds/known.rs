//! The template of CRDs that Istio's releases have, done without rendering it.
//!
//! It takes the CRDs of a file apart, leaves some out, gives the others new labels, and writes each as YAML, which is then
//! read again. Reading the file once gives the same. What decides (switches, names that are left out, labels) is asked of
//! the chart by a template of our own in the place of that one.

use std::sync::{Arc, LazyLock};

use rayon::prelude::*;
use regex::Regex;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{TEMPLATE, Tree};
use crate::helm::Chart;
use crate::istio::text;
use crate::istio::tree::to_integers;
use crate::yaml;

const FILE: &str = "files/crd-all.gen.yaml";

/// Asks for what decides; the first form of 1.24 to 1.27, the second of 1.28 and later.
const PROBES: [(&str, &str); 2] = [
    (
        "149ee18622ca2a066f335abdf513d97d634e101c20db31787d286bb5f30dc84a",
        r#"{{ dict "on" .Values.base.enableCRDTemplates "excluded" .Values.base.excludedCRDs "scope" "all" "labels" (include "istio.labels" . | fromYaml) | toJson }}"#,
    ),
    (
        "842394e2c0a620c8517f149136b1a5a3846b2d4a23cdc07c8a4debe2dff9a6b0",
        r#"{{ dict "on" .Values.base.enableCRDTemplates "excluded" .Values.base.excludedCRDs "scope" .Values.global.resourceScope "labels" (include "istio.labels" . | fromYaml) | toJson }}"#,
    ),
];

/// A template that we know.
pub(crate) struct Known {
    probe: Chart,
    file: Arc<[u8]>,
}

impl Known {
    /// Recognises the template by the digest of what it does; comments and blanks do not count.
    pub(super) fn of(
        chart: &Chart,
        template: &str,
        is_part: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let digest = digest(template)?;
        let (_, probe) = PROBES.iter().find(|(known, _)| *known == digest)?;
        let file = chart.files.0.get(FILE)?.clone();
        let probe = chart.with_templates(|name, text| match name {
            TEMPLATE => Some((*probe).into()),
            _ => is_part(name).then(|| text.clone()),
        });
        Some(Self { probe, file })
    }

    /// The chart with the question in the place of the template.
    pub(crate) fn probe(&self) -> &Chart {
        &self.probe
    }

    /// The CRDs by what the chart answers; `None` where that, or the file, is more than we know.
    pub(crate) fn objects(&self, answer: &[u8]) -> Option<Vec<Value>> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let text = std::str::from_utf8(&self.file).ok()?;
        if !matches!(answer.get("scope")?.as_str()?, "all" | "cluster") {
            return Some(Vec::new());
        }
        let labels = match answer.get("on")? {
            Value::Bool(true) => Some(
                answer.get("labels")?.as_object().filter(|labels| !labels.contains_key("Error"))?,
            ),
            Value::Bool(false) => None,
            _ => return None,
        };
        let excluded: &[Value] = match answer.get("excluded")? {
            Value::Null => &[],
            Value::Array(names) => names,
            _ => return None,
        };
        let parts: Vec<&str> =
            if labels.is_some() { text.split("\n---\n").collect() } else { text::documents(text) };
        let read: Option<Vec<Value>> = parts.par_iter().map(|part| crd(part)).collect();
        let mut objects = read?;
        if let Some(labels) = labels {
            objects.retain(|object| !excluded.contains(&object["metadata"]["name"]));
            for object in &mut objects {
                object["metadata"]["labels"] = Value::Object(labels.clone());
            }
        }
        Some(objects)
    }
}

/// Reads a CRD that is as it would be if it were written and read again.
fn crd(text: &str) -> Option<Value> {
    let mut value = yaml::go_document(text).ok()?;
    value.get("kind")?.as_str().filter(|kind| !kind.is_empty())?;
    value.get("metadata")?.get("name")?.as_str()?;
    if !is_plain(&value) || ends_in_lines(&value) {
        return None;
    }
    to_integers(&mut value);
    Some(value)
}

/// Whether all numbers are such that a float holds them.
fn is_plain(value: &Value) -> bool {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number.abs() < EXACT),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(map) => map.values().all(is_plain),
        _ => true,
    }
}

/// Whether the text of the object could end in a block of lines, which loses its last line end.
fn ends_in_lines(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\n'),
        Value::Array(items) => items.last().is_some_and(ends_in_lines),
        Value::Object(map) => {
            let last = |map: &Tree| {
                map.keys().max().and_then(|key| map.get(key)).is_some_and(ends_in_lines)
            };
            last(map)
        }
        _ => false,
    }
}

/// The digest of a template's actions; `None` where the text between them is more than comments and separators.
fn digest(template: &str) -> Option<String> {
    static ACTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)\{\{-?(.*?)-?\}\}").expect("the pattern is a regular expression")
    });
    let between = ACTION.replace_all(template, "");
    let is_nothing = |line: &str| matches!(line.trim(), "" | "---") || line.starts_with('#');
    if !between.lines().all(is_nothing) {
        return None;
    }
    let actions = ACTION.captures_iter(template).map(|found| {
        let words: Vec<&str> = found[1].split_whitespace().collect();
        words.join(" ")
    });
    let actions: Vec<String> = actions.collect();
    Some(hex::encode(Sha256::digest(actions.join("\n").as_bytes())))
}
