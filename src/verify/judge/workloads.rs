//! Whether the sample can be asked anything.

use super::{Verdict, View, count};
use crate::cluster::readiness::{Readiness, readiness};
use crate::tree::stage_name::SAMPLES;

pub fn ready(view: &View<'_>) -> Verdict {
    if view.looked().all(|seen| seen.sample.is_none()) {
        return Verdict::skip("the tree has no sample");
    }
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let (name, Some(sample)) = (&seen.name, &seen.sample) else { continue };
        let Some(surveyed) = &seen.surveyed else { continue };
        let Some(pods) = verdict.take(name, &sample.pods) else { continue };
        right += pods.iter().filter(|pod| pod.ready).count();
        let member = view.mesh.members.iter().find(|member| member.name == *name);
        let wanted = member.into_iter().flat_map(|member| &member.wanted.objects);
        for desired in wanted.filter(|one| one.stage == SAMPLES && one.key.is("apps", "Deployment"))
        {
            let key = &desired.key;
            let Some(live) = surveyed.live.objects.get(key) else {
                verdict.failed(name, format!("{key} is not there"));
                continue;
            };
            let why = match readiness(live) {
                Readiness::Waiting(why) | Readiness::Failed(why) => why,
                Readiness::Ready => {
                    let replicas =
                        live.pointer("/spec/replicas").and_then(serde_json::Value::as_i64);
                    if replicas != Some(0) {
                        continue;
                    }
                    "it is scaled to 0".to_owned()
                }
            };
            let finding = verdict.failed(name, format!("{key}: {why}"));
            let troubles = pods.iter().filter(|pod| pod.pod.name.starts_with(&key.name));
            finding
                .evidence
                .extend(troubles.filter_map(|pod| {
                    Some(format!("{}: {}", pod.pod.name, pod.trouble.as_ref()?))
                }));
        }
    }
    verdict.summary = format!("{} ready", count(right, "pod"));
    verdict
}

pub fn sidecar(view: &View<'_>) -> Verdict {
    if view.looked().all(|seen| seen.sample.is_none()) {
        return Verdict::skip("the tree has no sample");
    }
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let (name, Some(sample)) = (&seen.name, &seen.sample) else { continue };
        let Some(pods) = verdict.take(name, &sample.pods) else { continue };
        if pods.is_empty() {
            verdict.not_looked(name, "there is no pod of the sample".to_owned());
        }
        for pod in pods {
            if pod.has_proxy {
                right += 1;
            } else {
                verdict.failed(name, format!("pod {} has no proxy", pod.pod.name));
            }
        }
    }
    verdict.summary = format!("{} with a proxy", count(right, "pod"));
    verdict
}
