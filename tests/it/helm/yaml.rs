//! The writer for `toYaml` against `sigs.k8s.io/yaml`.

use meshgen::yaml::{go_compatible, go_document};
use serde_json::{Value as Json, json};

use crate::gotmpl::oracle::{self, ask, difference};
use crate::tool;

#[test]
#[expect(clippy::unreadable_literal, reason = "numbers as charts have them")]
fn writes_as_go() {
    let Some(helm) = tool::path("helmlib") else { return };
    let text = include_str!("../../data/hostile-strings.json");
    let mut strings: Vec<String> = serde_json::from_str(text).expect("a list of strings");
    for part in [
        "a",
        "é",
        "\n",
        " ",
        "\t",
        ":",
        "#",
        "'",
        "\"",
        "-",
        "\r",
        "\u{85}",
        "\u{2028}",
        "b c",
        "\u{1F600}",
        "x: y",
        "1",
    ] {
        for other in [
            "a",
            "\n",
            " ",
            ":",
            "# ",
            "'",
            "\n\n",
            "\u{2028}",
            "-",
            "word ".repeat(30).as_str(),
            "0",
        ] {
            strings.push(format!("{part}{other}"));
            strings.push(format!("{other}{part}{other}"));
            strings.push(format!(
                "{part}{other}{}",
                "long text with 'quotes' and more words ".repeat(4)
            ));
        }
    }
    let mut documents: Vec<Json> = Vec::new();
    for string in &strings {
        documents.extend([
            json!(string),
            json!({"k": string}),
            json!([string]),
            json!({string: 1}),
            json!({"a": {"b": [string, {"c": string}]}}),
            json!([[string]]),
            json!({string: {"x": [string]}}),
            json!([{string: [], "z": {}}]),
        ]);
    }
    documents.extend([
        json!(null), json!(true), json!(1), json!(-1.5), json!(1e21), json!(1e20), json!(123456789.5), json!(1e-7), json!(0.0001), json!(1e6), json!(12345678.0), json!([]), json!({}), json!([[], {}]), json!({"a": null, "b": [null]}),
        json!({"a10": 1, "a2": 2, "a-b": 3, "a_b": 4, "aB": 5, "ab": 6, "A": 7, "1": 8, "10": 9, "2": 10, "01": 11, "a01": 12, "a1": 13, "é": 14, "a.b": 15, "a/b": 16, "": 17}),
        json!([[1, [2, [3]]], {"a": [[1]], "b": [{"c": [{"d": 1}]}]}]), json!({"x".repeat(127): 1, "y".repeat(128): 2, "z".repeat(129): {"a": [1]}, "w".repeat(140): [1, {"b": 2}]}),
    ]);
    let results = ask(&helm, "write", &json!(documents));
    let mut faults = Vec::new();
    for (document, result) in documents.iter().zip(results.as_array().unwrap()) {
        let theirs = match oracle::theirs(result) {
            oracle::Outcome::Out(bytes) => String::from_utf8(bytes).unwrap(),
            other @ oracle::Outcome::Error { .. } => format!("{other:?}"),
        };
        let ours = go_compatible(document).unwrap_or_else(|error| error.to_string());
        if theirs.contains("did not find expected")
            || (theirs.contains(&ours) && theirs.starts_with("Error"))
        {
            continue;
        }
        if ours != theirs {
            faults.push(format!(
                "{document:.100}\n   {}",
                difference(&format!("{ours:?}"), &format!("{theirs:?}"))
            ));
        }
    }
    println!("yaml: {} documents, {} unequal", documents.len(), faults.len());
    for fault in faults.iter().take(15) {
        println!("- {fault}");
    }
    assert!(faults.is_empty());
}

#[test]
fn reads_what_go_writes() {
    let Some(helm) = tool::path("helmlib") else { return };
    let texts = json!([
        "a: 1\nb: [x, {c: d}]\n",
        "a: 1\na: 2\n",
        "a: 1\n---\nb: 2\n",
        "",
        "# c\n",
        "a: yes\nb: 0644\n"
    ]);
    let results = ask(&helm, "read", &texts);
    for (text, result) in texts.as_array().unwrap().iter().zip(results.as_array().unwrap()) {
        let ours = go_document(text.as_str().unwrap()).unwrap();
        assert_eq!(ours, result["json"], "{text}");
    }
}
