//! `meshgen explain`.

use std::process::{Command, Output};

use meshgen::diag;
use meshgen::verify::CHECKS;
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
error: there is no rule or check `MG0308x`
hint: the nearest is `MG0308`: one network does not span providers
hint: `meshgen explain` lists the rules and checks
"
        )
    );
}

#[test]
fn every_rule_is_listed_with_a_story() {
    let list = run(&[]);
    let (first, _) = text(&list.stdout).split_once("\n\n").expect("rules, then checks");
    let lines: Vec<&str> = first.lines().collect();
    let data: Vec<Value> = serde_json::from_str(text(&run(&["-o", "json"]).stdout)).expect("JSON");
    let rules: Vec<_> = diag::rules().collect();
    assert_eq!((lines.len(), data.len()), (rules.len(), rules.len() + CHECKS.len()));
    for ((rule, line), row) in rules.iter().zip(lines).zip(data) {
        assert!(line.starts_with(rule.code) && line.ends_with(rule.title), "{line}");
        assert_eq!(row["lowerable"], rule.lowerable, "{}", rule.code);
        assert_eq!(row["story"], rule.story, "{}", rule.code);
        let widest = rule.story.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!((20..=92).contains(&widest), "{}: {widest} columns", rule.code);
        assert!(rule.story.ends_with('.'), "{}", rule.code);
    }
}

#[test]
fn every_check_is_listed_with_a_story() {
    let list = run(&[]);
    let (_, checks) = text(&list.stdout).split_once("\n\n").expect("rules, then checks");
    let data: Vec<Value> = serde_json::from_str(text(&run(&["-o", "json"]).stdout)).expect("JSON");
    let data = &data[data.len() - CHECKS.len()..];
    assert_eq!(checks.lines().count(), CHECKS.len());
    for ((check, line), row) in CHECKS.iter().zip(checks.lines()).zip(data) {
        assert!(line.starts_with(check.id) && line.ends_with(check.title), "{line}");
        let said = [&row["code"], &row["title"], &row["proves"], &row["hint"], &row["story"]];
        assert_eq!(said, [check.id, check.title, check.proves, check.hint, check.story]);
        let widest = check.story.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!((20..=102).contains(&widest), "{}: {widest} columns", check.id);
        assert!(check.story.ends_with('.'), "{}", check.id);
    }
}

#[test]
fn a_check_is_found_by_its_id_and_its_group() {
    let check = CHECKS.iter().find(|check| check.id == "discovery.clusters").expect("it is there");
    let expected = format!(
        "discovery.clusters: {}\n(a check of `meshgen verify`)\n\nproves: {}\n\n{}\n\nhint: {}\n",
        check.title, check.proves, check.story, check.hint
    );
    for id in ["discovery.clusters", " Discovery.Clusters"] {
        assert_eq!(text(&run(&[id]).stdout), expected, "{id}");
    }
    let one: Value =
        serde_json::from_str(text(&run(&[check.id, "-o", "json"]).stdout)).expect("JSON");
    assert_eq!((&one["code"], &one["proves"]), (&check.id.into(), &check.proves.into()));
    let group = run(&["discovery"]);
    let lines: Vec<&str> = text(&group.stdout).lines().collect();
    assert!(lines.len() > 1 && lines[0].starts_with("discovery.clusters  "), "{lines:?}");

    let wrong = run(&["discovery.cluster"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = text(&wrong.stderr);
    let nearest = format!("hint: the nearest is `discovery.clusters`: {}\n", check.title);
    assert!(said.contains("there is no rule or check `discovery.cluster`\n"), "{said}");
    assert!(said.contains(&nearest), "{said}");
}

/// What stories tell people to type exists.
#[test]
fn commands_in_stories_exist() {
    let command = meshgen::cli::command();
    let known = |name: &str| command.get_subcommands().any(|known| known.get_name() == name);
    let later = ["apply", "verify"];
    let rules = diag::rules().map(|rule| (rule.code, rule.story));
    let checks = CHECKS.iter().flat_map(|check| [(check.id, check.story), (check.id, check.hint)]);
    for (code, story) in rules.chain(checks) {
        let story = story.replace('\n', " ");
        for words in story.split('`').skip(1).step_by(2) {
            let mut words = words.split_whitespace();
            if words.next() == Some("meshgen")
                && let Some(name) = words.next()
            {
                assert!(known(name) || later.contains(&name), "{code}: {name}");
            }
        }
    }
}
