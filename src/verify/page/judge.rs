//! How a cluster, and the mesh, stand: the worst of all that is known, in few words.

use super::certificate::CertificateRow;
use super::model::{Cluster, Page};
use crate::verify::Status;
use crate::verify::write::count;

/// Days before the end of a certificate from which on it is a warning, as in `apply` and `verify`.
pub const SOON: i64 = 30;

/// How something stands, in few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The later, the more it weighs.
    pub status: Status,
    /// What it is.
    pub words: String,
}

impl Standing {
    /// Of a status, in these words.
    pub fn new(status: Status, words: impl Into<String>) -> Self {
        Self { status, words: words.into() }
    }
}

/// How a certificate stands.
pub fn certificate(row: &CertificateRow) -> Standing {
    match row.validity.as_str() {
        "valid" if row.days_left < SOON => {
            Standing::new(Status::Warning, format!("{} left", count_days(row.days_left)))
        }
        "valid" => Standing::new(Status::Passed, format!("{} left", count_days(row.days_left))),
        other => Standing::new(Status::Failed, other),
    }
}

/// `1 day`, `3,649 days`.
pub fn count_days(days: i64) -> String {
    match days {
        1 => "1 day".to_owned(),
        1000.. => format!("{},{:03} days", days / 1000, days % 1000),
        _ => format!("{days} days"),
    }
}

/// How a cluster stands by itself: what was seen in it.
pub fn state(page: &Page, cluster: &Cluster) -> Standing {
    let Some(state) = &cluster.state else {
        let words = if page.asked { "left out" } else { "not asked" };
        return Standing::new(Status::Skipped, words);
    };
    let warning = |words: String| Standing::new(Status::Warning, words);
    if state.error.is_some() {
        return Standing::new(Status::NotLooked, "not reached");
    }
    if state.applied.is_none() {
        return warning("nothing applied".to_owned());
    }
    if !state.unreadable.is_empty() {
        return Standing::new(Status::NotLooked, "not all could be read");
    }
    if state.unfinished {
        return warning("apply not finished".to_owned());
    }
    if !state.drift.is_empty() {
        return warning(format!("{} drifted", count(state.drift.len(), "object")));
    }
    if !state.not_ready.is_empty() {
        return warning(format!("{} not ready", count(state.not_ready.len(), "object")));
    }
    if !state.current {
        return warning("another tree applied".to_owned());
    }
    Standing::new(Status::Passed, "in order")
}

/// How a cluster stands: its state, its certificate, and the last verification if that was of the
/// same tree. The worst of them.
pub fn cluster(page: &Page, cluster: &Cluster) -> Standing {
    let mut worst = state(page, cluster);
    let own = page.certificates.iter().find(|row| row.of.is_empty() && row.name == cluster.name);
    if let Some(own) = own {
        let mut standing = certificate(own);
        standing.words = format!("CA: {}", standing.words);
        if standing.status > Status::Passed {
            worst = worse(worst, standing);
        }
    }
    let Some(report) = page.verification.as_ref().filter(|_| page.verification_is_current) else {
        return worst;
    };
    if !report.clusters.iter().any(|row| row.name == cluster.name) {
        return worst;
    }
    let about = report.checks.iter().filter_map(|check| {
        let own = check.findings.iter().filter(|one| one.cluster.as_ref() == Some(&cluster.name));
        own.map(|finding| finding.status).max()
    });
    let about: Vec<Status> = about.collect();
    let status = about.iter().copied().max().unwrap_or(Status::Passed);
    let checks = count(about.iter().filter(|one| **one == status).count(), "check");
    let words = match status {
        Status::Failed => format!("{checks} failed"),
        Status::NotLooked => format!("{checks} not looked"),
        Status::Warning => format!("{checks} warned"),
        // the mesh may be at fault all the same: this is about what was found in this cluster
        Status::Passed | Status::Skipped => "no finding".to_owned(),
    };
    // what was seen now says more than that nothing was found then
    let is_known = worst.status != Status::Skipped && status == Status::Passed;
    if is_known { worst } else { worse(worst, Standing::new(status, words)) }
}

/// The worse of two; the first, if they weigh the same.
fn worse(one: Standing, other: Standing) -> Standing {
    if other.status > one.status { other } else { one }
}

/// How much of the mesh has the tree, without drift.
pub fn applied(page: &Page) -> (Standing, String) {
    if !page.asked {
        let why = "no cluster was asked";
        return (Standing::new(Status::Skipped, "not asked"), why.to_owned());
    }
    let all = page.clusters.len();
    let standings = page.clusters.iter().map(|cluster| state(page, cluster));
    let status = standings.map(|standing| standing.status).max().unwrap_or_default();
    let seen = page.clusters.iter().filter_map(Cluster::seen);
    let drifted: usize = seen.clone().map(|state| state.drift.len()).sum();
    let has_it = seen.clone().filter(|state| state.current && state.applied.is_some()).count();
    let unreached = page.clusters.iter().filter_map(|cluster| cluster.state.as_ref());
    let unreached = unreached.filter(|state| state.error.is_some()).count();
    let words = match (unreached, drifted) {
        (0, 0) if seen.clone().all(|state| state.applied.is_none()) => "nothing applied".to_owned(),
        (0, 0) => "no drift".to_owned(),
        (0, count_of) => format!("{} drifted", count(count_of, "object")),
        (count_of, _) => format!("{} not reached", count(count_of, "cluster")),
    };
    (
        Standing::new(status, words),
        format!(
            "{has_it} of {} {} this tree",
            count(all, "cluster"),
            if all == 1 { "has" } else { "have" }
        ),
    )
}

/// How the verification came out, and how many checks that is.
pub fn verification(page: &Page) -> (Standing, String) {
    let Some(report) = &page.verification else {
        return (Standing::new(Status::Skipped, "none known"), "`meshgen verify` makes one".into());
    };
    let all = report.checks.iter().filter(|check| check.status != Status::Skipped).count();
    let status = report.status();
    let of = |status: Status| report.checks.iter().filter(|check| check.status == status).count();
    let words = match status {
        Status::Passed => format!("all {} passed", count(all, "check")),
        Status::Skipped => "no check was made".to_owned(),
        Status::Warning => format!("passed, {}", count(of(status), "warning")),
        Status::NotLooked => format!("{} of {all} checks not looked", of(status)),
        Status::Failed => format!("{} of {all} checks failed", of(status)),
    };
    let about = if page.verification_is_current { "this tree" } else { "another tree" };
    (Standing::new(status, words), format!("of {about}, {}", report.at))
}

/// Which certificate ends next.
pub fn certificates(page: &Page) -> (Standing, String) {
    let worst = page.certificates.iter().min_by_key(|row| (row.validity == "valid", row.days_left));
    let Some(next) = worst else {
        return (Standing::new(Status::Skipped, "none in the tree"), String::new());
    };
    let name = if next.of.is_empty() { format!("CA of {}", next.name) } else { "the root".into() };
    let day = |at: &str| at.split('T').next().unwrap_or_default().to_owned();
    let when = match next.validity.as_str() {
        "valid" => format!("{name} ends next, {}", day(&next.not_after)),
        "expired" => format!("{name}, since {}", day(&next.not_after)),
        _ => format!("{name}, only from {}", day(&next.not_before)),
    };
    (certificate(next), when)
}
