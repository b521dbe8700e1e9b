//! `meshgen recover`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cluster::session::{self, ConnectArgs, Request};
use super::cluster::{ask, who};
use crate::cli::commands::bundle::Reading;
use crate::cli::{CommandError, Context, Exit};
use crate::cluster::{
    Entry, Inventory, Key, Lease, MANAGER, Member, Owner, Records, applied_by, records,
    write_inventory,
};
use crate::object::Identity;
use crate::tree::stage_name;

/// Make a lost inventory anew from what the cluster says.
///
/// For clusters whose inventory is gone: lists all objects of the tree's kinds, and of Kubernetes' own,
/// that meshgen has applied (their managed fields say so), and asks before it records them. Objects of
/// kinds that no tree has had since the loss are not found.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Record what was found without asking.
    #[arg(long)]
    yes: bool,

    /// Trust that a context leads to the right cluster.
    #[arg(long)]
    pin: bool,

    #[command(flatten)]
    connect: ConnectArgs,
}

/// Kinds that meshes are made of, beside those of the tree.
const KINDS: [(&str, &str); 16] = [
    ("v1", "Namespace"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
];

/// A cluster without an inventory: who it is, and what meshgen applied to it.
type Found<'a> = (&'a Member, Records, Vec<(Key, Value)>);

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, None, Reading::default())?;
    session::block_on(async {
        let request = Request::reading(&source, &args.connect);
        let mesh = session::open_all(context, request).await?;
        let mut found: Vec<Found<'_>> = Vec::new();
        for member in &mesh.members {
            let failed = |error: String| CommandError::refused(format!("{}: {error}", member.name));
            let records =
                records(member.client()).await.map_err(|error| failed(error.to_string()))?;
            if records.inventory.is_some() {
                context.note(&format!("{}  its inventory is there", member.name));
                continue;
            }
            let refusals = crate::cluster::check_stranger(
                &member.claim,
                &records,
                &member.connection.authority,
                args.pin,
            );
            if let Some((message, hint)) = refusals {
                return Err(failed(message).hint(hint));
            }
            let mut kinds: BTreeSet<(String, String)> = KINDS
                .iter()
                .map(|(version, kind)| ((*version).to_owned(), (*kind).to_owned()))
                .collect();
            kinds.extend(member.wanted.objects.iter().map(|desired| {
                (desired.identity.api_version.clone(), desired.identity.kind.clone())
            }));
            let objects = applied_by(member.client(), &member.kinds, &kinds, MANAGER)
                .await
                .map_err(|error| failed(error.to_string()))?;
            let objects: Vec<_> =
                objects.into_iter().filter(|(key, _)| !Inventory::is_record(key)).collect();
            found.push((member, records, objects));
        }
        if found.iter().all(|(_, _, objects)| objects.is_empty()) {
            context.note("nothing to recover");
            return Ok(Exit::Done);
        }
        let mut questions = Vec::new();
        let mut rows = Vec::new();
        for (member, _, objects) in &found {
            for (key, _) in objects {
                if !context.json() {
                    context.print(&format!("{}  {key}\n", member.name));
                }
                rows.push(json!({"cluster": member.name, "object": key.to_string()}));
            }
            questions.push(format!("record {} objects of `{}`", objects.len(), member.name));
        }
        ask::consent(context, args.yes, &questions)?;
        for (member, records, objects) in found {
            let failed = |error: String| CommandError::partial(format!("{}: {error}", member.name));
            let lease = Lease::take(member.client(), &who::me(), &|text| context.note(text))
                .await
                .map_err(|error| failed(error.to_string()))?;
            let mut inventory = Inventory::new(Owner {
                mesh: mesh.index.mesh.clone(),
                cluster: member.name.clone(),
                uid: records.uid.clone(),
            });
            inventory.entries = entries(member, &objects);
            // whether all of a tree is there is not known: the next apply finishes it
            inventory.unfinished = true;
            let written = write_inventory(member.client(), &mut inventory, false).await;
            lease.give_back().await;
            written.map_err(|error| failed(error.to_string()))?;
        }
        if context.json() {
            context.print_json(&json!({"recovered": rows}));
        } else {
            context.note("recorded; `meshgen plan` says what an apply would do now");
        }
        Ok(Exit::Done)
    })
}

fn entries(member: &Member, objects: &[(Key, Value)]) -> BTreeMap<Key, Entry> {
    let entry = |(key, live): &(Key, Value)| {
        let identity = Identity::of(live).ok()?;
        let stage =
            member.wanted.get(key).map_or(stage_name::ISTIOD, |desired| desired.stage.as_str());
        let cluster = live.pointer("/metadata/annotations/networking.istio.io~1cluster");
        let is_remote = live.pointer("/metadata/labels/istio~1multiCluster").is_some();
        let entry = Entry {
            api_version: identity.api_version,
            stage: stage.to_owned(),
            cluster: cluster.filter(|_| is_remote).and_then(Value::as_str).map(str::to_owned),
            digest: None,
            uid: live.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned),
            // who made a Namespace is not known any more: better never to delete it
            joined: key.is_namespace(),
        };
        Some((key.clone(), entry))
    };
    objects.iter().filter_map(entry).collect()
}
