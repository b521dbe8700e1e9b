//! `meshgen verify`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::bundle::TrustArgs;
use super::cluster::ask;
use super::cluster::outcome::tell;
use super::cluster::session::{self, Request, Unconnected, WayArgs};
use super::cluster::who;
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::Mesh;
use crate::diff::MARKDOWN_LIMIT;
use crate::spec::closest;
use crate::tree::source::Source;
use crate::tree::view::store_folder;
use crate::verify::write::{to_json, to_junit, to_markdown, to_text, verdict};
use crate::verify::{CHECKS, GROUPS, Lost, Report, Status, View, Wish, fresh, judge, look};

/// Prove that the mesh is one mesh.
///
/// Looks at every cluster of the tree, and gives a verdict on numbered checks in seven groups: what is
/// configured is what was reviewed; load balancers have addresses that answer; there is one root of
/// trust, in use; istiods serve; each knows all clusters and gateways; the sample is ready; requests from
/// every cluster reach every version, as often as chance has it. When it says no, it says which hop
/// fails, by looking. `meshgen explain CHECK` tells a check's story.
///
/// Reads alone, through the Kubernetes API (exec and port-forward among it), save for the requests that
/// it sends from the sample's client pods. Connections that the clients' proxies hold may be older than
/// a fault: `--fresh` deletes the client pods first and waits for new ones; that is a write, and asks.
///
/// Exit 0 when all checks pass, 1 when one fails, 3 when something could not be looked at.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder or a bundle; what is in out/ if left
    /// out.
    tree: Option<String>,

    /// Requests of each client; else 100, or as many as it takes until chance can hide no cluster.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requests: Option<u32>,

    /// Replace the sample's client pods first, so that no connection is old. Needs a yes.
    #[arg(long)]
    fresh: bool,

    /// Go on looking until all checks pass, for so long: 90s, 5m.
    #[arg(long, value_name = "DURATION", value_parser = session::duration)]
    wait: Option<Duration>,

    /// Only these checks or groups. Can be repeated, or separated by commas.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    only: Vec<String>,

    /// Not these checks or groups. Can be repeated, or separated by commas.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    skip: Vec<String>,

    /// Only these clusters. Can be repeated, or separated by commas.
    #[arg(long = "cluster", value_name = "CLUSTER", value_delimiter = ',')]
    clusters: Vec<String>,

    /// Do not ask.
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    way: WayArgs,

    #[command(flatten)]
    trust: TrustArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen verify                               all checks, 100 requests from each cluster
  meshgen verify --wait 5m                     after an apply: until it is well, or five minutes
  meshgen verify --fresh --yes                 with new client pods: no connection outlives a fault
  meshgen verify --skip traffic                what can be seen without sending anything
  meshgen verify --only discovery --cluster c1
  meshgen verify -o junit > verify.xml         for a CI server; -o markdown for a pull request
  meshgen explain discovery.clusters           what a check proves, and why

The last full verification is kept in out/store/verification.json, where `meshgen report` finds it.";

/// How long new client pods may take.
const RENEWAL: Duration = Duration::from_secs(180);
/// The pause between two looks with `--wait`.
const PAUSE: Duration = Duration::from_secs(3);

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if context.output == Format::Html {
        return Err(CommandError::refused("`verify` has no such form")
            .hint("`meshgen report` makes a page of the last verification"));
    }
    let checks = wished(&args.only, &args.skip)?;
    let wish = Wish { checks, requests: args.requests };
    let source = session::tree(context, args.tree.as_deref(), args.trust.reading())?;
    let connect = args.way.to(&args.clusters);
    session::block_on(async {
        let (mesh, missing) = session::open(context, Request::reading(&source, &connect)).await?;
        let lost: Vec<(String, Lost)> = missing.iter().map(unconnected).collect();
        let is_fresh = args.fresh && renew(context, args, &mesh).await?;
        let mut mesh = mesh;
        let begun = tokio::time::Instant::now();
        let mut said = String::new();
        let report = loop {
            let seen = look(&mesh, source.digest, &lost, &wish).await;
            mesh = at_now(mesh);
            let view = View::new(&mesh, &seen, is_fresh);
            let report = judge(&view, &wish, &source.name, &source.digest.to_string());
            let is_well = report.status() <= Status::Warning;
            let wait = args.wait.filter(|wait| !is_well && begun.elapsed() + PAUSE < *wait);
            if wait.is_none() {
                break report;
            }
            let verdict = verdict(&report);
            if verdict != said {
                context.note(&format!("waiting: {verdict}"));
                said = verdict;
            }
            tokio::time::sleep(PAUSE).await;
        };
        let is_whole = args.only.is_empty() && args.skip.is_empty() && args.clusters.is_empty();
        if is_whole {
            keep(context, &source, &report);
        }
        context.print(&match context.output {
            Format::Json => to_json(&report),
            Format::Junit => to_junit(&report),
            Format::Markdown => to_markdown(&report, MARKDOWN_LIMIT),
            Format::Text | Format::Html => to_text(&report, context.colour_out),
        });
        Ok(match report.status() {
            Status::Failed => Exit::Different,
            Status::NotLooked => Exit::Partial,
            Status::Skipped | Status::Passed | Status::Warning => Exit::Done,
        })
    })
}

/// The checks that flags name; all without any.
fn wished(only: &[String], skip: &[String]) -> Result<BTreeSet<&'static str>, CommandError> {
    let named = |word: &String| {
        let fits = |id: &str| {
            id == word || id.strip_prefix(word.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        let found: Vec<&'static str> =
            CHECKS.iter().map(|check| check.id).filter(|id| fits(id)).collect();
        if found.is_empty() {
            let ids = CHECKS.iter().map(|check| check.id);
            let known: Vec<&str> = GROUPS.iter().copied().chain(ids).collect();
            let error = CommandError::refused(format!("there is no check or group `{word}`"));
            return Err(match closest(word, &known) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!(
                    "groups are {}; `meshgen explain` lists the checks",
                    GROUPS.join(", ")
                )),
            });
        }
        Ok(found)
    };
    let all = |words: &[String]| -> Result<BTreeSet<&'static str>, CommandError> {
        let found: Result<Vec<_>, _> = words.iter().map(named).collect();
        Ok(found?.into_iter().flatten().collect())
    };
    let wanted =
        if only.is_empty() { CHECKS.iter().map(|check| check.id).collect() } else { all(only)? };
    let unwanted = all(skip)?;
    let left: BTreeSet<&'static str> = wanted.difference(&unwanted).copied().collect();
    if left.is_empty() {
        return Err(CommandError::refused("`--skip` leaves no check"));
    }
    Ok(left)
}

fn unconnected(one: &Unconnected) -> (String, Lost) {
    let lost = Lost { why: one.error.to_string(), hint: one.error.hint(), stranger: false };
    (one.name.clone(), lost)
}

/// The same mesh, later: certificates are held against the clock of each look.
fn at_now(mesh: Arc<Mesh>) -> Arc<Mesh> {
    match Arc::try_unwrap(mesh) {
        Ok(mesh) => Arc::new(Mesh { now: who::now(), ..mesh }),
        Err(shared) => shared,
    }
}

/// Whether the client pods of all clusters are new ones now.
async fn renew(context: &Context, args: &Args, mesh: &Arc<Mesh>) -> Result<bool, CommandError> {
    let names: Vec<&str> = mesh.members.iter().map(|member| member.name.as_str()).collect();
    let what = format!("delete the sample's client pods (app=sleep) in {}", names.join(", "));
    ask::consent(context, args.yes, std::slice::from_ref(&what))?;
    let told = context.clone();
    let failed = fresh(mesh, RENEWAL, &(Arc::new(move |event| tell(&told, &event)) as _)).await;
    // a client that does not come back is what the checks will say
    for (cluster, why) in &failed {
        context.note(&format!("{cluster}  its client pod was not replaced: {why}"));
    }
    Ok(failed.is_empty())
}

/// Where the last full verification is kept.
pub fn kept(context: &Context) -> PathBuf {
    store_folder(&context.project.join("out")).join("verification.json")
}

/// Keeps a report for `meshgen report`. A project that cannot be written to is no fault of the mesh.
fn keep(context: &Context, source: &Source, report: &Report) {
    let path = kept(context);
    let kept = (|| {
        // a tree from elsewhere makes no project here
        if !context.disk.is_folder(&context.project.join("out"))? {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            context.disk.create_dir_all(folder)?;
        }
        context.disk.replace(&path, to_json(report).as_bytes())
    })();
    if let Err(error) = kept {
        context.detail(&format!("the verification of {} is not kept: {error}", source.name));
    }
}
