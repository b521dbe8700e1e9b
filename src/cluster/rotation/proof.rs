//! Whether istiods took a token, as far as it can be seen.
//!
//! istiod says of a remote cluster that it is synced as soon as it has read it once, and goes on
//! saying so when its token is refused later. So `synced` counts only after istiod was told of the
//! change. It counts what it is told of (`remote_cluster_secret_events_total`), then builds a new
//! client from the changed kubeconfig, which is `syncing` until it has listed everything with the
//! new token; the old client ends after that (older releases end it first). An unchanged kubeconfig is
//! skipped. Seen are therefore, of each pod by itself:
//!
//! 1. it was told of a change of a remote secret since before the write, or was seen not synced;
//! 2. a moment after that, the cluster is synced.
//!
//! That proves that the new client has read the cluster, given that nobody else changed a remote
//! secret of that peer meanwhile (its Lease is held). A pod that does not count, or that started
//! meanwhile, counts as told after [`SETTLED`]. From the other side, the API server marks a token that
//! it takes ([`super::state::USED`]): that it was used at all is waited for too.
//!
//! Source: `secretcontroller.go`, `cluster.go`, `clusterstore.go` of Istio's `pkg/kube/multicluster`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::Rotation;
use super::state::{Held, Reader, Subject, path};
use super::told::Told;
use crate::cluster::client::RequestError;
use crate::cluster::discovery::{istiods, synced, told};
use crate::cluster::key::Key;
use crate::cluster::observe::each;
use crate::cluster::stream::Pod;
use crate::cluster::survey::Member;
use crate::cluster::wait::{Look, WaitError, Waiter};

/// After how long an istiod that does not count has been told: a watch that broke without a word is
/// opened anew within 45 s (the HTTP/2 health check of client-go).
const SETTLED: Duration = Duration::from_secs(60);
/// Between what istiod counts and what it does about it.
const MOMENT: Duration = Duration::from_secs(1);
/// The oldest API server that marks tokens which it takes.
const MARKS: (u32, u32) = (1, 28);

/// What was seen of one istiod.
#[derive(Clone, Copy)]
struct Seen {
    first: Instant,
    told: Option<Instant>,
}

/// What a cluster's istiods have been told of by now, by pod; those alone that say so.
pub async fn counts(member: &Member) -> Result<BTreeMap<String, u64>, RequestError> {
    let client = member.client();
    let asked = each(istiods(client).await?, |pod| {
        let client = client.clone();
        async move {
            let count = told(&client, &pod).await?;
            Some((pod.name, count))
        }
    });
    Ok(asked.await.into_iter().flatten().collect())
}

/// Why a cluster's istiods cannot be asked, if so.
pub async fn unseen(member: &Member) -> Option<String> {
    let client = member.client();
    let pods = match istiods(client).await {
        Ok(pods) if pods.is_empty() => return Some("no istiod runs there".to_owned()),
        Ok(pods) => pods,
        Err(error) => return Some(error.to_string()),
    };
    let asked = each(pods, |pod| {
        let client = client.clone();
        async move { synced(&client, &pod).await.err().map(|error| error.to_string()) }
    });
    asked.await.into_iter().flatten().next()
}

impl Rotation {
    /// Waits until all istiods of the readers took a token that was handed out since something was
    /// noted.
    pub(super) async fn proven(
        &self,
        subject: &Subject,
        readers: Vec<Reader>,
        before: &Told,
    ) -> Result<(), WaitError> {
        if let Some(pause) = self.unseen {
            let stop = self.mesh.members[subject.at].client().stop();
            if stop.or(tokio::time::sleep(pause)).await.is_none() {
                stop.check().map_err(RequestError::Stopped)?;
            }
            return Ok(());
        }
        let waits = each(readers, |reader| {
            let (rotation, before, name) = (self.clone(), before.clone(), subject.name.clone());
            async move { rotation.taken(&name, reader.at, &before).await }
        });
        waits.await.into_iter().collect()
    }

    /// Waits until all istiods of one reader took it.
    async fn taken(&self, of: &str, at: usize, before: &Told) -> Result<(), WaitError> {
        let member = &self.mesh.members[at];
        let seen: Mutex<BTreeMap<Pod, Seen>> = Mutex::default();
        let what = format!("`{of}` as its istiods have it, with the new token");
        let seen = &seen;
        let look = |_| async move {
            let pods = istiods(member.client()).await?;
            if pods.is_empty() {
                return Ok(Look::NotYet("no istiod runs there".to_owned()));
            }
            let looks = each(pods, |pod| {
                let now = Instant::now();
                let known = *seen
                    .lock()
                    .expect("no holder panics")
                    .entry(pod.clone())
                    .or_insert(Seen { first: now, told: None });
                let (member, before, of) = (member.clone(), before.clone(), of.to_owned());
                async move {
                    let (why, is_told) = ask(&member, &pod, &of, &before, known).await;
                    (pod, why, is_told)
                }
            });
            let mut first = None;
            for (pod, why, is_told) in looks.await {
                if is_told && let Some(seen) = seen.lock().expect("no holder panics").get_mut(&pod)
                {
                    seen.told.get_or_insert_with(Instant::now);
                }
                first = first.or(why);
            }
            Ok(first.map_or(Look::There(()), Look::NotYet))
        };
        self.waiter(at).until(&what, look).await
    }

    /// Waits until the API server has taken the token of a Secret.
    pub(super) async fn used(&self, at: usize, key: &Key, uid: &str) -> Result<(), WaitError> {
        let client = self.mesh.members[at].client();
        let version = client.get("/version").await?;
        let number = |key: &str| {
            let text = version.as_ref()?.get(key)?.as_str()?;
            text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().ok()
        };
        let is_marked = number("major").zip(number("minor")).is_some_and(|found| found >= MARKS);
        if self.unseen.is_some() || !is_marked {
            return Ok(());
        }
        let what = format!("the first use of the token in {key}");
        let path = path(key);
        let path = &path;
        let look = |_| async move {
            let held = client.get(path).await?.and_then(Held::of);
            Ok(match held.filter(|held| held.uid == uid) {
                Some(held) if held.is_used() => Look::There(()),
                Some(_) => Look::NotYet("the API server has seen none".to_owned()),
                None => Look::Never("somebody deleted it".to_owned()),
            })
        };
        self.waiter(at).until(&what, look).await
    }

    /// How a member waits.
    pub(super) fn waiter(&self, at: usize) -> Waiter {
        let member = &self.mesh.members[at];
        Waiter {
            cluster: member.name.clone(),
            client: member.client().clone(),
            timeout: self.timeout,
            tell: self.tell.clone(),
        }
    }
}

/// Looks at one istiod: what is missing, and whether it was told.
async fn ask(
    member: &Member,
    pod: &Pod,
    of: &str,
    before: &Told,
    seen: Seen,
) -> (Option<String>, bool) {
    let client = member.client();
    let name = &pod.name;
    let mut is_told = seen.told.is_some() || seen.first.elapsed() >= SETTLED;
    if !is_told {
        let count = told(client, pod).await;
        is_told = count.is_some_and(|count| before.is_past(&member.name, name, count));
    }
    let found = match synced(client, pod).await {
        Ok(all) => all.into_iter().find(|one| one.id == of && !one.secret_name.is_empty()),
        Err(error) => return (Some(format!("{name}: {error}")), is_told),
    };
    let why = match found {
        None => Some(format!("{name} does not know it")),
        Some(found) if !found.is_synced() => {
            is_told = true;
            Some(format!("{name} says `{}`", found.sync_status))
        }
        Some(_) if !is_told => Some(format!("{name} has not been told")),
        Some(_) if seen.told.is_none_or(|since| since.elapsed() < MOMENT) => {
            Some(format!("{name} was told"))
        }
        Some(_) => None,
    };
    (why, is_told)
}
