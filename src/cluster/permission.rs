//! Whether all writes of a plan are permitted, before the first of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::{Client, RequestError};
use super::inventory;
use super::observe::{Kinds, together};
use super::plan::{Action, ClusterPlan};

/// A right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    verb: &'static str,
    group: String,
    resource: String,
    namespace: Option<String>,
}

/// The rights that a plan needs and that are missing, in words: `patch deployments.apps in
/// istio-system`.
pub async fn missing(
    client: &Client,
    kinds: &Kinds,
    plan: &ClusterPlan,
) -> Result<Vec<String>, RequestError> {
    let mut rights: BTreeSet<Right> = BTreeSet::new();
    let mut need = |verb, group: &str, resource: &str, namespace: Option<&String>| {
        rights.insert(Right {
            verb,
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.cloned(),
        });
    };
    let own = inventory::NAMESPACE.to_owned();
    for verb in ["create", "update"] {
        need(verb, "coordination.k8s.io", "leases", Some(&own));
        need(verb, "", "configmaps", Some(&own));
    }
    for step in plan.steps.iter().filter(|step| step.writes) {
        let identity = super::resource::identity(&step.api_version, &step.key);
        // a kind that its own CRD brings is asked about by nobody yet
        let Some(resource) = kinds.resource(client, &identity, true).await? else { continue };
        let (group, plural) = (resource.group(), resource.plural.as_str());
        let namespace = step.key.namespace.as_ref();
        let verbs: &[&str] = match step.action {
            // an apply that creates needs both
            Action::Create | Action::Take | Action::Join | Action::Adopt | Action::Change => {
                &["patch"]
            }
            Action::Recreate { .. } => &["delete", "patch", "create"],
            Action::Prune => &["delete"],
        };
        for verb in verbs {
            need(verb, group, plural, namespace);
        }
        if step.action == Action::Create {
            need("create", group, plural, namespace);
        }
    }
    let asked = together(rights.into_iter().collect(), |right: Right| {
        let client = client.clone();
        async move {
            let review = json!({
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {
                    "verb": right.verb,
                    "group": right.group,
                    "resource": right.resource,
                    "namespace": right.namespace,
                }},
            });
            let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
            let answer = client.create_anyway(path, &review).await?;
            let allowed = answer.pointer("/status/allowed").and_then(Value::as_bool);
            Ok((allowed != Some(true)).then_some(right))
        }
    });
    let mut missing: Vec<Right> = asked.await?.into_iter().flatten().collect();
    missing.sort();
    Ok(missing.iter().map(Right::words).collect())
}

impl Right {
    fn words(&self) -> String {
        let Self { verb, group, resource, namespace } = self;
        let dot = if group.is_empty() { "" } else { "." };
        match namespace {
            Some(namespace) => format!("{verb} {resource}{dot}{group} in {namespace}"),
            None => format!("{verb} {resource}{dot}{group}"),
        }
    }
}
