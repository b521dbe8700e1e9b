//! How all clusters of a tree stand, each beside the tree that was applied to it.

use std::collections::BTreeMap;

use super::session::{self, ConnectArgs, Look, Request};
use crate::cli::{CommandError, Context};
use crate::cluster::{State, is_sent};
use crate::diff::Changes;
use crate::store::{Catalogue, Store};
use crate::tree::source::{Source, resolve};
use crate::tree::view;

/// What was seen of the clusters.
pub struct States {
    /// By the names of the clusters that were asked.
    pub clusters: BTreeMap<String, State>,
    /// What drifted, a part a tree.
    pub drift: Vec<Changes>,
}

/// Asks the clusters of a tree. One that has another tree is compared with that one, if out/ or the
/// store has it.
pub async fn states(
    context: &Context,
    source: &Source,
    connect: &ConnectArgs,
) -> Result<States, CommandError> {
    let store = Store::open(&context.disk, &view::store_folder(&context.project.join("out")))?;
    let catalogue = store.generations()?;
    let mut look = session::look(context, Request::reading(source, connect)).await?;
    let mut clusters: BTreeMap<String, State> = BTreeMap::new();
    let mut drift = Vec::new();
    for (at, tree) in others(context, &look, source) {
        let name = look.mesh.members[at].name.clone();
        let request = Request::reading(&tree, connect);
        let (mesh, missing) =
            session::open_as(context, request, std::slice::from_ref(&name)).await?;
        let other = Look::at(mesh, missing).await;
        if !other.survey.is_empty() {
            clusters.insert(name, state(&other, 0, source));
            drift.push(other.shown(&tree, false).changes()?);
            look.survey[at] = Err("it is shown with its own tree".to_owned());
        }
    }
    for at in 0..look.survey.len() {
        let state = state(&look, at, source);
        clusters.entry(state.name.clone()).or_insert(state);
    }
    drift.insert(0, look.shown(source, false).changes()?);
    drift.retain(|changes| !changes.is_empty());
    for one in &look.missing {
        clusters.insert(one.name.clone(), State::unseen(&one.name, &one.error));
    }
    for state in clusters.values_mut() {
        state.generation = number(&catalogue, state);
    }
    Ok(States { clusters, drift })
}

fn number(catalogue: &Catalogue, state: &State) -> Option<u64> {
    catalogue.of_tree(&state.applied?).map(|generation| generation.number)
}

fn state(look: &Look, at: usize, view: &Source) -> State {
    match &look.survey[at] {
        Ok(surveyed) => State::of(&look.mesh, at, surveyed, view),
        Err(why) => State::unseen(&look.mesh.members[at].name, why),
    }
}

/// The trees of clusters that have another one than this applied, where they can be had, by the
/// places of the members.
fn others(context: &Context, look: &Look, source: &Source) -> Vec<(usize, Source)> {
    let mut others = Vec::new();
    for (at, surveyed) in look.survey.iter().enumerate() {
        let inventory = surveyed.as_ref().ok().and_then(|found| found.records.inventory.as_ref());
        let Some(inventory) = inventory else { continue };
        let tree = inventory.tree.filter(|tree| *tree != source.digest);
        let Some(tree) = tree.filter(|_| !is_sent(&look.mesh.members[at].wanted, inventory)) else {
            continue;
        };
        if let Ok(other) = resolve(&context.disk, &context.project, Some(&tree.to_string())) {
            others.push((at, other));
        }
    }
    others
}
