//! Whether an apply would change anything, told from the live object alone.

use serde_json::{Map, Value};

use super::equal::{is_empty, same};
use super::set::{FieldSet, Node, PathElement};
use super::{Entry, entries};

/// Metadata that no set ever holds; nor does it hold `apiVersion` and `kind`.
///
/// Source: `stripMeta` of apimachinery's managedfields.
const UNMANAGED: &[&str] = &["name", "namespace", "creationTimestamp"];

/// Mappings of Kubernetes' API that are owned as a whole (`x-kubernetes-map-type: atomic`, and
/// label selectors, which all are).
const ATOMIC: &[&str] = &[
    "configMapKeyRef",
    "fieldRef",
    "labelSelector",
    "matchConstraints",
    "matchResources",
    "namespaceSelector",
    "nodeSelector",
    "objectSelector",
    "paramKind",
    "paramRef",
    "podSelector",
    "resourceFieldRef",
    "roleRef",
    "scaleTargetRef",
    "secretKeyRef",
    "selector",
];

/// Defaults that servers put into what is owned as a whole: API group (any workload's where it is
/// empty), the field around, the field, its value.
///
/// Source: `pkg/apis/*/v1/defaults.go` of Kubernetes.
const DEFAULTS: &[(&str, &str, &str, &str)] = &[
    ("", "fieldRef", "apiVersion", "\"v1\""),
    ("", "serviceAccountToken", "expirationSeconds", "3600"),
    ("admissionregistration.k8s.io", "rules", "scope", "\"*\""),
    ("admissionregistration.k8s.io", "resourceRules", "scope", "\"*\""),
    ("networking.k8s.io", "ports", "protocol", "\"TCP\""),
    ("rbac.authorization.k8s.io", "roleRef", "apiGroup", "\"rbac.authorization.k8s.io\""),
    ("rbac.authorization.k8s.io", "subjects", "apiGroup", "\"rbac.authorization.k8s.io\""),
];

/// Whether it is certain, without a schema, that a server-side apply of an object by a manager
/// changes nothing, not even whose a field is.
///
/// That is so if every field of `desired` is in `live` with an equal value, every field that the
/// manager owns is in `desired`, and it owns every field of `desired`, by an entry of the same API
/// version. `false` says nothing: the server tells, by a dry run. It is `false` too where only
/// a schema could tell: something empty in `desired` that is not empty in `live`, a list in another
/// order, a quantity written otherwise, a mapping that is owned as a whole though no mapping of
/// that name is in Kubernetes' API.
pub fn settled(desired: &Value, live: &Value, manager: &str) -> bool {
    let own: Vec<Entry<'_>> = entries(live).filter(|e| e.is_applied_by(manager)).collect();
    let [entry] = own[..] else {
        return false;
    };
    let api_version = desired.get("apiVersion").and_then(Value::as_str);
    let (Some(api_version), Some(set)) = (api_version, entry.set()) else {
        return false;
    };
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    entry.api_version == api_version
        && holds(desired, live, "")
        && resolves(&set, desired, live)
        && owns_object(&set, desired, live, &Owner { group })
}

/// Whether every field of a value is live, with an equal value. Null and what is empty may be
/// absent.
fn holds(desired: &Value, live: &Value, name: &str) -> bool {
    match (desired, live) {
        // servers choose it: a null is no wish
        (Value::Null, _) if name == "creationTimestamp" => true,
        (desired, live) if is_empty(desired) => {
            live.is_null() || (!desired.is_null() && same(desired, live))
        }
        (Value::Object(desired), Value::Object(live)) => desired
            .iter()
            .all(|(key, value)| holds(value, live.get(key).unwrap_or(&Value::Null), key)),
        (Value::Array(desired), Value::Array(live)) => {
            desired.len() == live.len()
                && desired.iter().zip(live).all(|(desired, live)| holds(desired, live, ""))
        }
        _ => same(desired, live),
    }
}

/// Whether every path of a set leads to something in `desired`, of which [`holds`] is true: items
/// of lists stand at the same places in both, and those of `live` have all their keys.
fn resolves(set: &FieldSet, desired: &Value, live: &Value) -> bool {
    set.iter().all(|(element, node)| {
        let (desired, live) = match element {
            PathElement::Field(name) => (desired.get(name), live.get(name)),
            PathElement::Index(index) => (desired.get(index), live.get(index)),
            PathElement::Key(_) | PathElement::Value(_) => {
                let Some(index) = place(element, live) else {
                    return false;
                };
                (desired.get(index), live.get(index))
            }
        };
        desired.is_some_and(|desired| resolves(&node.below, desired, live.unwrap_or(&Value::Null)))
    })
}

/// Where in a list the item stands that an element names best.
fn place(element: &PathElement, live: &Value) -> Option<usize> {
    let items = live.as_array()?.iter().enumerate();
    let fitting = items.filter_map(|(index, item)| Some((element.fits(item, index)?, index)));
    fitting.max_by_key(|(agree, _)| *agree).map(|(_, index)| index)
}

fn owns_object(set: &FieldSet, desired: &Value, live: &Value, owner: &Owner<'_>) -> bool {
    let Some(object) = desired.as_object() else {
        return false;
    };
    object.iter().all(|(key, value)| {
        let live = live.get(key).unwrap_or(&Value::Null);
        match (key.as_str(), value) {
            ("apiVersion" | "kind", _) => true,
            ("metadata", Value::Object(metadata)) => {
                let below = set.field(key).map(|node| &node.below);
                metadata.iter().all(|(key, value)| {
                    let node = below.and_then(|below| below.field(key));
                    let live = live.get(key).unwrap_or(&Value::Null);
                    UNMANAGED.contains(&key.as_str())
                        || node.is_some_and(|node| owner.owns(node, key, value, live))
                })
            }
            _ => set.field(key).is_some_and(|node| owner.owns(node, key, value, live)),
        }
    })
}

/// Walks an object along the set of its owner.
struct Owner<'a> {
    /// The API group of the object.
    group: &'a str,
}

impl Owner<'_> {
    /// Whether a node holds every field of a value, and would hold no other path for it.
    fn owns(&self, node: &Node, name: &str, desired: &Value, live: &Value) -> bool {
        match desired {
            _ if node.is_leaf() => self.is_whole(name, desired, live),
            Value::Object(map) if !map.is_empty() => self.owns_all(&node.below, map, live),
            Value::Array(items) if !items.is_empty() => {
                items.iter().enumerate().all(|(index, item)| {
                    // the live item has the keys that the server filled in
                    let Some(live) = live.get(index) else {
                        return false;
                    };
                    node.below
                        .item(live, index)
                        .is_some_and(|node| node.itself && self.owns_item(node, name, item, live))
                })
            }
            _ => node.itself,
        }
    }

    fn owns_item(&self, node: &Node, name: &str, item: &Value, live: &Value) -> bool {
        match item {
            // of an item that is merged field by field, the set holds the keys at least
            _ if node.is_leaf() => self.has_no_more(name, item, live),
            Value::Object(map) => self.owns_all(&node.below, map, live),
            _ => false,
        }
    }

    fn owns_all(&self, set: &FieldSet, desired: &Map<String, Value>, live: &Value) -> bool {
        desired.iter().all(|(key, value)| {
            let live = live.get(key).unwrap_or(&Value::Null);
            set.field(key).is_some_and(|node| self.owns(node, key, value, live))
        })
    }

    /// Whether a leaf of the set stands for all of a value, and `live` has no more, which the apply
    /// would take away.
    ///
    /// A leaf may also be what was empty when it was applied, and has been filled since by another.
    fn is_whole(&self, name: &str, desired: &Value, live: &Value) -> bool {
        match desired {
            Value::Object(map) if !map.is_empty() => {
                ATOMIC.contains(&name) && self.has_no_more(name, desired, live)
            }
            _ => self.has_no_more(name, desired, live),
        }
    }

    fn has_no_more(&self, name: &str, desired: &Value, live: &Value) -> bool {
        match (desired, live) {
            (Value::Object(desired), Value::Object(live)) => {
                live.iter().all(|(key, live)| match desired.get(key) {
                    Some(desired) => self.has_no_more(key, desired, live),
                    None => self.is_default(name, key, live),
                })
            }
            (Value::Array(desired), Value::Array(live)) => desired
                .iter()
                .zip(live)
                .all(|(desired, live)| self.has_no_more(name, desired, live)),
            _ => true,
        }
    }

    fn is_default(&self, around: &str, key: &str, value: &Value) -> bool {
        let group = if ["apps", "batch"].contains(&self.group) { "" } else { self.group };
        let text = value.to_string();
        DEFAULTS.contains(&(group, around, key, text.as_str()))
    }
}

/// Whether a live object has every field of another with an equal value, whoever they belong to.
/// What others put beside is no matter.
pub fn contains(desired: &Value, live: &Value) -> bool {
    holds(desired, &super::project(desired, live), "")
}
