//! `meshgen check`.

use serde_json::json;

use crate::cli::{CommandError, Context, Exit};
use crate::diag::{self, Diagnostics, Severity, Sources};
use crate::inputs::NoMemory;
use crate::tree::view::ViewError;
use crate::{BUILD_ID, Prepared};

/// Validate mesh and inputs: all problems at once, each with its place and what to do.
///
/// Reads everything that `render` reads, builds every artifact in memory, and compares out/ with
/// it: hand edits under out/ are reported, and a view that is older than the inputs. Writes
/// nothing, takes no lock, and needs no network. Rules that `allow` in mesh.yaml lowers are listed.
///
/// Exit 0 when nothing stops a render, 2 when something does.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(context: &Context, _: &Args) -> Result<Exit, CommandError> {
    let Prepared { project, mut diagnostics, sources } =
        crate::prepare(&context.disk, &context.project, &NoMemory, BUILD_ID);
    let mut remarks = Vec::new();
    let mut edits = Vec::new();
    if let Some(project) = project.filter(|_| !diagnostics.has_errors()) {
        let out = context.project.join("out");
        match super::render::compare(context, &project, &out, &mut Sources::new()) {
            Ok((realised, compared)) => {
                edits = compared.edits;
                if !compared.differences.is_empty() && edits.is_empty() {
                    let count = compared.differences.len();
                    remarks.push(format!(
                        "out/ is older than the inputs: {count} files differ; `meshgen render` writes them"
                    ));
                }
                diagnostics.extend(realised.warnings);
                for (path, needs) in &realised.pending {
                    remarks.push(format!("pending: {path} needs {}", needs.join(", ")));
                }
                if !realised.examples.is_empty() {
                    remarks.push(format!("example facts: {}", realised.examples.join(", ")));
                }
            }
            Err(CommandError { report: Some(report), .. }) => diagnostics.extend(report.0),
            Err(error) => return Err(error),
        }
    }
    diagnostics.sort();
    report(context, &diagnostics, &sources, &remarks, &edits);
    if diagnostics.has_errors() {
        return Ok(Exit::Refused);
    }
    if edits.is_empty() { Ok(Exit::Done) } else { Err(ViewError::Edits(edits).into()) }
}

fn report(
    context: &Context,
    diagnostics: &Diagnostics,
    sources: &Sources,
    remarks: &[String],
    edits: &[crate::tree::view::Edit],
) {
    if context.json() {
        let edits: Vec<String> = edits.iter().map(|edit| edit.path.clone()).collect();
        context.print_json(&json!({
            "problems": diag::to_json(diagnostics, sources),
            "edits": edits,
            "remarks": remarks,
        }));
        return;
    }
    context.report(diagnostics, sources);
    for remark in remarks {
        context.note(remark);
    }
    let count = |severity| diagnostics.count(severity);
    context.note(&format!(
        "{}, {}, {} allowed",
        plural(count(Severity::Error), "error"),
        plural(count(Severity::Warning), "warning"),
        count(Severity::Allowed)
    ));
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
