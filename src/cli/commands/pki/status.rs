//! `meshgen pki status`.

use std::fmt::Write;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use unicode_width::UnicodeWidthStr;

use super::ring;
use crate::cli::{CommandError, Context, Exit};
use crate::pki::certificate::date;
use crate::pki::{self, ROOT, StatusRow, Validity, parse_span, path_of};

/// Show every certificate: subject, expiry, days left, fingerprint.
///
/// Nothing is opened, so no identity is needed. `-o json` gives everything that is known,
/// with whole fingerprints.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Exit with 1 if a certificate ends within this time, has ended, or is not valid yet: `30d`,
    /// `12h`, `4w`.
    #[arg(long, value_name = "TIME", value_parser = parse_span, env = "MESHGEN_FAIL_WITHIN")]
    fail_within: Option<Duration>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let inputs = ring::load(context);
    ring::check_keyring(&inputs, |_| false)?;
    let now = ring::now();
    let rows = pki::status(&inputs.keyring, now);
    let missing = inputs.policy.iter().flat_map(|policy| {
        std::iter::once(ROOT).chain(policy.enabled()).filter(|name| !inputs.keyring.holds(name))
    });
    let missing: Vec<_> = missing.collect();
    if context.json() {
        context.print_json(&to_json(&rows, &missing, now));
    } else if !rows.is_empty() {
        context.print(&table(&rows));
    }
    if !missing.is_empty() {
        let paths: Vec<_> = missing.iter().map(|name| path_of(name)).collect();
        context
            .note(&format!("note: missing: {}; `meshgen pki init` makes them", paths.join(", ")));
    }
    let fails = |row: &&StatusRow| {
        let ends_soon = args.fail_within.is_some_and(|span| row.left < span);
        args.fail_within.is_some() && (ends_soon || row.validity != Validity::Valid)
    };
    let failing: Vec<_> = rows.iter().filter(fails).collect();
    for row in &failing {
        context.note(&format!("{}: {}", path_of(&row.name), words(row)));
    }
    Ok(if failing.is_empty() { Exit::Done } else { Exit::Different })
}

fn words(row: &StatusRow) -> String {
    let (begin, end) = (row.certificate.not_before, row.certificate.not_after);
    match row.validity {
        Validity::Expired => format!("expired on {}", date(end)),
        Validity::NotYet => format!("valid only from {}", date(begin)),
        Validity::Valid => format!("ends on {}, in {} days", date(end), row.left.whole_days()),
    }
}

fn days(row: &StatusRow) -> String {
    match row.validity {
        Validity::Valid => row.left.whole_days().to_string(),
        other => other.as_str().to_owned(),
    }
}

/// The rows under each other, columns two spaces apart; the fingerprint's first eight bytes.
fn table(rows: &[StatusRow]) -> String {
    let head = ["NAME", "SUBJECT", "ISSUER", "KEY", "EXPIRES", "DAYS", "SERIAL", "SHA256"];
    let cells = rows.iter().map(|row| {
        let info = &row.certificate;
        let start: String = info.fingerprint.chars().take(23).collect();
        let key =
            if row.has_key { info.key.clone() } else { format!("{} (kept elsewhere)", info.key) };
        [
            row.name.clone(),
            info.subject.clone(),
            info.issuer.clone(),
            key,
            date(info.not_after),
            days(row),
            info.serial.clone(),
            format!("{start}…"),
        ]
    });
    let lines: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(cells).collect();
    let widths: Vec<_> = (0..head.len())
        .map(|column| lines.iter().map(|line| line[column].width()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let gap = width - cell.width() + 2;
            write!(text, "{cell}{:gap$}", "").expect("writing into a string cannot fail");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn to_json(rows: &[StatusRow], missing: &[&str], now: OffsetDateTime) -> Value {
    let rfc_3339 = |instant| date(instant).replacen(' ', "T", 1);
    let row = |row: &StatusRow| {
        let info = &row.certificate;
        json!({
            "name": row.name,
            "path": path_of(&row.name),
            "subject": info.subject,
            "issuer": info.issuer,
            "serial": info.serial,
            "notBefore": rfc_3339(info.not_before),
            "notAfter": rfc_3339(info.not_after),
            "daysLeft": row.left.whole_days(),
            "validity": row.validity.as_str(),
            "key": info.key,
            "keyIsHere": row.has_key,
            "sha256": info.fingerprint,
            "recipients": row.recipients,
        })
    };
    json!({
        "at": rfc_3339(now),
        "certificates": rows.iter().map(row).collect::<Vec<_>>(),
        "missing": missing,
    })
}
