//! `meshgen show`.

use std::fmt::Write;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::bundle::ReachArgs;
use crate::cli::{CommandError, Context, Exit, Format, tree};
use crate::diff::visible;
use crate::tree::source::{Source, SourceError, resolve};
use crate::tree::{ArtifactRow, PendingRow, Targets, TreePath};

/// List the files of a tree, or print one.
///
/// A tree is `gen:N`, `sha256:PREFIX`, `git:REV`, a folder, a bundle or `oci://…@sha256:…`; without
/// one, it is what is in out/. The list has the path, stage, targets, size and digest of every
/// file, and what waits for facts. With a path, the bytes of that file are printed, exactly, after
/// its digest was checked; `show out/PATH` prints a file of out/. Private keys are sealed in files,
/// so that nothing secret is printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree.
    tree: Option<String>,
    /// A file of it: `c1/istio-operator.yaml`.
    path: Option<String>,

    #[command(flatten)]
    reach: ReachArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if !matches!(context.output, Format::Text | Format::Json) {
        return Err(CommandError::refused("`show` has no such form")
            .hint("`-o text` and `-o json` are those it has"));
    }
    let (source, path) = find(context, args)?;
    match path {
        Some(path) => one(context, &source, &path)?,
        None => list(context, &source)?,
    }
    Ok(Exit::Done)
}

/// The tree, and the file of it that was asked for. A single argument may be a file of the view.
fn find(context: &Context, args: &Args) -> Result<(Source, Option<TreePath>), CommandError> {
    let here = |text: Option<&str>| resolve(&context.disk, &context.project, text);
    let path = |text: &str| {
        let text = text.trim_start_matches("./");
        let parsed = text.strip_prefix("out/").unwrap_or(text).parse::<TreePath>();
        parsed.map_err(|error| CommandError::refused(error.to_string()))
    };
    match (here(args.tree.as_deref()), &args.tree, &args.path) {
        (Ok(source), _, wanted) => Ok((source, wanted.as_deref().map(path).transpose()?)),
        (Err(error @ SourceError::Unknown(..)), Some(text), None) => {
            let view = path(text).ok().zip(here(None).ok());
            match view {
                Some((path, view)) if view.index.row(path.as_str()).is_some() => {
                    Ok((view, Some(path)))
                }
                _ => match tree::bundle(context, Some(text), args.reach.reading())? {
                    Some(source) => Ok((source, None)),
                    None => Err(error.into()),
                },
            }
        }
        (Err(SourceError::Unknown(..)), Some(text), Some(wanted)) => {
            Ok((tree::resolve(context, Some(text), args.reach.reading())?, Some(path(wanted)?)))
        }
        (Err(error), ..) => Err(error.into()),
    }
}

fn one(context: &Context, source: &Source, path: &TreePath) -> Result<(), CommandError> {
    let pending = source.index.pending.iter().find(|row| row.path == *path);
    if let Some(row) = pending {
        let needs = row.needs.join(", ");
        return Err(CommandError::refused(format!(
            "`{path}` is not rendered yet: it needs {needs}"
        ))
        .hint("`meshgen facts import` brings facts in"));
    }
    let bytes = source.read(path).map_err(|error| {
        let is_unknown = matches!(error, SourceError::NoPath { .. });
        let error = CommandError::from(error);
        if is_unknown { error.hint("`meshgen show TREE` lists its files") } else { error }
    })?;
    match source.index.row(path.as_str()) {
        Some(row) if context.json() => {
            let mut value = row_json(row, bytes.len());
            value["content"] = String::from_utf8_lossy(&bytes).into();
            context.print_json(&value);
        }
        _ => context.print_bytes(&bytes),
    }
    Ok(())
}

fn list(context: &Context, source: &Source) -> Result<(), CommandError> {
    let mut rows = Vec::new();
    for row in &source.index.artifacts {
        rows.push((row, source.read(&row.path)?.len()));
    }
    if context.json() {
        let files: Vec<Value> = rows.iter().map(|(row, size)| row_json(row, *size)).collect();
        let pending: Vec<Value> = source.index.pending.iter().map(pending_json).collect();
        context.print_json(&json!({
            "tree": source.name,
            "digest": source.digest,
            "mesh": source.index.mesh,
            "clusters": source.index.clusters,
            "examples": source.index.examples,
            "artifacts": files,
            "pending": pending,
        }));
        return Ok(());
    }
    context.print(&table(source, &rows));
    Ok(())
}

fn row_json(row: &ArtifactRow, size: usize) -> Value {
    let mut value = json!(row);
    value["size"] = size.into();
    value
}

fn pending_json(row: &PendingRow) -> Value {
    json!(row)
}

fn table(source: &Source, rows: &[(&ArtifactRow, usize)]) -> String {
    let mut lines = vec![["path", "stage", "targets", "size", "digest"].map(str::to_owned)];
    for (row, size) in rows {
        lines.push([
            row.path.to_string(),
            row.stage.clone().unwrap_or_else(|| "-".to_owned()),
            row.targets.as_ref().map_or_else(|| "-".to_owned(), targets),
            size.to_string(),
            row.digest.short(),
        ]);
    }
    let total: usize = rows.iter().map(|(_, size)| size).sum();
    let mut text = format!("{} {}\n", source.name, source.digest);
    let _ = writeln!(text, "mesh {}, {} files, {total} bytes\n", source.index.mesh, rows.len());
    let width = |column: usize| lines.iter().map(|line| line[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    for line in &lines {
        let pad = |column: usize| " ".repeat(widths[column] - line[column].width());
        let [path, stage, targets, size, digest] = line;
        let (a, b, c, d) = (pad(0), pad(1), pad(2), pad(3));
        let _ = writeln!(text, "{path}{a}  {stage}{b}  {targets}{c}  {d}{size}  {digest}");
    }
    if !source.index.pending.is_empty() {
        text.push_str("\nwaiting for facts:\n");
        for row in &source.index.pending {
            let _ = writeln!(text, "  {}: {}", row.path, row.needs.join(", "));
        }
    }
    text.lines().map(|line| visible(line) + "\n").collect()
}

fn targets(targets: &Targets) -> String {
    match targets {
        Targets::Only(names) => names.join(","),
        Targets::AllBut(except) if except.except.is_empty() => "all".to_owned(),
        Targets::AllBut(except) => format!("all but {}", except.except.join(",")),
    }
}
