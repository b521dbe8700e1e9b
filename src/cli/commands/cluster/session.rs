//! From a tree and a kubeconfig to the clusters of a run.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::bundle::Reading;
use super::super::facts::pair;
use super::super::pki::IdentityArgs;
use super::show::Shown;
use super::who;
use crate::cli::tree::resolve;
use crate::cli::{CommandError, Context};
use crate::cluster::{
    Allowed, Claim, ConnectError, Expected, Files, Key, Kinds, Member, Mesh, Options, Proxies,
    Stop, Survey, Tokens, Vault, Wanted, authority_of, connect, kubeconfig, survey,
};
use crate::pki::{Certificate, Identities};
use crate::tree::source::Source;
use crate::tree::view::{self, ViewError};

/// By which way clusters are reached, and who opens what is sealed.
#[derive(Debug, Clone, clap::Args)]
pub struct WayArgs {
    /// The kubeconfig; without it, those of KUBECONFIG, else `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of a cluster: `c1=admin@c1`. Can be repeated; else the one that the tree names.
    #[arg(long = "context", value_name = "CLUSTER=CONTEXT", value_parser = pair)]
    contexts: Vec<(String, String)>,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// Which clusters, and how they are reached.
#[derive(Debug, Clone, clap::Args)]
pub struct ConnectArgs {
    /// Only these clusters; the others count as unchanged. Can be repeated, or separated by commas.
    #[arg(long, value_name = "CLUSTER", value_delimiter = ',')]
    only: Vec<String>,

    #[command(flatten)]
    way: WayArgs,
}

impl WayArgs {
    /// This way, to these clusters alone where there are any.
    pub fn to(&self, only: &[String]) -> ConnectArgs {
        ConnectArgs { only: only.to_vec(), way: self.clone() }
    }
}

/// A time as people write it: `90s`, `5m`, `1h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: u64 = number.parse().map_err(|_| "it has the form 90s, 5m or 1h".to_owned())?;
    let seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("the unit is s, m or h".to_owned()),
    };
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

impl ConnectArgs {
    /// The context that a flag names for a cluster.
    pub fn context(&self, cluster: &str) -> Option<&str> {
        let found = self.way.contexts.iter().rev().find(|(name, _)| name == cluster);
        found.map(|(_, context)| context.as_str())
    }

    /// With the clusters and contexts of a saved plan, where flags say nothing else.
    #[must_use]
    pub fn with_plan(&self, plan: &Expected) -> Self {
        let mut with = self.clone();
        if with.only.is_empty() && !plan.left_out.is_empty() {
            with.only = plan.clusters.keys().cloned().collect();
        }
        for (name, cluster) in &plan.clusters {
            if with.context(name).is_none() {
                with.way.contexts.push((name.clone(), cluster.context.clone()));
            }
        }
        with
    }

    /// Whether a cluster is part of the run.
    pub fn is_meant(&self, cluster: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == cluster)
    }

    /// The names given to `--only`.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    fn check_names(&self, known: &[String]) -> Result<(), CommandError> {
        let named = self.only.iter().chain(self.way.contexts.iter().map(|(name, _)| name));
        for name in named {
            if !known.contains(name) {
                return Err(CommandError::refused(format!("the tree has no cluster `{name}`"))
                    .hint(format!("it has {}", known.join(", "))));
            }
        }
        Ok(())
    }
}

/// The tree that a command is about; refuses a view that was edited.
///
/// Of a bundle, `reading` says who must have signed it.
pub fn tree(
    context: &Context,
    text: Option<&str>,
    reading: Reading<'_>,
) -> Result<Source, CommandError> {
    let source = source(context, text, reading)?;
    if source.index.clusters.is_empty() {
        return Err(CommandError::refused(format!("{} names no cluster", source.name))
            .hint("only what `meshgen render` wrote, index.json included, can be applied"));
    }
    Ok(source)
}

fn source(
    context: &Context,
    text: Option<&str>,
    reading: Reading<'_>,
) -> Result<Source, CommandError> {
    let is_view = |text: &str| text.trim_start_matches("./").trim_end_matches('/') == "out";
    if text.is_none_or(is_view) {
        let edits = view::edits(&context.disk, &context.project.join("out"))?;
        if !edits.is_empty() {
            return Err(ViewError::Edits(edits).into());
        }
        return resolve(context, None, reading);
    }
    resolve(context, text, reading)
}

/// Runs what talks to clusters. A plugin that hangs is left behind, and not waited for.
pub fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CommandError::refused(format!("starting threads: {error}")))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// What a session is opened for.
pub struct Request<'a> {
    /// The tree.
    pub source: &'a Source,
    /// How clusters are reached.
    pub connect: &'a ConnectArgs,
    /// What was allowed for objects.
    pub options: Options,
    /// What was allowed for clusters.
    pub allowed: Allowed,
    /// What ends it.
    pub stop: Stop,
}

impl<'a> Request<'a> {
    /// Only looks: nothing is allowed, and nothing ends it.
    pub fn reading(source: &'a Source, connect: &'a ConnectArgs) -> Self {
        Self {
            source,
            connect,
            options: Options::default(),
            allowed: Allowed::default(),
            stop: Stop::default(),
        }
    }
}

/// What is known of the clusters of a tree.
pub struct Look {
    /// The clusters that were connected to.
    pub mesh: Arc<Mesh>,
    /// The others.
    pub missing: Vec<Unconnected>,
    /// What is in them, and what would be done.
    pub survey: Survey,
}

/// Connects to the clusters of a tree and looks at them.
pub async fn look(context: &Context, request: Request<'_>) -> Result<Look, CommandError> {
    let (mesh, missing) = open(context, request).await?;
    Ok(Look::at(mesh, missing).await)
}

impl Look {
    /// Looks at clusters that were connected to.
    pub async fn at(mesh: Arc<Mesh>, missing: Vec<Unconnected>) -> Self {
        let survey = survey(&mesh).await;
        Self { mesh, missing, survey }
    }

    /// What would be done, ready to be shown.
    pub fn shown<'a>(&'a self, source: &'a Source, brief: bool) -> Shown<'a> {
        Shown {
            mesh: &self.mesh,
            survey: &self.survey,
            missing: &self.missing,
            label: &source.name,
            digest: source.digest,
            brief,
        }
    }
}

/// Connects to all clusters of a tree; one that cannot be connected to ends the command.
pub async fn open_all(context: &Context, request: Request<'_>) -> Result<Arc<Mesh>, CommandError> {
    let (mesh, missing) = open(context, request).await?;
    match missing.into_iter().next() {
        Some(one) => Err(refused(one.error)),
        None => Ok(mesh),
    }
}

/// A cluster that could not be connected to.
pub struct Unconnected {
    /// The cluster.
    pub name: String,
    /// Why.
    pub error: ConnectError,
}

/// Connects to the clusters of a tree, one after the other, and reads what they are to hold.
pub async fn open(
    context: &Context,
    request: Request<'_>,
) -> Result<(Arc<Mesh>, Vec<Unconnected>), CommandError> {
    let clusters: Vec<String> =
        request.source.index.clusters.iter().map(|row| row.name.clone()).collect();
    request.connect.check_names(&clusters)?;
    let only = request.connect.only().to_vec();
    open_as(context, request, &only).await
}

/// As [`open`], with these clusters alone where there are any; flags may name clusters that the tree
/// does not have.
pub async fn open_as(
    context: &Context,
    request: Request<'_>,
    only: &[String],
) -> Result<(Arc<Mesh>, Vec<Unconnected>), CommandError> {
    let Request { source, connect: args, options, allowed, stop } = request;
    let clusters: Vec<String> = source.index.clusters.iter().map(|row| row.name.clone()).collect();
    let identities: Identities = args.way.identity.read(context)?;
    let config = kubeconfig(args.way.kubeconfig.as_ref()).map_err(refused)?;
    let (proxies, interactive) = (proxies(), std::io::stdin().is_terminal());
    let files = Files::default();
    let (mut members, mut missing) = (Vec::new(), Vec::new());
    let rows = source.index.clusters.iter();
    for row in rows.filter(|row| only.is_empty() || only.contains(&row.name)) {
        let wanted = Wanted::of(source, &row.name, &files)
            .map_err(|error| CommandError::refused(error.to_string()))?;
        let named = args.context(&row.name).unwrap_or(&row.context);
        let claim = claim(source, &row.name, row.uid.clone(), &wanted, &files)?;
        match connect(&config, named, &proxies, interactive, stop.of_cluster()).await {
            Ok(connection) => members.push(Member {
                name: row.name.clone(),
                network: row.network.clone(),
                context: named.to_owned(),
                claim,
                wanted: Arc::new(wanted),
                connection,
                kinds: Kinds::default(),
            }),
            Err(error) => missing.push(Unconnected { name: row.name.clone(), error }),
        }
    }
    let mesh = Mesh {
        index: source.index.clone(),
        clusters,
        members,
        vault: Vault::new(identities),
        tokens: Tokens::default(),
        options,
        allowed,
        now: who::now(),
    };
    Ok((Arc::new(mesh), missing))
}

/// A cluster that no tree says anything of.
pub async fn stranger(
    request: &Request<'_>,
    name: &str,
    context: &str,
) -> Result<Member, Unconnected> {
    let failed = |error| Unconnected { name: name.to_owned(), error };
    let config = kubeconfig(request.connect.way.kubeconfig.as_ref()).map_err(failed)?;
    let interactive = std::io::stdin().is_terminal();
    let stop = request.stop.of_cluster();
    let connection =
        connect(&config, context, &proxies(), interactive, stop).await.map_err(failed)?;
    Ok(Member {
        name: name.to_owned(),
        network: String::new(),
        context: context.to_owned(),
        claim: Claim {
            mesh: request.source.index.mesh.clone(),
            cluster: name.to_owned(),
            ..Claim::default()
        },
        wanted: Arc::default(),
        connection,
        kinds: Kinds::default(),
    })
}

/// A connection error as the end of a command.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub fn refused(error: ConnectError) -> CommandError {
    let refused = CommandError::refused(error.to_string());
    error.hint().into_iter().fold(refused, CommandError::hint)
}

/// What a tree says of a cluster's identity.
fn claim(
    source: &Source,
    cluster: &str,
    pinned: Option<String>,
    wanted: &Wanted,
    files: &Files,
) -> Result<Claim, CommandError> {
    let cacerts = Key::secret("istio-system", "cacerts");
    let text = |key: &str| {
        let desired = wanted.get(&cacerts)?;
        desired.rendered.get("stringData")?.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    let certificates =
        |key: &str| text(key).and_then(|text| Certificate::all(&text).ok()).unwrap_or_default();
    let mut all = certificates("ca-cert.pem");
    let root = certificates("root-cert.pem");
    all.extend(root.iter().cloned());
    // its remote secret is a peer's object
    let row =
        source.index.artifacts.iter().find(|row| {
            row.bindings.first().is_some_and(|binding| binding.from.cluster == cluster)
        });
    let authority = match row {
        Some(row) => {
            let value = files
                .get(source, &row.path, row.digest)
                .map_err(|error| CommandError::refused(error.to_string()))?;
            let text =
                row.bindings.first().and_then(|binding| value.pointer(&binding.field)?.as_str());
            let pem = text.and_then(authority_of).unwrap_or_default();
            Certificate::all(&pem).unwrap_or_default()
        }
        None => Vec::new(),
    };
    Ok(Claim {
        mesh: source.index.mesh.clone(),
        cluster: cluster.to_owned(),
        pinned,
        authority,
        root: root.into_iter().next(),
        certificates: all,
    })
}

#[expect(clippy::disallowed_methods, reason = "the proxy of a connection is no rendered byte")]
pub fn proxies() -> Proxies {
    let variable = |names: [&str; 2]| {
        names.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
    };
    Proxies {
        https: variable(["HTTPS_PROXY", "https_proxy"]),
        no_proxy: variable(["NO_PROXY", "no_proxy"]),
    }
}

/// Throws the switch of a run at Ctrl-C, or when the process is asked to end.
pub fn on_interrupt(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
        stop.all(crate::cluster::StopReason::Interrupted);
    });
}
