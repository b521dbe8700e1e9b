//! `meshgen lock --fetch`, and how every form of the command fetches.

use serde_json::json;

use super::{Args, change, refused};
use crate::cli::{CommandError, Context, Exit, registry_options};
use crate::fetch::{FetchError, Fetcher, Options, Source};
use crate::inputs::{self, PinChange};
use crate::pin::{Lock, Pin, PinName};
use crate::store::Digest;

/// Everything that was wrong with several sources.
#[derive(Default)]
pub(super) struct Faults {
    lines: Vec<String>,
    hints: Vec<String>,
    is_outside: bool,
}

impl Faults {
    /// A source that could not be fetched.
    pub fn push(&mut self, name: &PinName, error: &FetchError) {
        self.lines.push(format!("`{name}`: {error}"));
        self.is_outside |= error.is_outside();
        if let Some(hint) = error.hint() {
            self.hint(hint.to_owned());
        }
    }

    /// Content that is not what it must be.
    pub fn refuse(&mut self, line: String) {
        self.lines.push(line);
    }

    /// What to do.
    pub fn hint(&mut self, hint: String) {
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }

    /// Stops if anything was wrong.
    pub fn finish(self) -> Result<(), CommandError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let exit = if self.is_outside { Exit::Partial } else { Exit::Refused };
        Err(CommandError { exit, hints: self.hints, ..refused(&self.lines) })
    }
}

/// How to fetch, as the arguments say.
pub(super) fn options(args: &Args) -> Options {
    Options { base: args.base_url.clone(), registry: registry_options(args.plain_http) }
}

/// Starts to fetch.
pub(super) fn fetcher<'a>(
    context: &'a Context,
    options: &'a Options,
    progress: &'a dyn Fn(u64),
) -> Fetcher<'a> {
    Fetcher::new(&context.disk, &context.project, options, progress)
}

/// Why the content of a pin cannot be brought back.
enum Failed {
    Fetch(FetchError),
    /// The source has other content now.
    Changed(Digest),
}

fn bring(fetcher: &Fetcher<'_>, pin: &Pin) -> Result<Vec<u8>, Failed> {
    let source = Source::parse(&pin.source).map_err(|error| Failed::Fetch(error.into()))?;
    let content = fetcher.fetch(&source).map_err(Failed::Fetch)?;
    if content.digest == pin.digest {
        Ok(content.archive)
    } else {
        Err(Failed::Changed(content.digest))
    }
}

/// A recorded source, as messages show it.
fn shown(source: &str) -> String {
    match Source::parse(source) {
        Ok(source) => source.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Brings back what is missing or damaged.
pub(super) fn run(context: &Context, args: &Args, lock: &Lock) -> Result<Exit, CommandError> {
    let mut change = PinChange { old: lock.clone(), new: lock.clone(), ..PinChange::default() };
    let mut fetched = Vec::new();
    let mut all_failed = Vec::new();
    let options = options(args);
    let bar = context.progress("fetching, KiB");
    let progress = |bytes: u64| bar.set(usize::try_from(bytes >> 10).unwrap_or(usize::MAX));
    let fetcher = fetcher(context, &options, &progress);
    for (name, pin) in &lock.pins {
        let is_here = inputs::content(&context.disk, &context.project, pin.digest).is_ok();
        if is_here || change.contents.contains_key(&pin.digest) {
            continue;
        }
        context.note(&format!("{name}: fetching {}", shown(&pin.source)));
        match bring(&fetcher, pin) {
            Ok(content) => {
                change.contents.insert(pin.digest, content);
                fetched.push((name, pin));
            }
            Err(failed) => all_failed.push((name, pin, failed)),
        }
    }
    // another pin of the same content may have given it
    all_failed.retain(|(_, pin, _)| !change.contents.contains_key(&pin.digest));
    let mut faults = Faults::default();
    for (name, pin, failed) in &all_failed {
        match failed {
            Failed::Fetch(error) => faults.push(name, error),
            Failed::Changed(found) => {
                let (source, wanted) = (shown(&pin.source), pin.digest);
                faults.refuse(format!("`{name}`: {source} is now {found}, but {wanted} is pinned"));
                faults.hint(format!(
                    "the source was changed: get {} from another clone, or look at what is new and \
                     say `meshgen lock --update {name}`",
                    pin.path()
                ));
            }
        }
    }
    bar.finish();
    faults.finish()?;
    change::write(context, &change)?;
    if context.json() {
        let rows = fetched.iter().map(|(name, pin)| json!({ "name": name, "digest": pin.digest }));
        context.print_json(&json!({ "fetched": rows.collect::<Vec<_>>() }));
        return Ok(Exit::Done);
    }
    for (name, pin) in &fetched {
        context.note(&format!("{name}: content brought back\n  {}", pin.digest));
    }
    if fetched.is_empty() {
        context.note("nothing is missing: the content of every pin is in charts/");
    }
    Ok(Exit::Done)
}
