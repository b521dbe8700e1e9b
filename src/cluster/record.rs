//! Writes meshgen's own records into a cluster.

use serde_json::Value;

use super::client::{Client, RequestError};
use super::history::{self, History};
use super::inventory::{self, Inventory};
use super::plan::uid;

/// Writes an inventory: first the parts that are not there yet, then the head that lists them, then
/// the parts that it lists no more go. A head that somebody else wrote since is a conflict.
///
/// `last`: even if the run was stopped.
pub async fn write_inventory(
    client: &Client,
    inventory: &mut Inventory,
    last: bool,
) -> Result<(), RequestError> {
    let mut parts = inventory.to_parts();
    let head = parts.remove(0);
    let mut names = Vec::new();
    for part in parts {
        let name = part.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        names.push(name.to_owned());
        if !inventory.parts.iter().any(|known| known == name) {
            // one that is there already was left by a run that was killed, and holds the same
            replace(client, part, None, last).await?;
        }
    }
    inventory.version = replace(client, head, inventory.version.as_deref(), last).await?;
    let old = std::mem::replace(&mut inventory.parts, names);
    for name in old.iter().filter(|name| !inventory.parts.contains(name)) {
        delete(client, name).await?;
    }
    Ok(())
}

async fn delete(client: &Client, name: &str) -> Result<(), RequestError> {
    if let Some(live) = client.get(&path(name)).await?
        && let Some(uid) = uid(&live)
    {
        client.delete(&path(name), uid).await?;
    }
    Ok(())
}

/// Writes the history, also at the end of a run that was stopped.
pub async fn write_history(client: &Client, history: &History) -> Result<(), RequestError> {
    replace(client, history.to_value(), history.version.as_deref(), true).await.map(|_| ())
}

/// Removes all records, at the end of an uninstall. The Lease stays, for who holds it.
pub async fn remove(client: &Client, parts: &[String]) -> Result<(), RequestError> {
    let names = [history::NAME, inventory::NAME];
    for name in names.into_iter().chain(parts.iter().map(String::as_str)) {
        delete(client, name).await?;
    }
    Ok(())
}

fn collection() -> String {
    format!("/api/v1/namespaces/{}/configmaps", inventory::NAMESPACE)
}

fn path(name: &str) -> String {
    format!("{}/{name}", collection())
}

/// Creates a record, or replaces the state that was read. Gives its new version.
///
/// A write whose answer was lost is sent again, and then meets its own result: that is no conflict.
async fn replace(
    client: &Client,
    mut value: Value,
    version: Option<&str>,
    last: bool,
) -> Result<Option<String>, RequestError> {
    let name =
        value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let written = match version {
        Some(version) => {
            value["metadata"]["resourceVersion"] = Value::from(version);
            client.put(&path(&name), &value, last).await
        }
        None => client.create(&collection(), &value).await,
    };
    let written = match written {
        Err(error) if error.is(409) => match client.get(&path(&name)).await? {
            Some(live) if live.get("data") == value.get("data") => live,
            _ => return Err(error),
        },
        other => other?,
    };
    Ok(written.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned))
}
