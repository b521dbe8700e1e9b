//! Which items of two lists are the same item.

use std::collections::BTreeSet;

use super::content::Content;

/// The fields that identify an item, and a default for each that may be left out.
type Keys = &'static [(&'static str, Option<&'static str>)];

/// Lists that Kubernetes or Istio merge by key, by the name of their field. Where a field has
/// several lines, the first whose keys every item has is taken.
///
/// Sources: `x-kubernetes-list-map-keys` and `x-kubernetes-patch-merge-key` of Kubernetes'
/// `OpenAPI`; `IstioOperator` merges gateways and `k8s.env` by name (`istio-facts` "overlays").
const TABLE: &[(&str, Keys)] = &[
    ("additionalPrinterColumns", &[("name", None)]),
    ("clusters", &[("name", None)]),
    ("conditions", &[("type", None)]),
    ("containers", &[("name", None)]),
    ("contexts", &[("name", None)]),
    ("devices", &[("name", None)]),
    ("egressGateways", &[("name", None)]),
    ("env", &[("name", None)]),
    ("ephemeralContainers", &[("name", None)]),
    ("extensionProviders", &[("name", None)]),
    ("hostAliases", &[("ip", None)]),
    ("imagePullSecrets", &[("name", None)]),
    ("ingressGateways", &[("name", None)]),
    ("initContainers", &[("name", None)]),
    ("matchConditions", &[("name", None)]),
    ("overlays", &[("kind", None), ("name", None)]),
    ("ownerReferences", &[("uid", None)]),
    ("patches", &[("path", None)]),
    ("ports", &[("containerPort", None), ("protocol", Some("TCP"))]),
    ("ports", &[("port", None), ("protocol", Some("TCP"))]),
    ("ports", &[("number", None)]),
    ("resourceClaims", &[("name", None)]),
    ("secrets", &[("name", None)]),
    ("subjects", &[("kind", None), ("namespace", Some("")), ("name", None)]),
    ("topologySpreadConstraints", &[("topologyKey", None), ("whenUnsatisfiable", None)]),
    ("users", &[("name", None)]),
    ("versions", &[("name", None)]),
    ("volumeClaimTemplates", &[("metadata.name", None)]),
    ("volumeDevices", &[("devicePath", None)]),
    ("volumeMounts", &[("mountPath", None)]),
    ("volumes", &[("name", None)]),
    ("webhooks", &[("name", None)]),
    // SOPS: the reader of a wrapped data key
    ("age", &[("recipient", None)]),
];

/// The identity of an item: its keys with their values.
pub(super) type ItemKey = Vec<(String, String)>;

/// The keys of all items of both lists, or `None` where the list is not merged by key: it has no
/// line in the table, an item lacks its key, or two items of one list share it.
pub(super) fn item_keys(
    field: &str,
    old: &[Content],
    new: &[Content],
) -> Option<(Vec<ItemKey>, Vec<ItemKey>)> {
    let mut lines = TABLE.iter().filter(|(name, _)| *name == field);
    lines.find_map(|(_, keys)| Some((all(keys, old)?, all(keys, new)?)))
}

fn all(keys: Keys, items: &[Content]) -> Option<Vec<ItemKey>> {
    let found: Option<Vec<ItemKey>> = items.iter().map(|item| one(keys, item)).collect();
    let found = found?;
    let distinct: BTreeSet<&ItemKey> = found.iter().collect();
    (distinct.len() == found.len()).then_some(found)
}

fn one(keys: Keys, item: &Content) -> Option<ItemKey> {
    let value = |(key, default): &(&str, Option<&str>)| {
        let path: Vec<&str> = key.split('.').collect();
        let text = match item.at(&path) {
            Some(Content::Scalar(serde_json::Value::String(text))) => text.clone(),
            Some(Content::Scalar(value)) if value.is_number() => value.to_string(),
            None => default.map(str::to_owned)?,
            _ => return None,
        };
        Some(((*key).to_owned(), text))
    };
    let mut key: ItemKey = keys.iter().map(value).collect::<Option<_>>()?;
    // what is left out says nothing in a path
    key.retain(|(_, value)| !value.is_empty());
    Some(key)
}
