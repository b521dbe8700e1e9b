//! `meshgen diff`.

use super::bundle::TrustArgs;
use super::cluster::session::{self, ConnectArgs, Look, Request};
use crate::cli::{CommandError, Context, Exit, Format, tree};
use crate::diff::{
    Changes, MARKDOWN_LIMIT, Side, TextOptions, diff, to_html, to_json, to_markdown, to_text,
};
use crate::store::Store;
use crate::tree::source::{Source, SourceError, resolve};
use crate::tree::view::{self, ViewError};

/// Compare two trees object by object: what differs, and what follows from it.
///
/// A tree is `gen:N`, `sha256:PREFIX`, `git:REV`, a folder, a bundle or `oci://…@sha256:…`. With
/// one, it is compared with what is in out/; with none, the last commit (`git:HEAD`) is, and where
/// there is no git, the last generation.
///
/// Objects are compared by field, lists by what identifies their items, so that another order is no
/// change. A change that is the same in many clusters is told once. First comes what follows:
/// which workloads restart, what must be recreated, what allows more than before. Certificates are
/// shown as subject, issuer, serial, expiry and key; no other value of a Secret is ever shown.
///
/// `-o markdown` fits into a comment on a pull request (65536 characters) and says what it left
/// out; `-o html` is one page that needs no network; `-o json` is described in docs/diff-json.md.
///
/// Exit 0 when nothing differs, 1 when something does, 2 when a tree cannot be read, or when a file
/// under out/ was edited by hand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree to start from.
    old: Option<String>,
    /// The tree to compare it with; what is in out/ if left out.
    new: Option<String>,

    /// Compare the clusters with OLD, or with what is in out/: what apply would change.
    #[arg(long, conflicts_with = "new")]
    live: bool,

    /// The summary, and one line a change (text only).
    #[arg(long, env = "MESHGEN_BRIEF")]
    brief: bool,

    /// The most bytes that the Markdown may take.
    #[arg(
        long,
        value_name = "BYTES",
        env = "MESHGEN_MAX_SIZE",
        default_value_t = MARKDOWN_LIMIT as u64,
        value_parser = clap::value_parser!(u64).range(1000..)
    )]
    max_size: u64,

    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if args.live {
        return live(context, args);
    }
    let tree = |text: Option<&str>| tree::resolve(context, text, args.trust.reading());
    if [args.old.as_deref(), args.new.as_deref().or(Some("out"))].iter().any(|text| is_view(*text))
    {
        refuse_edits(context)?;
    }
    let new = tree(args.new.as_deref())?;
    let old = match args.old.as_deref() {
        Some(text) => Side::from(tree(Some(text))?),
        None => before(context, &new)?,
    };
    let changes = diff(&old, &Side::from(new))?;
    context.print(&write(context, args, &changes));
    Ok(if changes.is_empty() { Exit::Done } else { Exit::Different })
}

/// Compares the clusters with a tree: fields that meshgen owns, or would.
fn live(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, args.old.as_deref(), args.trust.reading())?;
    session::block_on(async {
        let request = Request::reading(&source, &args.connect);
        let look = session::look(context, request).await?;
        let changes = look.shown(&source, args.brief).changes()?;
        let Look { mesh, missing, survey } = &look;
        context.print(&write(context, args, &changes));
        let mut unseen: Vec<String> =
            missing.iter().map(|one| format!("{}: {}", one.name, one.error)).collect();
        for (member, surveyed) in mesh.members.iter().zip(survey) {
            match surveyed {
                Err(why) => unseen.push(format!("{}: {why}", member.name)),
                Ok(surveyed) => {
                    unseen.extend(surveyed.plan.unreadable.iter().map(|(key, why)| {
                        format!("{}: {key} could not be read: {why}", member.name)
                    }));
                }
            }
        }
        for line in &unseen {
            context.note(line);
        }
        if !unseen.is_empty() {
            return Ok(Exit::Partial);
        }
        Ok(if changes.is_empty() { Exit::Done } else { Exit::Different })
    })
}

fn is_view(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.trim_start_matches("./").trim_end_matches('/') == "out")
}

/// What the index of out/ does not say was never rendered: no tree, and nothing to compare.
fn refuse_edits(context: &Context) -> Result<(), CommandError> {
    let edits = view::edits(&context.disk, &context.project.join("out"))?;
    if edits.is_empty() { Ok(()) } else { Err(ViewError::Edits(edits).into()) }
}

fn write(context: &Context, args: &Args, changes: &Changes) -> String {
    match context.output {
        // `junit` was refused before (cli/mod.rs)
        Format::Text | Format::Junit => {
            to_text(changes, TextOptions { colour: context.colour_out, brief: args.brief })
        }
        Format::Markdown => {
            to_markdown(changes, usize::try_from(args.max_size).unwrap_or(usize::MAX))
        }
        Format::Json => to_json(changes),
        Format::Html => to_html(changes),
    }
}

/// What the view is compared with if nobody says: the last commit, else the last generation.
fn before(context: &Context, new: &Source) -> Result<Side<'static>, CommandError> {
    let head = "git:HEAD";
    let error = match resolve(&context.disk, &context.project, Some(head)) {
        Ok(source) => return Ok(source.into()),
        // a repository in which nothing rendered was committed yet: all of it is new
        Err(SourceError::NoIndex(_)) => {
            context.note(&format!("{head} has no out/index.json: everything is new"));
            return Ok(Side::nothing(head, &new.index.mesh));
        }
        Err(error @ SourceError::Git(_)) => error,
        Err(error) => return Err(error.into()),
    };
    let store = Store::open(&context.disk, &view::store_folder(&context.project.join("out")))?;
    let generation = store.generations()?.current().map(|generation| generation.number);
    let Some(number) = generation else {
        return Err(CommandError::from(error).hint(
            "there is no generation to compare with either; name a tree: `meshgen diff TREE`",
        ));
    };
    context.note(&format!("there is no `{head}` ({error}): comparing with generation {number}"));
    let text = format!("gen:{number}");
    Ok(resolve(&context.disk, &context.project, Some(&text))?.into())
}
