//! What the template shows: every sentence and number of the page, ready to be put in.

use serde::Serialize;

use super::glyph::symbol;
use super::judge::{self, Standing};
use super::lay::lay;
use super::matrix::{self, ClientRow, Matrix};
use super::model::{Cluster, Page, count, short};
use super::picture::Picture;
use crate::cluster::{Remark, State};
use crate::verify::{CheckResult, Report, Status, find};

/// Widths in which the picture is laid out, each with the class of screens that it is for.
const WIDTHS: [(&str, i32); 3] = [("wide", 1104), ("medium", 720), ("narrow", 344)];
/// A cluster of which no more is to be said opens with it.
const OPEN: usize = 8;
/// Up to this many clusters the picture's description names each.
const NAMED: usize = 12;

/// The page as the template takes it.
#[derive(Debug, Serialize)]
pub struct View {
    mesh: String,
    at: String,
    tree: String,
    digest: String,
    files: String,
    tiles: Vec<Tile>,
    notices: Vec<Mark>,
    pictures: Vec<(&'static str, Picture)>,
    summary: String,
    description: String,
    regions_from: Option<String>,
    joints: Vec<Joint>,
    pending: Vec<(String, String)>,
    asked: bool,
    many: bool,
    states: Vec<StateView>,
    certificates: Vec<CertificateView>,
    verification: Option<VerificationView>,
}

/// A status with words.
#[derive(Debug, Clone, Serialize)]
struct Mark {
    symbol: &'static str,
    class: &'static str,
    word: &'static str,
    text: String,
}

impl Mark {
    fn new(status: Status, text: impl Into<String>) -> Self {
        let (symbol, class, _) = symbol(status);
        Self { symbol, class, word: status.word(), text: text.into() }
    }

    fn of(standing: Standing) -> Self {
        Self::new(standing.status, standing.words)
    }
}

#[derive(Debug, Serialize)]
struct Tile {
    href: &'static str,
    label: &'static str,
    mark: Option<Mark>,
    text: String,
    small: String,
}

#[derive(Debug, Serialize)]
struct Joint {
    name: String,
    region: String,
    network: String,
    istio: String,
    context: String,
    gateway: String,
    reads: String,
    read_by: String,
}

#[derive(Debug, Serialize)]
struct StateView {
    name: String,
    mark: Mark,
    error: Option<String>,
    applied: String,
    tree: String,
    last: String,
    drift: String,
    ready: String,
    lists: Vec<(&'static str, Vec<Remark>)>,
    notes: Vec<String>,
    open: bool,
}

#[derive(Debug, Serialize)]
struct CertificateView {
    name: String,
    trusted_by: String,
    mark: Mark,
    percent: u8,
    ends: String,
    subject: String,
    issuer: String,
    key: String,
    serial: String,
    sha256: String,
    start: String,
    serial_start: String,
}

#[derive(Debug, Serialize)]
struct VerificationView {
    mark: Mark,
    at: String,
    tree: String,
    is_current: bool,
    counts: Vec<Mark>,
    groups: Matrix,
    pairs: Option<Matrix>,
    traffic: String,
    clients: Vec<ClientRow>,
    troubled: Vec<CheckView>,
    quiet: Vec<(String, Vec<CheckView>)>,
}

#[derive(Debug, Serialize)]
struct CheckView {
    id: String,
    title: String,
    mark: Mark,
    summary: String,
    proves: &'static str,
    hint: &'static str,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    mark: Mark,
    cluster: Option<String>,
    evidence: Vec<String>,
    hint: Option<String>,
}

impl View {
    /// What the template shows of a page.
    pub fn of(page: &Page) -> Self {
        Self {
            mesh: page.mesh.clone(),
            at: minute(&page.at),
            tree: page.tree.name.clone(),
            digest: short(&page.tree.digest),
            files: count(page.tree.files, "file"),
            tiles: tiles(page),
            notices: notices(page),
            pictures: WIDTHS.map(|(class, width)| (class, lay(page, width))).into(),
            summary: summary(page),
            description: description(page),
            regions_from: page.regions_from.clone(),
            joints: page.clusters.iter().map(|cluster| Joint::of(page, cluster)).collect(),
            pending: page
                .pending
                .iter()
                .map(|row| (row.path.clone(), row.needs.join(", ")))
                .collect(),
            asked: page.asked,
            many: page.clusters.len() > NAMED,
            states: page.clusters.iter().map(|cluster| StateView::of(page, cluster)).collect(),
            certificates: certificates(page),
            verification: page.verification.as_ref().map(|report| verification(page, report)),
        }
    }
}

/// `2026-11-30 18:45 UTC` of an instant in RFC 3339, as it is where it is none.
fn minute(at: &str) -> String {
    match (at.get(..10), at.get(10..11), at.get(11..16), at.ends_with('Z')) {
        (Some(day), Some("T"), Some(time), true) => format!("{day} {time} UTC"),
        _ => at.to_owned(),
    }
}

fn tiles(page: &Page) -> Vec<Tile> {
    let tile = |href, label, (standing, small): (Standing, String)| Tile {
        href,
        label,
        text: standing.words.clone(),
        mark: Some(Mark::of(standing)),
        small,
    };
    let clusters = Tile {
        href: "#topology",
        label: "Mesh",
        mark: None,
        text: count(page.clusters.len(), "cluster"),
        small: extent(page),
    };
    vec![
        clusters,
        tile("#verification", "Verification", {
            let (standing, small) = judge::verification(page);
            let at =
                page.verification.as_ref().map(|report| report.at.as_str()).unwrap_or_default();
            (standing, small.replace(at, &minute(at)))
        }),
        tile("#applied", "Applied", judge::applied(page)),
        tile("#certificates", "Certificates", judge::certificates(page)),
    ]
}

/// `2 networks, 2 regions`.
fn extent(page: &Page) -> String {
    let mut regions: Vec<&str> =
        page.clusters.iter().filter_map(|one| one.region.as_deref()).collect();
    regions.sort_unstable();
    regions.dedup();
    let mut text = count(page.networks().len(), "network");
    if !regions.is_empty() {
        text.push_str(&format!(", {}", count(regions.len(), "region")));
    }
    text
}

fn notices(page: &Page) -> Vec<Mark> {
    let mut notices = Vec::new();
    let examples: Vec<&str> =
        page.clusters.iter().filter(|one| one.example).map(|one| one.name.as_str()).collect();
    if !examples.is_empty() {
        let text =
            format!("{}: the facts are examples, so nothing can be applied", some(&examples));
        notices.push(Mark::new(Status::Warning, text));
    }
    if !page.pending.is_empty() {
        let text =
            format!("{} not rendered yet: facts are missing", count(page.pending.len(), "file"));
        notices.push(Mark::new(Status::Warning, text));
    }
    let reached = |one: &&Cluster| one.state.as_ref().is_some_and(|state| state.error.is_some());
    let missing: Vec<&str> =
        page.clusters.iter().filter(reached).map(|one| one.name.as_str()).collect();
    if !missing.is_empty() {
        let text = format!("{}: could not be reached, so what is said is not all", some(&missing));
        notices.push(Mark::new(Status::NotLooked, text));
    }
    if let Some(report) = page.verification.as_ref().filter(|_| !page.verification_is_current) {
        let tree = short(&report.tree);
        let text = format!(
            "the last verification was of another tree ({tree}): clusters are not judged by it"
        );
        notices.push(Mark::new(Status::Warning, text));
    }
    notices
}

/// The first names of a list, and how many more.
fn some(names: &[&str]) -> String {
    match names {
        [first @ .., last] if (1..8).contains(&first.len()) => {
            format!("{} and {last}", first.join(", "))
        }
        [only] => (*only).to_owned(),
        all => format!(
            "{} and {} more",
            all[..all.len().min(6)].join(", "),
            all.len().saturating_sub(6)
        ),
    }
}

fn summary(page: &Page) -> String {
    let clusters = page.clusters.len();
    let networks = page.networks().len();
    if clusters < 2 {
        return "One cluster: it has no peers, and needs no gateway.".to_owned();
    }
    let complete = page.clusters.iter().all(|one| {
        let read = one.reads.iter().filter(|read| read.needs.is_empty());
        read.count() + 1 == clusters
    });
    let reads = if complete && clusters == 2 {
        "The istiod of each reads the API server of the other."
    } else if complete {
        "The istiod of each cluster reads the API servers of all others."
    } else {
        "Not every istiod gets to read every other API server: remote secrets are missing."
    };
    let way = match networks {
        1 => "All share one network, so pods reach each other without a gateway.".to_owned(),
        _ if networks == clusters => {
            "Each is a network of its own, reached through its gateway.".to_owned()
        }
        _ => format!("They form {networks} networks, each reached through its gateway."),
    };
    format!("{way} {reads}")
}

/// The picture in words, for those who do not see it; the table beside it has all of it.
fn description(page: &Page) -> String {
    let mut text = format!("{} in {}.", count(page.clusters.len(), "cluster"), extent(page));
    if page.clusters.len() > NAMED {
        text.push_str(" The table below names each.");
        return text;
    }
    for cluster in &page.clusters {
        let region = cluster.region.as_ref().map(|region| format!(", region {region}"));
        let words = judge::cluster(page, cluster).words;
        let region = region.unwrap_or_default();
        text.push_str(&format!(" {}: network {}{region}, {words}.", cluster.name, cluster.network));
    }
    text
}

impl Joint {
    fn of(page: &Page, cluster: &Cluster) -> Self {
        let peers = page.clusters.len().saturating_sub(1);
        let (here, waiting): (Vec<_>, Vec<_>) =
            cluster.reads.iter().partition(|read| read.needs.is_empty());
        let names: Vec<&str> = here.iter().map(|read| read.cluster.as_str()).collect();
        let mut reads = match names.len() {
            0 => "nobody".to_owned(),
            all if all == peers && peers > 3 => format!("all {peers} others"),
            _ => names.join(", "),
        };
        for read in waiting {
            reads.push_str(&format!("; {} once {} is known", read.cluster, read.needs.join(", ")));
        }
        let reader = |other: &&Cluster| {
            other.reads.iter().any(|read| read.cluster == cluster.name && read.needs.is_empty())
        };
        let readers: Vec<&str> =
            page.clusters.iter().filter(reader).map(|other| other.name.as_str()).collect();
        let read_by = match readers.len() {
            0 => "nobody".to_owned(),
            all if all == peers && peers > 3 => format!("all {peers} others"),
            _ => readers.join(", "),
        };
        let addresses = cluster.addresses();
        let gateway = match (cluster.has_gateway, addresses.is_empty()) {
            (false, true) => "none".to_owned(),
            (_, false) => addresses.join(", "),
            (true, true) if cluster.seen().is_some_and(|state| !state.gateways.is_empty()) => {
                "no address yet".to_owned()
            }
            (true, true) => "address not known".to_owned(),
        };
        Self {
            name: cluster.name.clone(),
            region: cluster.region.clone().unwrap_or_default(),
            network: cluster.network.clone(),
            istio: cluster.istio.clone().unwrap_or_default(),
            context: cluster.context.clone(),
            gateway,
            reads,
            read_by,
        }
    }
}

impl StateView {
    fn of(page: &Page, cluster: &Cluster) -> Self {
        let empty = State::default();
        let state = cluster.state.as_ref().unwrap_or(&empty);
        let seen = cluster.seen().is_some();
        let said = |text: String| if seen { text } else { String::new() };
        let number = state.generation.map(|number| format!(" (generation {number})"));
        let applied = match &state.applied {
            Some(tree) => format!("{}{}", short(&tree.to_string()), number.unwrap_or_default()),
            None => said("nothing yet".to_owned()),
        };
        let last = state
            .last_apply
            .as_ref()
            .map(|last| format!("{} by {}: {}", minute(&last.at), last.by, last.result));
        let tree = if state.current { "this tree" } else { "another tree" };
        let all = state.ready + state.not_ready.len();
        let lists = [
            ("Drifted", &state.drift),
            ("Not ready", &state.not_ready),
            ("Could not be read", &state.unreadable),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        Self {
            name: cluster.name.clone(),
            mark: Mark::of(judge::state(page, cluster)),
            error: state.error.clone(),
            tree: if state.applied.is_some() { tree.to_owned() } else { String::new() },
            applied,
            last: last.unwrap_or_default(),
            drift: said(match state.drift.len() {
                0 if state.applied.is_some() => "none".to_owned(),
                0 => String::new(),
                number => count(number, "object"),
            }),
            ready: said(format!("{} of {all}", state.ready)),
            lists: lists.map(|(title, list)| (title, list.clone())).collect(),
            open: state.error.is_some() || state.remarks() <= OPEN,
            notes: state.notes.clone(),
        }
    }
}

/// The beginning of a long number, as `pki status` prints it.
fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(most).collect::<String>())
}

fn certificates(page: &Page) -> Vec<CertificateView> {
    let row = |row: &super::CertificateRow| CertificateView {
        name: row.name.clone(),
        trusted_by: match row.of.len() {
            0 => String::new(),
            all if all == page.clusters.len() && all > 1 => format!("root of all {all} clusters"),
            _ => format!("root of {}", row.of.join(", ")),
        },
        mark: Mark::of(judge::certificate(row)),
        percent: row.percent_left,
        ends: row.not_after.split('T').next().unwrap_or_default().to_owned(),
        subject: row.subject.clone(),
        issuer: row.issuer.clone(),
        key: row.key.clone(),
        serial: row.serial.clone(),
        sha256: row.sha256.clone(),
        start: shorten(&row.sha256, 23),
        serial_start: shorten(&row.serial, 23),
    };
    page.certificates.iter().map(row).collect()
}

fn verification(page: &Page, report: &Report) -> VerificationView {
    let of = |status: Status| report.checks.iter().filter(|check| check.status == status).count();
    let statuses =
        [Status::Failed, Status::NotLooked, Status::Warning, Status::Passed, Status::Skipped];
    let counts = statuses.into_iter().filter(|status| of(*status) > 0);
    let counts =
        counts.map(|status| Mark::new(status, format!("{} {}", of(status), status.word())));
    let is_quiet = |check: &&CheckResult| matches!(check.status, Status::Passed | Status::Skipped);
    let mut troubled: Vec<&CheckResult> =
        report.checks.iter().filter(|one| !is_quiet(one)).collect();
    troubled.sort_by_key(|check| std::cmp::Reverse(check.status));
    let mut quiet: Vec<(String, Vec<CheckView>)> = Vec::new();
    for check in report.checks.iter().filter(is_quiet) {
        let group = matrix::heading(check.id.split('.').next().unwrap_or_default());
        match quiet.last_mut().filter(|(last, _)| *last == group) {
            Some((_, checks)) => checks.push(CheckView::of(check)),
            None => quiet.push((group, vec![CheckView::of(check)])),
        }
    }
    let traffic = report.traffic.as_ref().map(|traffic| {
        let fresh = if traffic.fresh { ", from clients that were made anew" } else { "" };
        format!("{} requests of each client to {}{fresh}", traffic.requests, traffic.target)
    });
    VerificationView {
        mark: Mark::of(judge::verification(page).0),
        at: minute(&report.at),
        tree: format!("{} ({})", report.label, short(&report.tree)),
        is_current: page.verification_is_current,
        counts: counts.collect(),
        groups: matrix::groups(report),
        pairs: matrix::pairs(report),
        traffic: traffic.unwrap_or_default(),
        clients: report.traffic.as_ref().map(matrix::clients).unwrap_or_default(),
        troubled: troubled.into_iter().map(CheckView::of).collect(),
        quiet,
    }
}

impl CheckView {
    fn of(check: &CheckResult) -> Self {
        let known = find(&check.id);
        let finding = |finding: &crate::verify::Finding| FindingView {
            mark: Mark::new(finding.status, finding.message.clone()),
            cluster: finding.cluster.clone(),
            evidence: finding.evidence.clone(),
            hint: finding.hint.clone(),
        };
        Self {
            id: check.id.clone(),
            title: known.map_or_else(|| check.id.clone(), |known| known.title.to_owned()),
            mark: Mark::new(check.status, check.status.word()),
            summary: check.summary.clone(),
            proves: known.map_or("", |known| known.proves),
            hint: known.map_or("", |known| known.hint),
            findings: check.findings.iter().map(finding).collect(),
        }
    }
}
