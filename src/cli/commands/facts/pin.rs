//! `meshgen facts pin`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::commands::cluster::session;
use crate::cli::{CommandError, Context, Exit};
use crate::cluster::{Kubeconfig, Stop, connect, kubeconfig, records};
use crate::diag::Sources;
use crate::inputs::clusters_and_contexts;
use crate::inputs::facts::{self, Import};
use crate::pki::Certificate;

/// Write down which clusters these are: the UID of each one's namespace kube-system.
///
/// Asks the API server of each context, and writes the answer as `uid` into facts/<cluster>.json. The
/// index takes it over at the next render, and apply refuses a context that leads to another cluster.
/// No artifact reads it.
///
/// A cluster whose facts are an example is refused, and so is a context whose CA is not the one of
/// the facts: it may be another cluster.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The clusters; all of the mesh if left out.
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<String>,

    /// The kubeconfig; without it, those of KUBECONFIG, else `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of a cluster: `c1=admin@c1`. Can be repeated; else the one of mesh.yaml.
    #[arg(long = "context", value_name = "CLUSTER=CONTEXT", value_parser = super::import::pair)]
    contexts: Vec<(String, String)>,

    /// Pin also where the CA of the context is not the one of the facts.
    #[arg(long)]
    force: bool,

    /// Write nothing; print what would change.
    #[arg(long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let all = clusters_and_contexts(&context.disk, &context.project)
        .map_err(|(diagnostics, sources)| CommandError::invalid(diagnostics, sources))?;
    for name in args.clusters.iter().chain(args.contexts.iter().map(|(name, _)| name)) {
        if !all.iter().any(|(known, _)| known.as_str() == name) {
            let known: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
            return Err(CommandError::refused(format!(
                "there is no cluster `{name}` in mesh.yaml"
            ))
            .hint(format!("there are {}", known.join(", "))));
        }
    }
    let config = kubeconfig(args.kubeconfig.as_ref()).map_err(session::refused)?;
    let mut uids: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Vec::new();
    session::block_on(async {
        let wanted = all.iter().filter(|(name, _)| {
            args.clusters.is_empty() || args.clusters.iter().any(|wanted| wanted == name.as_str())
        });
        for (name, default) in wanted {
            let name = name.as_str();
            let named = args.contexts.iter().rev().find(|(of, _)| of == name);
            let kube_context = named.map_or(default.as_str(), |(_, context)| context);
            match identity(context, args, &config, name, kube_context).await {
                Ok(uid) => {
                    uids.insert(name.to_owned(), uid);
                }
                Err(why) => problems.push(format!("{name}: {why}")),
            }
        }
        Ok(())
    })?;
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, uid) in &uids {
        if let Some(first) = seen.insert(uid, name) {
            problems.push(format!(
                "{name}: its context leads to the same cluster as that of `{first}`"
            ));
        }
    }
    if !problems.is_empty() {
        return Err(CommandError::refused(format!(
            "nothing was written\n  {}",
            problems.join("\n  ")
        )));
    }
    let names: Vec<_> = all.iter().map(|(name, _)| name.clone()).collect();
    let mut import = Import::new(&names, None, &[]);
    for (name, uid) in &uids {
        import.uid(name, uid);
    }
    let plan = import
        .plan(&context.disk, &context.project)
        .map_err(|problems| CommandError::invalid(problems, Sources::new()))?;
    if !args.dry_run {
        facts::write(&context.disk, &context.project, &plan.changes).map_err(
            |(written, error)| {
                let error = CommandError::from(error);
                if written.is_empty() {
                    error
                } else {
                    CommandError { exit: Exit::Partial, ..error }
                }
            },
        )?;
    }
    if context.json() {
        context.print_json(&json!({"dryRun": args.dry_run, "clusters": uids}));
    } else {
        for (name, uid) in &uids {
            context.print(&format!("{name}  {uid}\n"));
        }
    }
    Ok(Exit::Done)
}

async fn identity(
    context: &Context,
    args: &Args,
    config: &Kubeconfig,
    name: &str,
    kube_context: &str,
) -> Result<String, String> {
    let known = facts::of_cluster(&context.disk, &context.project, name);
    if known.as_ref().is_some_and(|facts| facts.example) {
        return Err(
            "its facts are an example: `meshgen facts import` brings real ones first".to_owned()
        );
    }
    let connection = connect(config, kube_context, &session::proxies(), true, Stop::default())
        .await
        .map_err(|error| error.to_string())?;
    let authority = known.as_ref().and_then(|facts| facts.get("certificateAuthority"));
    let authority = authority.and_then(|pem| Certificate::all(pem).ok()).unwrap_or_default();
    let trusted = &connection.authority;
    let same = authority.iter().any(|own| trusted.iter().any(|other| own.der() == other.der()));
    if !authority.is_empty() && !trusted.is_empty() && !same && !args.force {
        return Err(format!(
            "the CA of context `{kube_context}` is not the one of its facts: another cluster? `--force` pins it"
        ));
    }
    let records = records(&connection.client).await.map_err(|error| error.to_string())?;
    Ok(records.uid)
}
