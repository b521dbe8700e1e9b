//! `meshgen explain`.

use std::process::{Command, Output};

use meshgen::diag;
use serde_json::Value;

use crate::tool;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("explain").args(arguments);
    tool::output(&mut command, "")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn a_rule_is_found_by_its_code_in_any_form() {
    let whole = run(&["MG0305"]);
    let said = text(&whole.stdout);
    let head = "MG0305: pod ranges across networks are disjoint\n(warning; can be allowed in mesh.yaml)\n\n";
    assert!(said.starts_with(head), "{said}");
    for code in ["mg0305", "305", "0305", "MG305"] {
        assert_eq!(text(&run(&[code]).stdout), said, "{code}");
    }
}

#[test]
fn an_unknown_code_names_the_nearest() {
    let output = run(&["MG0308x"]);
    assert_eq!(
        (output.status.code(), text(&output.stdout), text(&output.stderr)),
        (
            Some(2),
            "",
            "\
error: there is no rule `MG0308x`
hint: the nearest is `MG0308`: one network does not span providers
hint: `meshgen explain` lists the rules
"
        )
    );
}

#[test]
fn every_rule_is_listed_with_a_story() {
    let list = run(&[]);
    let lines: Vec<&str> = text(&list.stdout).lines().collect();
    let data: Vec<Value> = serde_json::from_str(text(&run(&["-o", "json"]).stdout)).expect("JSON");
    let rules: Vec<_> = diag::rules().collect();
    assert_eq!((lines.len(), data.len()), (rules.len(), rules.len()));
    for ((rule, line), row) in rules.iter().zip(lines).zip(data) {
        assert!(line.starts_with(rule.code) && line.ends_with(rule.title), "{line}");
        assert_eq!(row["lowerable"], rule.lowerable, "{}", rule.code);
        assert_eq!(row["story"], rule.story, "{}", rule.code);
        let widest = rule.story.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!((20..=92).contains(&widest), "{}: {widest} columns", rule.code);
        assert!(rule.story.ends_with('.'), "{}", rule.code);
    }
}

/// What stories tell people to type exists.
#[test]
fn commands_in_stories_exist() {
    let command = meshgen::cli::command();
    let known = |name: &str| command.get_subcommands().any(|known| known.get_name() == name);
    let later = ["apply"];
    for rule in diag::rules() {
        let story = rule.story.replace('\n', " ");
        for words in story.split('`').skip(1).step_by(2) {
            let mut words = words.split_whitespace();
            if words.next() == Some("meshgen")
                && let Some(name) = words.next()
            {
                assert!(known(name) || later.contains(&name), "{}: {name}", rule.code);
            }
        }
    }
}
