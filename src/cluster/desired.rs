//! What a tree wants to be in one cluster.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::bind::Missing;
use super::key::Key;
use super::payload::Payload;
use crate::object::{Binding, Identity};
use crate::pki::{Certificate, Identities, PrivateKey, Secret, cacerts, sops};
use crate::store::Digest;
use crate::tree::source::{Source, SourceError};
use crate::tree::{Index, TreePath};
use crate::yaml::{self, Schema};

/// An object of the tree as one cluster gets it.
#[derive(Clone)]
pub struct Desired {
    /// Which object.
    pub key: Key,
    /// With the version at which it is sent.
    pub identity: Identity,
    /// The step that sends it.
    pub stage: String,
    /// Its file.
    pub path: TreePath,
    /// The digest of its file.
    pub digest: Digest,
    /// As it stands in the file.
    pub rendered: Arc<Value>,
    /// JSON pointers of sealed values.
    pub sealed: Vec<String>,
    /// Values that are put in.
    pub bindings: Vec<Binding>,
    /// JSON pointers of fields that are left to others once they have them.
    pub handover: Vec<String>,
}

/// Why an object of the tree cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum DesiredError {
    /// Its file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its file holds something else.
    #[error("`{path}`: {why}")]
    File {
        /// Which file.
        path: TreePath,
        /// What is wrong.
        why: String,
    },
}

/// A tree's objects for one cluster.
#[derive(Clone, Default)]
pub struct Wanted {
    /// The objects, in the order of stages.
    pub objects: Vec<Arc<Desired>>,
    /// Objects that wait for facts: never pruned. With what they wait for.
    pub pending: BTreeMap<Key, Vec<String>>,
}

impl Wanted {
    /// Reads the objects of a cluster. A file that several clusters get is read once: `read` keeps
    /// it.
    pub fn of(source: &Source, cluster: &str, read: &Files) -> Result<Self, DesiredError> {
        let mut objects = Vec::new();
        for row in &source.index.artifacts {
            let (Some(stage), Some(targets), Some(identity)) =
                (&row.stage, &row.targets, &row.object)
            else {
                continue;
            };
            if !targets.contains(cluster) {
                continue;
            }
            let rendered = read.get(source, &row.path, row.digest)?;
            let fault = |why: String| DesiredError::File { path: row.path.clone(), why };
            let found = Identity::of(&rendered).map_err(|error| fault(error.to_string()))?;
            if found != *identity {
                return Err(fault(format!(
                    "the index says {} {identity}, but the file holds {} {found}",
                    identity.api_version, found.api_version
                )));
            }
            for binding in &row.bindings {
                let text = rendered.pointer(&binding.field).and_then(Value::as_str);
                let count = text.map_or(0, |text| text.matches(&binding.placeholder).count());
                if count != 1 {
                    let field = &binding.field;
                    return Err(fault(format!(
                        "the placeholder of `{field}` stands there {count} times, not once"
                    )));
                }
            }
            objects.push(Arc::new(Desired {
                key: Key::of(identity),
                identity: identity.clone(),
                stage: stage.clone(),
                path: row.path.clone(),
                digest: row.digest,
                rendered,
                sealed: row.sealed.clone(),
                bindings: row.bindings.clone(),
                handover: row.handover.clone(),
            }));
        }
        objects.sort_by(|a, b| {
            (&a.stage, rank(&a.key), &a.path).cmp(&(&b.stage, rank(&b.key), &b.path))
        });
        Ok(Self { objects, pending: pending(&source.index, cluster) })
    }

    /// The object of a key.
    pub fn get(&self, key: &Key) -> Option<&Arc<Desired>> {
        self.objects.iter().find(|desired| desired.key == *key)
    }

    /// Whether any object is of a stage.
    pub fn has_stage(&self, stage: &str) -> bool {
        self.objects.iter().any(|desired| desired.stage == stage)
    }
}

fn pending(index: &Index, cluster: &str) -> BTreeMap<Key, Vec<String>> {
    let rows = index
        .pending
        .iter()
        .filter(|row| row.targets.as_ref().is_some_and(|targets| targets.contains(cluster)));
    rows.filter_map(|row| Some((Key::of(row.object.as_ref()?), row.needs.clone()))).collect()
}

/// The order inside a stage: CRDs; accounts, RBAC, `ConfigMap`s, Secrets; Services; workloads, HPA,
/// PDB; webhooks. Namespaces go before all.
pub fn rank(key: &Key) -> u8 {
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Namespace") => 0,
        _ if key.is_crd() => 1,
        ("", "ServiceAccount" | "ConfigMap" | "Secret" | "ResourceQuota" | "LimitRange")
        | ("rbac.authorization.k8s.io", _) => 2,
        ("", "Service" | "Endpoints") | ("discovery.k8s.io", _) => 3,
        _ if key.is_webhook() => 5,
        _ => 4,
    }
}

/// Files of a tree that were read and parsed already.
#[derive(Default)]
pub struct Files(Mutex<BTreeMap<Digest, Arc<Value>>>);

impl Files {
    /// The object in a file of a tree.
    pub fn get(
        &self,
        source: &Source,
        path: &TreePath,
        digest: Digest,
    ) -> Result<Arc<Value>, DesiredError> {
        if let Some(known) = self.0.lock().expect("no holder panics").get(&digest) {
            return Ok(known.clone());
        }
        let bytes = source.read(path)?;
        let fault = |why: String| DesiredError::File { path: path.clone(), why };
        let text = std::str::from_utf8(&bytes).map_err(|_| fault("it is no UTF-8".to_owned()))?;
        let value = yaml::document(text, Schema::Strict)
            .map_err(|error| fault(error.with_position(text)))?;
        let value = Arc::new(value);
        self.0.lock().expect("no holder panics").insert(digest, value.clone());
        Ok(value)
    }
}

/// Tokens and opened keys: what is put into objects on their way.
pub struct Vault {
    identities: Identities,
    opened: Mutex<BTreeMap<Digest, Arc<Payload>>>,
}

/// Why an object cannot be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// What is sealed in it does not open.
    #[error("{0}")]
    Sealed(String),
    /// There is no identity to open it with.
    #[error("an age identity is needed to open `{0}`")]
    NoIdentity(TreePath),
    /// Its token is not there yet.
    #[error("the token of `{0}` is not there yet")]
    NoToken(String),
}

/// A value that a binding asks for: by cluster, Secret and key.
pub trait Bindings: Sync {
    /// The value, if it is there.
    fn value(&self, binding: &Binding) -> Option<Arc<Secret<String>>>;

    /// Why the value of a cluster is not there.
    fn why(&self, cluster: &str) -> Missing;
}

impl Vault {
    /// A vault that opens with these identities.
    pub fn new(identities: Identities) -> Self {
        Self { identities, opened: Mutex::default() }
    }

    /// Whether nothing can be opened.
    pub fn is_locked(&self) -> bool {
        self.identities.is_empty()
    }

    /// The object as it is sent: sealed values opened, bindings put in, `stringData` as `data`
    /// (server-side apply does not own it: kubernetes#70281).
    ///
    /// After opening, a key that does not fit its certificate is refused.
    pub fn fill(
        &self,
        desired: &Desired,
        bindings: &dyn Bindings,
    ) -> Result<Arc<Payload>, FillError> {
        if desired.bindings.is_empty() && desired.sealed.is_empty() {
            if !desired.key.is("", "Secret") {
                return Ok(Arc::new(Payload::Clear(desired.rendered.clone())));
            }
            return Ok(Arc::new(Payload::sensitive(in_data((*desired.rendered).clone()))));
        }
        if desired.sealed.is_empty() {
            let mut value = (*desired.rendered).clone();
            bind(&mut value, desired, bindings)?;
            return Ok(Arc::new(Payload::sensitive(in_data(value))));
        }
        if let Some(known) = self.opened.lock().expect("no holder panics").get(&desired.digest) {
            return Ok(known.clone());
        }
        if self.is_locked() {
            return Err(FillError::NoIdentity(desired.path.clone()));
        }
        let fault = |why: String| FillError::Sealed(format!("`{}`: {why}", desired.path));
        let mut value = if desired.sealed == [cacerts::SEALED_POINTER] {
            let (opened, _) = cacerts::open(&desired.rendered, &self.identities)
                .map_err(|error| fault(error.to_string()))?;
            opened.document().clone()
        } else {
            let opened = sops::open(&desired.rendered, &self.identities)
                .map_err(|error| fault(error.to_string()))?;
            opened.document().clone()
        };
        bind(&mut value, desired, bindings)?;
        let payload = Arc::new(Payload::sensitive(in_data(value)));
        self.opened.lock().expect("no holder panics").insert(desired.digest, payload.clone());
        Ok(payload)
    }

    /// Without an identity: whether a live `cacerts` is the rendered one, as far as can be seen.
    ///
    /// All that is in clear must be equal, and the live key must fit the certificate; a pair of a
    /// certificate has one key, so that nothing but its spelling can differ.
    pub fn is_same_sealed(desired: &Desired, live: &Value) -> bool {
        if desired.sealed != [cacerts::SEALED_POINTER] {
            return false;
        }
        let clear = in_data(without_sops(&desired.rendered, &desired.sealed));
        let text = |key: &str| {
            let data = live.get("data").and_then(|data| data.get(key)).and_then(Value::as_str);
            let bytes = zeroize::Zeroizing::new(STANDARD.decode(data?).ok()?);
            Some(zeroize::Zeroizing::new(String::from_utf8(bytes.to_vec()).ok()?))
        };
        let fits = || {
            let certificate = Certificate::one(&text("ca-cert.pem")?).ok()?;
            let key = PrivateKey::from_pem(&text("ca-key.pem")?).ok()?;
            Some(key.fits(&certificate))
        };
        let count =
            |value: &Value| value.get("data").and_then(Value::as_object).map_or(0, Map::len);
        super::field::contains(&clear, live)
            && count(live) == count(&clear) + desired.sealed.len()
            && fits() == Some(true)
    }
}

/// The rendered object without its sealed values, for what is looked at without opening.
pub fn without_sops(rendered: &Value, sealed: &[String]) -> Value {
    let mut value = rendered.clone();
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("sops");
    }
    for pointer in sealed {
        let Some((parent, key)) = pointer.rsplit_once('/') else { continue };
        if let Some(Value::Object(map)) = value.pointer_mut(parent) {
            map.shift_remove(key);
        }
    }
    value
}

fn bind(value: &mut Value, desired: &Desired, bindings: &dyn Bindings) -> Result<(), FillError> {
    for binding in &desired.bindings {
        let found = bindings.value(binding);
        let found = found.ok_or_else(|| FillError::NoToken(binding.from.cluster.clone()))?;
        if let Some(Value::String(text)) = value.pointer_mut(&binding.field) {
            *text = text.replace(&binding.placeholder, found.expose());
        }
    }
    Ok(())
}

/// `stringData` of a Secret as `data`: what the server makes of it.
pub fn in_data(mut value: Value) -> Value {
    let is_secret = value.get("kind").and_then(Value::as_str) == Some("Secret");
    let Some(map) = value.as_object_mut().filter(|_| is_secret) else { return value };
    let Some(Value::Object(texts)) = map.shift_remove("stringData") else { return value };
    let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(data) = data {
        for (key, text) in texts {
            let text = zeroize::Zeroizing::new(text.as_str().unwrap_or_default().to_owned());
            data.insert(key, Value::from(STANDARD.encode(text.as_bytes())));
        }
    }
    value
}
