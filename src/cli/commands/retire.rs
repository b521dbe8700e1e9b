//! `meshgen retire`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::cluster::outcome::{conclude, consented, tell};
use super::cluster::preflight::preflight;
use super::cluster::session::{self, ConnectArgs, Look, Request};
use super::cluster::{ask, rotation, who};
use crate::cli::commands::bundle::Reading;
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::rotation::{Found, Rotation, rotate};
use crate::cluster::{
    Allowed, Board, Mesh, Options, Order, Outcome, Report, Run, Selection, Stop, Survey, is_idle,
    run as run_all,
};
use crate::store::{Digest, Store};
use crate::tree::source::{Source, resolve};
use crate::tree::view;

/// Take a cluster out of the mesh: its remote secret leaves every peer, then all that is meshgen's
/// leaves the cluster.
///
/// A cluster that is in the tree no more is not touched by apply, and its peers keep reading it, until
/// it is retired. One that is still in the tree is uninstalled; the next apply would install it again.
/// Namespaces, CRDs and objects with `meshgen.dev/keep` stay, unless `--prune` names them.
///
/// It had tokens of all its peers, which go on working for who copied them, until they are made anew:
/// `--rotate-tokens`, or `meshgen pki rotate-tokens` later.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The cluster.
    #[arg(value_name = "CLUSTER")]
    cluster: String,

    /// The cluster is gone: its remote secret leaves the peers, and nobody asks the cluster.
    #[arg(long)]
    gone: bool,

    /// Then make the tokens anew that it had: those of all clusters that remain.
    #[arg(long)]
    rotate_tokens: bool,

    /// With `--rotate-tokens`: do not ask istiods, but wait so long after each change: `60s`, `5m`.
    #[arg(long, value_name = "TIME", value_parser = session::duration, requires = "rotate_tokens")]
    allow_unseen: Option<Duration>,

    /// Do it without asking.
    #[arg(long)]
    yes: bool,

    /// Delete this object too although it is a Namespace, a CRD, or marked to be kept. Can be repeated.
    #[arg(long = "prune", value_name = "KIND/NS/NAME", value_parser = super::plan::doomed)]
    prune: Vec<String>,

    /// The most that one wait may take: `90s`, `5m`.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = session::duration)]
    timeout: Duration,

    #[command(flatten)]
    connect: ConnectArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen retire c3                           its remote secret leaves the peers, then its objects go
  meshgen retire c3 --gone                    the cluster itself is not there any more
  meshgen retire c3 --gone --rotate-tokens    and who has a copy of its Secrets reads nothing any more";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, None, Reading::default())?;
    let name = &args.cluster;
    if !args.connect.only().is_empty() {
        return Err(CommandError::refused("every peer drops the remote secret of who retires")
            .hint("leave `--only` out; `--gone` leaves the cluster itself alone"));
    }
    let in_tree = source.index.clusters.iter().any(|row| row.name == *name);
    let past = if in_tree || args.gone { None } else { Some(last_with(context, args, &source)?) };
    session::block_on(async {
        let stop = Stop::default();
        let options = Options {
            prune: Selection::new(&args.prune),
            retired: vec![name.clone()],
            ..Options::default()
        };
        let request = |source| Request {
            source,
            connect: &args.connect,
            options: options.clone(),
            allowed: Allowed::default(),
            stop: stop.clone(),
        };
        let (mesh, mut missing) = session::open_as(context, request(&source), &[]).await?;
        let mut mesh = Arc::into_inner(mesh).ok_or_else(|| CommandError::refused("busy"))?;
        match &past {
            Some(Past::Tree(past)) => {
                let (old, more) =
                    session::open_as(context, request(past), std::slice::from_ref(name)).await?;
                missing.extend(more);
                let old = Arc::into_inner(old).map(|old| old.members).unwrap_or_default();
                mesh.members.extend(old.into_iter().map(|mut member| {
                    // nothing is wanted of it any more
                    member.wanted = Arc::default();
                    member
                }));
            }
            Some(Past::Context(kube_context)) => {
                match session::stranger(&request(&source), name, kube_context).await {
                    Ok(member) => mesh.members.push(member),
                    Err(one) => missing.push(one),
                }
            }
            None => {}
        }
        if args.gone {
            mesh.members.retain(|member| member.name != *name);
            missing.retain(|one| one.name != *name);
        }
        let look = Look::at(Arc::new(mesh), missing).await;
        let Look { mesh, survey, .. } = &look;
        if context.output == Format::Text {
            look.shown(&source, true).note(context)?;
        }
        preflight(&look).await?;
        let idle = survey.iter().flatten().all(is_idle);
        if idle {
            context.note(&format!("nothing of `{name}` is left"));
        }
        // what stands against it is known before anything goes
        let tokens =
            if args.rotate_tokens { Some(tokens(context, args, mesh, idle).await?) } else { None };
        if idle && tokens.is_none() {
            return Ok(Exit::Done);
        }
        let mut questions = if idle { Vec::new() } else { vec![question(mesh, survey, name)] };
        questions.extend(tokens.as_ref().map(|(_, found)| rotation::question(found)));
        ask::consent(context, args.yes, &questions)?;
        session::on_interrupt(&stop);
        let mut reports =
            if idle { Vec::new() } else { leave(context, args, &look, source.digest).await };
        let done = reports.iter().all(|r| matches!(r.outcome, Outcome::Done | Outcome::Unchanged));
        if let Some((rotation, found)) = &tokens
            && done
        {
            let rotated = rotate(rotation, found).await;
            reports = both(reports, rotated);
        }
        let flags = [(args.gone, " --gone"), (args.rotate_tokens, " --rotate-tokens")];
        let flag: String = flags.iter().filter(|(set, _)| *set).map(|(_, text)| *text).collect();
        let exit = conclude(context, &reports, &source, &format!("meshgen retire {name}{flag}"));
        let peers = peers(mesh, name);
        if done && tokens.is_none() && !peers.is_empty() {
            context.note(&format!(
                "`{name}` had tokens of {}, which go on working for who copied them",
                peers.join(", ")
            ));
            context.note("hint: `meshgen pki rotate-tokens` makes them anew");
        }
        Ok(exit)
    })
}

/// The clusters that remain.
fn peers(mesh: &Mesh, name: &str) -> Vec<String> {
    let members = mesh.members.iter().map(|member| member.name.clone());
    members.filter(|member| member != name).collect()
}

/// What is to be rotated when the cluster is out.
async fn tokens(
    context: &Context,
    args: &Args,
    mesh: &Arc<Mesh>,
    idle: bool,
) -> Result<(Rotation, Vec<Found>), CommandError> {
    let name = &args.cluster;
    let members = mesh.members.iter().enumerate();
    let members = members.filter(|(_, member)| member.name != *name).map(|(at, _)| at).collect();
    let rotation = Rotation {
        members,
        retired: Some(name.clone()),
        distrusts: !idle,
        ..rotation::rotation(context, mesh, args.timeout, args.allow_unseen)
    };
    let found = rotation::looked(context, &rotation, &peers(mesh, name)).await?;
    Ok((rotation, found))
}

/// Takes it out of its peers, then empties it.
async fn leave(context: &Context, args: &Args, look: &Look, tree: Digest) -> Vec<Report> {
    let Look { mesh, survey, .. } = look;
    let name = &args.cluster;
    let told = context.clone();
    let run = Run {
        tree,
        me: who::me(),
        timeout: args.timeout,
        tell: Arc::new(move |event| tell(&told, &event)),
        board: Board::default(),
        permits: Arc::new(Semaphore::new(8)),
        expected: None,
        consented: consented(mesh, survey),
        mesh: mesh.clone(),
    };
    // the peers first: none may be left that reads what is going
    let order = Order::Waves(vec![peers(mesh, name), vec![name.clone()]]);
    run_all(Arc::new(run), survey, &order).await
}

/// One report a cluster: what became of its token is the end of it.
fn both(mut reports: Vec<Report>, rotated: Vec<Report>) -> Vec<Report> {
    for last in rotated {
        match reports.iter_mut().find(|report| report.cluster == last.cluster) {
            Some(report) => {
                report.done += last.done;
                report.outcome = last.outcome;
            }
            None => reports.push(last),
        }
    }
    reports
}

fn question(mesh: &Mesh, survey: &Survey, name: &str) -> String {
    let counts: BTreeMap<&str, usize> = mesh
        .members
        .iter()
        .zip(survey)
        .filter_map(|(member, surveyed)| {
            Some((member.name.as_str(), surveyed.as_ref().ok()?.plan.of("prune").count()))
        })
        .collect();
    let own = counts.get(name).copied().unwrap_or_default();
    let peers: usize = counts.iter().filter(|(of, _)| **of != name).map(|(_, count)| count).sum();
    format!("delete {peers} remote secrets of `{name}` at its peers and {own} objects in `{name}`")
}

/// Where a cluster that is in the tree no more is known from.
enum Past {
    /// The last tree of this project that has it.
    Tree(Box<Source>),
    /// A context that was named. The cluster's own inventory says who it is.
    Context(String),
}

fn last_with(context: &Context, args: &Args, view: &Source) -> Result<Past, CommandError> {
    let name = &args.cluster;
    let store = Store::open(&context.disk, &view::store_folder(&context.project.join("out")))?;
    for generation in store.generations()?.generations.iter().rev() {
        let text = format!("gen:{}", generation.number);
        let Ok(source) = resolve(&context.disk, &context.project, Some(&text)) else { continue };
        if source.index.mesh == view.index.mesh
            && source.index.clusters.iter().any(|row| row.name == *name)
        {
            return Ok(Past::Tree(Box::new(source)));
        }
    }
    match args.connect.context(name) {
        Some(context) => Ok(Past::Context(context.to_owned())),
        None => {
            Err(CommandError::refused(format!("no tree that is known here has a cluster `{name}`"))
                .hint(format!(
                    "`--context {name}=CONTEXT` says where it is; `--gone` leaves it alone"
                )))
        }
    }
}
