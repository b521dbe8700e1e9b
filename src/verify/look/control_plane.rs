//! istiod, what it says, and the webhooks that call it.

use serde_json::{Value, json};

use super::super::seen::{
    ClusterSeen, Injection, IstiodSeen, Look, NetworkGateway, ProxyPod, Webhook, items, text,
    unseen,
};
use super::Wish;
use super::sample::{client_image, namespace};
use crate::cluster::{Client, Member, NAMESPACE, Pod, RequestError, each, istiods, synced};

/// istiod's port for people, which asks for no credential from loopback.
const DEBUG: u16 = 8080;
/// istiod's port for proxies.
const SECURE: u16 = 15012;
/// The label of every pod that was injected (Istio 1.7 and later).
const INJECTED: &str = "service.istio.io%2Fcanonical-name";

/// What was seen of a control plane.
pub struct ControlPlane {
    deployments: Look<Vec<Value>>,
    istiods: Look<Vec<IstiodSeen>>,
    own_root: Look<bool>,
    injection: Option<Result<Injection, RequestError>>,
    webhooks: Look<Vec<Webhook>>,
    proxies: Look<Vec<ProxyPod>>,
}

impl ControlPlane {
    /// Puts it where it belongs.
    pub fn put(self, seen: &mut ClusterSeen) {
        seen.deployments = self.deployments;
        seen.istiods = self.istiods;
        seen.own_root = self.own_root;
        seen.injection = self.injection;
        seen.webhooks = self.webhooks;
        seen.proxies = self.proxies;
    }
}

/// Looks at the control plane of a cluster, as far as somebody asks.
pub async fn control_plane(client: &Client, member: &Member, wish: &Wish) -> ControlPlane {
    let istiod = wish.has("control-plane") || wish.has("discovery") || wish.has("certificates");
    let istiod = istiod || wish.traffic();
    let injector = wish.has("control-plane.injector") || wish.has("control-plane.proxies");
    let hooks = wish.has("control-plane.webhook-ca") || wish.has("control-plane.validator");
    let (deployments, istiods, own_root, injection, webhooks, proxies) = tokio::join!(
        when(wish.has("control-plane.istiod"), deployments(client)),
        when(istiod, ask_istiods(client)),
        when(wish.has("certificates.used"), own_root(client)),
        async { if injector { Some(injection(client, member).await) } else { None } },
        when(hooks, webhooks(client)),
        when(wish.has("control-plane.proxies"), proxies(client)),
    );
    ControlPlane { deployments, istiods, own_root, injection, webhooks, proxies }
}

async fn when<T>(wished: bool, work: impl Future<Output = Result<T, RequestError>>) -> Look<T> {
    if wished { work.await.map_err(|error| error.to_string()) } else { unseen() }
}

async fn deployments(client: &Client) -> Result<Vec<Value>, RequestError> {
    let path =
        format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments?labelSelector=app%3Distiod");
    client.list(&path).await
}

async fn own_root(client: &Client) -> Result<bool, RequestError> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/istio-ca-secret");
    Ok(client.get(&path).await?.is_some())
}

async fn ask_istiods(client: &Client) -> Result<Vec<IstiodSeen>, RequestError> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3Distiod");
    let (running, live) = tokio::try_join!(istiods(client), client.list(&path))?;
    Ok(each(running, |pod: Pod| {
        let live = live.iter().find(|live| text(live, "/metadata/name") == Some(&pod.name));
        let ready = live.is_some_and(is_ready);
        let image = live.and_then(|live| container_image(live, "discovery"));
        let client = client.clone();
        async move {
            let (clusters, networks, chain) = tokio::join!(
                synced(&client, &pod),
                networks(&client, &pod),
                client.served(&pod, SECURE, "istiod.istio-system.svc"),
            );
            IstiodSeen {
                ready,
                image: image.unwrap_or_default(),
                clusters: clusters.map_err(|error| error.to_string()),
                networks,
                chain: chain.map_err(|error| error.to_string()),
                pod,
            }
        }
    })
    .await)
}

async fn networks(client: &Client, pod: &Pod) -> Look<Vec<NetworkGateway>> {
    let asked = client.ask(pod, DEBUG, "/debug/networkz").await;
    let (status, body) = asked.map_err(|error| error.to_string())?;
    if status != 200 {
        return Err(format!("{} answers `/debug/networkz` with status {status}", pod.name));
    }
    // one without gateways says `null`
    serde_json::from_str::<Option<Vec<NetworkGateway>>>(&body)
        .map(Option::unwrap_or_default)
        .map_err(|error| {
            format!("{} answers `/debug/networkz` with something else: {error}", pod.name)
        })
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Value) -> bool {
    items(pod, "/status/conditions")
        .any(|one| text(one, "/type") == Some("Ready") && text(one, "/status") == Some("True"))
}

/// The image of a container of a pod, which may be an init container that stays: a sidecar of
/// Kubernetes' own.
pub fn container_image(pod: &Value, name: &str) -> Option<String> {
    let mut all = items(pod, "/spec/containers").chain(items(pod, "/spec/initContainers"));
    let found = all.find(|container| text(container, "/name") == Some(name))?;
    text(found, "/image").map(str::to_owned)
}

/// Lets the injector look at a pod that is not made, as a Deployment of the sample would make it.
async fn injection(client: &Client, member: &Member) -> Result<Injection, RequestError> {
    let (namespace, labels) = match namespace(member) {
        Some(namespace) => (namespace, json!({})),
        None => (NAMESPACE.to_owned(), json!({"sidecar.istio.io/inject": "true"})),
    };
    // an image that the site lets in
    let image = client_image(member).unwrap_or_else(|| "meshgen.dev/probe".to_owned());
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "meshgen-probe", "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "probe", "image": image}]},
    });
    let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    let made = client.create_anyway(&path, &pod).await?;
    Ok(Injection { namespace, image: container_image(&made, "istio-proxy") })
}

/// The webhooks that call an istiod, in a table of what they are.
async fn webhooks(client: &Client) -> Result<Vec<Webhook>, RequestError> {
    let path = |kind: &str| format!("/apis/admissionregistration.k8s.io/v1/{kind}");
    let (mutating, validating) =
        (path("mutatingwebhookconfigurations"), path("validatingwebhookconfigurations"));
    let (mutating, validating) =
        tokio::try_join!(client.list(&mutating), client.list(&validating))?;
    let mut found = Vec::new();
    for live in mutating.iter().chain(&validating) {
        let (kind, name) = (text(live, "/kind"), text(live, "/metadata/name"));
        for webhook in items(live, "/webhooks") {
            let service = text(webhook, "/clientConfig/service/name").unwrap_or_default();
            // `istiod`, or `istiod-REVISION`
            if service != "istiod" && !service.starts_with("istiod-") {
                continue;
            }
            found.push(Webhook {
                object: format!("{}/{}", kind.unwrap_or_default(), name.unwrap_or_default()),
                name: text(webhook, "/name").unwrap_or_default().to_owned(),
                ca_bundle: text(webhook, "/clientConfig/caBundle").and_then(decode),
            });
        }
    }
    Ok(found)
}

/// Base64 of a text.
pub fn decode(text: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

async fn proxies(client: &Client) -> Result<Vec<ProxyPod>, RequestError> {
    let pods = client.list(&format!("/api/v1/pods?labelSelector={INJECTED}")).await?;
    let running = pods.iter().filter(|pod| {
        text(pod, "/status/phase") == Some("Running")
            && pod.pointer("/metadata/deletionTimestamp").is_none()
    });
    let proxy = |pod: &Value| {
        let (namespace, name) = (text(pod, "/metadata/namespace")?, text(pod, "/metadata/name")?);
        Some(ProxyPod {
            pod: Pod { namespace: namespace.to_owned(), name: name.to_owned() },
            owner: format!("{namespace}/{}", owner(pod, name)),
            image: container_image(pod, "istio-proxy")?,
        })
    };
    Ok(running.filter_map(proxy).collect())
}

/// What people restart to have a pod made anew: a `ReplicaSet` is its Deployment's, whose name it
/// bears with a hash.
fn owner(pod: &Value, name: &str) -> String {
    let mut owners = items(pod, "/metadata/ownerReferences");
    let Some(owner) = owners.next() else { return format!("pod {name}") };
    let (kind, name) = (text(owner, "/kind"), text(owner, "/name").unwrap_or(name));
    match (kind, name.rsplit_once('-')) {
        (Some("ReplicaSet"), Some((deployment, _))) => format!("deployment {deployment}"),
        (Some(kind), _) => format!("{} {name}", kind.to_lowercase()),
        (None, _) => format!("pod {name}"),
    }
}
