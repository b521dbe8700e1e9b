//! Writer then reader is the identity, for us and for an independent reader.

use std::fmt::Write;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

fn hostile() -> Vec<String> {
    serde_json::from_str(include_str!("../data/hostile-strings.json")).expect("a list of strings")
}

/// A document with a string as value, nested, in a list and as key.
fn document(text: &str) -> Value {
    json!({
        "value": text,
        "nested": {"deep": {"deeper": text}, "list": [text, [text, text], {"in": text}]},
        text: {text: text},
    })
}

#[test]
fn hostile_strings_read_back_equal() {
    for text in hostile() {
        let value = document(&text);
        let written = yaml::canonical(&value);
        for schema in [Schema::Strict, Schema::Go] {
            let read = yaml::document(&written, schema)
                .unwrap_or_else(|error| panic!("{text:?}: {error}\n{written}"));
            assert_eq!(read, value, "{schema:?} reads {text:?} otherwise:\n{written}");
        }
        let read: Value = serde_yaml::from_str(&written).expect("independent reader");
        assert_eq!(read, value, "yaml_serde reads {text:?} otherwise:\n{written}");
        assert_eq!(yaml::canonical(&value), yaml::canonical(&read), "writing is stable");
    }
}

#[test]
fn hostile_strings_read_back_equal_at_the_top() {
    for text in hostile() {
        let value = json!(text);
        let written = yaml::canonical(&value);
        assert_eq!(yaml::document(&written, Schema::Go).expect("reads"), value, "{written:?}");
    }
}

#[test]
fn objects_start_with_what_they_are() {
    let object = json!({
        "spec": {"b": [], "a": {}, "list": [{"z": 1, "a": "x: y\nz\n"}]},
        "metadata": {"labels": {"b": "on", "a": "1"}, "zone": "x", "name": "n", "namespace": "s"},
        "kind": "K", "apiVersion": "v1",
    });
    let expected = "\
apiVersion: v1
kind: K
metadata:
  name: \"n\"
  namespace: s
  labels:
    a: \"1\"
    b: \"on\"
  zone: x
spec:
  a: {}
  b: []
  list:
  - a: |
      x: y
      z
    z: 1
";
    assert_eq!(yaml::canonical(&object), expected);
}

#[test]
fn bad_yaml_is_refused_with_a_place() {
    let cases = [
        ("a: 1\na: 2\n", "line 2, column 1: the key `a` stands here a second time"),
        ("a: &x [*x]\n", "line 1, column 8: this alias stands inside its own anchor"),
        ("a: .inf\n", "line 1, column 4: JSON, and so Kubernetes, has no such number"),
        ("a: !mine x\n", "line 1, column 10: the tag `!mine` is not supported"),
        ("a: 1\n---\nb: 2\n", "line 3, column 1: a second document starts here"),
    ];
    for (text, expected) in cases {
        let error = yaml::document(text, Schema::Go).expect_err(text).with_position(text);
        assert!(error.starts_with(expected), "{text:?} gives {error:?}");
    }
}

#[test]
fn bombs_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        let below = vec![below; 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{below}]").expect("a string takes it");
    }
    let error = yaml::document(&bomb, Schema::Go).expect_err("a bomb");
    assert!(error.message.contains("YAML bomb"), "{error}");
    let deep = "[".repeat(100_000);
    yaml::document(&deep, Schema::Go).expect_err("too deep");
    let deep = "- ".repeat(100_000);
    yaml::document(&deep, Schema::Go).expect_err("too deep");
}

#[test]
fn what_turns_text_around_is_escaped() {
    for (text, written) in [
        ("x\u{202e}y", r#""x\u202Ey""#),
        ("\u{2066}a", r#""\u2066a""#),
        ("\u{61c}", r#""\u061C""#),
        ("a\u{200f}\nb\n", r#""a\u200F\nb\n""#),
    ] {
        assert_eq!(meshgen::yaml::inline(&text.into()), written);
    }
}

#[test]
fn long_keys_are_read_back() {
    for length in [999, 1000, 1001, 5000] {
        for key in ["k".repeat(length), " ".repeat(length), "\u{1}".repeat(length / 4)] {
            let value = json!({"a": {&key: [1, {&key: {&key: "text\nlines\n"}}], "z": {&key: {}}}});
            let written = yaml::canonical(&value);
            assert_eq!(yaml::document(&written, Schema::Strict).expect("reads"), value, "{length}");
            let other: Value = serde_yaml::from_str(&written).expect("another reader reads it");
            assert_eq!(other, value, "{length}");
        }
    }
}
