//! The page as markup: whole, accessible, loading nothing, and proof against what it is made of.

use std::collections::BTreeSet;

use meshgen::cluster::Remark;
use meshgen::verify::page::{Page, to_html};
use meshgen::verify::{Finding, Status};

use super::sample;

/// A tag: its name, its attributes, whether it begins, ends, or does both.
#[derive(Debug, PartialEq)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub begins: bool,
    pub ends: bool,
    /// The text that stands before it.
    pub before: String,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 2] = ["meta", "br"];

/// The tags of a page, in order. Panics on what no careful writer writes: attributes without quotes,
/// a bare `<` or `&`.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        assert!(
            !before.contains('>') || tags.last().is_some_and(|tag: &Tag| tag.name == "style"),
            "{before}"
        );
        let mut end = None;
        let mut quoted = false;
        for (at, character) in from.char_indices() {
            match character {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let end =
            end.unwrap_or_else(|| panic!("a tag without end: {}", &from[..80.min(from.len())]));
        tags.push(tag(&from[1..end], before));
        rest = &from[end + 1..];
    }
    tags
}

fn tag(text: &str, before: &str) -> Tag {
    let begins = !text.starts_with('/');
    let ends = !begins || text.ends_with('/');
    let text = text.trim_matches('/');
    let (name, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let Some((key, after)) = rest.split_once("=\"").filter(|(key, _)| !key.contains(' '))
        else {
            let (key, after) = rest.split_once(' ').unwrap_or((rest, ""));
            attributes.push((key.to_owned(), String::new()));
            rest = after;
            continue;
        };
        let (value, after) = after.split_once('"').expect("a value has an end");
        attributes.push((key.to_owned(), value.to_owned()));
        rest = after;
    }
    let name = name.to_lowercase();
    let ends = ends || VOID.contains(&name.as_str()) || name == "!doctype";
    Tag { name, attributes, begins, ends, before: before.to_owned() }
}

fn samples() -> Vec<(String, Page)> {
    let mut all = Vec::new();
    for clusters in [1, 2, 3, 12, 50] {
        all.push((format!("healthy {clusters}"), sample::healthy(clusters)));
        all.push((format!("troubled {clusters}"), sample::troubled(clusters)));
        all.push((format!("offline {clusters}"), sample::offline(clusters)));
    }
    all
}

#[test]
fn every_tag_ends_and_every_name_leads_somewhere() {
    for (name, page) in samples() {
        let html = to_html(&page);
        let mut open: Vec<String> = Vec::new();
        let mut ids = BTreeSet::new();
        let mut named = BTreeSet::new();
        let (mut level, mut tables, mut pictures) = (0, 0, 0);
        for tag in tags(&html) {
            if tag.begins && !tag.ends {
                open.push(tag.name.clone());
            } else if !tag.begins {
                assert_eq!(
                    open.pop().as_deref(),
                    Some(tag.name.as_str()),
                    "{name}: {}",
                    tag.before
                );
            }
            if let Some(id) = tag.get("id") {
                assert!(ids.insert(id.to_owned()), "{name}: two have the id {id}");
            }
            let refers = [tag.get("href"), tag.get("aria-labelledby")].into_iter().flatten();
            named.extend(
                refers
                    .flat_map(str::split_whitespace)
                    .map(|id| id.trim_start_matches('#').to_owned()),
            );
            if let (Some(digit), true) =
                (tag.name.strip_prefix('h').and_then(|d| d.parse::<i32>().ok()), tag.begins)
            {
                assert!(digit <= level + 1, "{name}: a heading is left out before h{digit}");
                level = digit;
            }
            if tag.begins && tag.name == "th" {
                assert!(tag.get("scope").is_some(), "{name}: {tag:?}");
            }
            tables += i32::from(tag.begins && tag.name == "table")
                - i32::from(tag.begins && tag.name == "caption");
            if tag.name == "svg" && tag.begins {
                let hidden = tag.get("aria-hidden") == Some("true");
                let told = tag.get("role") == Some("img") && tag.get("aria-labelledby").is_some();
                assert!(hidden != told, "{name}: a picture is either told or hidden: {tag:?}");
                pictures += i32::from(told);
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
        assert_eq!(tables, 0, "{name}: each table has a caption");
        assert_eq!(pictures, 3, "{name}: one for each width");
        let missing: Vec<_> = named.difference(&ids).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    const LOADS: [&str; 14] = [
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "image",
        "foreignobject",
        "audio",
        "video",
        "source",
        "animate",
    ];
    for (name, page) in samples() {
        let html = to_html(&page);
        for tag in tags(&html) {
            assert!(!LOADS.contains(&tag.name.as_str()), "{name}: {tag:?}");
            for (key, value) in &tag.attributes {
                assert!(
                    !key.starts_with("on") && key != "src" && key != "style",
                    "{name}: {tag:?}"
                );
                assert!(!key.ends_with("href") || value.starts_with('#'), "{name}: {tag:?}");
                assert!(tag.name == "td" || !value.contains("//"), "{name}: {tag:?}");
            }
        }
        let style = html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next());
        let style = style.expect("a style sheet");
        for word in ["url(", "@import", "http", "expression"] {
            assert!(!style.contains(word), "{name}: the style sheet has {word}");
        }
        assert!(html.contains("default-src 'none'"), "{name}");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    const EVIL: &str =
        "\"><script>alert(1)</script><b onclick='x'>&amp;\u{202E}txt\u{2066}\u{0007}`<i>`";
    let mut page = sample::troubled(3);
    page.mesh = EVIL.to_owned();
    page.tree.name = EVIL.to_owned();
    let cluster = &mut page.clusters[0];
    for text in [&mut cluster.context, &mut cluster.name, &mut cluster.network] {
        EVIL.clone_into(text);
    }
    cluster.region = Some(EVIL.to_owned());
    cluster.istio = Some(EVIL.to_owned());
    let state = cluster.state.as_mut().expect("it was asked");
    state.drift.push(Remark { object: EVIL.to_owned(), why: EVIL.to_owned() });
    state.notes.push(EVIL.to_owned());
    page.certificates[0].subject = EVIL.to_owned();
    page.pending[0].path = EVIL.to_owned();
    let report = page.verification.as_mut().expect("a verification");
    for text in [&mut report.at, &mut report.label, &mut report.tree, &mut report.clusters[0].name]
    {
        EVIL.clone_into(text);
    }
    report.checks[0].id = EVIL.to_owned();
    report.checks[0].status = Status::Failed;
    report.checks[0].summary = EVIL.to_owned();
    report.checks[0].findings.push(Finding {
        cluster: Some(EVIL.to_owned()),
        status: Status::Failed,
        message: EVIL.to_owned(),
        evidence: vec![EVIL.to_owned()],
        hint: Some(EVIL.to_owned()),
    });
    let traffic = report.traffic.as_mut().expect("traffic");
    traffic.target = EVIL.to_owned();
    traffic.clients[0].pod = EVIL.to_owned();
    traffic.clients[0].failures = [(EVIL.to_owned(), 1)].into();
    traffic.pairs[0].from = EVIL.to_owned();

    let html = to_html(&page);
    assert!(!html.contains("<script") && !html.contains("<b onclick") && !html.contains("<i>"));
    let unseen = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{202E}' | '\u{2066}')
    };
    assert!(!html.contains(unseen), "characters that turn or hide text");
    assert!(html.contains("&lt;script&gt;alert(1)") && html.contains("\\u{202e}txt"));
    // nothing but our own markup, as many tags as with harmless texts
    let known = tags(&html);
    assert!(known.iter().all(|tag| tag.get("onclick").is_none()));
    assert_eq!(known[0].name, "!doctype");
}
