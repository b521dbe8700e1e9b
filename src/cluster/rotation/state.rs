//! Where a rotation stands, as the clusters have it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::cluster::bind::{Missing, live_text};
use crate::cluster::client::RequestError;
use crate::cluster::desired::{Bindings, Desired};
use crate::cluster::identity::token_of;
use crate::cluster::key::Key;
use crate::cluster::observe::together;
use crate::cluster::plan::{bound_cluster, is_leaving, uid};
use crate::cluster::resource::Resource;
use crate::cluster::survey::Mesh;
use crate::object::Binding;
use crate::pki::Secret;
use crate::store::Digest;

/// On the second Secret: the UID of the Secret that it stands in for.
pub const REPLACES: &str = "meshgen.dev/replaces";
/// On the second Secret: the cluster whose retirement it is for.
pub const RETIRED: &str = "meshgen.dev/retired";
/// Kubernetes' own mark on a token that was used, with the day. An API server of 1.28 or later sets it
/// when it first takes the token.
pub const USED: &str = "kubernetes.io/legacy-token-last-used";

/// Whether a live object is a second Secret: another apply keeps it.
pub fn is_second(live: &Value) -> bool {
    annotation(live, REPLACES).is_some()
}

/// An annotation of a live object.
pub fn annotation<'a>(live: &'a Value, name: &str) -> Option<&'a str> {
    live.pointer("/metadata/annotations")?.get(name)?.as_str()
}

/// A cluster whose token is made anew, and who reads it, as the tree has them.
#[derive(Clone)]
pub struct Subject {
    /// Its place among the members.
    pub at: usize,
    /// Its name.
    pub name: String,
    /// Its Secret in the tree.
    pub own: Arc<Desired>,
    /// The peers with their remote secrets.
    pub readers: Vec<Reader>,
}

/// A peer that reads a cluster.
#[derive(Clone)]
pub struct Reader {
    /// Its place among the members.
    pub at: usize,
    /// The remote secret.
    pub desired: Arc<Desired>,
}

impl Subject {
    /// What the tree says of a member's token; nothing where it binds nothing to it. Who reads it is
    /// looked for among these members.
    pub fn of(mesh: &Mesh, members: &[usize], at: usize) -> Option<Self> {
        let member = mesh.members.get(at)?;
        let name = member.name.clone();
        let mut bindings = mesh.index.artifacts.iter().flat_map(|row| &row.bindings);
        let from = &bindings.find(|binding| binding.from.cluster == name)?.from;
        let (namespace, secret) = from.secret.split_once('/')?;
        let own = member.wanted.get(&Key::secret(namespace, secret))?.clone();
        let readers = members.iter().filter(|place| **place != at).flat_map(|place| {
            let objects = mesh.members.get(*place).map(|reader| &reader.wanted.objects);
            let bound = objects
                .into_iter()
                .flatten()
                .filter(|desired| bound_cluster(desired) == Some(name.as_str()));
            bound.map(|desired| Reader { at: *place, desired: desired.clone() })
        });
        let readers = readers.collect();
        Some(Self { at, name, own, readers })
    }

    /// The second Secret.
    pub fn second(&self) -> Key {
        let namespace = self.own.key.namespace.clone().unwrap_or_default();
        Key::secret(&namespace, &format!("{}-second", self.own.key.name))
    }
}

/// A token. It is compared by its digest, and never shown.
#[derive(Clone)]
pub struct Token {
    value: Arc<Secret<String>>,
    digest: Digest,
}

impl Token {
    pub fn new(value: String) -> Self {
        Self { digest: Digest::of(&value), value: Arc::new(Secret::new(value)) }
    }

    pub fn is(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// The only value that a remote secret binds.
impl Bindings for Token {
    fn value(&self, _: &Binding) -> Option<Arc<Secret<String>>> {
        Some(self.value.clone())
    }

    fn why(&self, _: &str) -> Missing {
        Missing::Later
    }
}

/// A token's Secret that is there.
#[derive(Clone)]
pub struct Held {
    pub uid: String,
    /// Nothing as long as the cluster has not written it.
    pub token: Option<Token>,
    pub live: Value,
}

impl Held {
    /// One that is there; nothing for one that is on its way out.
    pub fn of(live: Value) -> Option<Self> {
        let uid = uid(&live).filter(|_| !is_leaving(&live))?.to_owned();
        let data = |key: &str| {
            let text = live.get("data").and_then(|data| data.get(key)).and_then(Value::as_str)?;
            let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
            String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.is_empty())
        };
        let token = data("ca.crt").and_then(|_| data("token")).map(Token::new);
        Some(Self { uid, token, live })
    }

    /// Whether the API server has taken its token.
    pub fn is_used(&self) -> bool {
        self.live.pointer("/metadata/labels").and_then(|labels| labels.get(USED)).is_some()
    }
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No second Secret is there.
    Begin,
    /// The second is there, and the own one is still the old one, or gone.
    Spread,
    /// The own one was made anew.
    Return,
}

/// What is in the clusters.
pub struct State {
    /// The tree's own Secret.
    pub own: Option<Held>,
    /// The second.
    pub second: Option<Held>,
    /// The remote secrets, in the order of the readers; nothing where there is none.
    pub remote: Vec<Option<Value>>,
}

impl State {
    /// Reads it.
    pub async fn read(mesh: &Arc<Mesh>, subject: &Subject) -> Result<Self, RequestError> {
        let mut places =
            vec![(subject.at, subject.own.key.clone()), (subject.at, subject.second())];
        let readers = subject.readers.iter();
        places.extend(readers.map(|reader| (reader.at, reader.desired.key.clone())));
        let questions: Vec<_> = places.into_iter().enumerate().collect();
        let mut found = together(questions, |(order, (at, key))| {
            let mesh = mesh.clone();
            async move {
                let live = mesh.members[at].client().get(&path(&key)).await?;
                Ok((order, live))
            }
        })
        .await?;
        found.sort_by_key(|(order, _)| *order);
        let mut found = found.into_iter().map(|(_, live)| live);
        let (own, second) = (found.next().flatten(), found.next().flatten());
        Ok(Self {
            own: own.and_then(Held::of),
            second: second.and_then(Held::of),
            remote: found.map(|live| live.filter(|live| !is_leaving(live))).collect(),
        })
    }

    /// How far it is: whether the own Secret is the one that the second stands in for.
    pub fn phase(&self) -> Phase {
        match (&self.second, &self.own) {
            (None, _) => Phase::Begin,
            (Some(second), Some(own)) if annotation(&second.live, REPLACES) != Some(&own.uid) => {
                Phase::Return
            }
            (Some(_), _) => Phase::Spread,
        }
    }

    /// The readers that have a remote secret, with the token in it.
    pub fn readers<'a>(
        &'a self,
        subject: &'a Subject,
    ) -> impl Iterator<Item = (&'a Reader, &'a Value, Option<Token>)> {
        subject.readers.iter().zip(&self.remote).filter_map(|(reader, live)| {
            let live = live.as_ref()?;
            let text = live_text(&reader.desired, live);
            let token = text.and_then(|text| token_of(&text)).map(Token::new);
            Some((reader, live, token))
        })
    }
}

/// The address of a Secret.
pub fn path(key: &Key) -> String {
    let resource = Resource::built_in("v1", "Secret").expect("Kubernetes has Secrets");
    resource.path(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn held(uid: &str, replaces: Option<&str>) -> Option<Held> {
        let mut live = json!({"metadata": {"uid": uid}});
        if let Some(replaces) = replaces {
            live["metadata"]["annotations"] = json!({ REPLACES: replaces });
        }
        Held::of(live)
    }

    #[test]
    fn how_far_it_is_follows_from_which_secrets_are_there() {
        let phase = |own: Option<&str>, second: bool| {
            let own = own.and_then(|uid| held(uid, None));
            let second = second.then(|| held("s", Some("old"))).flatten();
            State { own, second, remote: Vec::new() }.phase()
        };
        assert_eq!(phase(Some("old"), false), Phase::Begin);
        assert_eq!(phase(Some("old"), true), Phase::Spread);
        assert_eq!(phase(None, true), Phase::Spread);
        assert_eq!(phase(Some("new"), true), Phase::Return);
    }

    #[test]
    fn what_is_on_its_way_out_is_not_held() {
        let leaving =
            json!({"metadata": {"uid": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert!(Held::of(leaving).is_none());
        let empty = Held::of(json!({"metadata": {"uid": "a"}, "data": {"token": ""}}));
        assert!(empty.is_some_and(|held| held.token.is_none()));
    }
}
