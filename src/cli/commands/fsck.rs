//! `meshgen fsck`.

use serde_json::{Value, json};

use crate::cli::{CommandError, Context, Exit};
use crate::store::{self, Finding, Store, What};
use crate::tree::view;

/// Check that nothing in the store is damaged or missing.
///
/// Reads every blob of out/store, compares it with the digest that is its name, and follows every
/// generation to all that it names. What is wrong is listed with the generations and files that
/// need it, and the exit code is 1. It changes nothing, and says nothing of out/ itself: `check`
/// does that.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(context: &Context, _: &Args) -> Result<Exit, CommandError> {
    let out = context.project.join("out");
    let store = Store::open(&context.disk, &view::store_folder(&out))?;
    let (blobs, findings) = store::fsck(&store)?;
    if context.json() {
        let list: Vec<Value> = findings.iter().map(|one| describe(&store, one)).collect();
        context.print_json(&json!({"blobs": blobs, "findings": list}));
    } else {
        context.print(&findings.iter().map(|one| line(&store, one)).collect::<String>());
    }
    if findings.is_empty() {
        context.note(&format!("{blobs} blobs, none is damaged, none is missing"));
        return Ok(Exit::Done);
    }
    context.note(&format!("{blobs} blobs, {} of them damaged or missing", findings.len()));
    context.note(
        "hint: remove the damaged files, then `meshgen render` writes what it still renders; \
         a generation that needs more than that is lost, `meshgen gc` drops it in time",
    );
    Ok(Exit::Different)
}

fn word(what: What) -> &'static str {
    match what {
        What::Damaged => "damaged",
        What::Missing => "missing",
    }
}

fn line(store: &Store, finding: &Finding) -> String {
    let file = store.blob_path(&finding.digest);
    let users = finding.used_by.iter().flat_map(|user| ["  ", user, "\n"]);
    format!("{}: {}\n", file.display(), word(finding.what)) + &users.collect::<String>()
}

fn describe(store: &Store, finding: &Finding) -> Value {
    json!({
        "digest": finding.digest,
        "file": store.blob_path(&finding.digest).to_string_lossy(),
        "what": word(finding.what),
        "usedBy": finding.used_by,
    })
}
