//! Making, changing and taking away pins.

use serde_json::json;

use super::fetch::{Faults, fetcher, options};
use super::request::Request;
use super::{Args, refused};
use crate::cli::{CommandError, Context, Exit};
use crate::fetch::Source;
use crate::inputs::{self, PinChange, WriteError};
use crate::pin::{LOCK_FILE, Lock, Pin, PinName};
use crate::tree::view;

/// What became of a pin.
struct Outcome<'a> {
    name: &'a PinName,
    old: Option<&'a Pin>,
    new: Option<Pin>,
    /// Whether its content was put into charts/.
    written: bool,
}

/// Fetches what is asked for, and writes it if all of it is as it must be.
pub(super) fn run(
    context: &Context,
    args: &Args,
    lock: &Lock,
    request: &Request,
) -> Result<Exit, CommandError> {
    let mut change = PinChange { old: lock.clone(), new: lock.clone(), ..PinChange::default() };
    let mut outcomes = Vec::new();
    let mut faults = Faults::default();
    let options = options(args);
    let bar = context.progress("fetching, KiB");
    let progress = |bytes: u64| bar.set(usize::try_from(bytes >> 10).unwrap_or(usize::MAX));
    let fetcher = fetcher(context, &options, &progress);
    for (name, source) in &request.wanted {
        if source.is_remote() {
            context.note(&format!("{name}: fetching {source}"));
        }
        let content = match fetcher.fetch(source) {
            Ok(content) => content,
            Err(error) => {
                faults.push(name, &error);
                continue;
            }
        };
        let found = content.digest;
        if let Some(wanted) = args.digest.filter(|wanted| *wanted != found) {
            faults
                .refuse(format!("`{name}`: its content is {found}, but `--digest` says {wanted}"));
            continue;
        }
        let old = lock.pins.get(name);
        if let Some(old) = old.filter(|old| old.digest != found)
            && !request.update.contains(name)
        {
            let wanted = old.digest;
            faults
                .refuse(format!("`{name}`: its content is {found}, but {LOCK_FILE} says {wanted}"));
            faults.hint(format!("if the change is wanted, say `--update {name}`"));
            continue;
        }
        let pin = content.pin(source);
        let written = inputs::content(&context.disk, &context.project, found).is_err();
        if written {
            change.contents.insert(found, content.archive);
        }
        change.new.pins.insert(name.clone(), pin.clone());
        outcomes.push(Outcome { name, old, new: Some(pin), written });
    }
    bar.finish();
    faults.finish()?;
    for name in &request.remove {
        let old = lock.pins.get(name);
        change.new.pins.remove(name);
        outcomes.push(Outcome { name, old, new: None, written: false });
    }
    write(context, &change)?;
    remarks(context, request, &change.new);
    report(context, &outcomes);
    Ok(Exit::Done)
}

/// Writes it, under the lock of the project.
pub(super) fn write(context: &Context, change: &PinChange) -> Result<(), CommandError> {
    let store = view::store_folder(&context.project.join("out"));
    inputs::write_pins(&context.disk, &context.project, &store, change).map_err(|error| match error
    {
        WriteError::Store(error) => error.into(),
        WriteError::File(error) => error.into(),
        WriteError::Changed => refused(&[error.to_string()]).hint("run it again"),
    })
}

/// What of a source is worth a thought before it is committed.
fn remarks(context: &Context, request: &Request, lock: &Lock) {
    for (name, source) in &request.wanted {
        match source {
            Source::Path(path) if path.starts_with('/') => context.note(&format!(
                "note: {name}: `{path}` is recorded; other machines may not have it"
            )),
            Source::Url(url) if url.has_query() => context.note(&format!(
                "note: {name}: the query of the URL is recorded too; see that no token is in it"
            )),
            Source::Version(version) => {
                let found = lock.pins.get(name).and_then(|pin| pin.version.as_deref());
                if let Some(found) = found.filter(|found| found != version) {
                    context.note(&format!(
                        "note: {name}: these charts say that they are of {found}, not {version}"
                    ));
                }
            }
            _ => {}
        }
    }
}

impl Outcome<'_> {
    fn verb(&self) -> &'static str {
        match (self.old, &self.new) {
            (_, None) => "removed",
            (None, Some(_)) => "pinned",
            (Some(old), Some(new)) if old.digest != new.digest => "updated",
            (Some(old), Some(new)) if old != new => "same content, from another source",
            _ if self.written => "content brought back",
            _ => "no change",
        }
    }
}

fn report(context: &Context, outcomes: &[Outcome<'_>]) {
    if context.json() {
        let rows = outcomes.iter().map(|outcome| {
            let pin = outcome.new.as_ref().or(outcome.old);
            json!({
                "name": outcome.name,
                "what": outcome.verb(),
                "kind": pin.map(|pin| pin.kind),
                "source": pin.map(|pin| &pin.source),
                "version": pin.and_then(|pin| pin.version.as_ref()),
                "digest": outcome.new.as_ref().map(|pin| pin.digest),
                "oldDigest": outcome.old.map(|pin| pin.digest),
                "written": outcome.written,
            })
        });
        context.print_json(&json!({ "pins": rows.collect::<Vec<_>>() }));
        return;
    }
    for outcome in outcomes {
        let (name, verb) = (outcome.name, outcome.verb());
        let Some(pin) = &outcome.new else {
            context.note(&format!("{name}: {verb}"));
            continue;
        };
        let version = pin.version.as_deref().map(|version| format!(" {version}"));
        context.note(&format!(
            "{name}: {verb}: {}{}",
            pin.kind.as_str(),
            version.unwrap_or_default()
        ));
        if let Some(old) = outcome.old.filter(|old| old.digest != pin.digest) {
            context.note(&format!("  - {}", old.digest));
            context.note(&format!("  + {}", pin.digest));
        } else {
            context.note(&format!("  {}", pin.digest));
        }
    }
    if outcomes.iter().any(|outcome| outcome.new.as_ref() != outcome.old) {
        context.note(&format!("commit {LOCK_FILE} and charts/"));
    }
}
