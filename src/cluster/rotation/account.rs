//! The account that a token belongs to, and the one that stands in for it.
//!
//! A token in a Secret holds its namespace, the names of Secret and account, and the account's UID;
//! it has no date and no number. A server that signs with RSA writes the same bytes again for a Secret
//! of the same name. What ends a token for good is another UID of its account.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::run::Work;
use super::state::{Held, REPLACES, State, Subject, annotation, api_version, is_second, path};
use crate::cluster::apply::{ApplyError, doing};
use crate::cluster::client::{ApplyOptions, Client, RequestError};
use crate::cluster::desired::in_data;
use crate::cluster::inventory::Inventory;
use crate::cluster::key::Key;
use crate::cluster::plan::{is_leaving, uid};
use crate::cluster::resource::{Resource, segment};
use crate::cluster::wait::Look;
use crate::cluster::write::is_maker;
use crate::pki::Wiped;
use crate::tree::stage_name::TOKENS;

/// On the second Secret: [`Kept`].
pub const KEPT: &str = "meshgen.dev/account";
/// The group of bindings.
const RBAC: &str = "rbac.authorization.k8s.io";
/// Kinds of bindings.
const BINDINGS: [&str; 2] = ["ClusterRoleBinding", "RoleBinding"];

/// An account as it is made anew where the tree does not have it: what its owner wrote, and who that
/// was. It stands on the second Secret before the account is deleted.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    manager: String,
    object: Value,
}

impl Kept {
    /// Of a live account.
    pub fn of(live: &Value) -> Self {
        let mut object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}});
        for field in ["name", "namespace", "labels", "annotations"] {
            if let Some(value) = live.pointer(&format!("/metadata/{field}")) {
                object["metadata"][field] = value.clone();
            }
        }
        for field in ["imagePullSecrets", "automountServiceAccountToken"] {
            if let Some(value) = live.get(field) {
                object[field] = value.clone();
            }
        }
        let fields = live.pointer("/metadata/managedFields").and_then(Value::as_array);
        let managers = fields.into_iter().flatten().filter_map(|entry| entry["manager"].as_str());
        let manager = managers.into_iter().find(|name| is_maker(name)).unwrap_or("meshgen");
        Self { manager: manager.to_owned(), object }
    }

    /// As it is written.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("it holds JSON")
    }
}

/// The bindings of a cluster whose subjects hold an account; those of a stand-in, or the others.
pub async fn bindings(
    client: &Client,
    account: &Key,
    seconds: bool,
) -> Result<Vec<Value>, RequestError> {
    let mut all = Vec::new();
    for kind in BINDINGS {
        let resource = Resource::built_in(&format!("{RBAC}/v1"), kind);
        let resource = resource.expect("Kubernetes has bindings");
        let found = client.list(&resource.collection(None)).await?;
        all.extend(found.into_iter().filter(|live| {
            let subjects = live.get("subjects").and_then(Value::as_array);
            is_second(live) == seconds
                && subjects.into_iter().flatten().any(|subject| {
                    subject["kind"] == "ServiceAccount"
                        && subject["name"].as_str() == Some(&account.name)
                        && subject["namespace"].as_str() == account.namespace.as_deref()
                })
        }));
    }
    Ok(all)
}

/// The key of a binding.
fn binding_key(live: &Value) -> Key {
    let text = |path: &str| live.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Key {
        group: RBAC.to_owned(),
        kind: text("/kind").unwrap_or_default(),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name").unwrap_or_default(),
    }
}

/// An object that stands in for another: of the same kind, under this name.
fn stand_in(key: &Key, replaces: &Value) -> Value {
    json!({
        "apiVersion": api_version(key),
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {"app.kubernetes.io/managed-by": "meshgen"},
            "annotations": {REPLACES: uid(replaces).unwrap_or_default()},
        },
    })
}

/// The second account, and the bindings that give it what the first may do.
pub fn stand_ins(subject: &Subject, account: &Value, bindings: &[Value]) -> Vec<(Key, Value)> {
    let key = subject.second_account();
    let mut all = vec![(key.clone(), stand_in(&key, account))];
    for binding in bindings {
        let mut copy = binding_key(binding);
        copy.name.push_str("-second");
        let mut object = stand_in(&copy, binding);
        object["roleRef"] = binding["roleRef"].clone();
        let (name, namespace) = (&key.name, &key.namespace);
        object["subjects"] =
            json!([{"kind": "ServiceAccount", "name": name, "namespace": namespace}]);
        all.push((copy, object));
    }
    for (_, object) in &mut all {
        if object["metadata"]["namespace"].is_null()
            && let Some(head) = object["metadata"].as_object_mut()
        {
            head.remove("namespace");
        }
    }
    all
}

impl Work<'_> {
    /// Makes what stands in for the account and its bindings, but no object that another made.
    pub(super) async fn put_stand_ins(
        &mut self,
        all: &[(Key, Value)],
    ) -> Result<Vec<(Key, Option<String>)>, ApplyError> {
        let client = self.client();
        let mut made = Vec::new();
        for (key, object) in all {
            let live = client.get(&path(key)).await.map_err(doing(format!("reading {key}")))?;
            if live.as_ref().is_some_and(|live| !is_second(live)) {
                return Err(ApplyError::Foreign(key.clone()));
            }
            let written = client.apply(&path(key), object, ApplyOptions::default()).await;
            let written = written.map_err(doing(format!("creating {key}")))?;
            self.did(self.subject.at, TOKENS, "create", key);
            made.push((key.clone(), uid(&written).map(str::to_owned)));
        }
        Ok(made)
    }

    /// Makes the account and the tree's own Secret anew, whose token nobody needs by now.
    pub(super) async fn renew(&mut self, second: &Held) -> Result<(), ApplyError> {
        let (mesh, subject) = (&self.rotation.mesh, self.subject);
        let (own, account) = (&subject.own.key, subject.account());
        self.go_on()?;
        let state = State::read(mesh, subject).await.map_err(doing("looking again"))?;
        if let Some(held) = state.own.filter(|held| {
            annotation(&second.live, REPLACES) == Some(&held.uid)
                || held.account().is_some() && held.account() == second.replaced_account()
        }) {
            self.delete(own, &held.uid).await?;
        }
        if let Some(held) =
            state.account.filter(|held| Some(held.uid.as_str()) == second.replaced_account())
        {
            self.delete(&account, &held.uid).await?;
        }
        self.make_account(second).await?;
        self.make_own().await
    }

    /// Makes the account, unless it is there.
    async fn make_account(&mut self, second: &Held) -> Result<(), ApplyError> {
        let (client, key) = (self.client(), self.subject.account());
        let path = path(&key);
        match client.get(&path).await.map_err(doing(format!("reading {key}")))? {
            Some(live) if is_leaving(&live) => {
                let waiter = self.rotation.waiter(self.subject.at);
                waiter.gone(&key, &path, uid(&live).unwrap_or_default()).await?;
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let making = || doing(format!("creating {key}"));
        if let Some(desired) = self.wanted_account() {
            let object = Wiped(in_data((*desired.rendered).clone()));
            client.apply(&path, &object.0, ApplyOptions::default()).await.map_err(making())?;
        } else {
            let text = annotation(&second.live, KEPT).unwrap_or_default();
            let kept: Kept = serde_json::from_str(text).map_err(|_| {
                ApplyError::Moved(format!("{} does not say how {key} was", self.subject.second()))
            })?;
            let resource = Resource::built_in("v1", "ServiceAccount").expect("Kubernetes' own");
            let collection = resource.collection(key.namespace.as_deref());
            let manager = segment(&kept.manager);
            let address = format!("{collection}?fieldManager={manager}");
            self.go_on()?;
            match client.create_anyway(&address, &kept.object).await {
                // the answer to the first try was lost, or its owner was faster
                Err(error) if error.is(409) => {}
                other => drop(other.map_err(making())?),
            }
        }
        self.did(self.subject.at, TOKENS, "create", &key);
        Ok(())
    }

    /// Makes the tree's own Secret, until it has a token of the account that is there.
    ///
    /// The token controller may still take the old account for live, and deletes what it wrote for
    /// that: so the Secret is made again, and counts when it was seen twice.
    async fn make_own(&mut self) -> Result<(), ApplyError> {
        let (client, subject) = (self.client(), self.subject);
        let (own, account) = (&subject.own.key, subject.account());
        let object = Wiped(in_data((*subject.own.rendered).clone()));
        let (own_path, account_path, object) = (&path(own), &path(&account), &object.0);
        let made = client.apply(own_path, object, ApplyOptions::default()).await;
        made.map_err(doing(format!("creating {own}")))?;
        self.did(subject.at, TOKENS, "create", own);
        let seen = &std::sync::Mutex::new(None::<String>);
        let client = &client;
        let look = |_| async move {
            let Some(account) = client.get(account_path).await?.and_then(Held::of) else {
                return Ok(Look::Never("somebody deleted its account".to_owned()));
            };
            let Some(live) = client.get(own_path).await? else {
                client.apply(own_path, object, ApplyOptions::default()).await?;
                return Ok(Look::NotYet("the token controller deleted it once".to_owned()));
            };
            let Some(held) = Held::of(live) else {
                return Ok(Look::NotYet("it is on its way out".to_owned()));
            };
            if held.account() != Some(&account.uid) || held.token.is_none() {
                return Ok(Look::NotYet("the token controller has not written it".to_owned()));
            }
            let mut seen = seen.lock().expect("no holder panics");
            if seen.replace(held.uid.clone()) == Some(held.uid) {
                return Ok(Look::There(()));
            }
            Ok(Look::NotYet("it was written just now".to_owned()))
        };
        let waiter = self.rotation.waiter(subject.at);
        Ok(waiter.until(&format!("the token of the new account in {own}"), look).await?)
    }

    /// Makes sure that what readers have is no token that the old account had.
    pub(super) async fn is_new(&self, second: &Held, old: Option<&Held>) -> Result<(), ApplyError> {
        let (mesh, subject) = (&self.rotation.mesh, self.subject);
        let state = State::read(mesh, subject).await.map_err(doing("looking again"))?;
        let own = state.own.as_ref().and_then(|held| held.token.as_ref());
        let old = old.and_then(|held| held.token.as_ref());
        let is_old = |token: &super::state::Token| {
            let said = token.account();
            let noted = state.own.as_ref().and_then(Held::account);
            said.as_deref().or(noted) == second.replaced_account()
                || old.is_some_and(|old| old.is(token))
        };
        let fails = own.is_none_or(is_old)
            || state.readers(subject).any(|(_, _, token)| {
                token.is_none_or(|token| is_old(&token) || own.is_none_or(|own| !own.is(&token)))
            });
        if fails {
            let text =
                "peers do not have a token of the new account: what was copied may still work";
            return Err(ApplyError::Moved(text.to_owned()));
        }
        Ok(())
    }

    /// Deletes all that stood in, and forgets it. The second Secret goes before its account, which
    /// would take it away with it.
    pub(super) async fn end(
        &mut self,
        second: &Held,
        inventory: &mut Inventory,
    ) -> Result<(), ApplyError> {
        let (client, account) = (self.client(), self.subject.second_account());
        self.go_on()?;
        let mut keys = Vec::new();
        let found = bindings(&client, &account, true).await.map_err(doing("reading bindings"))?;
        for live in &found {
            let key = binding_key(live);
            self.delete(&key, uid(live).unwrap_or_default()).await?;
            keys.push(key);
        }
        let key = self.subject.second();
        self.delete(&key, &second.uid).await?;
        keys.push(key);
        let live = client.get(&path(&account)).await;
        let live = live.map_err(doing(format!("reading {account}")))?;
        if let Some(live) = live.filter(is_second) {
            self.delete(&account, uid(&live).unwrap_or_default()).await?;
        }
        keys.push(account);
        // also those that were intended and never made
        inventory.entries.retain(|key, entry| {
            let is_copy =
                key.group == RBAC && entry.stage == TOKENS && key.name.ends_with("-second");
            !is_copy && !keys.contains(key)
        });
        self.write_down(inventory).await
    }

    /// Deletes an object by its UID, and waits until it is gone.
    async fn delete(&mut self, key: &Key, uid: &str) -> Result<(), ApplyError> {
        let deleted = self.client().delete(&path(key), uid).await;
        deleted.map_err(doing(format!("deleting {key}")))?;
        self.rotation.waiter(self.subject.at).gone(key, &path(key), uid).await?;
        self.did(self.subject.at, TOKENS, "delete", key);
        Ok(())
    }
}
