//! What a reader of the page reads: its text without markup, beside what it was. `MESHGEN_BLESS=1`
//! writes what it is now.

use std::{env, fs};

use meshgen::verify::page::{Page, to_html};
use meshgen::verify::{CHECKS, Finding, Status};

use super::markup::tags;
use super::sample;
use crate::tool;

/// The text of a page, a line a line: blocks are lines, cells are set apart by ` | `. Of the three
/// pictures the widest is kept.
fn words(page: &Page) -> String {
    let html = to_html(page);
    let body = html.split("<body>").nth(1).expect("a body");
    let mut text = String::new();
    let (mut picture, mut pictures) = (false, 0);
    for tag in tags(body) {
        if !picture || pictures == 1 {
            text.push_str(&tag.before.replace('\n', " "));
        }
        if tag.name == "svg" && tag.get("role") == Some("img") {
            (picture, pictures) = (true, pictures + 1);
        } else if tag.name == "svg" && !tag.begins {
            picture = false;
        }
        match tag.name.as_str() {
            "td" | "th" if !tag.begins => text.push_str(" | "),
            "p" | "li" | "h1" | "h2" | "h3" | "tr" | "a" | "summary" | "caption" | "text"
            | "title" | "desc" | "dt" | "dd" | "figure" | "div" => text.push('\n'),
            "span" | "strong" => text.push(' '),
            _ => {}
        }
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<String> = lines
        .map(|line| line.trim_end_matches('|').trim().replace("&#x2f;", "/").replace("&#x27;", "'"))
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n") + "\n"
}

#[test]
fn the_page_says_what_it_said() {
    let cases = [
        ("one-healthy", sample::healthy(1)),
        ("two-troubled", sample::troubled(2)),
        ("two-offline", sample::offline(2)),
        ("twelve-troubled", sample::troubled(12)),
    ];
    for (name, page) in cases {
        let path = tool::root().join(format!("tests/report/{name}.txt"));
        let said = words(&page);
        if env::var_os("MESHGEN_BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, &said).expect("a file");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(said == expected, "{name} says:\n{said}");
    }
}

#[test]
fn a_verification_of_another_tree_judges_no_cluster() {
    let mut page = sample::troubled(2);
    page.clusters[0].state = sample::healthy(2).clusters[0].state.clone();
    page.verification.as_mut().expect("a verification").tree = format!("sha256:{}", "0".repeat(64));
    page.verification_is_current = false;
    let text = words(&page);
    assert!(
        text.contains("the last verification was of another tree (sha256:000000000000)"),
        "{text}"
    );
    assert!(text.contains("c1: network c1, region ap-sydney-1, in order."), "{text}");
    assert!(text.contains("of another tree, 2026-11-30 18:31 UTC"), "{text}");
}

#[test]
fn what_is_worst_is_what_is_said() {
    let mut page = sample::healthy(2);
    let checks = CHECKS.len();
    assert!(words(&page).contains(&format!("passed: all {checks} checks passed")));
    page.certificates[1].days_left = 29;
    assert!(words(&page).contains("warning: 29 days left"));
    "expired".clone_into(&mut page.certificates[1].validity);
    page.certificates[1].days_left = -1;
    let text = words(&page);
    assert!(text.contains("failed: expired") && text.contains("CA of c1, since"), "{text}");
    // what could not be looked at is no fault, and no success
    let report = page.verification.as_mut().expect("a verification");
    report.checks[3].status = Status::NotLooked;
    let text = words(&page);
    assert!(text.contains(&format!("not looked: 1 of {checks} checks not looked")), "{text}");
}

#[test]
fn many_clusters_of_which_nothing_was_found_share_a_row() {
    let text = words(&sample::troubled(50));
    let table = text.split("What was found in each cluster").nth(1).expect("a table");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.contains(" | ")).collect();
    let names: Vec<&str> = rows.iter().filter_map(|row| row.split(" | ").next()).collect();
    assert_eq!(names, ["c1", "c2", "c50", "the other 47 clusters"], "{text}");
    // and what was found in many is told once
    let mut page = sample::healthy(50);
    let report = page.verification.as_mut().expect("a verification");
    let check =
        report.checks.iter_mut().find(|check| check.id == "control-plane.proxies").expect("it");
    check.status = Status::Warning;
    check.findings = (1..=50)
        .map(|number| Finding {
            cluster: Some(format!("c{number}")),
            status: Status::Warning,
            message: "2 proxies are older than istiod".to_owned(),
            ..Finding::default()
        })
        .collect();
    let text = words(&page);
    assert_eq!(text.matches("2 proxies are older than istiod").count(), 1, "{text}");
    assert!(text.contains("c12 and 38 more"), "{text}");
}
