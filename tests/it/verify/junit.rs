//! JUnit's XML, read by a real reader and held against the rules of CI servers' schemas.

use std::process::Command;

use meshgen::verify::write::to_junit;
use meshgen::verify::{Report, Status};
use serde_json::Value;

use super::writers::{good, hostile, mixed};
use crate::tool;

/// Reads the report as expat does, holds every element and attribute against Jenkins' schema
/// (junit-10.xsd of its xUnit plugin: names, what is required, what may stand in what), and the
/// counts against what is there; prints the test cases.
const READER: &str = r#"
import json, re, sys, xml.etree.ElementTree as tree
text = {"failure": {"type", "message"}, "error": {"type", "message"}, "skipped": {"type", "message"},
        "system-out": set(), "system-err": set()}
needs = {"testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
         "testsuite": ({"name", "tests", "failures", "errors"},
                       {"group", "time", "skipped", "timestamp", "hostname", "id", "package"},
                       {"testsuite", "properties", "testcase", "system-out", "system-err"}),
         "properties": (set(), set(), {"property"}),
         "property": ({"name", "value"}, set(), set()),
         "testcase": ({"name"}, {"time", "classname", "group"}, set(text))}
root = tree.parse(sys.stdin.buffer).getroot()
assert root.tag == "testsuites", root.tag
for element in root.iter():
    if element.tag in text:
        assert set(element.keys()) <= text[element.tag] and not len(element), element.tag
        continue
    required, allowed, below = needs[element.tag]
    assert required <= set(element.keys()) <= required | allowed, (element.tag, element.keys())
    assert {child.tag for child in element} <= below, element.tag
    assert not (element.text or "").strip() and not (element.tail or "").strip(), element.tag
cases = []
for suite in root:
    found = suite.findall("testcase")
    for name, tag in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]:
        assert int(suite.get(name)) == sum(case.find(tag) is not None for case in found), name
    assert int(suite.get("tests")) == len(found)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", "2026-01-01T00:00:00"))
    for case in found:
        assert sum(case.find(tag) is not None for tag in ["failure", "error", "skipped"]) <= 1
        cases.append([suite.get("name"), case.get("classname"), case.get("name"),
                      [[part.tag, part.get("message"), part.text] for part in case]])
for name in ["tests", "failures", "errors"]:
    assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root), name
keys = [tuple(case[1:3]) for case in cases]
assert len(keys) == len(set(keys)), "GitLab takes the first of two of one name"
print(json.dumps(cases))
"#;

/// The test cases as a reader sees them: suite, class, name, and what is in them.
fn read(report: &Report) -> Option<Vec<Value>> {
    let mut command = Command::new(tool::path("python3")?);
    let output = tool::output(command.args(["-c", READER]), &to_junit(report));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", to_junit(report));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn readers_take_it() {
    let report = mixed();
    let Some(cases) = read(&report) else { return };
    assert_eq!(cases.len(), report.checks.len());
    let case = |id: &str| cases.iter().find(|case| case[2] == id).expect("a case");
    let failed = case("discovery.clusters");
    assert_eq!((&failed[0], &failed[1]), (&"discovery".into(), &"apac.discovery".into()));
    assert_eq!(failed[3][0][0], "failure");
    assert_eq!(failed[3][0][1], "c1: istiod-7d9f: `c2` is not synced: timeout");
    let details = failed[3][0][2].as_str().unwrap();
    assert!(details.contains("\n  its token was refused: 401\nhint: `meshgen pki"), "{details}");
    assert_eq!(case("infrastructure.port")[3][0][0], "error");
    let skipped = &case("configuration.expose")[3][0];
    assert_eq!((&skipped[0], &skipped[1]), (&"skipped".into(), &"one network".into()));
    let warned = case("certificates.expiry")[3][0].clone();
    assert_eq!(warned[0], "system-out");
    assert!(warned[2].as_str().unwrap().starts_with("warning\n"), "{warned}");
    assert!(read(&good(50)).is_some() && read(&Report::default()).is_some());
}

#[test]
fn hostile_text_stays_text() {
    let report = hostile();
    let Some(cases) = read(&report) else { return };
    assert_eq!(cases.len(), report.checks.len());
    let failed = cases.iter().find(|case| case[2] == "traffic.versions").expect("a case");
    let details = failed[3][0][2].as_str().unwrap();
    // readable, though XML 1.0 cannot hold it
    assert!(details.contains("\\x1b[2J\\x00\\u{fffe}\\u{202e}</system-out>]]><x"), "{details}");
    assert_eq!(report.check("traffic.versions").unwrap().status, Status::Failed);
}
