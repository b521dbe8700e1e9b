//! `meshgen templates`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::{CommandError, Context, Exit};
use crate::file::{Disk, FILE_MODE, FileError, FileKind};
use crate::inputs::{self, Override};
use crate::render::BUILT_IN_TEMPLATES;
use crate::spec::{self, closest};

/// List and show built-in templates and profiles, or put one into the project to change it.
///
/// A file `templates/<path>` or `profiles/<name>.yaml` of the project is taken instead of the
/// built-in one of the same path. As long as it equals the built-in one it *is* the built-in one, and
/// no byte of `out/` changes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(ListArgs),
    Show(ShowArgs),
    Eject(EjectArgs),
}

/// List templates and profiles by path, and which of them the project overrides.
///
/// One line a file: its path in a project, and where it is taken from: `built-in`; `overridden` by
/// the project; `equal` to the built-in one, and so still it; `own`, a file of the project that no
/// built-in one has the path of (a profile that mesh.yaml can name, a template that others include).
///
/// With `-o json` a list of objects with `path`, `kind` (`template` or `profile`) and `origin`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = LIST_EXAMPLES)]
struct ListArgs {}

const LIST_EXAMPLES: &str = "\
Exit codes: 0; 2 if the project's files cannot be read.";

/// Print a built-in template or profile, whether or not the project overrides it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SHOW_EXAMPLES)]
struct ShowArgs {
    /// The path as `list` prints it, with or without `templates/`; a profile also by its name.
    #[arg(value_name = "NAME")]
    name: String,
}

const SHOW_EXAMPLES: &str = "\
Examples:
  meshgen templates show oke-multi-primary
  meshgen templates show samples/sleep.yaml | diff - templates/samples/sleep.yaml

Exit codes: 0; 2 if there is no such template.";

/// Write a built-in template or profile into the project, to change it.
///
/// Never overwrites: a file that is there is left alone. Until you change it, the file equals the
/// built-in one and changes nothing; from then on it is yours, and a later meshgen's improvements of
/// the built-in one do not reach it. A profile that only changes a few settings needs no copy: it can
/// say `extends`, even of its own name.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EJECT_EXAMPLES)]
struct EjectArgs {
    /// The path as `list` prints it, with or without `templates/`; a profile also by its name.
    #[arg(value_name = "NAME")]
    name: String,
}

const EJECT_EXAMPLES: &str = "\
Examples:
  meshgen templates eject samples/sleep.yaml
  meshgen templates eject profiles/eks.yaml

Exit codes: 0; 2 if there is no such template, or the file is there already.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::List(_) => list(context),
        Command::Show(args) => {
            let (_, text) = find(&args.name).ok_or_else(|| unknown(&args.name))?;
            context.print(text);
            Ok(Exit::Done)
        }
        Command::Eject(args) => eject(context, &args.name),
    }
}

fn list(context: &Context) -> Result<Exit, CommandError> {
    let (overrides, diagnostics, sources) =
        inputs::overrides(&context.disk, &context.project, &built_in());
    if diagnostics.has_errors() {
        return Err(CommandError::invalid(diagnostics, sources));
    }
    if context.json() {
        context.print_json(&overrides.iter().map(as_json).collect());
        return Ok(Exit::Done);
    }
    let width = overrides.iter().map(|file| file.path.len()).max().unwrap_or_default();
    let lines = overrides
        .iter()
        .map(|Override { path, origin }| format!("{path:<width$}  {}\n", origin.as_str()));
    context.print(&lines.collect::<String>());
    Ok(Exit::Done)
}

fn as_json(file: &Override) -> Value {
    let kind = if file.path.starts_with("profiles/") { "profile" } else { "template" };
    json!({"path": file.path, "kind": kind, "origin": file.origin.as_str()})
}

fn eject(context: &Context, name: &str) -> Result<Exit, CommandError> {
    let (path, text) = find(name).ok_or_else(|| unknown(name))?;
    let target = context.project.join(&path);
    refuse_links(&context.disk, &context.project, Path::new(&path))?;
    let folder = target.parent().unwrap_or(&context.project);
    let made = context.disk.create_dir_all(folder)?;
    if let Err(error) = context.disk.create_new(&target, text.as_bytes(), FILE_MODE) {
        remove_folders(&context.disk, &made);
        return Err(failed(&error, &path));
    }
    context.note(&format!("wrote {path}"));
    context.note("it equals the built-in one, and so it is the built-in one until you change it");
    Ok(Exit::Done)
}

fn failed(error: &FileError, path: &str) -> CommandError {
    if error.is_already_there() {
        return CommandError::refused(format!("`{path}` is there already, and was left alone"))
            .hint("`meshgen templates show NAME` prints the built-in one, to compare");
    }
    CommandError::refused(error.to_string())
}

fn remove_folders(disk: &Disk, made: &[PathBuf]) {
    for folder in made.iter().rev() {
        // the failure before is what the user wants to hear about
        let _ = disk.remove_empty_folder(folder);
    }
}

/// A folder on the way that is a symlink would take the file out of the project.
fn refuse_links(disk: &Disk, project: &Path, path: &Path) -> Result<(), CommandError> {
    let mut folder = project.to_owned();
    for part in path.parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        match disk.stat(&folder)? {
            Some(stat) if stat.kind != FileKind::Folder => {
                let what = stat.kind.describe();
                let message = format!("`{}` is {what}, not a folder", folder.display());
                return Err(CommandError::refused(message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Path in a project and text of every built-in template and profile.
fn built_in() -> BTreeMap<String, &'static str> {
    let templates =
        BUILT_IN_TEMPLATES.iter().map(|(path, text)| (format!("templates/{path}"), *text));
    let profiles =
        spec::BUILT_IN.iter().map(|(name, text)| (format!("profiles/{name}.yaml"), *text));
    templates.chain(profiles).collect()
}

/// Path in a project and text of the built-in template or profile that a user means.
fn find(name: &str) -> Option<(String, &'static str)> {
    let name = name.trim_start_matches("./");
    let candidates = [
        name.to_owned(),
        format!("templates/{name}"),
        format!("profiles/{name}"),
        format!("profiles/{name}.yaml"),
    ];
    let mut known = built_in();
    candidates.into_iter().find_map(|path| known.remove_entry(&path))
}

fn unknown(name: &str) -> CommandError {
    let known: Vec<String> = built_in().into_keys().collect();
    // what people type is often only the end of a path
    let mut words: Vec<&str> = known.iter().map(String::as_str).collect();
    words.extend(known.iter().filter_map(|path| path.split_once('/').map(|(_, rest)| rest)));
    words.extend(known.iter().filter_map(|path| path.rsplit('/').next()));
    let error = CommandError::refused(format!("there is no built-in template or profile `{name}`"));
    let close = closest(name, &words);
    match close.and_then(|word| known.iter().find(|path| path.ends_with(word))) {
        Some(path) => error.hint(format!("did you mean `{path}`?")),
        None => error.hint("`meshgen templates list` shows them"),
    }
}
