//! `meshgen render`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::cli::sink::StoreMemory;
use crate::cli::{CommandError, Context, Exit};
use crate::diag::{self, Diagnostic, Diagnostics, Severity, Sources};
use crate::inputs::NoMemory;
use crate::store::Digest;
use crate::tree::view::{self, Compared, Comparison, Opening, Options, Writer, Written};
use crate::{BUILD_ID, Prepared, Project, RealiseError, Realised};

/// Build `out/` from mesh.yaml and its inputs.
///
/// Reads mesh.yaml, profiles/, templates/, facts/ and pki/, checks all of them, builds what is not
/// known yet, and writes the tree into out/: only files whose content changed are touched, files
/// that are no longer rendered go away, files that are not meshgen's stay. The same inputs give the
/// same bytes on every machine.
///
/// A file under out/ that somebody edited by hand stops it (exit 2) and nothing is changed. An
/// artifact whose facts are not there yet is listed as pending, never made up.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write nothing; exit 1 if out/ differs from a fresh render, and say where.
    #[arg(long, env = "MESHGEN_CHECK")]
    check: bool,

    /// Exit 2, without writing, if a setting of the control plane has no effect: render only warns.
    #[arg(long, env = "MESHGEN_STRICT")]
    strict: bool,

    /// Exit 2 if anything is pending, without writing.
    #[arg(long, env = "MESHGEN_COMPLETE")]
    complete: bool,

    /// Replace files under out/ that were edited by hand.
    #[arg(long)]
    overwrite_edits: bool,

    /// Replace the tree of a mesh of another name.
    #[arg(long)]
    allow_other_mesh: bool,

    /// Number of threads, at most 256; the result does not depend on it. Default: one a core.
    #[arg(short, long, value_name = "N", env = "MESHGEN_JOBS")]
    jobs: Option<usize>,
}

/// More threads than any machine has use for here.
const MAX_JOBS: usize = 256;

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.jobs.unwrap_or(0).min(MAX_JOBS))
        .build()
        .map_err(|error| CommandError::refused(format!("cannot start threads: {error}")))?;
    pool.install(|| if args.check { check(context, args) } else { render(context, args) })
}

fn render(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let out = context.project.join("out");
    let options =
        Options { overwrite_edits: args.overwrite_edits, allow_other_mesh: args.allow_other_mesh };
    // without a store there is nothing to remember by, and an invalid mesh must not make one
    let has_store = context.disk.exists(&view::store_folder(&out)).map_err(CommandError::from)?;
    let (writer, prepared) = if has_store {
        let opening = Opening::begin(&context.disk, &out).map_err(CommandError::from)?;
        let memory = StoreMemory::new(&context.disk, &context.project, opening.transaction());
        let (survey, prepared) = rayon::join(
            || opening.survey(),
            || crate::prepare(&context.disk, &context.project, &memory, BUILD_ID),
        );
        let writer = survey.and_then(|survey| Writer::new(opening, survey, options));
        (Some(writer.map_err(CommandError::from)?), prepared)
    } else {
        (None, crate::prepare(&context.disk, &context.project, &NoMemory, BUILD_ID))
    };
    let (project, mut sources) = accepted(context, prepared)?;
    let writer = match writer {
        Some(writer) => writer,
        None => Writer::open(&context.disk, &out, options).map_err(CommandError::from)?,
    };
    let bar = context.progress("rendering");
    let realised = realise(&project, &writer, &bar).map_err(|error| match error {
        RealiseError::Invalid(found) => CommandError::invalid(found, std::mem::take(&mut sources)),
        RealiseError::Sink(error) => error.into(),
    })?;
    if args.complete && !realised.pending.is_empty() {
        return Err(incomplete(&realised));
    }
    warn(context, args, &realised, &sources)?;
    // a keyring that got here was found good
    writer.derivations().insert(project.inputs.keyring.digest, Vec::new());
    let written = writer.finish(&realised.index, &realised.record).map_err(CommandError::from)?;
    bar.finish();
    say(context, &realised, &sources, &written);
    // the process ends: taking a large mesh apart piece by piece would only take time
    std::mem::forget((project, realised));
    Ok(Exit::Done)
}

/// Stops where the inputs are invalid; else shows what is worth reading.
pub(super) fn accepted(
    context: &Context,
    prepared: Prepared,
) -> Result<(Project, Sources), CommandError> {
    let Prepared { project, diagnostics, sources } = prepared;
    match project {
        Some(project) if !diagnostics.has_errors() => {
            if !context.quiet && !context.json() {
                context.report(&of_severity(&diagnostics, Severity::Warning), &sources);
            }
            Ok((project, sources))
        }
        _ => Err(CommandError::invalid(diagnostics, sources)),
    }
}

fn realise<S: crate::Sink>(
    project: &Project,
    sink: &S,
    bar: &crate::ui::Progress,
) -> Result<Realised, RealiseError<S::Error>> {
    let done = Arc::new(AtomicUsize::new(0));
    crate::realise(project, sink, BUILD_ID, &|| {
        bar.set(done.fetch_add(1, Ordering::Relaxed) + 1);
    })
}

fn of_severity(diagnostics: &Diagnostics, severity: Severity) -> Diagnostics {
    let mut found = Diagnostics::new();
    let is_it = |one: &&Diagnostic| one.severity == severity;
    diagnostics.iter().filter(is_it).for_each(|one| found.push(one.clone()));
    found
}

/// Says what has no effect; with `--strict` that stops it.
fn warn(
    context: &Context,
    args: &Args,
    realised: &Realised,
    sources: &Sources,
) -> Result<(), CommandError> {
    let warnings = of_severity(&realised.warnings, Severity::Warning);
    if args.strict && !warnings.is_empty() {
        let mut errors = Diagnostics::new();
        for warning in warnings {
            errors.push(Diagnostic { severity: Severity::Error, ..warning });
        }
        let error = CommandError::invalid(errors, sources.clone());
        return Err(error.hint("without `--strict` this is a warning"));
    }
    if !context.quiet && !context.json() {
        context.report(&warnings, sources);
    }
    Ok(())
}

fn incomplete(realised: &Realised) -> CommandError {
    let mut error = CommandError::refused(format!(
        "{} files wait for facts; nothing was changed",
        realised.pending.len()
    ));
    for (path, needs) in realised.pending.iter().take(MAX_PENDING) {
        error = error.hint(format!("{path} needs {}", needs.join(", ")));
    }
    error.hint("`meshgen facts import` brings facts in")
}

/// Pending files that are named before the rest is counted.
const MAX_PENDING: usize = 12;

fn say(context: &Context, realised: &Realised, sources: &Sources, written: &Written) {
    if context.json() {
        context.print_json(&json!({
            "tree": written.digest,
            "generation": written.generation,
            "files": realised.artifacts,
            "written": written.files_written,
            "removed": written.files_removed,
            "unchanged": written.unchanged,
            "derivations": realised.derivations,
            "built": realised.built,
            "examples": realised.examples,
            "pending": pending_json(realised),
            "withoutCharts": realised.without_charts,
            "warnings": diag::to_json(&realised.warnings, sources),
        }));
        return;
    }
    remarks(context, realised);
    let generation = match written.generation {
        Some(number) => format!("generation {number}, "),
        None => String::new(),
    };
    context.note(&format!(
        "{generation}{} files: {} written, {} removed, {} unchanged",
        realised.artifacts, written.files_written, written.files_removed, written.unchanged
    ));
    context.print(&format!("{}\n", written.digest));
}

fn pending_json(realised: &Realised) -> serde_json::Value {
    realised.pending.iter().map(|(path, needs)| json!({"path": path, "needs": needs})).collect()
}

fn remarks(context: &Context, realised: &Realised) {
    for (path, needs) in realised.pending.iter().take(MAX_PENDING) {
        context.note(&format!("pending: {path} needs {}", needs.join(", ")));
    }
    if realised.pending.len() > MAX_PENDING {
        context.note(&format!("pending: {} more files", realised.pending.len() - MAX_PENDING));
    }
    if !realised.pending.is_empty() {
        context.note("hint: `meshgen facts import` brings facts in");
    }
    if !realised.without_charts.is_empty() {
        context.note(&format!(
            "control plane: {} left to istioctl; with `istio.charts` it is rendered too",
            names(&realised.without_charts)
        ));
    }
    if !realised.examples.is_empty() {
        context.note(&format!(
            "example facts: {} cannot be applied before `meshgen facts import`",
            names(&realised.examples)
        ));
    }
}

fn names(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("{shown} and {} more", all.len() - SHOWN) } else { shown }
}

fn check(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let out = context.project.join("out");
    let prepared = crate::prepare(&context.disk, &context.project, &NoMemory, BUILD_ID);
    let (project, mut sources) = accepted(context, prepared)?;
    let (realised, compared) = compare(context, &project, &out, &mut sources)?;
    if args.complete && !realised.pending.is_empty() {
        return Err(incomplete(&realised));
    }
    warn(context, args, &realised, &sources)?;
    report_check(context, &realised, &sources, &compared);
    Ok(if compared.differences.is_empty() { Exit::Done } else { Exit::Different })
}

/// Builds everything anew and compares it with the view, reading no cache.
pub(super) fn compare(
    context: &Context,
    project: &Project,
    out: &std::path::Path,
    sources: &mut Sources,
) -> Result<(Realised, Compared), CommandError> {
    let comparison = Comparison::open(&context.disk, out).map_err(CommandError::from)?;
    let bar = context.progress("checking");
    let realised = realise(project, &comparison, &bar).map_err(|error| match error {
        RealiseError::Invalid(found) => CommandError::invalid(found, std::mem::take(sources)),
        RealiseError::Sink(error) => error.into(),
    })?;
    let compared = comparison.finish(&realised.index).map_err(CommandError::from)?;
    bar.finish();
    Ok((realised, compared))
}

fn report_check(context: &Context, realised: &Realised, sources: &Sources, compared: &Compared) {
    let digest: Digest = compared.digest;
    if context.json() {
        let differences: Vec<_> = compared
            .differences
            .iter()
            .map(|one| json!({"path": one.path, "what": one.to_string()}))
            .collect();
        let edits: Vec<_> = compared.edits.iter().map(ToString::to_string).collect();
        context.print_json(&json!({
            "tree": digest,
            "differences": differences,
            "edits": edits,
            "pending": pending_json(realised),
            "examples": realised.examples,
            "withoutCharts": realised.without_charts,
            "warnings": diag::to_json(&realised.warnings, sources),
        }));
        return;
    }
    for edit in &compared.edits {
        context.note(&format!("edited by hand: {edit}"));
    }
    for difference in &compared.differences {
        context.print(&format!("{difference}\n"));
    }
    if compared.differences.is_empty() {
        context.note(&format!("out/ is {digest}, as a fresh render gives"));
    } else {
        context.note("out/ is not what a fresh render gives; `meshgen render` writes it");
    }
}
