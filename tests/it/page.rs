//! Pages under `docs/` that describe JSON, held against what is printed, both ways.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::tool;

/// The fields that a section of the page names, with the lists that they are in: `clusters[].held[].why`.
fn documented(page: &str, section: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(tool::root().join("docs").join(page)).unwrap();
    let start = page.find(section).unwrap_or_else(|| panic!("no {section}"));
    let text = page[start..].lines().skip(1);
    let rows =
        text.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    let mut fields = BTreeSet::new();
    for row in rows {
        let mut cells = row.split(" | ");
        let (names, meaning) = (cells.next().unwrap(), cells.next().unwrap_or_default());
        let mut base = String::new();
        let mut last = String::new();
        for name in names.split('`').skip(1).step_by(2) {
            // `.context` beside `clusters[].name` is in the same list
            let full = match name.strip_prefix('.') {
                Some(rest) => format!("{base}{rest}"),
                None => name.to_owned(),
            };
            base = full.rsplit_once('.').map_or(String::new(), |(list, _)| format!("{list}."));
            last.clone_from(&full);
            fields.insert(full);
        }
        // fields of the rows of a list stand in the meaning, where it is a list of names
        let meaning = meaning.replace(" (`Kind/namespace/name`)", "").replace("in order: ", ": ");
        let inner = meaning.rsplit(": ").next().unwrap_or_default();
        let has_fields = last.ends_with("[]") || last.ends_with(".lastApply");
        if has_fields && meaning.contains(": `") {
            for name in inner.split('`').skip(1).step_by(2).filter(|name| !name.contains(' ')) {
                fields.insert(format!("{last}.{name}"));
            }
        }
    }
    fields
}

/// Every path of a value, lists as `[]`.
fn paths(value: &Value, at: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let path = if value.is_array() { format!("{path}[]") } else { path };
                all.insert(path.clone());
                all.insert(path.trim_end_matches("[]").to_owned());
                paths(value, &path, all);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| paths(value, at, all)),
        _ => {}
    }
}

/// Asserts that a section of a page names every field that is printed, save those below
/// `elsewhere`, and no other.
#[track_caller]
pub fn agree(page: &str, section: &str, values: &[Value], elsewhere: &[&str]) {
    let documented = documented(page, section);
    assert!(documented.len() > 6, "{section}: {documented:#?}");
    let mut seen = BTreeSet::new();
    for value in values {
        paths(value, "", &mut seen);
    }
    let never: Vec<_> = documented.difference(&seen).collect();
    assert!(never.is_empty(), "{section}: never printed: {never:#?}\n{seen:#?}");
    let is_known = |path: &&String| {
        documented.contains(*path)
            || documented.contains(&format!("{path}[]"))
            || elsewhere.iter().any(|of| path.starts_with(of))
            || documented.iter().any(|known| {
                known.starts_with(&format!("{path}.")) || known.starts_with(&format!("{path}[]"))
            })
    };
    let unknown: Vec<_> = seen.iter().filter(|path| !is_known(path)).collect();
    assert!(unknown.is_empty(), "{section}: not in the page: {unknown:#?}");
}
