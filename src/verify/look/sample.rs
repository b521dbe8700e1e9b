//! The sample in one cluster: its pods, its endpoints, and its client's proxy.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::seen::{Endpoint, Look, SamplePod, SampleSeen, Steered, items, text, unseen};
use super::Wish;
use super::client;
use super::control_plane::{container_image, is_ready};
use crate::cluster::readiness::pod_trouble;
use crate::cluster::{Client, Desired, Member, Pod, RequestError};
use crate::tree::stage_name::SAMPLES;

/// The client's Deployment, its label `app`, and its container.
pub const CLIENT: &str = "sleep";
/// The Service, and the label `app` of its pods.
pub const SERVER: &str = "helloworld";
/// Where the server answers with its version.
pub const PORT: u16 = 5000;

/// Deployments of the sample that a tree puts into a cluster.
fn deployments(member: &Member) -> impl Iterator<Item = &Desired> {
    let of_sample =
        |desired: &&Desired| desired.stage == SAMPLES && desired.key.is("apps", "Deployment");
    member.wanted.objects.iter().map(AsRef::as_ref).filter(of_sample)
}

/// The namespace of the sample, if the tree has one.
pub fn namespace(member: &Member) -> Option<String> {
    let client = deployments(member).find(|desired| desired.key.name == CLIENT)?;
    client.key.namespace.clone()
}

/// The image of the sample's client, as the tree has it.
pub fn client_image(member: &Member) -> Option<String> {
    let client = deployments(member).find(|desired| desired.key.name == CLIENT)?;
    let mut containers = items(&client.rendered, "/spec/template/spec/containers");
    text(containers.next()?, "/image").map(str::to_owned)
}

/// Looks at the sample of a cluster.
pub async fn sample(kube: &Client, member: &Member, wish: &Wish) -> Option<SampleSeen> {
    let namespace = namespace(member)?;
    let version = |desired: &Desired| {
        let label = "/spec/template/metadata/labels/version";
        text(&desired.rendered, label).map(str::to_owned)
    };
    let (pods, endpoints, steered) =
        tokio::join!(pods(kube, &namespace), endpoints(kube, &namespace), async {
            if wish.traffic() { steered(kube, &namespace).await } else { None }
        },);
    let mut seen = SampleSeen {
        versions: deployments(member).filter_map(version).collect::<BTreeSet<String>>(),
        pods,
        endpoints: endpoints.map_err(|error| error.to_string()),
        proxy: unseen(),
        ports: unseen(),
        steered,
        traffic: None,
        lookup: None,
        namespace,
    };
    seen.proxy = match seen.client() {
        Ok(pod) => client::proxy(kube, pod).await,
        Err(why) => Err(why),
    };
    Some(seen)
}

impl SampleSeen {
    /// The client's pod: one that is ready, if there is any.
    pub fn client(&self) -> Look<&Pod> {
        let pods = self.pods.as_ref().map_err(Clone::clone)?;
        let mut clients = pods.iter().filter(|pod| pod.app == CLIENT);
        match clients.clone().find(|pod| pod.ready) {
            Some(pod) => Ok(&pod.pod),
            None => Err(match clients.next() {
                Some(pod) => format!("the client's pod {} is not ready", pod.pod.name),
                None => format!("there is no client's pod (app={CLIENT}) in {}", self.namespace),
            }),
        }
    }

    /// Whether the client's pod has a proxy.
    pub fn client_has_proxy(&self) -> bool {
        let client = self.client().ok();
        let pods = self.pods.as_ref().ok();
        let mut pods = pods.into_iter().flatten();
        pods.any(|pod| Some(&pod.pod) == client && pod.has_proxy)
    }
}

async fn pods(client: &Client, namespace: &str) -> Look<Vec<SamplePod>> {
    let selector = format!("app%20in%20%28{CLIENT}%2C{SERVER}%29");
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
    let found = client.list(&path).await.map_err(|error| error.to_string())?;
    let staying = found.iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none());
    let pod = |live: &Value| {
        Some(SamplePod {
            pod: Pod {
                namespace: namespace.to_owned(),
                name: text(live, "/metadata/name")?.to_owned(),
            },
            app: text(live, "/metadata/labels/app")?.to_owned(),
            version: text(live, "/metadata/labels/version").map(str::to_owned),
            ready: is_ready(live),
            has_proxy: container_image(live, "istio-proxy").is_some(),
            trouble: pod_trouble(live),
        })
    };
    Ok(staying.filter_map(pod).collect())
}

async fn endpoints(client: &Client, namespace: &str) -> Result<Vec<Endpoint>, RequestError> {
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D{SERVER}"
    );
    let slices = client.list(&path).await?;
    let mut all = Vec::new();
    for endpoint in slices.iter().flat_map(|slice| items(slice, "/endpoints")) {
        let ready = endpoint.pointer("/conditions/ready").and_then(Value::as_bool);
        for address in items(endpoint, "/addresses").filter_map(Value::as_str) {
            all.push(Endpoint {
                pod: text(endpoint, "/targetRef/name").unwrap_or_default().to_owned(),
                address: address.to_owned(),
                // nothing said means ready
                ready: ready.unwrap_or(true),
            });
        }
    }
    Ok(all)
}

/// What of the mesh's or the service's settings moves traffic between localities by shares of its
/// own, or keeps a client to one endpoint. (That failover keeps it near is seen in the priorities of the
/// client's endpoints.)
async fn steered(client: &Client, namespace: &str) -> Option<Steered> {
    let rules =
        format!("/apis/networking.istio.io/v1beta1/namespaces/{namespace}/destinationrules");
    let meshes = "/api/v1/namespaces/istio-system/configmaps?labelSelector=istio.io%2Frev";
    let (rules, meshes) = tokio::join!(client.list(&rules), client.list(meshes));
    let is_ours = |host: &str| host.split('.').next() == Some(SERVER) || host.starts_with('*');
    for rule in rules.unwrap_or_default() {
        let policy = rule.pointer("/spec/trafficPolicy/loadBalancer");
        if let (Some(policy), Some(true)) = (policy, text(&rule, "/spec/host").map(is_ours)) {
            let name = text(&rule, "/metadata/name").unwrap_or_default();
            let sticky = policy.get("consistentHash").is_some();
            if sticky || policy.pointer("/localityLbSetting/distribute").is_some() {
                return Some(Steered { by: format!("DestinationRule {namespace}/{name}"), sticky });
            }
        }
    }
    let distributes = |map: &Value| {
        let mesh = text(map, "/data/mesh").unwrap_or_default();
        let mesh = crate::yaml::document(mesh, crate::yaml::Schema::Go).ok()?;
        mesh.pointer("/localityLbSetting/distribute")?;
        let name = text(map, "/metadata/name")?;
        Some(Steered { by: format!("meshConfig of ConfigMap istio-system/{name}"), sticky: false })
    };
    meshes.unwrap_or_default().iter().find_map(distributes)
}
