//! Whether a live object does its work, and if not, why.
//!
//! Source of the rules: kstatus of cli-utils (`pkg/kstatus/status/core.go`), which Flux uses. It
//! differs where an Istio mesh needs more: a load balancer needs an address, a webhook its CA.

use std::cmp::Ordering;

use serde_json::Value;

/// Whether an object does its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// It does not yet, for this reason.
    Waiting(String),
    /// It does not, and without somebody's help will not, for this reason.
    Failed(String),
}

use Readiness::{Failed, Ready, Waiting};

/// Whether a live object does its work.
///
/// Kinds that are not known are ready as soon as they are there: so are configuration and custom
/// resources. Anything that is being deleted waits. A status of an earlier generation says nothing.
pub fn readiness(object: &Value) -> Readiness {
    if object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        return Waiting("is being deleted".to_owned());
    }
    let kind = text(object, "/kind").unwrap_or_default();
    let group = text(object, "/apiVersion")
        .and_then(|version| version.split_once('/'))
        .map_or("", |(group, _)| group);
    match (group, kind) {
        ("", "Namespace") => namespace(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Pod") => pod(object),
        ("", "Service") => service(object),
        ("admissionregistration.k8s.io", _) => webhooks(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => api_service(object),
        ("apps", "DaemonSet") => observed(object).unwrap_or_else(|| daemon_set(object)),
        ("apps", "Deployment") => observed(object).unwrap_or_else(|| deployment(object)),
        ("apps", "ReplicaSet") => observed(object).unwrap_or_else(|| replica_set(object)),
        ("apps", "StatefulSet") => observed(object).unwrap_or_else(|| stateful_set(object)),
        ("batch", "Job") => job(object),
        // an autoscaler without metrics and a budget without pods are there, and do no harm
        _ => Ready,
    }
}

/// Waits for the controller to look at this generation, if there is more to say.
fn observed(object: &Value) -> Option<Readiness> {
    let generation = number(object, "/metadata/generation")?;
    let seen = number(object, "/status/observedGeneration");
    (seen.unwrap_or(-1) < generation)
        .then(|| Waiting("its controller has not seen the change yet".to_owned()))
}

fn namespace(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        Some("Active") => Ready,
        Some(phase) => Waiting(format!("is {}", phase.to_lowercase())),
        None => Waiting("has no phase yet".to_owned()),
    }
}

fn claim(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        Some("Bound") => Ready,
        Some("Lost") => Failed("its volume is lost".to_owned()),
        _ => Waiting("no volume is bound to it yet".to_owned()),
    }
}

fn pod(object: &Value) -> Readiness {
    let trouble = pod_trouble(object);
    match text(object, "/status/phase") {
        Some("Succeeded") => Ready,
        Some("Failed") => Failed(trouble.unwrap_or_else(|| "the pod failed".to_owned())),
        Some("Running") if is_true(object, "Ready") => Ready,
        Some("Running") => Waiting(trouble.unwrap_or_else(|| "is not ready yet".to_owned())),
        _ => Waiting(trouble.unwrap_or_else(|| "has not started yet".to_owned())),
    }
}

fn service(object: &Value) -> Readiness {
    let is_balanced = text(object, "/spec/type") == Some("LoadBalancer");
    if is_balanced && gateway_addresses(object).is_empty() {
        return Waiting("its load balancer has no address yet".to_owned());
    }
    Ready
}

/// The API server calls no webhook that it cannot trust: istiod puts its CA in when it starts.
fn webhooks(object: &Value) -> Readiness {
    let lacks =
        |webhook: &&Value| text(webhook, "/clientConfig/caBundle").unwrap_or_default().is_empty();
    let without: Vec<&str> = items(object, "/webhooks")
        .filter(lacks)
        .map(|webhook| text(webhook, "/name").unwrap_or("?"))
        .collect();
    match without[..] {
        [] => Ready,
        [name] => Waiting(format!("webhook `{name}` has no CA bundle yet")),
        [name, ..] => Waiting(format!(
            "webhook `{name}` and {} more have no CA bundle yet",
            without.len() - 1
        )),
    }
}

fn definition(object: &Value) -> Readiness {
    if let Some(names) = condition(object, "NamesAccepted")
        && is_status(names, "False")
    {
        return Failed(words(names, "its names are not accepted"));
    }
    match condition(object, "Established") {
        Some(established) if is_status(established, "True") => Ready,
        Some(established) => Waiting(words(established, "is not established yet")),
        None => Waiting("is not established yet".to_owned()),
    }
}

fn api_service(object: &Value) -> Readiness {
    match condition(object, "Available") {
        Some(available) if is_status(available, "True") => Ready,
        Some(available) => Waiting(words(available, "is not available yet")),
        None => Waiting("is not available yet".to_owned()),
    }
}

fn deployment(object: &Value) -> Readiness {
    if let Some(progressing) = condition(object, "Progressing")
        && text(progressing, "/reason") == Some("ProgressDeadlineExceeded")
    {
        return Failed(words(progressing, "its progress deadline is exceeded"));
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let updated = count(object, "/status/updatedReplicas");
    let replicas = count(object, "/status/replicas");
    let available = count(object, "/status/availableReplicas");
    let waiting = if updated < wanted {
        format!("{updated} of {wanted} replicas updated")
    } else if replicas > updated {
        format!("{} to be terminated", old_replicas(replicas - updated))
    } else if available < updated {
        format!("{available} of {updated} replicas available")
    } else if updated > wanted {
        format!("{} to be terminated", old_replicas(updated - wanted))
    } else {
        return Ready;
    };
    Waiting(with_failure(object, waiting))
}

fn old_replicas(count: i64) -> String {
    if count == 1 { "1 old replica".to_owned() } else { format!("{count} old replicas") }
}

/// Adds why pods cannot even be made, such as a quota or an admission that denies them.
fn with_failure(object: &Value, waiting: String) -> String {
    match condition(object, "ReplicaFailure") {
        Some(failure) if is_status(failure, "True") => {
            format!("{waiting}: {}", words(failure, "pods cannot be made"))
        }
        _ => waiting,
    }
}

fn replica_set(object: &Value) -> Readiness {
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let replicas = count(object, "/status/replicas");
    let available = count(object, "/status/availableReplicas");
    let waiting = match (available.cmp(&wanted), replicas.cmp(&wanted)) {
        (Ordering::Less, _) => format!("{available} of {wanted} replicas available"),
        (_, Ordering::Greater) => {
            format!("{} to be terminated", old_replicas(replicas - wanted))
        }
        _ => return Ready,
    };
    Waiting(with_failure(object, waiting))
}

fn stateful_set(object: &Value) -> Readiness {
    // somebody deletes pods by hand to update them
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Ready;
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let replicas = count(object, "/status/replicas");
    let ready = count(object, "/status/readyReplicas");
    let updated = count(object, "/status/updatedReplicas");
    let partition = count(object, "/spec/updateStrategy/rollingUpdate/partition");
    let revision = |pointer| text(object, pointer).unwrap_or_default();
    let rolls = revision("/status/currentRevision") != revision("/status/updateRevision");
    if ready < wanted {
        Waiting(format!("{ready} of {wanted} replicas ready"))
    } else if replicas > wanted {
        Waiting(format!("{} to be terminated", old_replicas(replicas - wanted)))
    } else if rolls && updated < wanted - partition {
        Waiting(format!("{updated} of {} replicas updated", wanted - partition))
    } else {
        Ready
    }
}

fn daemon_set(object: &Value) -> Readiness {
    let Some(wanted) = number(object, "/status/desiredNumberScheduled") else {
        return Waiting("its controller has not counted the nodes yet".to_owned());
    };
    let available = count(object, "/status/numberAvailable");
    // whoever deletes pods by hand updates them too
    if text(object, "/spec/updateStrategy/type") != Some("OnDelete") {
        let updated = count(object, "/status/updatedNumberScheduled");
        if updated < wanted {
            return Waiting(format!("updated on {updated} of {wanted} nodes"));
        }
    }
    if available < wanted {
        return Waiting(format!("available on {available} of {wanted} nodes"));
    }
    Ready
}

fn job(object: &Value) -> Readiness {
    if let Some(failed) = condition(object, "Failed")
        && is_status(failed, "True")
    {
        return Failed(words(failed, "the job failed"));
    }
    if is_true(object, "Complete") || is_true(object, "Suspended") {
        return Ready;
    }
    let completions = number(object, "/spec/completions").unwrap_or(1);
    let succeeded = count(object, "/status/succeeded");
    Waiting(format!("{succeeded} of {completions} pods succeeded"))
}

/// Why a pod does not start or does not stay, if it tells.
///
/// The first of: a container that waits for a fault (`ImagePullBackOff`, `CrashLoopBackOff`,
/// `CreateContainerConfigError`, …), with its message and, if it has run before, its exit code; one
/// that ended with an exit code other than 0; no node for it; the pod's own reason (`Evicted`). A
/// pod that is just starting has no trouble.
pub fn pod_trouble(pod: &Value) -> Option<String> {
    let statuses = || {
        items(pod, "/status/initContainerStatuses").chain(items(pod, "/status/containerStatuses"))
    };
    let scheduled = || {
        let scheduled = condition(pod, "PodScheduled")?;
        is_status(scheduled, "False").then(|| words(scheduled, "no node is found for it"))
    };
    let own = || {
        let reason = text(pod, "/status/reason")?;
        Some(sentence(reason, text(pod, "/status/message")))
    };
    statuses()
        .find_map(waits)
        .or_else(|| statuses().find_map(ended))
        .or_else(scheduled)
        .or_else(own)
}

fn waits(status: &Value) -> Option<String> {
    let waiting = status.pointer("/state/waiting")?;
    let reason = text(waiting, "/reason")?;
    // what every container goes through
    if ["ContainerCreating", "PodInitializing"].contains(&reason) {
        return None;
    }
    let mut trouble = sentence(reason, text(waiting, "/message"));
    if let Some(last) = status.pointer("/lastState/terminated") {
        trouble.push_str(&format!(" (it last {})", exit(last)));
    }
    Some(format!("container `{}`: {trouble}", text(status, "/name").unwrap_or("?")))
}

fn ended(status: &Value) -> Option<String> {
    let end = status.pointer("/state/terminated")?;
    (number(end, "/exitCode")? != 0)
        .then(|| format!("container `{}` {}", text(status, "/name").unwrap_or("?"), exit(end)))
}

fn exit(end: &Value) -> String {
    let code = count(end, "/exitCode");
    // `Error` says no more than the code
    let reason = text(end, "/reason").filter(|reason| !["Error", "Completed"].contains(reason));
    let message = text(end, "/message").map(str::trim).filter(|text| !text.is_empty());
    let words: Vec<&str> = reason.into_iter().chain(message).collect();
    if words.is_empty() {
        format!("ended with exit code {code}")
    } else {
        format!("ended with exit code {code}: {}", words.join(": "))
    }
}

/// The addresses at which other networks reach a gateway's Service, in the order of the object.
///
/// Empty if there is none yet, and for those that are reached at their nodes: see
/// [`node_selector`]. Source: istiod's `ConvertService` (`pilot/pkg/serviceregistry/kube`), which
/// takes the addresses of a load balancer if the Service is of that type, an IP before a host name,
/// and `spec.externalIPs` always.
pub fn gateway_addresses(service: &Value) -> Vec<String> {
    if node_selector(service).is_some() {
        return Vec::new();
    }
    let mut addresses: Vec<String> = Vec::new();
    let given = |pointer| items(service, pointer);
    if text(service, "/spec/type") == Some("LoadBalancer") {
        let ingresses = given("/status/loadBalancer/ingress");
        let address = |ingress| {
            [text(ingress, "/ip"), text(ingress, "/hostname")]
                .into_iter()
                .flatten()
                .find(|address| !address.is_empty())
        };
        addresses.extend(ingresses.filter_map(address).map(str::to_owned));
    }
    for address in given("/spec/externalIPs").filter_map(Value::as_str) {
        if !addresses.iter().any(|known| known == address) {
            addresses.push(address.to_owned());
        }
    }
    addresses
}

/// The annotation by which istiod takes the addresses of nodes for those of a gateway, as it
/// stands: JSON, of which `{}` means all nodes.
///
/// `None` for Services that are not of type `NodePort`: istiod heeds it there alone.
pub fn node_selector(service: &Value) -> Option<String> {
    if text(service, "/spec/type") != Some("NodePort") {
        return None;
    }
    text(service, "/metadata/annotations/traffic.istio.io~1nodeSelector").map(str::to_owned)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

fn number(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer)?.as_i64()
}

/// Counts of nothing are left out of a status.
fn count(value: &Value, pointer: &str) -> i64 {
    number(value, pointer).unwrap_or(0)
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").find(|condition| text(condition, "/type") == Some(kind))
}

fn is_status(condition: &Value, status: &str) -> bool {
    text(condition, "/status") == Some(status)
}

fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| is_status(condition, "True"))
}

/// What a condition says: its message, else its reason, else what is said in its stead.
fn words(condition: &Value, else_say: &str) -> String {
    let said = ["/message", "/reason"].into_iter().filter_map(|pointer| text(condition, pointer));
    let mut said = said.map(str::trim).filter(|text| !text.is_empty());
    said.next().unwrap_or(else_say).to_owned()
}

fn sentence(reason: &str, message: Option<&str>) -> String {
    match message.map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
