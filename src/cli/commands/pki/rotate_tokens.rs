//! `meshgen pki rotate-tokens`.

use std::time::Duration;

use crate::cli::commands::bundle::Reading;
use crate::cli::commands::cluster::outcome::conclude;
use crate::cli::commands::cluster::session::{self, ConnectArgs, Request};
use crate::cli::commands::cluster::{ask, rotation};
use crate::cli::{CommandError, Context, Exit};
use crate::cluster::Stop;
use crate::cluster::rotation::rotate;

/// Make the tokens anew by which peers read a cluster, without a moment in which a peer has none.
///
/// A remote secret holds a token of the cluster's reader account. It has no end: a person who copied
/// it, or a cluster that left the mesh, reads the cluster until the account is made anew: a Secret
/// alone that is made anew gets the same token again where the server signs with RSA. Here a second
/// account with the same bindings and a Secret is made, its token goes to all peers; when every istiod
/// of every peer has taken it, the account and the tree's own Secret are deleted and made anew, their
/// token goes to all peers; when every istiod has taken that, the second account, its bindings and its
/// Secret are deleted. Files do not change. An account that the tree does not have (that of another's
/// control plane) is made as it was, and stays the other's.
///
/// Every cluster of the tree must be reached, because a peer that misses the new token loses sight of
/// the cluster. Each istiod is asked by a port-forward whether it has taken a token; that needs the
/// right to create `pods/portforward` in istio-system. One that does not count what it is told of, or
/// that starts meanwhile, is given a minute.
///
/// Killed at any instant, it loses nothing: peers have a token that works. Run it again, and it goes
/// on; an apply in between does no harm.
///
/// Exit 0 when all is done, 2 when nothing was begun, 3 when something is left to do.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// The cluster whose token is made anew; all, one after the other, if left out.
    #[arg(value_name = "CLUSTER")]
    cluster: Option<String>,

    /// Do it without asking.
    #[arg(long)]
    yes: bool,

    /// Do not ask istiods, but wait so long after each change: `60s`, `5m`.
    #[arg(long, value_name = "TIME", value_parser = session::duration)]
    allow_unseen: Option<Duration>,

    /// The most that one wait may take: `90s`, `5m`.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = session::duration)]
    timeout: Duration,

    #[command(flatten)]
    connect: ConnectArgs,
}

const EXAMPLES: &str = "\
Examples:
  meshgen pki rotate-tokens c1          somebody may have copied the token of c1
  meshgen pki rotate-tokens --yes       all tokens of the mesh, say every quarter, in CI
  meshgen retire c3 --rotate-tokens     c3 leaves, and the tokens that it had with it";

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, None, Reading::default())?;
    if !args.connect.only().is_empty() {
        return Err(CommandError::refused("every peer gets the new token")
            .hint("leave `--only` out: `meshgen pki rotate-tokens CLUSTER` rotates one token")
            .hint(
                "a cluster that is gone leaves the mesh first: `meshgen retire CLUSTER --gone`",
            ));
    }
    let known: Vec<String> = source.index.clusters.iter().map(|row| row.name.clone()).collect();
    let names = match &args.cluster {
        Some(name) if !known.contains(name) => {
            return Err(CommandError::refused(format!("the tree has no cluster `{name}`"))
                .hint(format!("it has {}", known.join(", "))));
        }
        Some(name) => vec![name.clone()],
        None => known,
    };
    session::block_on(async {
        let stop = Stop::default();
        let request = Request { stop: stop.clone(), ..Request::reading(&source, &args.connect) };
        let (mesh, missing) = session::open(context, request).await?;
        rotation::connected(&missing)?;
        let rotation = rotation::rotation(context, &mesh, args.timeout, args.allow_unseen);
        let found = rotation::looked(context, &rotation, &names).await?;
        ask::consent(context, args.yes, &[rotation::question(&found)])?;
        session::on_interrupt(&stop);
        let reports = rotate(&rotation, &found).await;
        let again = match &args.cluster {
            Some(name) => format!("meshgen pki rotate-tokens {name}"),
            None => "meshgen pki rotate-tokens".to_owned(),
        };
        Ok(conclude(context, &reports, &source, &again))
    })
}
