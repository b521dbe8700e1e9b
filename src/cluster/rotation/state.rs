//! Where a rotation stands, as the clusters have it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
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
use crate::pki::{Secret, Wiped};
use crate::store::Digest;

/// On the second Secret: the UID of the Secret that it stands in for.
pub const REPLACES: &str = "meshgen.dev/replaces";
/// On the second Secret: the UID of the account whose token it stands in for.
pub const ACCOUNT: &str = "meshgen.dev/replaces-account";
/// On the second Secret: the cluster whose retirement it is for.
pub const RETIRED: &str = "meshgen.dev/retired";
/// Kubernetes' own mark on a token that was used, with the day. An API server of 1.28 or later sets it
/// when it first takes the token.
pub const USED: &str = "kubernetes.io/legacy-token-last-used";

/// Kubernetes' own, on a token's Secret: the account, by name.
pub const OF: &str = "kubernetes.io/service-account.name";
/// Kubernetes' own, on a token's Secret: the account, by UID, since it wrote the token.
const OF_UID: &str = "kubernetes.io/service-account.uid";

/// Whether a live object stands in for another while a token is made anew (the second Secret, its
/// account, that one's bindings): another apply keeps it.
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
    /// The name of the account that the token is of.
    of: String,
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
        let of = annotation(&own.rendered, OF)?.to_owned();
        let readers = members.iter().filter(|place| **place != at).flat_map(|place| {
            let objects = mesh.members.get(*place).map(|reader| &reader.wanted.objects);
            let bound = objects
                .into_iter()
                .flatten()
                .filter(|desired| bound_cluster(desired) == Some(name.as_str()));
            bound.map(|desired| Reader { at: *place, desired: desired.clone() })
        });
        let readers = readers.collect();
        Some(Self { at, name, own, of, readers })
    }

    /// The account that the token is of.
    pub fn account(&self) -> Key {
        Key { kind: "ServiceAccount".to_owned(), name: self.of.clone(), ..self.own.key.clone() }
    }

    /// The account that stands in for it.
    pub fn second_account(&self) -> Key {
        Key { name: format!("{}-second", self.of), ..self.account() }
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

    /// The UID of the account that it says it is of.
    pub fn account(&self) -> Option<String> {
        let claims = self.value.expose().split('.').nth(1)?;
        let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
        let claims = Wiped(serde_json::from_slice::<Value>(&claims).ok()?);
        let of = claims.0.get("kubernetes.io/serviceaccount/service-account.uid")?;
        of.as_str().map(str::to_owned)
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

/// A token's Secret that is there, or an account.
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

    /// The UID of the account that its token is of.
    pub fn account(&self) -> Option<&str> {
        annotation(&self.live, OF_UID)
    }

    /// Of a second Secret: the UID of the account that must go.
    pub fn replaced_account(&self) -> Option<&str> {
        annotation(&self.live, ACCOUNT)
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
    /// The second is there, and the own one or its account is still the old one, or gone.
    Spread,
    /// The own one has a token of an account that was made anew.
    Return,
}

/// What is in the clusters.
pub struct State {
    /// The tree's own Secret.
    pub own: Option<Held>,
    /// The second.
    pub second: Option<Held>,
    /// The account of the tree's own.
    pub account: Option<Held>,
    /// The remote secrets, in the order of the readers; nothing where there is none.
    pub remote: Vec<Option<Value>>,
}

impl State {
    /// Reads it.
    pub async fn read(mesh: &Arc<Mesh>, subject: &Subject) -> Result<Self, RequestError> {
        let here = [subject.own.key.clone(), subject.second(), subject.account()];
        let mut places: Vec<_> = here.into_iter().map(|key| (subject.at, key)).collect();
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
        let mut next = || found.next().flatten().and_then(Held::of);
        let (own, second, account) = (next(), next(), next());
        Ok(Self {
            own,
            second,
            account,
            remote: found.map(|live| live.filter(|live| !is_leaving(live))).collect(),
        })
    }

    /// How far it is: whether the own Secret has a token of another account than the one that the
    /// second stands in for. Another Secret alone would have the same token again.
    pub fn phase(&self) -> Phase {
        let Some(second) = &self.second else { return Phase::Begin };
        let (Some(own), Some(account), Some(old)) =
            (&self.own, &self.account, second.replaced_account())
        else {
            return Phase::Spread;
        };
        let is_new = account.uid != old && own.account() == Some(&account.uid);
        if is_new && own.token.is_some() { Phase::Return } else { Phase::Spread }
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

/// The API version of a kind of Kubernetes' own.
pub fn api_version(key: &Key) -> String {
    if key.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", key.group) }
}

/// The address of a Secret, an account, or a binding.
pub fn path(key: &Key) -> String {
    let resource = Resource::built_in(&api_version(key), &key.kind);
    resource.expect("every server has this kind").path(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn own(account: &str) -> Option<Held> {
        let data = json!({"token": STANDARD.encode("t"), "ca.crt": STANDARD.encode("c")});
        let annotations = json!({ OF_UID: account });
        Held::of(json!({"metadata": {"uid": "o", "annotations": annotations}, "data": data}))
    }

    #[test]
    fn how_far_it_is_follows_from_which_account_the_token_is_of() {
        let phase = |own: Option<Held>, account: Option<&str>, second: bool| {
            let account = account.and_then(|uid| Held::of(json!({"metadata": {"uid": uid}})));
            let annotations = json!({ REPLACES: "s", ACCOUNT: "old" });
            let live = json!({"metadata": {"uid": "2", "annotations": annotations}});
            let second = second.then(|| Held::of(live)).flatten();
            State { own, second, account, remote: Vec::new() }.phase()
        };
        assert_eq!(phase(own("old"), Some("old"), false), Phase::Begin);
        assert_eq!(phase(own("old"), Some("old"), true), Phase::Spread);
        assert_eq!(phase(None, Some("old"), true), Phase::Spread);
        assert_eq!(phase(None, Some("new"), true), Phase::Spread);
        assert_eq!(phase(own("old"), Some("new"), true), Phase::Spread);
        assert_eq!(phase(own("new"), None, true), Phase::Spread);
        assert_eq!(phase(own("new"), Some("new"), true), Phase::Return);
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
