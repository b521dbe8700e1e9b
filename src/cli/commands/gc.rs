//! `meshgen gc`.

use serde_json::json;

use crate::cli::{CommandError, Context, Exit};
use crate::store::{self, Store, Swept, Transaction};
use crate::tree::view;

/// Drop old generations, and the blobs that nothing needs any more.
///
/// The newest generations stay, and as many imported bundles, and so do the current generation, the
/// one that is in out/, and the tree of every saved plan whose file is still where it was written.
/// out/ itself is not touched. It can be stopped at any instant: what is left is dropped next time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many of the newest generations stay, and how many imported bundles.
    #[arg(long, value_name = "N", default_value_t = 10)]
    keep: usize,

    /// Only say what would be dropped.
    #[arg(long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let out = context.project.join("out");
    let folder = view::store_folder(&out);
    let store = Store::open(&context.disk, &folder)?;
    let trees: Vec<_> = view::digest(&context.disk, &out)?.into_iter().collect();
    let is_there = context.disk.exists(&folder)?;
    let swept = if args.dry_run || !is_there {
        store::would_sweep(&store, args.keep, &trees)?
    } else {
        let mut transaction = Transaction::begin(&context.disk, &folder)?;
        let swept = store::gc(&mut transaction, args.keep, &trees)?;
        transaction.finish_unchanged();
        swept
    };
    if context.json() {
        context.print_json(&json!({
            "dryRun": args.dry_run,
            "generations": swept.generations,
            "imports": swept.imports,
            "blobs": swept.blobs,
            "bytes": swept.bytes,
        }));
    } else {
        context.note(&say(&swept, args.dry_run));
    }
    Ok(Exit::Done)
}

fn say(swept: &Swept, dry_run: bool) -> String {
    if swept.generations.is_empty() && swept.imports.is_empty() && swept.blobs == 0 {
        return "nothing to drop".to_owned();
    }
    let would = if dry_run { "would drop" } else { "dropped" };
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let numbers: Vec<String> =
        swept.generations.iter().map(|number| format!("gen:{number}")).collect();
    let list =
        if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
    let imports = match swept.imports.len() {
        0 => String::new(),
        number => format!(", {}", count(number, "import")),
    };
    format!(
        "{would} {}{list}{imports} and {}, {}",
        count(numbers.len(), "generation"),
        count(swept.blobs, "blob"),
        size(swept.bytes),
    )
}

/// Bytes for people: at most four digits.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut unit = 0;
    let mut tenths = bytes * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} {}", UNITS[0]),
        _ => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}
