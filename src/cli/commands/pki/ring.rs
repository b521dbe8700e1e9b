//! What the commands share: reading the keyring, and writing what an operation made.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::identity::refused;
use crate::cli::{CommandError, Context, Exit};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::file::{FILE_MODE, FileKind};
use crate::inputs::{self, PkiInputs};
use crate::pki::{Changes, FileChange, OperationError, Policy};

/// The instant at which the command runs.
#[expect(clippy::disallowed_methods, reason = "`pki` makes certificates, which begin now")]
pub(super) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Reads mesh.yaml and the keyring.
pub(super) fn load(context: &Context) -> PkiInputs {
    inputs::load_pki(&context.disk, &context.project)
}

/// What mesh.yaml asks for; refuses a mesh.yaml with errors.
pub(super) fn policy(inputs: &mut PkiInputs) -> Result<Policy, CommandError> {
    match inputs.policy.take() {
        Some(policy) if !inputs.mesh_problems.has_errors() => Ok(policy),
        _ => {
            let problems = std::mem::take(&mut inputs.mesh_problems);
            Err(CommandError::invalid(problems, inputs.sources.clone()))
        }
    }
}

/// Refuses a keyring with problems, save those that the command is about to solve.
pub(super) fn check_keyring(
    inputs: &PkiInputs,
    is_solved: impl Fn(&Diagnostic) -> bool,
) -> Result<(), CommandError> {
    let mut left = Diagnostics::new();
    for problem in inputs.keyring_problems.iter().filter(|problem| !is_solved(problem)) {
        left.push(problem.clone());
    }
    if left.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(CommandError::invalid(left, inputs.sources.clone()));
    }
    Ok(())
}

/// Whether a problem is about the keyring file of this name.
pub(super) fn is_about(problem: &Diagnostic, name: &str) -> bool {
    problem.file.as_deref() == Some(crate::pki::path_of(name).as_str())
}

/// All reasons why an operation was not done, as one error.
pub(super) fn not_done(errors: &[OperationError]) -> CommandError {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let mut error = match lines.as_slice() {
        [only] => CommandError::refused(only.clone()),
        many => CommandError::refused(format!(
            "{} problems; nothing was changed\n  {}",
            many.len(),
            many.join("\n  ")
        )),
    };
    for hint in errors.iter().filter_map(OperationError::hint) {
        if !error.hints.contains(&hint) {
            error.hints.push(hint);
        }
    }
    error
}

/// Writes what an operation made, one file after the other, each of them whole or not at all.
///
/// A write that fails leaves those before it, and the error says what is left; the same command
/// again does the rest.
pub(super) fn write(context: &Context, changes: &Changes) -> Result<(), CommandError> {
    let folder = context.project.join("pki");
    match context.disk.stat(&folder).map_err(refused)? {
        None => {
            context.disk.create_dir_all(&folder).map_err(refused)?;
        }
        Some(stat) if stat.kind == FileKind::Folder => {}
        Some(stat) => {
            let what = stat.kind.describe();
            let message = format!("`{}` is {what}, not a folder", folder.display());
            return Err(CommandError::refused(message).hint("put a folder in its place"));
        }
    }
    for (index, change) in changes.files.iter().enumerate() {
        write_one(context, change).map_err(|error| partly(error, &changes.files, index))?;
        context.note(&format!("{}: {}", change.path, change.what));
    }
    for note in &changes.notes {
        context.note(&format!("note: {note}"));
    }
    Ok(())
}

fn write_one(context: &Context, change: &FileChange) -> Result<(), CommandError> {
    let path = context.project.join(&change.path);
    let bytes = change.text.as_bytes();
    let written = if change.is_new {
        context.disk.create_new(&path, bytes, FILE_MODE)
    } else {
        context.disk.replace(&path, bytes)
    };
    written.map_err(refused)
}

fn partly(error: CommandError, files: &[FileChange], index: usize) -> CommandError {
    if index == 0 {
        return error.hint("nothing was changed");
    }
    let left: Vec<_> = files[index..].iter().map(|file| file.path.as_str()).collect();
    let hint = format!("not written: {}; the same command again does the rest", left.join(", "));
    CommandError { exit: Exit::Partial, ..error.hint(hint) }
}

/// What was done, for programs.
pub(super) fn to_json(changes: &Changes) -> Value {
    let file =
        |file: &FileChange| json!({"path": file.path, "new": file.is_new, "what": file.what});
    json!({
        "files": changes.files.iter().map(file).collect::<Vec<_>>(),
        "notes": changes.notes,
    })
}

/// Writes, and says what was done: as remarks, and with `-o json` as data.
pub(super) fn finish(
    context: &Context,
    changes: &Changes,
    nothing: &str,
) -> Result<Exit, CommandError> {
    write_and_say(context, changes, nothing)?;
    if context.json() {
        context.print_json(&to_json(changes));
    }
    Ok(Exit::Done)
}

/// Writes, or says that there is nothing to write.
pub(super) fn write_and_say(
    context: &Context,
    changes: &Changes,
    nothing: &str,
) -> Result<(), CommandError> {
    if changes.files.is_empty() {
        context.note(nothing);
        for note in &changes.notes {
            context.note(&format!("note: {note}"));
        }
        return Ok(());
    }
    write(context, changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use crate::file::{Disk, Fault};

    fn change(name: &str, is_new: bool) -> FileChange {
        let text = "whole\n".repeat(100);
        let path = crate::pki::path_of(name);
        FileChange { name: name.to_owned(), path, text, is_new, what: "made".to_owned() }
    }

    /// Writes two new files and a third over an old one, on a disk with this fault.
    fn written(fault: Fault) -> (tempfile::TempDir, Result<(), CommandError>) {
        let project = tempfile::tempdir().expect("a folder");
        let disk = Disk::new();
        disk.create_dir_all(&project.path().join("pki")).expect("a folder");
        let old = project.path().join("pki/old.yaml");
        disk.create_new(&old, b"old\n", FILE_MODE).expect("a file");
        let context = Context {
            disk: Disk::with_faults(fault),
            project: project.path().to_owned(),
            output: Format::Text,
            quiet: true,
            verbose: false,
            colour: false,
            colour_out: false,
        };
        let files = vec![change("root", true), change("c1", true), change("old", false)];
        let result = write(&context, &Changes { files, notes: Vec::new() });
        (project, result)
    }

    #[test]
    fn a_fault_at_any_change_leaves_every_file_whole() {
        let faults = (1..40).flat_map(|at| {
            [Fault::Crash { at, torn: false }, Fault::Crash { at, torn: true }, Fault::Full { at }]
        });
        let mut stopped = 0;
        for fault in faults {
            let (project, result) = written(fault);
            let read = |name: &str| Disk::new().read(&project.path().join("pki").join(name)).ok();
            let whole = change("c1", true).text.into_bytes();
            let files = ["root.yaml", "c1.yaml", "old.yaml"].map(read);
            for file in &files[..2] {
                assert!(file.as_ref().is_none_or(|bytes| *bytes == whole), "{fault:?}");
            }
            let old = files[2].as_ref().expect("it never goes away");
            assert!(*old == whole || old == b"old\n", "{fault:?}");
            assert!(files[0].is_some() || files[1].is_none(), "the root comes first: {fault:?}");
            if let Err(error) = result {
                stopped += 1;
                let is_first = files[0].is_none();
                let said = error.hints.iter().any(|hint| hint.contains("pki/old.yaml"));
                assert!(is_first || said || error.exit == Exit::Refused, "{fault:?}: {error:?}");
            }
        }
        assert!(stopped > 10, "the faults were met");
    }
}
