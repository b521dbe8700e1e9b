//! Carries out the plan of one cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::board::{Board, Phase};
use super::client::{ApplyOptions, RequestError};
use super::inventory;
use super::key::Key;
use super::lease::{Lease, LeaseError, Me};
use super::plan::Action;
use super::report::{Event, Outcome, Report, Tell};
use super::saved::Expected;
use super::survey::{Member, Mesh, Surveyed, again};
use super::wait::{WaitError, Waiter};
use super::work::Work;
use crate::store::Digest;
use crate::tree::stage_name;

/// What all clusters of an apply share.
pub struct Run {
    /// Clusters, tree, what was allowed.
    pub mesh: Arc<Mesh>,
    /// The tree's digest.
    pub tree: Digest,
    /// Who applies.
    pub me: Me,
    /// The most that one wait may take.
    pub timeout: Duration,
    /// Who is told.
    pub tell: Tell,
    /// How far the clusters are.
    pub board: Board,
    /// Clusters that work at the same time.
    pub permits: Arc<Semaphore>,
    /// What a saved plan expects; nothing without one.
    pub expected: Option<Expected>,
    /// Actions that were consented to, by cluster: what shows up later is refused.
    pub consented: BTreeMap<String, Vec<(Key, &'static str)>>,
}

/// Why a cluster's apply ended.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A request failed.
    #[error("{doing}: {error}")]
    Request {
        /// What was done.
        doing: String,
        /// What came back.
        error: RequestError,
    },
    /// Waiting failed.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// Somebody else applies.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// What is there is not what the plan saw.
    #[error("{0}")]
    Moved(String),
    /// An object that was to be created was made by somebody else in the meantime.
    #[error("{0} was made by somebody else meanwhile, and is not taken without being asked")]
    Foreign(Key),
    /// The tree has no control plane, and there is none.
    #[error("there is no ready istiod, and the tree does not bring one")]
    NoControlPlane,
}

pub(super) fn doing(what: impl Into<String>) -> impl FnOnce(RequestError) -> ApplyError {
    let doing = what.into();
    move |error| ApplyError::Request { doing, error }
}

/// Applies to one cluster, and says on the board how far it is.
pub async fn apply(run: &Run, at: usize) -> Report {
    let member = &run.mesh.members[at];
    let name = &member.name;
    let waiter = Waiter {
        cluster: name.clone(),
        client: member.client().clone(),
        timeout: run.timeout,
        tell: run.tell.clone(),
    };
    let mut report = Report {
        cluster: name.clone(),
        outcome: Outcome::Done,
        done: 0,
        left: Vec::new(),
        held: Vec::new(),
    };
    let permit = run.permits.clone().acquire_owned().await;
    let lease = match begin(run, member, &mut report).await {
        Ok(lease) => lease,
        Err(error) => {
            report.outcome = fail(run, name, &error);
            return report;
        }
    };
    let result = under_lease(run, at, waiter, &mut report, permit.ok()).await;
    lease.give_back().await;
    report.outcome = match result {
        Ok(()) => {
            run.board.cluster(name, Phase::Done);
            Outcome::Done
        }
        Err(error) => fail(run, name, &error),
    };
    report
}

fn fail(run: &Run, name: &str, error: &ApplyError) -> Outcome {
    run.board.cluster(name, Phase::Failed(error.to_string()));
    match error {
        ApplyError::NoControlPlane => Outcome::NeedsControlPlane,
        ApplyError::Moved(_) => Outcome::Failed(
            error.to_string(),
            Some("look at the plan again: `meshgen plan`".to_owned()),
        ),
        ApplyError::Lease(LeaseError::Held(_)) => Outcome::Failed(
            error.to_string(),
            Some("run it again when that apply has ended".to_owned()),
        ),
        _ => Outcome::Failed(error.to_string(), None),
    }
}

/// Istio's namespace, and the Lease in it.
async fn begin(run: &Run, member: &Member, report: &mut Report) -> Result<Lease, ApplyError> {
    let client = member.client();
    let key = Key::namespace(inventory::NAMESPACE);
    let path = format!("/api/v1/namespaces/{}", inventory::NAMESPACE);
    let there = client.get(&path).await.map_err(doing("reading the namespace istio-system"))?;
    if there.is_none() {
        let rendered = member.wanted.get(&key).map(|desired| desired.rendered.clone());
        let object = rendered.map_or_else(
            || json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inventory::NAMESPACE}}),
            |rendered| (*rendered).clone(),
        );
        client
            .apply(&path, &object, ApplyOptions::default())
            .await
            .map_err(doing("creating the namespace istio-system"))?;
        report.done += 1;
        (run.tell)(Event::Did {
            cluster: member.name.clone(),
            stage: stage_name::NAMESPACES.to_owned(),
            action: Action::Create.word(),
            key,
        });
    }
    let tell = |text: &str| {
        (run.tell)(Event::Waiting { cluster: member.name.clone(), what: text.to_owned() });
    };
    Ok(Lease::take(client, &run.me, &tell).await?)
}

async fn under_lease(
    run: &Run,
    at: usize,
    waiter: Waiter,
    report: &mut Report,
    permit: Option<OwnedSemaphorePermit>,
) -> Result<(), ApplyError> {
    let member = &run.mesh.members[at];
    let surveyed = again(&run.mesh, at)
        .await
        .map_err(|error| ApplyError::Moved(format!("looking again: {error}")))?;
    consented(run, member, &surveyed)?;
    let mut work = Work {
        run,
        at,
        member,
        waiter,
        inventory: surveyed.inventory.clone(),
        left: surveyed.plan.steps.iter().map(|step| step.key.clone()).collect(),
        held: surveyed.plan.held.clone(),
        surveyed,
        done: 0,
    };
    let result = work.all(permit).await;
    // what was learnt is recorded also when it failed, if the server still answers
    if result.is_err() {
        let _ = work.write_inventory(true).await;
    }
    let text = match &result {
        Ok(()) if work.held.is_empty() => "done".to_owned(),
        Ok(()) => format!("done, {} held back", work.held.len()),
        Err(error) => error.to_string(),
    };
    let past = work.remember(text).await;
    report.done += work.done;
    report.left = std::mem::take(&mut work.left);
    report.held = std::mem::take(&mut work.held);
    result?;
    past
}

/// Refuses what was not seen when people said yes.
fn consented(run: &Run, member: &Member, surveyed: &Surveyed) -> Result<(), ApplyError> {
    if let Some(refusal) = surveyed.plan.refusals.first() {
        let of = refusal.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        return Err(ApplyError::Moved(format!("{of}{}", refusal.message)));
    }
    let known = run.consented.get(&member.name);
    for step in &surveyed.plan.steps {
        let asks = matches!(step.action, Action::Recreate { .. } | Action::Adopt | Action::Prune);
        let word = step.action.word();
        let said = known.is_some_and(|known| known.contains(&(step.key.clone(), word)));
        if asks && !said {
            let key = &step.key;
            return Err(ApplyError::Moved(format!(
                "{key} is now to {word}, which the plan did not say"
            )));
        }
    }
    match &run.expected {
        Some(expected) => expected.check(&member.name, surveyed).map_err(ApplyError::Moved),
        None => Ok(()),
    }
}
