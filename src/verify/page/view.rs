//! What the template shows: every sentence and number of the page, ready to be put in.

use serde::Serialize;

use super::glyph::symbol;
use super::joint::{Joint, description, extent, summary};
use super::judge::{self, Standing};
use super::lay::lay;
use super::model::{Cluster, Page, short};
use super::picture::Picture;
use super::verification::VerificationView;
use crate::cluster::{Remark, State};
use crate::verify::Status;
use crate::verify::write::count;

/// Widths in which the picture is laid out, each with the class of screens that it is for.
const WIDTHS: [(&str, i32); 3] = [("wide", 1104), ("medium", 720), ("narrow", 344)];
/// A cluster of which no more is to be said opens with it.
const OPEN: usize = 8;
/// Tables of more clusters than this are drawn close, and fold the rows in which all is well.
const MANY: usize = 12;

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
    quiet_states: Vec<StateView>,
    certificates: Vec<CertificateView>,
    quiet_certificates: Vec<CertificateView>,
    verification: Option<VerificationView>,
}

/// A status with words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mark {
    symbol: &'static str,
    class: &'static str,
    word: &'static str,
    text: String,
}

impl Mark {
    pub(super) fn new(status: Status, text: impl Into<String>) -> Self {
        let (symbol, class, _) = symbol(status);
        Self { symbol, class, word: status.word(), text: text.into() }
    }

    pub(super) fn of(standing: Standing) -> Self {
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

impl View {
    /// What the template shows of a page.
    pub fn of(page: &Page) -> Self {
        let many = page.clusters.len() > MANY;
        let is_well = |mark: &Mark| many && mark.class == "passed";
        let states = page.clusters.iter().map(|cluster| StateView::of(page, cluster));
        let (quiet_states, states) =
            states.partition(|row| is_well(&row.mark) && row.notes.is_empty());
        let certificates = certificates(page).into_iter();
        let (quiet_certificates, certificates) =
            certificates.partition(|row| is_well(&row.mark) && row.trusted_by.is_empty());
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
            joints: Joint::all(page),
            pending: page
                .pending
                .iter()
                .map(|row| (row.path.clone(), row.needs.join(", ")))
                .collect(),
            asked: page.asked,
            many,
            states,
            quiet_states,
            certificates,
            quiet_certificates,
            verification: page
                .verification
                .as_ref()
                .map(|report| VerificationView::of(page, report)),
        }
    }
}

/// `2026-11-30 18:45 UTC` of an instant in RFC 3339, as it is where it is none.
pub(super) fn minute(at: &str) -> String {
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
