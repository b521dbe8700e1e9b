//! Bindings: tokens of reader accounts, which exist only in live clusters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::desired::{Bindings, Desired, Wanted};
use super::identity::{authority_of, token_of};
use super::key::Key;
use super::observe::Live;
use super::plan::bound_cluster;
use crate::object::Binding;
use crate::pki::{Certificate, Secret};

type Place = (String, String, String);

/// Tokens that were read from clusters, and why those that were not are held back.
#[derive(Default)]
pub struct Tokens {
    values: Mutex<BTreeMap<Place, Arc<Secret<String>>>>,
    blocked: Mutex<BTreeMap<String, (String, Option<String>)>>,
}

impl Tokens {
    /// Takes the values that bindings ask for out of a cluster's Secret. `false` if any is missing.
    ///
    /// A Secret whose `ca.crt` is not the CA that peers will trust blocks the remote secret: peers
    /// would refuse the server.
    pub fn learn(&self, asked: &Asked, live: &Value) -> bool {
        let data = |key: &str| {
            let text = live.get("data").and_then(|data| data.get(key)).and_then(Value::as_str)?;
            let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
            String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.is_empty())
        };
        let Some(value) = data(&asked.key) else { return false };
        let Some(authority) = data("ca.crt") else { return false };
        let place = (asked.cluster.clone(), asked.secret.clone(), asked.key.clone());
        self.values.lock().expect("no holder panics").insert(place, Arc::new(Secret::new(value)));
        if !asked.authority.is_empty() && !trusts(&asked.authority, &authority) {
            let cluster = &asked.cluster;
            self.block(
                cluster,
                "the CA of its API server is not the one of its facts".to_owned(),
                Some(format!(
                    "`meshgen facts import --kubeconfig FILE --context {cluster}=CONTEXT`, then `meshgen render`"
                )),
            );
        }
        true
    }

    /// Whether a value was learnt.
    pub fn has(&self, asked: &Asked) -> bool {
        let place = (asked.cluster.clone(), asked.secret.clone(), asked.key.clone());
        self.values.lock().expect("no holder panics").contains_key(&place)
    }

    /// Says that a cluster's remote secret cannot be made.
    pub fn block(&self, cluster: &str, why: String, hint: Option<String>) {
        self.blocked
            .lock()
            .expect("no holder panics")
            .entry(cluster.to_owned())
            .or_insert((why, hint));
    }

    /// Why a cluster's remote secret is held back.
    pub fn blocked(&self, cluster: &str) -> Option<(String, Option<String>)> {
        self.blocked.lock().expect("no holder panics").get(cluster).cloned()
    }

    fn value(&self, binding: &Binding) -> Option<Arc<Secret<String>>> {
        let from = &binding.from;
        let place = (from.cluster.clone(), from.secret.clone(), from.key.clone());
        self.values.lock().expect("no holder panics").get(&place).cloned()
    }
}

fn trusts(rendered: &[Certificate], live: &str) -> bool {
    let Ok(live) = Certificate::all(live) else { return false };
    live.iter().any(|own| rendered.iter().any(|other| other.der() == own.der()))
}

/// A value that a tree asks of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The cluster.
    pub cluster: String,
    /// `namespace/name` of the Secret.
    pub secret: String,
    /// The key in its data.
    pub key: String,
    /// The CA that peers will trust.
    pub authority: Vec<Certificate>,
}

impl Asked {
    /// All that the objects ask for.
    pub fn of(objects: &[Arc<Desired>]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for desired in objects {
            for binding in &desired.bindings {
                let text = desired.rendered.pointer(&binding.field).and_then(Value::as_str);
                let pem = text.and_then(authority_of).unwrap_or_default();
                let asked = Self {
                    cluster: binding.from.cluster.clone(),
                    secret: binding.from.secret.clone(),
                    key: binding.from.key.clone(),
                    authority: Certificate::all(&pem).unwrap_or_default(),
                };
                if !all.contains(&asked) {
                    all.push(asked);
                }
            }
        }
        all
    }

    /// The Secret's key in its cluster.
    pub fn object(&self) -> Option<Key> {
        let (namespace, name) = self.secret.split_once('/')?;
        Some(Key::secret(namespace, name))
    }
}

/// Bindings as one peer sees them: tokens of this run; of a cluster that is left out, the one that
/// the peer has already.
pub struct PeerBindings<'a> {
    tokens: &'a Tokens,
    own: BTreeMap<String, Arc<Secret<String>>>,
    present: &'a BTreeSet<String>,
}

impl<'a> PeerBindings<'a> {
    /// The bindings of a peer. `present` are the clusters of this run.
    pub fn new(
        tokens: &'a Tokens,
        wanted: &Wanted,
        live: &Live,
        present: &'a BTreeSet<String>,
    ) -> Self {
        let mut own = BTreeMap::new();
        for desired in &wanted.objects {
            let Some(cluster) = bound_cluster(desired).filter(|name| !present.contains(*name))
            else {
                continue;
            };
            let Some(live) = live.objects.get(&desired.key) else { continue };
            if let Some(token) = live_text(desired, live).and_then(|text| token_of(&text)) {
                own.insert(cluster.to_owned(), Arc::new(Secret::new(token)));
            }
        }
        Self { tokens, own, present }
    }
}

/// The text of a remote secret as it is live.
pub fn live_text(desired: &Desired, live: &Value) -> Option<Zeroizing<String>> {
    let key = desired.bindings.first()?.field.strip_prefix("/stringData/")?;
    let data = live.get("data")?.get(key)?.as_str()?;
    let bytes = Zeroizing::new(STANDARD.decode(data).ok()?);
    Some(Zeroizing::new(String::from_utf8(bytes.to_vec()).ok()?))
}

impl Bindings for PeerBindings<'_> {
    fn value(&self, binding: &Binding) -> Option<Arc<Secret<String>>> {
        let cluster = &binding.from.cluster;
        if self.tokens.blocked(cluster).is_some() {
            return None;
        }
        self.tokens.value(binding).or_else(|| self.own.get(cluster).cloned())
    }

    fn why(&self, cluster: &str) -> Missing {
        match self.tokens.blocked(cluster) {
            Some((why, hint)) => Missing::Held(why, hint),
            None if self.present.contains(cluster) => Missing::Later,
            None => Missing::Held(
                format!("`{cluster}` is left out, and its token is not here yet"),
                None,
            ),
        }
    }
}

/// Why a value is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// It comes in this run.
    Later,
    /// It does not, with the reason and what to do.
    Held(String, Option<String>),
}
