//! What a change of roles and bindings allows that was not allowed before.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use crate::object::Identity;

/// Labels that add a `ClusterRole`'s rules to one of Kubernetes' own roles.
const AGGREGATE: &str = "rbac.authorization.k8s.io/aggregate-to-";

/// One thing that a rule allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    verb: String,
    /// `secrets`, `pods/log`, `deployments.apps`, or a URL path.
    on: Target,
    /// The one object that it is limited to.
    name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Resource { group: String, resource: String },
    Url(String),
}

/// Sentences on what is allowed now and was not before; empty for objects that grant nothing.
pub(super) fn widened(
    identity: &Identity,
    old: Option<&Content>,
    new: Option<&Content>,
) -> Vec<String> {
    let Some(new) = new else { return Vec::new() };
    if identity.group() != "rbac.authorization.k8s.io" {
        return Vec::new();
    }
    match identity.kind.as_str() {
        "Role" | "ClusterRole" => role(old, new),
        "RoleBinding" | "ClusterRoleBinding" => binding(old, new),
        _ => Vec::new(),
    }
}

fn role(old: Option<&Content>, new: &Content) -> Vec<String> {
    let had = old.map(grants).unwrap_or_default();
    let gained: BTreeSet<Grant> =
        grants(new).into_iter().filter(|grant| !had.iter().any(|one| one.covers(grant))).collect();
    let mut sentences = sentences(&gained);
    let selectors = |role: &Content| {
        role.at(&["aggregationRule", "clusterRoleSelectors"]).map(Content::to_shown)
    };
    if selectors(new).is_some() && old.and_then(selectors) != selectors(new) {
        sentences.push("takes over the rules of other roles (aggregationRule)".to_owned());
    }
    let labels = |role: &Content| -> BTreeSet<String> {
        let Some(Content::Map(labels)) = role.at(&["metadata", "labels"]) else {
            return BTreeSet::new();
        };
        let on = |(key, value): (&String, &Content)| {
            (value.as_str() == Some("true")).then(|| key.strip_prefix(AGGREGATE).map(str::to_owned))
        };
        labels.iter().filter_map(on).flatten().collect()
    };
    let before = old.map(labels).unwrap_or_default();
    for role in labels(new).difference(&before) {
        sentences.push(format!("its rules become part of the ClusterRole {role}"));
    }
    sentences
}

fn binding(old: Option<&Content>, new: &Content) -> Vec<String> {
    let role = |side: &Content| {
        let part = |key| side.text(&["roleRef", key]).unwrap_or("?").to_owned();
        format!("{} {}", part("kind"), part("name"))
    };
    let same_role = old.is_none_or(|old| role(old) == role(new));
    let before = old.filter(|_| same_role).map(subjects).unwrap_or_default();
    subjects(new)
        .difference(&before)
        .map(|subject| format!("gives {} to {subject}", role(new)))
        .collect()
}

fn subjects(binding: &Content) -> BTreeSet<String> {
    let items = binding.get("subjects").map(Content::items).unwrap_or_default();
    let subject = |item: &Content| {
        let text = |key| item.text(&[key]).unwrap_or_default();
        match text("namespace") {
            "" => format!("{} {}", text("kind"), text("name")),
            namespace => format!("{} {namespace}/{}", text("kind"), text("name")),
        }
    };
    items.iter().map(subject).collect()
}

fn grants(role: &Content) -> Vec<Grant> {
    role.get("rules").map(Content::items).unwrap_or_default().iter().flat_map(of_rule).collect()
}

fn of_rule(rule: &Content) -> Vec<Grant> {
    let list = |key| rule.get(key).map(Content::strings).unwrap_or_default();
    let mut targets: Vec<Target> =
        list("nonResourceURLs").into_iter().map(|url| Target::Url(url.to_owned())).collect();
    for group in list("apiGroups") {
        for resource in list("resources") {
            let (group, resource) = (group.to_owned(), resource.to_owned());
            targets.push(Target::Resource { group, resource });
        }
    }
    let names: Vec<Option<String>> = match list("resourceNames").as_slice() {
        [] => vec![None],
        names => names.iter().map(|name| Some((*name).to_owned())).collect(),
    };
    let mut grants = Vec::new();
    for verb in list("verbs") {
        for on in &targets {
            for name in &names {
                grants.push(Grant { verb: verb.to_owned(), on: on.clone(), name: name.clone() });
            }
        }
    }
    grants
}

impl Grant {
    /// Whether all that `other` allows is allowed by this one (Kubernetes' `RuleAllows`).
    fn covers(&self, other: &Grant) -> bool {
        let verb = self.verb == "*" || self.verb == other.verb;
        let name = self.name.is_none() || self.name == other.name;
        verb && name && self.on.covers(&other.on)
    }
}

impl Target {
    fn covers(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Url(own), Target::Url(other)) => {
                own == other
                    || own.strip_suffix('*').is_some_and(|prefix| other.starts_with(prefix))
            }
            (
                Target::Resource { group, resource },
                Target::Resource { group: other_group, resource: other },
            ) => {
                // `*/scale` stands for that subresource of every resource
                let every = resource.strip_prefix("*/");
                let sub = other.split_once('/').map(|(_, sub)| sub);
                let fits = resource == "*" || resource == other || every.is_some() && every == sub;
                fits && (group == "*" || group == other_group)
            }
            _ => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Target::Url(url) => url.clone(),
            Target::Resource { group, resource } if group.is_empty() => resource.clone(),
            Target::Resource { group, resource } => format!("{resource}.{group}"),
        }
    }
}

/// `may get, list on secrets`: the verbs that are gained on one target in one sentence.
fn sentences(gained: &BTreeSet<Grant>) -> Vec<String> {
    let mut by_target: BTreeMap<(String, Option<&str>), Vec<&str>> = BTreeMap::new();
    for grant in gained {
        let key = (grant.on.describe(), grant.name.as_deref());
        by_target.entry(key).or_default().push(&grant.verb);
    }
    // targets that gain the same verbs share a sentence
    let mut by_verbs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((target, name), verbs) in by_target {
        let target = name.map_or(target.clone(), |name| format!("{target} named {name}"));
        by_verbs.entry(verbs.join(", ")).or_default().push(target);
    }
    by_verbs
        .into_iter()
        .map(|(verbs, targets)| format!("may {verbs} {}", targets.join(", ")))
        .collect()
}
