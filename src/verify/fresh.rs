//! New clients, so that no connection is older than the mesh as it is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::look::{CLIENT, is_ready, sample_namespace};
use super::seen::text;
use crate::cluster::{
    Client, Look, Member, Mesh, RequestError, Tell, WaitError, Waiter, check_stranger, each,
    records,
};

/// Deletes the client pods of every cluster, and waits until each has a new one that is ready.
///
/// Pods are deleted by UID. Gives the clusters where that failed, with the reason; one without the
/// sample is left alone.
pub async fn fresh(mesh: &Arc<Mesh>, timeout: Duration, tell: &Tell) -> Vec<(String, String)> {
    let all = each(0..mesh.members.len(), |at| {
        let (mesh, tell) = (mesh.clone(), tell.clone());
        async move {
            let member = &mesh.members[at];
            let namespace = sample_namespace(member)?;
            // nothing is deleted in a cluster that is not ours
            if let Some(why) = stranger(member).await {
                return Some((member.name.clone(), why));
            }
            let waiter = Waiter {
                cluster: member.name.clone(),
                client: member.client().clone(),
                timeout,
                tell,
            };
            let result = renew(&waiter, &namespace).await;
            result.err().map(|error| (member.name.clone(), error.to_string()))
        }
    });
    all.await.into_iter().flatten().collect()
}

/// Why a cluster is not known to be the one that bears its name.
async fn stranger(member: &Member) -> Option<String> {
    match records(member.client()).await {
        Ok(records) => {
            let trusted = &member.connection.authority;
            let found = check_stranger(&member.claim, &records, trusted, false);
            found.map(|(why, _)| why)
        }
        Err(error) => Some(error.to_string()),
    }
}

async fn renew(waiter: &Waiter, namespace: &str) -> Result<(), WaitError> {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let labelled = format!("{pods}?labelSelector=app%3D{CLIENT}");
    let mut old = Vec::new();
    for pod in waiter.client.list(&labelled).await? {
        let (Some(name), Some(uid)) = (text(&pod, "/metadata/name"), text(&pod, "/metadata/uid"))
        else {
            continue;
        };
        waiter.client.delete(&format!("{pods}/{name}"), uid).await?;
        old.push(uid.to_owned());
    }
    let (client, labelled, old) = (&waiter.client, &labelled, &old);
    waiter.until("a new client pod", |_| new(client, labelled, old)).await
}

async fn new(client: &Client, labelled: &str, old: &[String]) -> Result<Look<()>, RequestError> {
    let pods = client.list(labelled).await?;
    let is_old = |pod: &Value| {
        text(pod, "/metadata/uid").is_some_and(|uid| old.iter().any(|old| old == uid))
    };
    let mut new = pods.iter().filter(|pod| !is_old(pod));
    if new.any(is_ready) {
        return Ok(Look::There(()));
    }
    Ok(Look::NotYet("it is not ready".to_owned()))
}
