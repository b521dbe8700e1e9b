//! `meshgen apply`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::bundle::TrustArgs;
use super::cluster::outcome::{conclude, consented, tell};
use super::cluster::preflight::{fit, preflight};
use super::cluster::session::{self, ConnectArgs, Look, Request};
use super::cluster::{ask, who};
use super::plan::AllowArgs;
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::{Board, Expected, Mesh, Run, Stop, Survey, is_idle, order, run as run_all};
use crate::tree::source::Source;

/// Push the differences to each cluster, stage by stage, and wait for readiness.
///
/// Applies exactly the tree: sealed values opened in memory, tokens put in, nothing rendered. What
/// is equal is not written; when nothing differs, nothing at all is. Before the first write, all
/// clusters are looked at: that each is the one that bears its name, that it trusts the same root,
/// that everything is permitted. One that is not stops the run.
///
/// First contact, pruning, recreating, adopting and changing the root need a yes: on a terminal it is
/// asked for, else `--yes` says it.
///
/// Stopped at any instant, it loses nothing: run it again, and it goes on.
///
/// Exit 0 when all is done, 2 when nothing was begun, 3 when something is left to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder, a bundle or `oci://…@sha256:…`;
    /// what is in out/ if left out.
    #[arg(conflicts_with = "plan")]
    tree: Option<String>,

    /// Carry out a plan that `meshgen plan --out` saved, if nothing has moved.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Say yes to first contact, pruning, recreating, adopting and a change of the root.
    #[arg(long)]
    yes: bool,

    /// Clusters that go first, then those of the next `--wave`, and the rest last.
    #[arg(long, value_name = "CLUSTERS")]
    wave: Vec<String>,

    /// Change a running istiod or gateway in all clusters at the same time, not one after the other.
    #[arg(long, conflicts_with = "wave")]
    parallel: bool,

    /// How many clusters at the same time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// The most that one wait may take: `90s`, `5m`.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = session::duration)]
    timeout: Duration,

    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    allow: AllowArgs,

    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let (source, expected, allow) = what(context, args)?;
    // a saved plan says which clusters, and by which contexts
    let connect = match &expected {
        Some(expected) => args.connect.with_plan(expected),
        None => args.connect.clone(),
    };
    let waves = waves(args, &source)?;
    fit(&connect, &source)?;
    if allow.changes_root() && source.index.clusters.len() > 1 && connect.only().len() != 1 {
        return Err(CommandError::refused("the root changes in one cluster at a time")
            .hint("`--change-root --only CLUSTER`"));
    }
    session::block_on(async {
        let stop = Stop::default();
        let request = Request {
            source: &source,
            connect: &connect,
            options: allow.options(),
            allowed: allow.allowed(),
            stop: stop.clone(),
        };
        let look = session::look(context, request).await?;
        let Look { mesh, missing, survey } = &look;
        if let Some(expected) = &expected {
            unmoved(mesh, survey, expected)?;
        }
        let idle = survey.iter().all(|surveyed| surveyed.as_ref().is_ok_and(is_idle));
        if context.output == Format::Text && !(idle && missing.is_empty()) {
            look.shown(&source, true).note(context)?;
        }
        preflight(&look).await?;
        if !idle {
            ask::consent(context, args.yes, &consents(mesh, survey, allow.changes_root()))?;
        }
        let told = context.clone();
        let plan = Run {
            tree: source.digest,
            me: who::me(),
            timeout: args.timeout,
            tell: Arc::new(move |event| tell(&told, &event)),
            board: Board::default(),
            permits: Arc::new(Semaphore::new(usize::from(args.concurrency))),
            expected,
            consented: consented(mesh, survey),
            mesh: mesh.clone(),
        };
        let names: Vec<String> = mesh.members.iter().map(|member| member.name.clone()).collect();
        let order = order(&waves, args.parallel, &names, survey);
        // from here on an interrupted run ends what it has begun
        session::on_interrupt(&stop);
        let reports = run_all(Arc::new(plan), survey, &order).await;
        for member in &mesh.members {
            let requests = member.client().requests();
            context.detail(&format!("{}  {requests} requests", member.name));
        }
        Ok(conclude(context, &reports, &source, "meshgen apply"))
    })
}

/// More than any plan.
const MAX_PLAN: u64 = 64 << 20;

/// The tree, and what a saved plan expects and allows.
fn what(
    context: &Context,
    args: &Args,
) -> Result<(Source, Option<Expected>, AllowArgs), CommandError> {
    let Some(path) = &args.plan else {
        return Ok((
            session::tree(context, args.tree.as_deref(), args.trust.reading())?,
            None,
            args.allow.clone(),
        ));
    };
    let shown = path.display();
    let bytes = context.disk.read_limited(path, MAX_PLAN)?;
    let expected = Expected::parse(&bytes)
        .map_err(|why| CommandError::refused(format!("`{shown}` is no plan: {why}")))?;
    if !args.allow.to_words().is_empty() {
        let message = "`--plan` carries out what was planned, with what was allowed then";
        return Err(CommandError::refused(message)
            .hint("make another plan: `meshgen plan --out FILE` with these flags"));
    }
    let allow = AllowArgs::from_words(&expected.allowed).ok_or_else(|| {
        CommandError::refused(format!("`{shown}` allows what this meshgen does not know"))
    })?;
    let tree = expected.tree.to_string();
    let source = crate::tree::source::resolve(&context.disk, &context.project, Some(&tree))?;
    if source.index.mesh != expected.mesh {
        return Err(CommandError::refused(format!(
            "`{shown}` is a plan of mesh `{}`",
            expected.mesh
        )));
    }
    Ok((source, Some(expected), allow))
}

fn waves(args: &Args, source: &Source) -> Result<Vec<Vec<String>>, CommandError> {
    let known: Vec<&str> = source.index.clusters.iter().map(|row| row.name.as_str()).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut waves = Vec::new();
    for wave in &args.wave {
        let names: Vec<String> = wave.split(',').map(|name| name.trim().to_owned()).collect();
        for name in &names {
            if !known.contains(&name.as_str()) {
                return Err(CommandError::refused(format!(
                    "`--wave`: the tree has no cluster `{name}`"
                ))
                .hint(format!("it has {}", known.join(", "))));
            }
            if seen.contains(name) {
                return Err(CommandError::refused(format!("`--wave` names `{name}` twice")));
            }
            seen.push(name.clone());
        }
        waves.push(names);
    }
    Ok(waves)
}

/// Refuses a saved plan of which something moved, naming the objects.
fn unmoved(mesh: &Mesh, survey: &Survey, expected: &Expected) -> Result<(), CommandError> {
    let mut moved = Vec::new();
    for (member, surveyed) in mesh.members.iter().zip(survey) {
        if let Ok(surveyed) = surveyed
            && let Err(why) = expected.check(&member.name, surveyed)
        {
            moved.push(format!("{}: {why}", member.name));
        }
    }
    let present = mesh.present();
    for name in expected.clusters.keys().filter(|name| !present.contains(*name)) {
        moved.push(format!("{name}: it is in the plan, but not in this run"));
    }
    if moved.is_empty() {
        return Ok(());
    }
    Err(CommandError::refused(format!("the plan does not hold any more\n  {}", moved.join("\n  ")))
        .hint("make it anew: `meshgen plan --out FILE`"))
}

/// What needs a yes.
fn consents(mesh: &Mesh, survey: &Survey, root: bool) -> Vec<String> {
    let mut all = Vec::new();
    for (member, surveyed) in mesh.members.iter().zip(survey) {
        let Ok(surveyed) = surveyed else { continue };
        let name = &member.name;
        if is_idle(surveyed) {
            continue;
        }
        if surveyed.records.inventory.is_none() {
            all.push(format!("first contact with `{name}` (context `{}`)", member.context));
        }
        for word in ["prune", "recreate", "adopt"] {
            let keys: Vec<String> =
                surveyed.plan.of(word).map(|step| step.key.to_string()).collect();
            if !keys.is_empty() {
                let more = if keys.len() > 5 { ", …" } else { "" };
                let list = keys.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
                all.push(format!("{word} {} objects in `{name}` ({list}{more})", keys.len()));
            }
        }
        if root {
            all.push(format!("another root of trust in `{name}`"));
        }
    }
    all
}
