//! The forms of one verification.

use std::collections::BTreeMap;
use std::fs;

use meshgen::diff::MARKDOWN_LIMIT;
use meshgen::verify::write::{to_json, to_markdown, to_text, verdict};
use meshgen::verify::{
    CHECKS, CheckResult, ClientCount, ClusterRow, Finding, Pair, Report, Status, Traffic,
};
use serde_json::Value;

use crate::{page, tool};

/// A verification of so many clusters in which all is well; v1 and v2 take turns.
pub fn good(clusters: usize) -> Report {
    let names: Vec<String> = (1..=clusters).map(|number| format!("c{number}")).collect();
    let version = |at: usize| if at.is_multiple_of(2) { "v1" } else { "v2" };
    let mut servers: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        servers.entry(version(at).to_owned()).or_default().insert(name.clone(), 1);
    }
    let share = 100 / u32::try_from(clusters).unwrap();
    let client = |name: &String| ClientCount {
        cluster: name.clone(),
        pod: format!("sleep-{name}"),
        answers: servers
            .iter()
            .map(|(version, at)| {
                (version.clone(), at.keys().map(|name| (name.clone(), share)).collect())
            })
            .collect(),
        failures: BTreeMap::new(),
        oldest_seconds: Some(7_500),
        opened: Some(1),
    };
    let pair = |(from, to): (&String, &String)| Pair {
        from: from.clone(),
        to: to.clone(),
        status: Status::Passed,
        seen: share,
        expected: Some((share.saturating_sub(20), share + 20)),
    };
    let pairs = names.iter().flat_map(|from| names.iter().map(move |to| (from, to)));
    Report {
        mesh: "apac".to_owned(),
        label: "out".to_owned(),
        tree: format!("sha256:{}", "0123456789abcdef".repeat(4)),
        at: "2026-11-30T19:00:00Z".to_owned(),
        clusters: names
            .iter()
            .map(|name| ClusterRow { name: name.clone(), network: name.clone() })
            .collect(),
        left_out: Vec::new(),
        checks: CHECKS
            .iter()
            .map(|check| CheckResult {
                id: check.id.to_owned(),
                status: Status::Passed,
                summary: format!("{clusters} looked at"),
                findings: Vec::new(),
            })
            .collect(),
        traffic: Some(Traffic {
            target: "helloworld.sample:5000/hello".to_owned(),
            requests: 100,
            fresh: false,
            clients: names.iter().map(client).collect(),
            pairs: pairs.map(pair).collect(),
            servers,
        }),
    }
}

/// Puts a finding into a check.
pub fn find(report: &mut Report, id: &str, cluster: Option<&str>, status: Status, message: &str) {
    let check = report.checks.iter_mut().find(|check| check.id == id).expect("a check");
    check.status = check.status.max(status);
    check.findings.push(Finding {
        cluster: cluster.map(str::to_owned),
        status,
        message: message.to_owned(),
        evidence: Vec::new(),
        hint: None,
    });
}

fn last(report: &mut Report, id: &str) -> impl FnOnce(&[&str], Option<&str>) {
    let check = report.checks.iter_mut().find(|check| check.id == id).expect("a check");
    let finding = check.findings.last_mut().expect("a finding");
    |evidence, hint| {
        finding.evidence = evidence.iter().map(|line| (*line).to_owned()).collect();
        finding.hint = hint.map(str::to_owned);
    }
}

/// Judges the pairs that match.
pub fn judge(report: &mut Report, status: Status, is_meant: impl Fn(&str, &str) -> bool) {
    let traffic = report.traffic.as_mut().expect("traffic");
    for pair in traffic.pairs.iter_mut().filter(|pair| is_meant(&pair.from, &pair.to)) {
        pair.status = status;
        pair.seen = 0;
    }
}

/// Some checks of each kind, so that a new one changes no expectation.
const SOME: [&str; 9] = [
    "configuration.clusters",
    "configuration.expose",
    "infrastructure.port",
    "certificates.root",
    "certificates.expiry",
    "discovery.clusters",
    "discovery.networks",
    "traffic.answers",
    "traffic.versions",
];

/// Two clusters with something of everything.
pub fn mixed() -> Report {
    let mut report = good(2);
    report.checks.retain(|check| SOME.contains(&check.id.as_str()));
    let expiry = "certificates.expiry";
    find(&mut report, expiry, Some("c2"), Status::Warning, "its intermediate ends in 12 days");
    find(
        &mut report,
        "discovery.clusters",
        Some("c1"),
        Status::Failed,
        "istiod-7d9f: `c2` is not synced: timeout",
    );
    last(&mut report, "discovery.clusters")(
        &["secret istio-system/istio-remote-secret-c2 is there", "its token was refused: 401"],
        Some("`meshgen pki rotate-tokens c2`"),
    );
    find(
        &mut report,
        "traffic.versions",
        Some("c1"),
        Status::Failed,
        "no answer of a pod in c2, of 100",
    );
    let port = "infrastructure.port";
    find(&mut report, port, None, Status::NotLooked, "REGISTRY_ONLY keeps curl from looking");
    report.checks[1].status = Status::Skipped;
    report.checks[1].summary = "one network".into();
    judge(&mut report, Status::Failed, |from, to| (from, to) == ("c1", "c2"));
    let client = &mut report.traffic.as_mut().unwrap().clients[0];
    client.failures.insert("connection timed out".to_owned(), 3);
    client.oldest_seconds = None;
    report
}

#[test]
fn text_tells_all_of_a_small_mesh() {
    let expected = "\
mesh apac, out (sha256:0123456789ab): 2 clusters: c1, c2

configuration
  ✓ configuration.clusters    2 looked at
  - configuration.expose      skipped: one network

infrastructure
  ? infrastructure.port       the address of each east-west gateway answers on 15443 from where the others are
      2 looked at
    ? REGISTRY_ONLY keeps curl from looking

certificates
  ✓ certificates.root         2 looked at
  ! certificates.expiry       no certificate has ended or ends soon
      2 looked at
    ! c2: its intermediate ends in 12 days
      hint: `meshgen pki rotate CLUSTER`, `meshgen render`, `meshgen apply`

discovery
  ✗ discovery.clusters        every istiod has synced every remote cluster
      2 looked at
    ✗ c1: istiod-7d9f: `c2` is not synced: timeout
        secret istio-system/istio-remote-secret-c2 is there
        its token was refused: 401
      hint: `meshgen pki rotate-tokens c2`
  ✓ discovery.networks        2 looked at

traffic
  ✓ traffic.answers           2 looked at
  ✗ traffic.versions          every version is seen from every cluster
      2 looked at
    ✗ c1: no answer of a pod in c2, of 100
      hint: see the evidence: the first hop that fails is named

  100 requests to helloworld.sample:5000/hello from each client; who answered whom:
    from  c1 (v1)  c2 (v2)            unanswered
    c1    ✓ 50     ✗ 0, not 30 to 70  3
    c2    ✓ 50     ✓ 50               0
  connections may be 2 h old, 2 were opened during these requests; `--fresh --yes` makes the client pods anew first

not verified: 2 checks failed: discovery.clusters (c1), traffic.versions (c1); could not look: infrastructure.port
";
    let found = to_text(&mixed(), false);
    assert_eq!(found, expected);
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let coloured = to_text(&mixed(), true);
    assert!(coloured.contains("\u{1b}[31m") && coloured.contains("\u{1b}[32m"));
    let plain = to_text(&mixed(), false);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    assert!(!plain.contains('\u{1b}'));
}

#[test]
fn the_verdict_is_one_line() {
    let all = CHECKS.len();
    let whole = format!("verified: one mesh of 2 clusters, {all} checks passed");
    assert_eq!(verdict(&good(2)), whole);
    let mut report = good(1);
    find(&mut report, "certificates.expiry", Some("c1"), Status::Warning, "soon");
    let whole = format!("verified: one mesh of 1 cluster, {} checks passed, 1 warning", all - 1);
    assert_eq!(verdict(&report), whole);
    // without traffic it is not proven that it is one mesh
    for check in report.checks.iter_mut().filter(|check| check.id.starts_with("traffic.")) {
        check.status = Status::Skipped;
    }
    let passed = all - 4;
    let part =
        format!("verified in part: {passed} checks of 1 cluster passed, 1 warning, 3 skipped");
    assert_eq!(verdict(&report), part);
    for check in &mut report.checks {
        check.status = Status::Skipped;
    }
    assert_eq!(verdict(&report), "nothing was verified: every check was skipped");

    let mut report = good(50);
    for check in &mut report.checks {
        check.status = Status::NotLooked;
        check.findings = vec![Finding {
            cluster: Some("c17".to_owned()),
            status: Status::NotLooked,
            message: "the API server does not answer".to_owned(),
            ..Finding::default()
        }];
    }
    assert_eq!(verdict(&report), format!("could not look: {all} checks of c17"));
    let mut report = good(50);
    for number in 1..=50 {
        let cluster = format!("c{number}");
        find(&mut report, "discovery.clusters", Some(&cluster), Status::Failed, "c9 is not synced");
    }
    let many = "not verified: 1 check failed: discovery.clusters (c1, c2, c3 and 47 more)";
    assert_eq!(verdict(&report), many);
}

#[test]
fn fifty_clusters_fit_a_screen_when_all_is_well() {
    let found = to_text(&good(50), false);
    assert!(found.lines().count() <= 60, "{found}");
    let whole =
        "  ✓ 50 clients, 50 clusters that serve: 2500 pairs connected, 2 to 2 answers each\n";
    assert!(found.contains(whole), "{found}");
    let last = format!("\n{}\n", verdict(&good(50)));
    assert!(found.ends_with(&last), "{found}");
}

#[test]
fn of_fifty_clusters_the_failing_rows_and_columns_are_shown() {
    let mut report = good(50);
    // nobody reaches c17, c30 reaches nobody, and two pairs more
    judge(&mut report, Status::Failed, |from, to| {
        (to == "c17") != (from == "c17") && to == "c17"
            || from == "c30" && to != "c30"
            || [("c2", "c9"), ("c4", "c12")].contains(&(from, to))
    });
    for number in 1..=50 {
        let cluster = format!("c{number}");
        find(&mut report, "traffic.versions", Some(&cluster), Status::Failed, "no answer of c17");
    }
    let found = to_text(&report, false);
    let expected = "
  ✗ to c17: from the clients of all other clusters: failed
  ✗ from c30: to all other clusters: failed
    from  c9 (v1)           c12 (v2)
    c2    ✗ 0, not 0 to 22  ✓ 2
    c4    ✓ 2               ✗ 0, not 0 to 22
";
    assert!(found.contains(expected), "{found}");
    assert!(found.contains("\n    ✗ c1, c2, c3, c4 and 46 more: no answer of c17\n"), "{found}");
    assert!(found.lines().count() < 60, "{found}");

    // more than a screen is counted
    let mut report = good(50);
    let number = |name: &str| name[1..].parse::<usize>().unwrap();
    judge(&mut report, Status::Failed, |from, to| (number(from) + number(to)) % 2 == 0);
    for number in 1..=50 {
        let cluster = format!("c{number}");
        let message = format!("no answer of {number} clusters");
        find(&mut report, "traffic.versions", Some(&cluster), Status::Failed, &message);
    }
    let found = to_text(&report, false);
    assert!(found.contains("  and 42 more rows, 42 more columns with failures"), "{found}");
    let more = "      and 40 more: c11, c12, c13, c14, c15, c16, c17, c18 and 32 more (`-o json` \
                has them all)\n";
    assert!(found.contains(more), "{found}");
    assert!(found.lines().count() < 80, "{found}");
}

#[test]
fn a_hint_stands_once() {
    let mut report = good(3);
    for cluster in ["c1", "c2", "c3"] {
        let message = format!("Service/istio-system/istio-eastwestgateway of {cluster} is missing");
        find(&mut report, "configuration.objects", Some(cluster), Status::Failed, &message);
    }
    let found = to_text(&report, false);
    assert_eq!(found.matches("hint:").count(), 1, "{found}");
    last(&mut report, "configuration.objects")(&[], Some("wait for the cloud"));
    let found = to_text(&report, false);
    assert_eq!(found.matches("hint:").count(), 2, "{found}");
}

#[test]
fn what_was_not_asked_for_takes_a_line_a_group() {
    let mut report = good(3);
    for check in report.checks.iter_mut().filter(|check| !check.id.starts_with("discovery.")) {
        check.status = Status::Skipped;
        check.summary = "not asked for".into();
    }
    report.traffic = None;
    let found = to_text(&report, false);
    let number = report.group("configuration").count();
    let skipped = format!("\nconfiguration\n  - {number} checks skipped: not asked for\n\n");
    assert!(found.contains(&skipped), "{found}");
    let last = verdict(&report);
    assert!(last.starts_with("verified in part: ") && found.ends_with(&format!("{last}\n")));
}

/// Names, messages and evidence come from clusters.
pub const HOSTILE: &str = "\u{1b}[2J\u{0}\u{fffe}\u{202e}</system-out>]]><x a=\"'\">|</details>\
                           `@octo` **b** [l](http://evil.example) <!-- \u{8} & &lt; www.evil.example";

pub fn hostile() -> Report {
    let mut report = mixed();
    report.mesh = HOSTILE.into();
    report.label = HOSTILE.into();
    report.clusters[0].name = HOSTILE.into();
    for check in &mut report.checks {
        check.summary = format!("{HOSTILE}\n{HOSTILE}");
        for finding in &mut check.findings {
            finding.cluster = Some(HOSTILE.to_owned());
            finding.message = format!("{HOSTILE}\n# {HOSTILE}");
            finding.evidence = vec![format!("```\n{HOSTILE}"), HOSTILE.to_owned()];
            finding.hint = Some(HOSTILE.to_owned());
        }
    }
    let traffic = report.traffic.as_mut().unwrap();
    traffic.target = HOSTILE.into();
    traffic.servers.insert(HOSTILE.to_owned(), BTreeMap::from([(HOSTILE.to_owned(), 1)]));
    traffic.clients[0].cluster = HOSTILE.into();
    traffic.pairs[0].from = HOSTILE.into();
    traffic.pairs[0].to = HOSTILE.into();
    report
}

#[test]
fn hostile_text_steers_nothing() {
    let report = hostile();
    let text = to_text(&report, false);
    let steers = |text: &str| {
        text.chars().any(|character| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        })
    };
    assert!(!steers(&text), "{text:?}");
    let markdown = to_markdown(&report, MARKDOWN_LIMIT);
    assert!(!steers(&markdown), "{markdown:?}");
    for markup in ["</system-out>", "<x", "@octo", "**b**", "[l](", "<!--", "http:", "www.", "```"]
    {
        assert!(!markdown.contains(markup), "{markup}: {markdown}");
    }
    // a table cell stays one
    for line in markdown.lines().filter(|line| line.starts_with("| <code>")) {
        assert_eq!(line.matches('|').count(), 3, "{line}");
    }
    assert_eq!(markdown.matches("<details>").count(), markdown.matches("</details>").count());
}

#[test]
fn markdown_puts_what_is_wrong_first_and_folds_the_rest() {
    let found = to_markdown(&mixed(), MARKDOWN_LIMIT);
    let expected = "\
### Mesh <code>apac</code>: not verified

not verified: 2 checks failed: discovery.clusters (c1), traffic.versions (c1); could not look: \
infrastructure.port

<code>out sha256&#58;0123456789ab</code> at 2026-11-30T19&#58;00&#58;00Z

✗ **discovery.clusters**: every istiod has synced every remote cluster (failed)\\
2 looked at

- ✗ c1: istiod-7d9f: <code>c2</code> is not synced: timeout
  - secret istio-system/istio-remote-secret-c2 is there
  - its token was refused: 401
- hint: <code>meshgen pki rotate-tokens c2</code>
";
    assert!(found.starts_with(expected), "{found}");
    let table = "
| from | c1 (v1) | c2 (v2) | unanswered |
|---|---:|---:|---:|
| c1 | ✓ 50 | ✗ 0, not 30 to 70 | 3 |
| c2 | ✓ 50 | ✓ 50 | 0 |
";
    assert!(found.contains(table), "{found}");
    assert!(found.contains("<details><summary>4 checks passed</summary>"), "{found}");

    // it fits a comment whatever happens, and says what it left out
    let mut report = good(50);
    for number in 0..2_000 {
        let message = format!("Deployment/sample/helloworld-v{number} is missing");
        find(&mut report, "configuration.objects", Some("c1"), Status::Failed, &message);
    }
    for limit in [700, 5_000, MARKDOWN_LIMIT] {
        let found = to_markdown(&report, limit);
        assert!(found.len() <= limit, "{limit}: {}", found.len());
        assert!(found.contains("This comment is full. Left out: "), "{limit}");
    }
    let found = to_markdown(&report, MARKDOWN_LIMIT);
    assert!(found.len() > MARKDOWN_LIMIT * 8 / 10, "the room is used: {}", found.len());
}

#[test]
fn json_is_as_the_page_has_it() {
    let reports = [mixed(), good(3), Report::default()];
    let values: Vec<Value> = reports
        .iter()
        .map(|report| serde_json::from_str(&to_json(report)).expect("JSON"))
        .collect();
    let maps = ["traffic.servers.", "traffic.clients[].answers.", "traffic.clients[].failures."];
    page::agree("verify-json.md", "## `meshgen verify -o json`", &values, &maps);
    assert_eq!(values[0]["kind"], "Verification");
    assert_eq!((&values[0]["status"], &values[2]["status"]), (&"failed".into(), &"passed".into()));
    // every word of the page for a status is one that is printed
    let page = fs::read_to_string(tool::root().join("docs/verify-json.md")).unwrap();
    for status in
        [Status::Skipped, Status::Passed, Status::Warning, Status::NotLooked, Status::Failed]
    {
        let word = serde_json::to_value(status).unwrap();
        assert!(page.contains(&format!("`{}`", word.as_str().unwrap())), "{word}");
    }
    // what is printed reads back as the report that it was
    for report in reports {
        let read: Report = serde_json::from_str(&to_json(&report)).expect("a report");
        assert_eq!(read, report);
    }
}
