//! `meshgen facts import`.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::{CommandError, Context, Exit};
use crate::diag::{self, Sources};
use crate::inputs::cluster_names;
use crate::inputs::facts::{self, Change, DropReason, Dropped, Import, KNOWN, Plan};

/// More than any configuration's outputs.
const MAX_FILE: u64 = 16 << 20;

/// Take facts from Terraform's outputs, a kubeconfig or a facts file.
///
/// Reads what `terraform output -json` prints, from FILE or from standard input, and writes
/// facts/<cluster>.json for each cluster that it finds something for. An output's name says which
/// fact it holds, and the cluster's name says whose it is; all of these are understood:
///
///   c1_int_lb_nsg_id, int_lb_nsg_id_c1     one output a cluster and fact
///   int_lb_nsg_id = {c1 = …, c2 = …}       a map by cluster
///   c1 = {int_lb_nsg_id = …, …}            a map by fact
///   clusters = {c1 = {int_lb_nsg_id = …}}  both
///   int_lb_nsg_id                          with --cluster, or where the mesh has one cluster
///
/// Lists of one element, as `[*]` makes them, count as the element; null and empty values are passed
/// over. FILE can also be a facts file of meshgen's own.
///
/// Only outputs that the table below names, or that --map names, are kept. The rest is listed by
/// name and dropped: its values reach no file, no message and no log. A private key is never taken.
///
/// An import takes away the mark `example` of a cluster's facts, and every example value that it does
/// not replace. Facts that were imported earlier stay. Nothing is written unless everything that was
/// given is understood; each file is replaced in one instant.
///
/// --kubeconfig is for clusters without Terraform, and for what Terraform does not say: it gives the
/// server and the CA of each --context, never credentials. Where both give a fact, Terraform's is
/// taken; --server goes before both.
#[expect(clippy::doc_markdown, reason = "the text of --help, which shows no backticks")]
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = tables())]
pub struct Args {
    /// What `terraform output -json` prints, or a facts file; `-` or nothing: standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Whose facts these are, where their names do not say it; other clusters' are left out.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,

    /// The output that holds a fact, for other modules: `server=api_url`, `server=api.private`.
    /// Can be repeated; the first that has a value is taken.
    #[arg(long = "map", value_name = "FACT=OUTPUT", value_parser = pair)]
    maps: Vec<(String, String)>,

    /// The address by which peers reach a cluster's API server: `c1=https://10.1.0.5:6443`. Can be
    /// repeated.
    #[arg(long = "server", value_name = "CLUSTER=URL", value_parser = pair)]
    servers: Vec<(String, String)>,

    /// The kubeconfig that holds the contexts.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of a cluster in the kubeconfig: `c1=admin@c1`. Can be repeated.
    #[arg(long = "context", value_name = "CLUSTER=CONTEXT", value_parser = pair, requires = "kubeconfig")]
    contexts: Vec<(String, String)>,

    /// Write nothing; print what would change.
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  terraform output -json | meshgen facts import
  meshgen facts import outputs.json --dry-run
  meshgen facts import eks.json --cluster c3 --map server=api_url --map other.vpc=vpc_id
  meshgen facts import --kubeconfig ~/.kube/config --context c4=kind-c4 --server c4=https://172.18.0.2:6443

Exit codes: 0; 2 if something is not understood, and then nothing was written; 3 if some of the files
could be written and others not.";

/// The facts, and the outputs that hold them.
fn tables() -> String {
    let mut text = "Facts, and the outputs that hold them, the best first:\n".to_owned();
    for known in KNOWN {
        let _ = writeln!(text, "  {}\n      {}", known.name, known.meaning);
        for output in known.outputs {
            let _ = writeln!(text, "        {output}");
        }
    }
    text.push_str("  other.NAME\n      facts of your own, for annotations; only by --map\n\n");
    text.push_str(EXAMPLES);
    text
}

pub(in crate::cli::commands) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("it has the form NAME=VALUE".to_owned()),
    }
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let clusters = cluster_names(&context.disk, &context.project)
        .map_err(|(diagnostics, sources)| CommandError::invalid(diagnostics, sources))?;
    let mut import = Import::new(&clusters, args.cluster.as_deref(), &args.maps);
    if let Some((name, text)) = outputs(context, args)? {
        import.file(&name, &text);
    } else if !args.maps.is_empty() {
        return Err(CommandError::refused(
            "`--map` says which outputs to take, but there are none",
        )
        .hint("give FILE, or `-` for standard input"));
    }
    if let (Some(path), false) = (&args.kubeconfig, args.contexts.is_empty()) {
        let text = context.text_of(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let read = |file: &str| {
            let read = context.disk.read_limited(&folder.join(file), MAX_FILE);
            read.map_err(|error| error.to_string())
        };
        import.kubeconfig(&path.display().to_string(), &text, &args.contexts, &read);
    }
    for (cluster, url) in &args.servers {
        import.server(cluster, url);
    }
    let plan = import
        .plan(&context.disk, &context.project)
        .map_err(|problems| CommandError::invalid(problems, Sources::new()))?;
    if args.dry_run {
        report(context, &plan, true);
        return Ok(Exit::Done);
    }
    match facts::write(&context.disk, &context.project, &plan.changes) {
        Ok(_) => {
            report(context, &plan, false);
            Ok(Exit::Done)
        }
        Err((written, error)) if written.is_empty() => Err(error.into()),
        Err((written, error)) => Err(CommandError::partial(error.to_string())
            .hint(format!("written were: {}; run it again for the rest", written.join(", ")))),
    }
}

/// The outputs and what to call them in messages, unless none were given.
fn outputs(context: &Context, args: &Args) -> Result<Option<(String, String)>, CommandError> {
    let stdin = Path::new("-");
    match args.file.as_deref() {
        Some(path) if path != stdin => {
            return Ok(Some((path.display().to_string(), context.text_of(path)?)));
        }
        None if !args.servers.is_empty() || !args.contexts.is_empty() => return Ok(None),
        None if args.kubeconfig.is_some() => {
            return Err(CommandError::refused(
                "`--kubeconfig` needs to know whose context is whose",
            )
            .hint("say it with `--context CLUSTER=CONTEXT`"));
        }
        None if std::io::stdin().is_terminal() => {
            return Err(CommandError::refused("there is nothing to import")
                .hint("terraform output -json | meshgen facts import"));
        }
        _ => {}
    }
    Ok(Some(("standard input".to_owned(), context.text_of(stdin)?)))
}

fn report(context: &Context, plan: &Plan, dry_run: bool) {
    if context.json() {
        context.print_json(&as_json(plan, dry_run));
        return;
    }
    context.report(&plan.warnings, &Sources::new());
    let mut text = String::new();
    if plan.changes.is_empty() {
        text.push_str("no facts were found\n");
    }
    for change in &plan.changes {
        describe(&mut text, change, dry_run);
    }
    describe_dropped(&mut text, &plan.dropped);
    if dry_run {
        context.print(&text);
    } else {
        context.note(text.trim_end());
    }
}

fn describe(text: &mut String, change: &Change, dry_run: bool) {
    let verb = match (change.differs, dry_run) {
        (false, _) => "no change",
        (true, true) => "would change",
        (true, false) => "written",
    };
    let _ = writeln!(text, "{}: {verb}", change.path);
    if change.was_malformed {
        text.push_str("  ! the file that was there is no facts file; nothing of it stays\n");
    }
    for fact in &change.facts {
        let (name, new, from) = (&fact.name, &fact.new, &fact.from);
        let _ = match &fact.old {
            None => writeln!(text, "  + {name}: {new}  (from {from})"),
            Some(old) if fact.differs => {
                writeln!(text, "  ~ {name}: {old} -> {new}  (from {from})")
            }
            Some(_) => writeln!(text, "  = {name}  (from {from})"),
        };
    }
    for name in &change.dropped_examples {
        let _ = writeln!(text, "  - {name}: an example value, dropped");
    }
}

fn describe_dropped(text: &mut String, dropped: &[Dropped]) {
    use DropReason::{NoCluster, NoFact, NoValue, OtherCluster};
    for reason in [NoFact, NoCluster, OtherCluster, NoValue] {
        let names: Vec<String> = dropped
            .iter()
            .filter(|dropped| dropped.reason == reason)
            .map(|dropped| {
                let mark = if dropped.sensitive { " (sensitive)" } else { "" };
                format!("{}{mark}", dropped.name)
            })
            .collect();
        if !names.is_empty() {
            let _ = writeln!(text, "dropped ({}): {}", reason.as_str(), names.join(", "));
        }
    }
    if dropped.iter().any(|dropped| dropped.reason == NoFact) {
        text.push_str("`--map FACT=OUTPUT` takes a fact from an output of another name\n");
    }
}

fn as_json(plan: &Plan, dry_run: bool) -> Value {
    let changes = plan.changes.iter().map(|change| {
        let facts = change.facts.iter().map(|fact| {
            json!({
                "name": fact.name, "from": fact.from, "differs": fact.differs,
                "old": fact.old, "new": fact.new,
            })
        });
        json!({
            "cluster": change.cluster, "file": change.path, "differs": change.differs,
            "facts": facts.collect::<Vec<_>>(), "droppedExamples": change.dropped_examples,
        })
    });
    let dropped = plan.dropped.iter().map(|dropped| {
        json!({
            "output": dropped.name, "reason": dropped.reason.as_str(),
            "sensitive": dropped.sensitive,
        })
    });
    json!({
        "dryRun": dry_run,
        "clusters": changes.collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "warnings": diag::to_json(&plan.warnings, &Sources::new()),
    })
}
