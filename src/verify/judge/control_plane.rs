//! Whether istiod serves, and whether pods are in step with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Verdict, View, count, count_of, short};
use crate::cluster::RequestError;
use crate::cluster::readiness::{Readiness, readiness};
use crate::pki::Certificate;
use crate::tree::stage_name::ISTIOD;
use crate::verify::seen::{items, text};

/// Workloads of one cluster that are named.
const NAMED: usize = 8;

pub fn istiod(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut ready = 0;
    for seen in view.looked() {
        let name = &seen.name;
        let Some(deployments) = verdict.take(name, &seen.deployments) else { continue };
        if deployments.is_empty() {
            verdict.failed(name, "there is no Deployment of istiod".to_owned());
        }
        for live in deployments {
            let of = text(live, "/metadata/name").unwrap_or("istiod");
            let wanted = live.pointer("/spec/replicas").and_then(serde_json::Value::as_i64);
            if wanted == Some(0) {
                verdict.failed(name, format!("Deployment {of} is scaled to 0"));
                continue;
            }
            match readiness(live) {
                Readiness::Ready => {}
                Readiness::Waiting(why) | Readiness::Failed(why) => {
                    verdict.failed(name, format!("Deployment {of}: {why}"));
                }
            }
        }
        if let Some(istiods) = verdict.take(name, &seen.istiods) {
            ready += istiods.iter().filter(|istiod| istiod.ready).count();
        }
    }
    verdict.summary = format!("{} ready", count(ready, "istiod"));
    verdict
}

pub fn injector(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let name = &seen.name;
        let Some(injection) = &seen.injection else { continue };
        let injection = match injection {
            Ok(injection) => injection,
            // no answer, or no right to ask; of any other the server says why no pod can be made
            Err(error) if error.status().is_none() || is_forbidden(error) => {
                verdict.not_looked(name, format!("the injector could not be asked: {error}"));
                continue;
            }
            Err(error) => {
                verdict.failed(name, format!("a pod of the sample cannot be made: {error}"));
                continue;
            }
        };
        if injection.image.is_some() {
            right += 1;
        } else {
            let namespace = &injection.namespace;
            verdict.failed(name, format!("a new pod in namespace {namespace} gets no proxy"));
        }
    }
    verdict.summary = count_of(right, "cluster injects", "clusters inject");
    verdict
}

/// Whether a right is missing. A webhook that denies a pod answers with the same status.
fn is_forbidden(error: &RequestError) -> bool {
    error.is(403) && error.status().is_some_and(|status| !status.message.contains("webhook"))
}

pub fn webhook_ca(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let name = &seen.name;
        let Some(webhooks) = verdict.take(name, &seen.webhooks) else { continue };
        let handed =
            seen.surveyed.as_ref().and_then(|surveyed| surveyed.records.roots.as_ref().ok());
        let roots =
            handed.and_then(|pem| Certificate::all(pem.as_deref()?).ok()).unwrap_or_default();
        let mut said: BTreeSet<String> = BTreeSet::new();
        for webhook in webhooks {
            let bundle = webhook.ca_bundle.as_deref();
            let bundle = bundle.and_then(|pem| Certificate::all(pem).ok()).unwrap_or_default();
            let message = match bundle.as_slice() {
                [] => format!("{} has no caBundle: istiod has not written it", webhook.object),
                all if all.iter().any(|own| roots.iter().any(|root| root.der() == own.der())) => {
                    right += 1;
                    continue;
                }
                _ if roots.is_empty() => {
                    let why = format!("{}: which root istiod uses is not known", webhook.object);
                    if said.insert(why.clone()) {
                        verdict.not_looked(name, why);
                    }
                    continue;
                }
                [first, ..] => {
                    format!(
                        "{} trusts {}, and istiod uses {}",
                        webhook.object,
                        short(first),
                        short(&roots[0])
                    )
                }
            };
            // once an object, not once a webhook
            if said.insert(message.clone()) {
                verdict.failed(name, message);
            }
        }
        if webhooks.is_empty() {
            verdict.failed(name, "no webhook calls an istiod".to_owned());
        }
    }
    verdict.summary = count_of(right, "webhook trusts its istiod", "webhooks trust their istiod");
    verdict
}

pub fn validator(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let Some(webhooks) = verdict.take(&seen.name, &seen.webhooks) else { continue };
        let object = "ValidatingWebhookConfiguration/istiod-default-validator";
        if webhooks.iter().any(|webhook| webhook.object == object) {
            right += 1;
        } else {
            verdict.failed(&seen.name, format!("{object} is not there"));
        }
    }
    verdict.summary = format!("there in {}", count(right, "cluster"));
    verdict
}

pub fn version(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut images: BTreeSet<&str> = BTreeSet::new();
    let mut brought = false;
    for seen in view.looked() {
        let name = &seen.name;
        let Some(member) = view.mesh.members.iter().find(|member| member.name == *name) else {
            continue;
        };
        let deployments = member
            .wanted
            .objects
            .iter()
            .filter(|desired| desired.stage == ISTIOD && desired.key.is("apps", "Deployment"));
        let wanted: BTreeSet<&str> = deployments
            .flat_map(|desired| items(&desired.rendered, "/spec/template/spec/containers"))
            .filter(|container| text(container, "/name") == Some("discovery"))
            .filter_map(|container| text(container, "/image"))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        brought = true;
        let Some(istiods) = verdict.istiods(seen) else { continue };
        for istiod in istiods {
            if wanted.contains(istiod.image.as_str()) {
                images.insert(&istiod.image);
            } else {
                let (pod, image) = (&istiod.pod.name, &istiod.image);
                let tree: Vec<&str> = wanted.iter().copied().collect();
                verdict.failed(
                    name,
                    format!("{pod} runs {image}, and the tree has {}", tree.join(", ")),
                );
            }
        }
    }
    if !brought {
        return Verdict::skip("the control plane is istioctl's");
    }
    verdict.summary = images.into_iter().collect::<Vec<_>>().join(", ");
    verdict
}

pub fn proxies(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let name = &seen.name;
        let Some(proxies) = verdict.take(name, &seen.proxies) else { continue };
        // what the injector would put in now; it may be off, which another check says
        let now = seen.injection.as_ref().and_then(|look| look.as_ref().ok()?.image.clone());
        let Some(now) = now else { continue };
        let mut others: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for proxy in proxies {
            if proxy.image == now {
                right += 1;
            } else {
                *others.entry((&proxy.owner, &proxy.image)).or_default() += 1;
            }
        }
        for ((owner, image), pods) in others.iter().take(NAMED) {
            let pods = count(*pods, "pod");
            verdict.warning(name, format!("{owner}: {pods} with {image}; new ones get {now}"));
        }
        if others.len() > NAMED {
            let more = count(others.len() - NAMED, "workload");
            verdict.warning(name, format!("{more} more with another proxy"));
        }
    }
    verdict.summary = format!("{} as new ones are", count_of(right, "proxy", "proxies"));
    verdict
}
