//! One apply at a time a cluster: a Lease of `coordination.k8s.io`, as Kubernetes' own leaders use.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep, timeout_at};

use super::client::{Client, RequestError};
use super::inventory::NAMESPACE;
use super::stop::{Stop, StopReason};

/// The name of the Lease, in Istio's namespace.
pub const NAME: &str = "meshgen";
/// After how long without a renewal a holder counts as gone, by the clock of who looks.
const DURATION: Duration = Duration::from_secs(30);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(10);
/// How often a Lease of somebody else is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A process that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The host's name.
    pub host: String,
    /// What tells one boot of the host from the next.
    pub boot: String,
    /// The process.
    pub pid: u32,
    /// When the process started, in ticks since the boot: a process id is used again.
    pub start: u64,
    /// Who runs it, for people.
    pub user: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (process {})", self.user, self.host, self.pid)
    }
}

impl Holder {
    fn to_text(&self) -> String {
        let Self { host, boot, pid, start, user } = self;
        format!("meshgen host={host} boot={boot} pid={pid} start={start} user={user}")
    }

    /// Reads what [`Holder::to_text`] wrote.
    fn parse(text: &str) -> Option<Self> {
        let words = text.strip_prefix("meshgen ")?;
        let word =
            |key: &str| words.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        Some(Self {
            host: word("host")?.to_owned(),
            boot: word("boot")?.to_owned(),
            pid: word("pid")?.parse().ok()?,
            start: word("start")?.parse().ok()?,
            user: word("user")?.to_owned(),
        })
    }
}

/// Who we are, and how to tell whether a process of this host is still there.
#[derive(Clone)]
pub struct Me {
    /// This process.
    pub holder: Holder,
    /// Whether a process of this host and boot runs, by its id and start.
    pub runs: fn(&Holder) -> bool,
    /// The clock, for times that people read.
    pub now: fn() -> OffsetDateTime,
}

/// Why there is no Lease.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else applies.
    #[error("{0} applies to this cluster at the moment")]
    Held(String),
    /// The server did not let it.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// A Lease that is ours. It is renewed until it is given back.
pub struct Lease {
    client: Client,
    path: String,
    me: Me,
    renewal: tokio::task::JoinHandle<()>,
}

fn collection() -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases")
}

impl Lease {
    /// Takes the Lease of a cluster.
    ///
    /// One whose holder is a process of this host and boot that is gone is taken at once. Another is
    /// watched for 30 seconds of our own clock: if its holder does not renew it in that time, it is
    /// taken, else its holder is named. `waiting` is told once why it takes so long.
    pub async fn take(
        client: &Client,
        me: &Me,
        waiting: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, LeaseError> {
        let path = format!("{}/{NAME}", collection());
        let mut seen: Option<(String, Instant)> = None;
        loop {
            let Some(live) = client.get(&path).await? else {
                match client.create(&collection(), &value(me, None, true)).await {
                    Ok(_) => break,
                    Err(error) if error.is(409) => continue,
                    Err(error) => return Err(error.into()),
                }
            };
            let version = live.pointer("/metadata/resourceVersion").and_then(Value::as_str);
            let version = version.unwrap_or_default().to_owned();
            let held = live.pointer("/spec/holderIdentity").and_then(Value::as_str);
            let held = held.unwrap_or_default();
            let holder = Holder::parse(held);
            let is_ours = holder.as_ref() == Some(&me.holder);
            let is_gone = holder.as_ref().is_some_and(|holder| {
                holder.host == me.holder.host && holder.boot == me.holder.boot && !(me.runs)(holder)
            });
            let expired = match &seen {
                Some((known, since)) if *known == version => since.elapsed() >= DURATION,
                _ => false,
            };
            if held.is_empty() || is_ours || is_gone || expired {
                match client.put(&path, &value(me, Some(&live), true), false).await {
                    Ok(_) => break,
                    // somebody was faster: look again who
                    Err(error) if error.is(409) || error.is(404) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            let name = holder.map_or_else(|| format!("`{held}`"), |holder| holder.to_string());
            match &seen {
                None => {
                    waiting(&format!(
                        "{name} holds the Lease; if it does not renew it within {} s, it is gone",
                        DURATION.as_secs()
                    ));
                    seen = Some((version, Instant::now()));
                }
                Some((known, _)) if *known != version => return Err(LeaseError::Held(name)),
                Some(_) => {}
            }
            if client.stop().or(sleep(LOOK)).await.is_none() {
                client.stop().check().map_err(RequestError::Stopped)?;
            }
        }
        let renewal = tokio::spawn(renew(client.clone(), path.clone(), me.clone()));
        Ok(Self { client: client.clone(), path, me: me.clone(), renewal })
    }

    /// Gives it back, so that the next apply need not wait. Also after a stop.
    pub async fn give_back(self) {
        self.renewal.abort();
        // who cannot give it back leaves it to run out
        let Ok(Some(live)) = self.client.get(&self.path).await else { return };
        let held = live.pointer("/spec/holderIdentity").and_then(Value::as_str);
        if held == Some(self.me.holder.to_text().as_str()) {
            let _ = self.client.put(&self.path, &value(&self.me, Some(&live), false), true).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Renews the Lease until it is lost: then the cluster's writes stop. Others take it when it was not
/// renewed for its whole duration, so it counts as lost before that.
async fn renew(client: Client, path: String, me: Me) {
    let mut renewed = Instant::now();
    loop {
        sleep(RENEWAL).await;
        let end = renewed + DURATION - RENEWAL;
        let lost = match timeout_at(end, renew_once(&client, &path, &me)).await {
            Ok(Ok(None)) => {
                renewed = Instant::now();
                continue;
            }
            Ok(Ok(Some(holder))) => format!("{holder} holds it now"),
            Ok(Err(_)) if Instant::now() < end => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it could not be renewed in time".to_owned(),
        };
        client.stop().own(StopReason::LeaseLost(lost));
        return;
    }
}

/// Renews it. Gives the holder, if that is somebody else. Also after Ctrl-C: requests in flight are
/// finished under it.
async fn renew_once(client: &Client, path: &str, me: &Me) -> Result<Option<String>, RequestError> {
    for _ in 0..2 {
        let live = client.get(path).await?;
        let held = live.as_ref().and_then(|live| live.pointer("/spec/holderIdentity")?.as_str());
        if held != Some(me.holder.to_text().as_str()) {
            let held = held.filter(|held| !held.is_empty()).unwrap_or("nobody");
            let name = Holder::parse(held).map_or_else(|| held.to_owned(), |it| it.to_string());
            return Ok(Some(name));
        }
        match client.put(path, &value(me, live.as_ref(), true), true).await {
            Ok(_) => return Ok(None),
            // a renewal whose answer was lost, sent again: who holds it now says whose it is
            Err(error) if error.is(409) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some("somebody else".to_owned()))
}

/// The Lease, held by us or by nobody.
fn value(me: &Me, live: Option<&Value>, held: bool) -> Value {
    let now = (me.now)();
    // MicroTime wants six digits
    let now = now.replace_nanosecond(now.microsecond() / 1000 * 1_000_000 + 1000).unwrap_or(now);
    let now = now.format(&Rfc3339).unwrap_or_default();
    let transitions = live.and_then(|live| live.pointer("/spec/leaseTransitions")?.as_i64());
    let was = live.and_then(|live| live.pointer("/spec/holderIdentity")?.as_str());
    let mine = me.holder.to_text();
    let taken = held && was != Some(mine.as_str());
    let acquired = live.and_then(|live| live.pointer("/spec/acquireTime").cloned());
    let mut value = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/managed-by": "meshgen"},
        },
        "spec": {
            "holderIdentity": if held { mine } else { String::new() },
            "leaseDurationSeconds": DURATION.as_secs(),
            "renewTime": now,
            "acquireTime": if taken { Value::from(now.as_str()) } else { acquired.unwrap_or(Value::from(now.as_str())) },
            "leaseTransitions": transitions.unwrap_or(0) + i64::from(taken && live.is_some()),
        },
    });
    if let Some(version) = live.and_then(|live| live.pointer("/metadata/resourceVersion")) {
        value["metadata"]["resourceVersion"] = version.clone();
    }
    value
}

/// Whether a switch was thrown because of a Lease, whatever else threw it.
pub fn is_lost(stop: &Stop) -> bool {
    matches!(stop.own_reason(), Some(StopReason::LeaseLost(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_reads_back() {
        let holder = Holder {
            host: "host-1".into(),
            boot: "a-b".into(),
            pid: 7,
            start: 99,
            user: "ann".into(),
        };
        assert_eq!(Holder::parse(&holder.to_text()), Some(holder));
        assert_eq!(Holder::parse("istio-leader"), None);
    }
}
