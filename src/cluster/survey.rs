//! All clusters of a mesh at once: who they are, what is in them, and what would be done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;

use super::bind::{Asked, PeerBindings, Tokens};
use super::client::{Client, RequestError};
use super::connect::Connection;
use super::desired::{Desired, Vault, Wanted};
use super::identity::{self, Allowed, Claim};
use super::inventory::{Inventory, Owner};
use super::key::Key;
use super::observe::{Kinds, Live, ObserveError, Records, each, objects, records};
use super::plan::{Answer, ClusterPlan, Options, Refusal, View, plan, settle};
use super::probe::{Subject, probe};
use crate::tree::stage_name::ISTIOD;
use crate::tree::{Index, TreePath};

/// A cluster of a run.
#[derive(Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: String,
    /// The kubeconfig context.
    pub context: String,
    /// What the tree says of its identity.
    pub claim: Claim,
    /// What the tree wants to be there.
    pub wanted: Arc<Wanted>,
    /// The way to it.
    pub connection: Connection,
    /// Its kinds.
    pub kinds: Kinds,
}

impl Member {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.connection.client
    }
}

/// What a run is about.
pub struct Mesh {
    /// The tree's table of contents.
    pub index: Index,
    /// Names of all clusters of the tree.
    pub clusters: Vec<String>,
    /// The clusters of this run.
    pub members: Vec<Member>,
    /// What opens sealed values.
    pub vault: Vault,
    /// Tokens that were read.
    pub tokens: Tokens,
    /// What was allowed for objects.
    pub options: Options,
    /// What was allowed for clusters.
    pub allowed: Allowed,
    /// The instant at which certificates must be in date.
    pub now: OffsetDateTime,
}

/// What is known of one cluster.
#[derive(Clone)]
pub struct Surveyed {
    /// Who it is.
    pub records: Records,
    /// What is in it.
    pub live: Live,
    /// What meshgen owns in it, settled.
    pub inventory: Inventory,
    /// What would be done.
    pub plan: ClusterPlan,
    /// Whether that is about a part of the tree.
    pub is_partial: bool,
    /// Whether peers wait for its token, which was not there yet.
    pub waits_for_token: bool,
}

/// What is known of all clusters, in the order of the members.
pub type Survey = Vec<Result<Surveyed, String>>;

impl Mesh {
    /// Names of the clusters of this run.
    pub fn present(&self) -> BTreeSet<String> {
        self.members.iter().map(|member| member.name.clone()).collect()
    }

    /// The values that are asked of a cluster. A file that asks is read once, however many peers get
    /// it: else the work of a run would grow with the pairs of its clusters, times the clusters.
    pub fn asked(&self, cluster: &str) -> Vec<Asked> {
        let mut files: BTreeMap<&TreePath, &Arc<Desired>> = BTreeMap::new();
        for desired in self.members.iter().flat_map(|member| &member.wanted.objects) {
            if desired.bindings.iter().any(|binding| binding.from.cluster == cluster) {
                files.entry(&desired.path).or_insert(desired);
            }
        }
        let files: Vec<Arc<Desired>> = files.into_values().cloned().collect();
        let mut all = Asked::of(&files);
        all.retain(|asked| asked.cluster == cluster);
        all
    }
}

/// Looks at all clusters, and makes their plans. Only reads and dry runs.
pub async fn survey(mesh: &Arc<Mesh>) -> Survey {
    let seen = each(0..mesh.members.len(), |at| {
        let mesh = mesh.clone();
        async move {
            let result = look_at(&mesh, at).await.map_err(|error| error.to_string());
            if let Err(why) = &result {
                let name = &mesh.members[at].name;
                mesh.tokens.block(name, format!("`{name}` cannot be looked at: {why}"), None);
            }
            result
        }
    });
    // tokens of all are known then: what peers get can be compared
    let mut all = each(seen.await.into_iter().enumerate(), |(at, seen)| {
        let mesh = mesh.clone();
        async move { judge(&mesh, at, seen?).await.map_err(|error| error.to_string()) }
    })
    .await;
    across(mesh, &mut all);
    all
}

/// Looks at one cluster again, under its Lease.
pub async fn again(mesh: &Arc<Mesh>, at: usize) -> Result<Surveyed, ObserveError> {
    let seen = look_at(mesh, at).await?;
    Ok(judge(mesh, at, seen).await?)
}

/// Identity, records and objects of a cluster.
struct Seen {
    records: Records,
    live: Live,
    inventory: Inventory,
    settled: Vec<Key>,
}

async fn look_at(mesh: &Mesh, at: usize) -> Result<Seen, ObserveError> {
    let member = &mesh.members[at];
    let (client, kinds) = (member.client(), &member.kinds);
    let mut wanted: BTreeMap<Key, String> = BTreeMap::new();
    for desired in &member.wanted.objects {
        wanted.insert(desired.key.clone(), desired.identity.api_version.clone());
        if let Some(namespace) = &desired.key.namespace {
            wanted.entry(Key::namespace(namespace)).or_insert_with(|| "v1".to_owned());
        }
    }
    let looked = async { Ok(objects(client, kinds, &wanted).await?) };
    let (records, mut live) = tokio::try_join!(records(client), looked)?;
    let owner = Owner {
        mesh: mesh.index.mesh.clone(),
        cluster: member.name.clone(),
        uid: records.uid.clone(),
    };
    let mut inventory = records.inventory.clone().unwrap_or_else(|| Inventory::new(owner));
    // what the tree has no more
    let entries = inventory.entries.iter().filter(|(key, _)| !wanted.contains_key(*key));
    let rest = entries.map(|(key, entry)| (key.clone(), entry.api_version.clone())).collect();
    live.extend(objects(client, kinds, &rest).await?);
    let settled = settle(&mut inventory, &live);
    for asked in mesh.asked(&member.name) {
        let found = asked.object().and_then(|key| live.objects.get(&key));
        if let Some(found) = found {
            mesh.tokens.learn(&asked, found);
        }
    }
    Ok(Seen { records, live, inventory, settled })
}

async fn judge(mesh: &Mesh, at: usize, seen: Seen) -> Result<Surveyed, RequestError> {
    let member = &mesh.members[at];
    let Seen { records, live, inventory, settled } = seen;
    let present = mesh.present();
    let bindings = PeerBindings::new(&mesh.tokens, &member.wanted, &live, &present);
    let subject = Subject {
        cluster: &member.name,
        client: member.client(),
        kinds: &member.kinds,
        wanted: &member.wanted,
        live: &live,
        inventory: &inventory,
        options: &mesh.options,
    };
    // a retirement applies nothing: nothing is to be opened or asked about
    let answers: BTreeMap<Key, Answer> = if mesh.options.retired.is_empty() {
        probe(&subject, &mesh.vault, &bindings).await?
    } else {
        BTreeMap::new()
    };
    let leftovers = leftovers(mesh, member, &live, &inventory).await?;
    let mut plan = plan(&View {
        cluster: &member.name,
        wanted: &member.wanted,
        live: &live,
        inventory: &inventory,
        answers: &answers,
        leftovers: &leftovers,
        clusters: &mesh.clusters,
        options: &mesh.options,
    });
    plan.settled = settled;
    let trusted = &member.connection.authority;
    let mut refusals = if mesh.options.retired.is_empty() {
        let mut refusals =
            identity::check(&member.claim, &mesh.index, &records, trusted, mesh.allowed);
        let (expired, warnings) = identity::dates(&member.claim, mesh.now);
        refusals.extend(expired);
        plan.notes.extend(warnings);
        refusals
    } else {
        identity::check_known(&member.claim, &records)
    };
    refusals.append(&mut plan.refusals);
    plan.refusals = refusals;
    let is_partial = mesh.options.is_partial();
    let waits_for_token = mesh.options.retired.is_empty()
        && mesh.asked(&member.name).iter().any(|asked| !mesh.tokens.has(asked));
    Ok(Surveyed { records, live, inventory, plan, is_partial, waits_for_token })
}

/// What `istioctl install` labels as its own, and the tree does not have. Looked for where something
/// is adopted, or where it is asked for. Nothing is left over where the tree brings no control plane:
/// what istioctl put there is the mesh then.
async fn leftovers(
    mesh: &Mesh,
    member: &Member,
    live: &Live,
    inventory: &Inventory,
) -> Result<Vec<(Key, Value)>, RequestError> {
    let adopts = live.objects.iter().any(|(key, live)| {
        !inventory.entries.contains_key(key)
            && !super::field::foreign_in(live, &|manager| manager == "istio-operator").is_empty()
    });
    let brings = member.wanted.has_stage(ISTIOD);
    if !mesh.options.retired.is_empty() || !brings || !(adopts || mesh.options.leftovers) {
        return Ok(Vec::new());
    }
    let found = super::observe::labelled(member.client(), &member.kinds).await?;
    let is_ours = |key: &Key| {
        member.wanted.get(key).is_some()
            || member.wanted.pending.contains_key(key)
            || inventory.entries.contains_key(key)
    };
    // another revision is another control plane, and not left over
    let revision = |live: &Value| {
        let label = live.pointer("/metadata/labels/istio.io~1rev").and_then(Value::as_str);
        label.filter(|revision| *revision != "default").map(str::to_owned)
    };
    let own: Vec<Option<String>> = member
        .wanted
        .objects
        .iter()
        .filter(|desired| desired.stage == ISTIOD && desired.key.kind == "Deployment")
        .map(|desired| revision(&desired.rendered))
        .collect();
    let is_left = |(key, live): &(Key, Value)| !is_ours(key) && own.contains(&revision(live));
    Ok(found.into_iter().filter(is_left).collect())
}

/// What only shows when all clusters are seen together.
fn across(mesh: &Mesh, all: &mut Survey) {
    let uids = mesh.members.iter().zip(all.iter()).filter_map(|(member, surveyed)| {
        Some((member.name.clone(), surveyed.as_ref().ok()?.records.uid.clone()))
    });
    for (first, second) in identity::twins(&uids.collect()) {
        for (member, surveyed) in mesh.members.iter().zip(all.iter_mut()) {
            if let (true, Ok(surveyed)) = (member.name == second, surveyed) {
                surveyed.plan.refusals.push(Refusal {
                    key: None,
                    message: format!("its context leads to the same cluster as that of `{first}`"),
                    hint: Some(format!("`--context {second}=CONTEXT`")),
                });
            }
        }
    }
    last_gateways(mesh, all);
}

/// The label by which istiod finds a network, of its namespace and of its gateways.
pub const NETWORK_LABEL: &str = "topology.istio.io/network";

/// The network that a Service is a gateway of.
pub fn gateway_of(object: &Value) -> Option<&str> {
    if object.get("kind").and_then(Value::as_str) != Some("Service") {
        return None;
    }
    object.pointer("/metadata/labels")?.get(NETWORK_LABEL)?.as_str()
}

/// The last gateway of a network is not pruned while peers hold remote secrets of its clusters:
/// istiod would then send their traffic to addresses that nothing answers at.
fn last_gateways(mesh: &Mesh, all: &mut Survey) {
    let mut refused = Vec::new();
    for (at, surveyed) in all.iter().enumerate() {
        let Ok(surveyed) = surveyed else { continue };
        for step in surveyed.plan.of("prune") {
            let Some(network) = step.live.as_ref().and_then(gateway_of) else { continue };
            let another =
                mesh.members.iter().zip(all.iter()).any(|(member, other)| {
                    let pruned = |key: &Key| {
                        other
                            .as_ref()
                            .is_ok_and(|other| other.plan.of("prune").any(|step| step.key == *key))
                    };
                    let wanted = member
                        .wanted
                        .objects
                        .iter()
                        .any(|desired| gateway_of(&desired.rendered) == Some(network));
                    wanted
                        || other.as_ref().is_ok_and(|other| {
                            other.live.objects.iter().any(|(key, live)| {
                                gateway_of(live) == Some(network) && !pruned(key)
                            })
                        })
                });
            // also those at peers that are left out of this run
            let is_out = mesh.index.artifacts.iter().any(|row| {
                let of = row.bindings.first().map(|binding| binding.from.cluster.as_str());
                let row = mesh.index.clusters.iter().find(|row| Some(row.name.as_str()) == of);
                row.is_some_and(|row| {
                    row.network == network && !mesh.options.retired.contains(&row.name)
                })
            });
            if !another && is_out {
                refused.push((at, step.key.clone(), network.to_owned()));
            }
        }
    }
    for (at, key, network) in refused {
        if let Ok(surveyed) = &mut all[at] {
            surveyed.plan.refusals.push(Refusal {
                key: Some(key),
                message: format!(
                    "it is the last gateway of network `{network}`, whose clusters' remote secrets are out"
                ),
                hint: Some(
                    "keep it, or give the mesh another gateway there first; `meshgen retire` takes a cluster out"
                        .to_owned(),
                ),
            });
        }
    }
}
