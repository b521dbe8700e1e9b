//! `meshgen forget`.

use serde_json::json;

use super::cluster::session::{self, ConnectArgs, Request};
use super::cluster::who;
use crate::cli::commands::bundle::Reading;
use crate::cli::{CommandError, Context, Exit};
use crate::cluster::{Lease, Selection, records, write_inventory};

/// Take objects out of the inventory and leave them alone.
///
/// The objects stay in the cluster as they are; meshgen prunes and changes them no more. One that is
/// still in the tree is taken up again by the next apply.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The objects: `ConfigMap/istio-system/extra`, `ClusterRole/reader`.
    #[arg(value_name = "KIND/NS/NAME", required = true)]
    objects: Vec<String>,

    #[command(flatten)]
    connect: ConnectArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, None, Reading::default())?;
    let selection = Selection::new(&args.objects);
    session::block_on(async {
        let request = Request::reading(&source, &args.connect);
        let mesh = session::open_all(context, request).await?;
        // all are looked at before the first is changed
        let mut found = Vec::new();
        for member in &mesh.members {
            let failed = |error: String| CommandError::refused(format!("{}: {error}", member.name));
            let records =
                records(member.client()).await.map_err(|error| failed(error.to_string()))?;
            let Some(inventory) = records.inventory else { continue };
            if inventory.owner.cluster != member.name || inventory.owner.mesh != mesh.index.mesh {
                return Err(failed(format!(
                    "that cluster is `{}` of mesh `{}`",
                    inventory.owner.cluster, inventory.owner.mesh
                )));
            }
            let keys: Vec<_> = inventory
                .entries
                .keys()
                .filter(|key| selection.names(&member.name, key))
                .cloned()
                .collect();
            if !keys.is_empty() {
                found.push((member, keys));
            }
        }
        if found.is_empty() {
            return Err(CommandError::refused("no inventory holds such an object")
                .hint("objects are written as `meshgen plan` prints them: `Kind/namespace/name`"));
        }
        let mut forgotten = Vec::new();
        for (member, keys) in found {
            let partial =
                |error: String| CommandError::partial(format!("{}: {error}", member.name));
            let lease = Lease::take(member.client(), &who::me(), &|text| context.note(text))
                .await
                .map_err(|error| partial(error.to_string()))?;
            let result = async {
                let now = records(member.client()).await.map_err(|error| error.to_string())?;
                let Some(mut inventory) = now.inventory else { return Ok(()) };
                inventory.entries.retain(|key, _| !keys.contains(key));
                let written = write_inventory(member.client(), &mut inventory, false).await;
                written.map_err(|error| error.to_string())
            };
            let result = result.await;
            lease.give_back().await;
            result.map_err(partial)?;
            for key in keys {
                if !context.json() {
                    context.print(&format!("{}  {key} is forgotten\n", member.name));
                }
                forgotten.push(json!({"cluster": member.name, "object": key.to_string()}));
            }
        }
        if context.json() {
            context.print_json(&json!({"forgotten": forgotten}));
        }
        Ok(Exit::Done)
    })
}
