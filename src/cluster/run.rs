//! All clusters of an apply: in parallel, in waves, or one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::apply::{Run, apply};
use super::board::Phase;
use super::observe::joined;
use super::report::{Outcome, Report};
use super::survey::{Survey, gateway_of};
use super::wait::Waiter;

/// Which clusters go before which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// All at the same time.
    Parallel,
    /// Groups of names, one after the other.
    Waves(Vec<Vec<String>>),
}

/// The order of an apply: waves as they were asked for, the rest last; without any, one by one if
/// a running istiod or gateway changes in several clusters.
pub fn order(waves: &[Vec<String>], parallel: bool, names: &[String], survey: &Survey) -> Order {
    if !waves.is_empty() {
        let named: Vec<&String> = waves.iter().flatten().collect();
        let rest: Vec<String> =
            names.iter().filter(|name| !named.contains(name)).cloned().collect();
        let mut groups = waves.to_vec();
        if !rest.is_empty() {
            groups.push(rest);
        }
        return Order::Waves(groups);
    }
    let disturbed = |surveyed: &&Result<super::survey::Surveyed, String>| {
        surveyed.as_ref().is_ok_and(|surveyed| surveyed.plan.disturbs())
    };
    if !parallel && survey.iter().filter(disturbed).count() > 1 {
        return Order::Waves(names.iter().map(|name| vec![name.clone()]).collect());
    }
    Order::Parallel
}

/// Applies to all clusters that have something to do. In the order of the members.
pub async fn run(run: Arc<Run>, survey: &Survey, order: &Order) -> Vec<Report> {
    let mut reports: BTreeMap<usize, Report> = BTreeMap::new();
    let mut works: Vec<usize> = Vec::new();
    for (at, surveyed) in survey.iter().enumerate() {
        let member = &run.mesh.members[at];
        match surveyed {
            Ok(surveyed) if is_idle(surveyed) => {
                reports.insert(
                    at,
                    Report {
                        cluster: member.name.clone(),
                        outcome: Outcome::Unchanged,
                        done: 0,
                        left: Vec::new(),
                        held: surveyed.plan.held.clone(),
                    },
                );
            }
            Ok(_) => {
                run.board.cluster(&member.name, Phase::Begun);
                works.push(at);
            }
            Err(why) => {
                run.board.cluster(&member.name, Phase::Failed(why.clone()));
                reports.insert(at, failed(&member.name, why.clone()));
            }
        }
    }
    let networks = watch_networks(&run);
    let mut tasks = JoinSet::new();
    for at in works {
        let (run, before) = (run.clone(), before(&run, order, at));
        tasks.spawn(async move {
            let name = run.mesh.members[at].name.clone();
            if let Err(why) = earlier(&run, before).await {
                run.board.cluster(&name, Phase::Failed(why.clone()));
                let mut report = failed(&name, why.clone());
                report.outcome = Outcome::NotBegun(why);
                return (at, report);
            }
            (at, apply(&run, at).await)
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (at, report) = joined(done);
        reports.insert(at, report);
    }
    drop(networks);
    reports.into_values().collect()
}

/// Whether nothing is to be done in a cluster, an end of an earlier apply included.
pub fn is_idle(surveyed: &super::survey::Surveyed) -> bool {
    surveyed.plan.is_empty()
        && !surveyed.waits_for_token
        && (!surveyed.inventory.unfinished || surveyed.is_partial)
}

fn failed(name: &str, why: String) -> Report {
    Report {
        cluster: name.to_owned(),
        outcome: Outcome::Failed(why, None),
        done: 0,
        left: Vec::new(),
        held: Vec::new(),
    }
}

/// The clusters of earlier groups.
fn before(run: &Run, order: &Order, at: usize) -> Vec<String> {
    let name = &run.mesh.members[at].name;
    match order {
        Order::Parallel => Vec::new(),
        Order::Waves(groups) => {
            groups.iter().take_while(|group| !group.contains(name)).flatten().cloned().collect()
        }
    }
}

/// Waits until the earlier clusters are through. One that failed stops those after it: that is what
/// an order is for.
async fn earlier(run: &Run, before: Vec<String>) -> Result<(), String> {
    let retires = !run.mesh.options.retired.is_empty();
    let answer = run.board.until(|state| {
        let mut all = true;
        for name in &before {
            // a cluster that retires goes when nobody reads it any more
            let through = if retires { state.is_done(name) } else { state.is_ready(name) };
            match through {
                Ok(ready) => all &= ready,
                Err(why) => return Some(Err(why)),
            }
        }
        all.then_some(Ok(()))
    });
    answer.await
}

/// Looks for the address of each network's gateway when somebody waits for it, as soon as the
/// clusters where it stands are through.
fn watch_networks(run: &Arc<Run>) -> JoinSet<()> {
    let rows = run.mesh.index.clusters.iter();
    let networks: BTreeSet<String> = rows.map(|row| row.network.clone()).collect();
    let mut tasks = JoinSet::new();
    for network in networks {
        let run = run.clone();
        tasks.spawn(async move {
            run.board.until(|state| state.asked.contains(&network).then_some(())).await;
            let result = find_gateway(&run, &network).await;
            run.board.network(&network, result);
        });
    }
    tasks
}

async fn find_gateway(run: &Run, network: &str) -> Result<(), String> {
    // where the tree puts one; else, where others may have: any cluster of the network
    let with = |brings: bool| -> Vec<usize> {
        let members = run.mesh.members.iter().enumerate();
        let fits = members.filter(|(_, member)| {
            if brings {
                member
                    .wanted
                    .objects
                    .iter()
                    .any(|desired| gateway_of(&desired.rendered) == Some(network))
            } else {
                member.network == network
            }
        });
        fits.map(|(at, _)| at).collect()
    };
    let places = match with(true) {
        none if none.is_empty() => with(false),
        some => some,
    };
    let mut why = format!("no cluster of this run is in network `{network}`");
    for at in places {
        let member = &run.mesh.members[at];
        let ready = run.board.until(|state| match state.is_ready(&member.name) {
            Ok(false) => None,
            other => Some(other.map(|_| ())),
        });
        if let Err(failed) = ready.await {
            why = failed;
            continue;
        }
        let waiter = Waiter {
            cluster: member.name.clone(),
            client: member.client().clone(),
            timeout: run.timeout,
            tell: run.tell.clone(),
        };
        let what = format!("the gateway of network `{network}`");
        match waiter.until(&what, |_| waiter.gateway(network)).await {
            Ok(()) => return Ok(()),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}
