//! What meshgen owns in a cluster, recorded in that cluster.
//!
//! The inventory lies in the `ConfigMap` `meshgen-inventory` of `istio-system`: a head that says
//! whose it is, and a line an object. Above [`PART`] bytes the lines go on in `ConfigMap`s that are
//! named by the digest of what they hold, and listed by the head: they are never changed, and one
//! write of the head makes all of them count. It is written before the first change as the union of
//! old and new, and reduced at the end, so that at any instant it holds whatever is there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::Key;
use crate::object::Identity;
use crate::store::Digest;

/// The namespace of meshgen's records: Istio's own.
pub const NAMESPACE: &str = "istio-system";
/// The name of the head.
pub const NAME: &str = "meshgen-inventory";
/// How many bytes of lines one `ConfigMap` holds; a server takes 1 MiB.
const PART: usize = 512 << 10;

/// What an inventory says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The mesh.
    pub mesh: String,
    /// What the mesh calls this cluster.
    pub cluster: String,
    /// The UID of the namespace kube-system.
    pub uid: String,
}

/// What meshgen owns in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Whose it is.
    pub owner: Owner,
    /// The tree that is being applied, or was.
    pub tree: Option<Digest>,
    /// Whether an apply has begun and not ended.
    pub unfinished: bool,
    /// The objects.
    pub entries: BTreeMap<Key, Entry>,
    /// The state of the head that was read; nothing if there is none yet.
    pub version: Option<String>,
    /// The names of the `ConfigMap`s that follow the head.
    pub parts: Vec<String>,
}

/// An object of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The API version at which it was sent.
    pub api_version: String,
    /// The step that sent it.
    pub stage: String,
    /// For a remote secret: its cluster.
    pub cluster: Option<String>,
    /// The digest of the file that was sent last; nothing before that.
    pub digest: Option<Digest>,
    /// Its UID; nothing while it is only intended.
    pub uid: Option<String>,
    /// Whether it was there before us and is only shared: a Namespace that was joined.
    pub joined: bool,
}

impl Entry {
    /// The identity of an entry.
    pub fn identity(&self, key: &Key) -> Identity {
        super::resource::identity(&self.api_version, key)
    }
}

/// Why an inventory cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// It is not what meshgen writes.
    #[error("the inventory (ConfigMap {NAMESPACE}/{name}) cannot be read: {why}")]
    Malformed {
        /// Which part.
        name: String,
        /// What is wrong.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    version: u32,
    #[serde(flatten)]
    owner: Owner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tree: Option<Digest>,
    unfinished: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(flatten)]
    object: Identity,
    stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    joined: bool,
}

/// The version of the format.
const VERSION: u32 = 1;

impl Inventory {
    /// An empty one.
    pub fn new(owner: Owner) -> Self {
        Self {
            owner,
            tree: None,
            unfinished: false,
            entries: BTreeMap::new(),
            version: None,
            parts: Vec::new(),
        }
    }

    /// The names of the parts that follow a head, so that they can be read.
    pub fn parts_of(head: &Value) -> Vec<String> {
        let text = head.pointer("/data/inventory").and_then(Value::as_str).unwrap_or_default();
        serde_json::from_str::<Head>(text).map_or(Vec::new(), |head| head.parts)
    }

    /// Reads the head and the parts that follow.
    ///
    /// A part that is missing, or a line that does not read, is refused: what is not known to be
    /// ours would never be pruned again.
    pub fn parse(head: &Value, rest: &[Value]) -> Result<Self, InventoryError> {
        let malformed =
            |name: &str, why: String| InventoryError::Malformed { name: name.to_owned(), why };
        let text = |value: &Value, key: &str| {
            value
                .get("data")
                .and_then(|data| data.get(key))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let found =
            text(head, "inventory").ok_or_else(|| malformed(NAME, "it has no head".to_owned()))?;
        let found: Head =
            serde_json::from_str(&found).map_err(|error| malformed(NAME, error.to_string()))?;
        if found.version != VERSION {
            let why = format!("its format is {}, and this meshgen reads {VERSION}", found.version);
            return Err(malformed(NAME, why));
        }
        let mut inventory = Self {
            owner: found.owner,
            tree: found.tree,
            unfinished: found.unfinished,
            entries: BTreeMap::new(),
            version: head
                .pointer("/metadata/resourceVersion")
                .and_then(Value::as_str)
                .map(str::to_owned),
            parts: found.parts.clone(),
        };
        let named = |value: &&Value, name: &str| {
            value.pointer("/metadata/name").and_then(Value::as_str) == Some(name)
        };
        let mut parts = vec![(NAME, head)];
        for name in &found.parts {
            let part = rest.iter().find(|part| named(part, name));
            parts.push((name, part.ok_or_else(|| malformed(name, "it is missing".to_owned()))?));
        }
        for (name, value) in parts {
            let lines = text(value, "objects")
                .ok_or_else(|| malformed(name, "it has no objects".to_owned()))?;
            if name != NAME && part_name(&lines) != name {
                return Err(malformed(name, "somebody changed it".to_owned()));
            }
            for line in lines.lines() {
                let line: Line = serde_json::from_str(line)
                    .map_err(|error| malformed(name, error.to_string()))?;
                let entry = Entry {
                    api_version: line.object.api_version.clone(),
                    stage: line.stage,
                    cluster: line.cluster,
                    digest: line.digest,
                    uid: line.uid,
                    joined: line.joined,
                };
                inventory.entries.insert(Key::of(&line.object), entry);
            }
        }
        Ok(inventory)
    }

    /// The `ConfigMap`s, the head first. Without resource versions.
    pub fn to_parts(&self) -> Vec<Value> {
        let mut texts = vec![String::new()];
        for (key, entry) in &self.entries {
            let line = Line {
                object: entry.identity(key),
                stage: entry.stage.clone(),
                cluster: entry.cluster.clone(),
                digest: entry.digest,
                uid: entry.uid.clone(),
                joined: entry.joined,
            };
            let line = serde_json::to_string(&line).expect("a line holds texts alone");
            let last = texts.last_mut().expect("there is one");
            if last.len() + line.len() + 1 > PART {
                texts.push(format!("{line}\n"));
            } else {
                last.push_str(&line);
                last.push('\n');
            }
        }
        let parts = texts[1..].iter().map(|text| part_name(text)).collect();
        let head = Head {
            version: VERSION,
            owner: self.owner.clone(),
            tree: self.tree,
            unfinished: self.unfinished,
            parts,
        };
        let head = serde_json::to_string(&head).expect("a head holds texts alone");
        let part = |(part, text): (usize, String)| {
            let name = if part == 0 { NAME.to_owned() } else { part_name(&text) };
            let mut value = config_map(&name);
            value["data"] = json!({"objects": text});
            if part == 0 {
                value["data"]["inventory"] = Value::from(head.clone());
            }
            value
        };
        texts.into_iter().enumerate().map(part).collect()
    }

    /// Whether an object is one of meshgen's own records, which no inventory lists.
    pub fn is_record(key: &Key) -> bool {
        key.namespace.as_deref() == Some(NAMESPACE)
            && ((key.is("", "ConfigMap") && key.name.starts_with("meshgen-"))
                || (key.is("coordination.k8s.io", "Lease") && key.name == super::lease::NAME))
    }
}

/// The name of a part: it holds this text, and never another.
fn part_name(text: &str) -> String {
    format!("{NAME}-{}", &Digest::of(text).hex()[..16])
}

/// An empty `ConfigMap` of meshgen's own.
pub fn config_map(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/managed-by": "meshgen"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(count: usize) -> Inventory {
        let owner = Owner { mesh: "apac".into(), cluster: "c1".into(), uid: "1-2".into() };
        let mut inventory = Inventory::new(owner);
        for number in 0..count {
            let key = Key {
                group: String::new(),
                kind: "ConfigMap".into(),
                namespace: Some("istio-system".into()),
                name: format!("object-{number:05}"),
            };
            let entry = Entry {
                api_version: "v1".into(),
                stage: "30-istiod".into(),
                cluster: None,
                digest: Some(Digest::of(number.to_string())),
                uid: (number % 3 > 0).then(|| format!("uid-{number}")),
                joined: number % 7 == 0,
            };
            inventory.entries.insert(key, entry);
        }
        inventory
    }

    fn names(parts: &[Value]) -> Vec<String> {
        let name = |part: &Value| part["metadata"]["name"].as_str().map(str::to_owned);
        parts.iter().filter_map(name).collect()
    }

    #[test]
    fn reads_what_it_wrote_in_one_part_or_many() {
        for count in [0, 1, 5000] {
            let mut inventory = big(count);
            let parts = inventory.to_parts();
            assert_eq!(parts.len() > 1, count == 5000);
            assert!(parts.iter().all(|part| part.to_string().len() < 1 << 20));
            inventory.parts = names(&parts[1..]);
            assert_eq!(Inventory::parts_of(&parts[0]), inventory.parts);
            assert_eq!(Inventory::parse(&parts[0], &parts[1..]), Ok(inventory));
        }
    }

    #[test]
    fn another_inventory_shares_no_part_with_other_content() {
        let (old, mut new) = (big(6000), big(6000));
        let first = new.entries.keys().next().cloned().expect("there is one");
        new.entries.remove(&first);
        let (old, new) = (old.to_parts(), new.to_parts());
        for (name, part) in names(&old[1..]).iter().zip(&old[1..]) {
            let same = new[1..].iter().find(|other| names(&[(*other).clone()]) == [name.clone()]);
            assert!(same.is_none_or(|same| same == part));
        }
        // until the head is written, the old head finds its own parts beside the new ones
        let beside: Vec<Value> = old[1..].iter().chain(&new[1..]).cloned().collect();
        assert_eq!(Inventory::parse(&old[0], &beside).expect("it reads").entries.len(), 6000);
        assert_eq!(Inventory::parse(&new[0], &beside).expect("it reads").entries.len(), 5999);
    }

    #[test]
    fn damage_is_refused() {
        let parts = big(5000).to_parts();
        assert!(Inventory::parse(&parts[0], &[]).is_err());
        let mut broken = parts.clone();
        broken[1]["data"]["objects"] = Value::from("{}");
        assert!(Inventory::parse(&broken[0], &broken[1..]).is_err());
        assert!(Inventory::parse(&json!({}), &[]).is_err());
    }
}
