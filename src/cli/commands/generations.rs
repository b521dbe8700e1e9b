//! `meshgen generations`.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::{CommandError, Context, Exit};
use crate::diff::visible;
use crate::store::{Catalogue, Generation, Import, Store};
use crate::tree::view;

/// List the trees that were rendered here.
///
/// Each tree that `render` wrote into out/ for the first time is a generation. The numbers are
/// local and never given again; between people a tree goes by its digest, which is the sha256 of
/// its index.json. `gen:N` names a generation wherever a command takes a tree, `rollback N` brings
/// one back, `gc` drops old ones.
///
/// Trees that came in bundles (`bundle import`) were not rendered here and have no number: they are
/// listed behind, and named by `sha256:PREFIX`.
///
/// The store is not committed: a fresh clone has no generations.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(context: &Context, _: &Args) -> Result<Exit, CommandError> {
    let out = context.project.join("out");
    let store = Store::open(&context.disk, &view::store_folder(&out))?;
    let catalogue = store.generations()?;
    let in_view = view::digest(&context.disk, &out).ok().flatten();
    let rows: Result<Vec<Row>, CommandError> = catalogue
        .generations
        .iter()
        .map(|generation| {
            Ok(Row {
                generation,
                written: store.written(generation)?.and_then(timestamp),
                is_current: catalogue.current == Some(generation.number),
                is_in_view: in_view == Some(generation.tree),
            })
        })
        .collect();
    let rows = rows?;
    let imports: Result<Vec<Came>, CommandError> = store
        .imports()?
        .into_iter()
        .map(|import| {
            let when = store.imported(&import)?.and_then(timestamp);
            let is_in_view = in_view == Some(import.tree);
            Ok(Came { import, when, is_in_view })
        })
        .collect();
    let imports = imports?;
    if context.json() {
        let all = rows.iter().map(Row::json).chain(imports.iter().map(Came::json));
        context.print_json(&Value::Array(all.collect()));
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        context.note("there are no generations here yet; `meshgen render` makes the first");
    } else {
        context.print(&table(&catalogue, &rows));
    }
    if !imports.is_empty() {
        let lines: String = imports.iter().map(Came::line).collect();
        context.print(&format!("{}imported\n{lines}", if rows.is_empty() { "" } else { "\n" }));
    }
    Ok(Exit::Done)
}

struct Row<'a> {
    generation: &'a Generation,
    written: Option<OffsetDateTime>,
    is_current: bool,
    is_in_view: bool,
}

impl Row<'_> {
    fn json(&self) -> Value {
        json!({
            "generation": self.generation.number,
            "tree": self.generation.tree,
            "written": self.written.and_then(|time| time.format(&Rfc3339).ok()),
            "meshgen": self.generation.meshgen,
            "current": self.is_current,
            "view": self.is_in_view,
        })
    }

    fn remark(&self) -> &'static str {
        match (self.is_current, self.is_in_view) {
            (true, true) => "current, in out/",
            (true, false) => "current, but out/ is another tree",
            (false, true) => "in out/",
            (false, false) => "",
        }
    }
}

/// A tree that came in a bundle.
struct Came {
    import: Import,
    when: Option<OffsetDateTime>,
    is_in_view: bool,
}

impl Came {
    fn json(&self) -> Value {
        json!({
            "generation": null,
            "tree": self.import.tree,
            "written": self.when.and_then(|time| time.format(&Rfc3339).ok()),
            "imported": self.import.from,
            "current": false,
            "view": self.is_in_view,
        })
    }

    fn line(&self) -> String {
        let when = self.when.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default();
        let remark = if self.is_in_view { ", in out/" } else { "" };
        let from = visible(&self.import.from);
        format!("sha256:{}  {when:20}  from {from}{remark}\n", self.import.tree.short())
    }
}

/// The time of a file, to the second.
fn timestamp(nanoseconds: i128) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
    time.replace_nanosecond(0).ok()
}

fn table(catalogue: &Catalogue, rows: &[Row]) -> String {
    let number = |row: &Row| format!("gen:{}", row.generation.number);
    let width = rows.iter().map(|row| number(row).len()).max().unwrap_or_default();
    let versions = catalogue.generations.iter().map(|one| one.meshgen.len());
    let version = versions.max().unwrap_or_default().max("meshgen".len());
    let mut text =
        format!("{:width$}  {:19}  {:20}  {:version$}\n", "", "tree", "written", "meshgen");
    for row in rows {
        let written = row.written.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default();
        let line = format!(
            "{:width$}  sha256:{}  {written:20}  {:version$}  {}",
            number(row),
            row.generation.tree.short(),
            row.generation.meshgen,
            row.remark(),
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}
