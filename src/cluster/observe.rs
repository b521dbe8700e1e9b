//! What is in a cluster: its identity, its records, and the objects that matter, in few requests.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use super::client::{Client, RequestError};
use super::history::{self, History};
use super::inventory::{self, Inventory, InventoryError};
use super::key::Key;
use super::resource::{Resource, group_path};
use crate::object::Identity;

/// Requests of one cluster at the same time: each needs a connection, and those are what costs.
pub(super) const PARALLEL: usize = 8;

/// Who a cluster is, and what meshgen left in it.
#[derive(Debug, Clone)]
pub struct Records {
    /// The UID of the namespace kube-system.
    pub uid: String,
    /// Major and minor version of the server.
    pub version: (u32, u32),
    /// What meshgen owns there; nothing on first contact.
    pub inventory: Option<Inventory>,
    /// The applies.
    pub history: History,
    /// The root certificates that istiod hands out, if it does; or why they could not be read.
    pub roots: Result<Option<String>, String>,
}

/// The objects that matter, as they are.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The objects that are there.
    pub objects: BTreeMap<Key, Value>,
    /// Objects that could not be read, and why.
    pub unreadable: BTreeMap<Key, String>,
    /// Kinds that the server does not have.
    pub unknown_kinds: BTreeSet<(String, String)>,
}

impl Live {
    /// Takes what was seen of other objects too.
    pub fn extend(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.unreadable.extend(other.unreadable);
        self.unknown_kinds.extend(other.unknown_kinds);
    }
}

/// Why a cluster could not be observed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObserveError {
    /// A request failed.
    #[error("{0}")]
    Request(#[from] RequestError),
    /// Its inventory cannot be trusted.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// An answer is not what Kubernetes gives.
    #[error("the answer for `{0}` is not Kubernetes'")]
    Odd(&'static str),
}

/// Kinds of a cluster that are not built in, as they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Kinds(Arc<Mutex<BTreeMap<String, Option<Arc<Value>>>>>);

impl Kinds {
    /// The resource of a kind; `None` if the server has none. Another version of the group that the
    /// server prefers will do where `any_version` is set.
    pub async fn resource(
        &self,
        client: &Client,
        identity: &Identity,
        any_version: bool,
    ) -> Result<Option<Resource>, RequestError> {
        let Identity { api_version, kind, .. } = identity;
        if let Some(known) = Resource::built_in(api_version, kind) {
            return Ok(Some(known));
        }
        if let Some(list) = self.list(client, api_version).await?
            && let Some(found) = Resource::listed(api_version, &list, kind)
        {
            return Ok(Some(found));
        }
        let Some((group, _)) = api_version.split_once('/').filter(|_| any_version) else {
            return Ok(None);
        };
        let Some(group) = client.get(&format!("/apis/{group}")).await? else { return Ok(None) };
        let preferred = group.pointer("/preferredVersion/groupVersion").and_then(Value::as_str);
        let Some(preferred) = preferred else { return Ok(None) };
        let list = self.list(client, preferred).await?;
        Ok(list.and_then(|list| Resource::listed(preferred, &list, kind)))
    }

    /// Forgets what was not there, because CRDs came.
    pub fn refresh(&self) {
        self.0.lock().expect("no holder panics").clear();
    }

    async fn list(
        &self,
        client: &Client,
        api_version: &str,
    ) -> Result<Option<Arc<Value>>, RequestError> {
        if let Some(known) = self.0.lock().expect("no holder panics").get(api_version) {
            return Ok(known.clone());
        }
        let list = client.get(&group_path(api_version)).await?.map(Arc::new);
        self.0.lock().expect("no holder panics").insert(api_version.to_owned(), list.clone());
        Ok(list)
    }
}

/// Reads identity and records.
pub async fn records(client: &Client) -> Result<Records, ObserveError> {
    let maps =
        |name: &str| format!("/api/v1/namespaces/{}/configmaps/{name}", inventory::NAMESPACE);
    let (head, past, roots) =
        (maps(inventory::NAME), maps(history::NAME), maps("istio-ca-root-cert"));
    let (system, version, head, past, roots) = tokio::try_join!(
        client.get("/api/v1/namespaces/kube-system"),
        client.get("/version"),
        client.get(&head),
        client.get(&past),
        handed_out(client, &roots),
    )?;
    let uid = system.as_ref().and_then(|system| system.pointer("/metadata/uid")?.as_str());
    let uid = uid.ok_or(ObserveError::Odd("kube-system"))?.to_owned();
    let number = |key: &str| {
        let text = version.as_ref().and_then(|version| version.get(key)?.as_str())?;
        text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
    };
    let version = number("major").zip(number("minor")).ok_or(ObserveError::Odd("version"))?;
    let inventory = match head {
        Some(head) => {
            let mut rest = Vec::new();
            for name in Inventory::parts_of(&head) {
                if let Some(value) = client.get(&maps(&name)).await? {
                    rest.push(value);
                }
            }
            Some(Inventory::parse(&head, &rest)?)
        }
        None => None,
    };
    Ok(Records {
        uid,
        version,
        inventory,
        history: past.as_ref().map(History::parse).unwrap_or_default(),
        roots,
    })
}

/// The roots that istiod hands out; why not, where they may not be read.
async fn handed_out(
    client: &Client,
    path: &str,
) -> Result<Result<Option<String>, String>, RequestError> {
    match client.get(path).await {
        Ok(found) => {
            let pem = found.as_ref().and_then(|found| found.pointer("/data/root-cert.pem"));
            Ok(Ok(pem.and_then(Value::as_str).map(str::to_owned)))
        }
        Err(error) if error.is(403) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// What is asked for at once.
enum Question {
    /// All objects of a kind in a namespace.
    List(Resource, String, Vec<Key>),
    /// One object.
    Get(Resource, Key),
}

/// Reads objects: namespaced kinds by a list a namespace, Secrets, CRDs and what is cluster-scoped
/// by name. What may not be read is in `unreadable`; what is not there is in neither.
pub async fn objects(
    client: &Client,
    kinds: &Kinds,
    wanted: &BTreeMap<Key, String>,
) -> Result<Live, RequestError> {
    let mut live = Live::default();
    let mut lists: BTreeMap<(String, String, String), (Resource, Vec<Key>)> = BTreeMap::new();
    let mut questions = Vec::new();
    for (key, api_version) in wanted {
        let identity = super::resource::identity(api_version, key);
        let Some(resource) = kinds.resource(client, &identity, true).await? else {
            live.unknown_kinds.insert((key.group.clone(), key.kind.clone()));
            continue;
        };
        match &key.namespace {
            Some(namespace) if resource.namespaced && !key.is("", "Secret") => {
                let place = (resource.api_version.clone(), key.kind.clone(), namespace.clone());
                let list = lists.entry(place).or_insert_with(|| (resource, Vec::new()));
                list.1.push(key.clone());
            }
            _ => questions.push(Question::Get(resource, key.clone())),
        }
    }
    for ((_, _, namespace), (resource, keys)) in lists {
        questions.push(Question::List(resource, namespace, keys));
    }
    let answers = together(questions, |question| {
        let client = client.clone();
        async move { ask(&client, question).await }
    });
    for (found, unreadable) in answers.await? {
        live.objects.extend(found);
        live.unreadable.extend(unreadable);
    }
    Ok(live)
}

type Answer = (Vec<(Key, Value)>, Vec<(Key, String)>);

async fn ask(client: &Client, question: Question) -> Result<Answer, RequestError> {
    match question {
        Question::Get(resource, key) => match client.get(&resource.path(&key)).await {
            Ok(Some(value)) => Ok((vec![(key, value)], Vec::new())),
            Ok(None) => Ok((Vec::new(), Vec::new())),
            Err(error) if error.is(403) => Ok((Vec::new(), vec![(key, error.to_string())])),
            Err(error) => Err(error),
        },
        Question::List(resource, namespace, keys) => {
            match client.list(&resource.collection(Some(&namespace))).await {
                Ok(items) => {
                    let found = items.into_iter().filter_map(|item| {
                        let name = item.pointer("/metadata/name")?.as_str()?;
                        let key = keys.iter().find(|key| key.name == name)?.clone();
                        Some((key, item))
                    });
                    Ok((found.collect(), Vec::new()))
                }
                Err(error) if error.is(403) => {
                    let why = error.to_string();
                    Ok((Vec::new(), keys.into_iter().map(|key| (key, why.clone())).collect()))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// What a task gave; a panic in it is ours.
pub(super) fn joined<T>(done: Result<T, JoinError>) -> T {
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Does something for all at the same time, and gives the results in their order.
pub async fn each<Q, A, F>(all: impl IntoIterator<Item = Q>, work: impl Fn(Q) -> F) -> Vec<A>
where
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (at, one) in all.into_iter().enumerate() {
        let future = work(one);
        tasks.spawn(async move { (at, future.await) });
    }
    let mut results = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (at, result) = joined(done);
        results.insert(at, result);
    }
    results.into_values().collect()
}

/// Runs many requests, a bounded number at a time. The first fault ends it.
pub(super) async fn together<Q, A, F>(
    questions: Vec<Q>,
    ask: impl Fn(Q) -> F,
) -> Result<Vec<A>, RequestError>
where
    A: Send + 'static,
    F: Future<Output = Result<A, RequestError>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(PARALLEL));
    let mut tasks = JoinSet::new();
    for question in questions {
        let (permits, future) = (permits.clone(), ask(question));
        tasks.spawn(async move {
            let _permit = permits.acquire().await;
            future.await
        });
    }
    let mut answers = Vec::new();
    while let Some(done) = tasks.join_next().await {
        answers.push(joined(done)?);
    }
    Ok(answers)
}

/// Kinds that `istioctl install` prunes by label, so that what it left is of one of them.
///
/// Source: `prune.go` of istioctl's operator (istio-facts, "Prune").
const INSTALLED: [(&str, &str); 15] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("v1", "Secret"),
];

/// Objects that bear the label of `istioctl install`, and the webhook of its default tag.
pub async fn labelled(client: &Client, kinds: &Kinds) -> Result<Vec<(Key, Value)>, RequestError> {
    let questions =
        INSTALLED.iter().map(|(version, kind)| ((*version).to_owned(), (*kind).to_owned()));
    let answers = together(questions.collect(), |(api_version, kind): (String, String)| {
        let (client, kinds) = (client.clone(), kinds.clone());
        async move {
            let identity = Identity { api_version, kind, namespace: None, name: String::new() };
            let Some(resource) = kinds.resource(&client, &identity, false).await? else {
                return Ok(Vec::new());
            };
            let path = resource.collection(None);
            let label = format!("{path}?labelSelector=operator.istio.io%2Fmanaged%3DReconcile");
            let mut found = match client.list(&label).await {
                Err(error) if error.is(403) => Vec::new(),
                other => other?,
            };
            if identity.kind == "MutatingWebhookConfiguration"
                && let Some(tag) = client.get(&format!("{path}/istio-revision-tag-default")).await?
                && !found
                    .iter()
                    .any(|live| live.pointer("/metadata/uid") == tag.pointer("/metadata/uid"))
            {
                found.push(tag);
            }
            Ok(found)
        }
    });
    Ok(keyed(answers.await?.into_iter().flatten()))
}

/// All objects of some kinds that a field manager has applied, in all namespaces.
pub async fn applied_by(
    client: &Client,
    kinds: &Kinds,
    wanted: &BTreeSet<(String, String)>,
    manager: &'static str,
) -> Result<Vec<(Key, Value)>, RequestError> {
    let answers =
        together(wanted.iter().cloned().collect(), |(api_version, kind): (String, String)| {
            let (client, kinds) = (client.clone(), kinds.clone());
            async move {
                let identity = Identity { api_version, kind, namespace: None, name: String::new() };
                let Some(resource) = kinds.resource(&client, &identity, false).await? else {
                    return Ok(Vec::new());
                };
                let mut found = client.list(&resource.collection(None)).await?;
                found.retain(|live| super::field::managed(live, manager).is_some());
                Ok(found)
            }
        });
    Ok(keyed(answers.await?.into_iter().flatten()))
}

fn keyed(found: impl Iterator<Item = Value>) -> Vec<(Key, Value)> {
    let keyed = found.filter_map(|live| Some((Key::of(&Identity::of(&live).ok()?), live)));
    let sorted: BTreeMap<Key, Value> = keyed.collect();
    sorted.into_iter().collect()
}
