//! Whether the mesh has one root, and for how long.

use time::OffsetDateTime;

use super::{Verdict, View, count, count_of, short};
use crate::cluster::{Key, NAMESPACE};
use crate::pki::Certificate;
use crate::pki::certificate::date;
use crate::verify::look::decode;
use crate::verify::seen::{ClusterSeen, text};

/// From how many days on a certificate that people renew is warned about.
const SOON_DAYS: i64 = 30;

/// The certificates of one key of a live `cacerts`. The private key is not looked at.
fn of_cacerts(seen: &ClusterSeen, key: &str) -> Option<Vec<Certificate>> {
    let live = seen.surveyed.as_ref()?.live.objects.get(&Key::secret(NAMESPACE, "cacerts"))?;
    let pem = text(live.get("data")?, &format!("/{key}"))?;
    Certificate::all(&decode(pem)?).ok()
}

fn no_root() -> Verdict {
    Verdict::skip("the tree has no cacerts")
}

pub fn root(view: &View<'_>) -> Verdict {
    let Some(root) = view.root() else { return no_root() };
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let name = &seen.name;
        let key = Key::secret(NAMESPACE, "cacerts");
        if let Some(why) = seen.unreadable(&key) {
            verdict.not_looked(name, format!("{key} cannot be read: {why}"));
            continue;
        }
        let live = of_cacerts(seen, "root-cert.pem").unwrap_or_default();
        if live.is_empty() {
            verdict.failed(name, "there is no Secret cacerts with a root-cert.pem".to_owned());
            continue;
        }
        if !live.iter().any(|own| own.der() == root.der()) {
            let finding = verdict.failed(name, "its cacerts has another root".to_owned());
            finding.evidence.push(format!(
                "its root is {}, of the tree {}",
                short(&live[0]),
                short(root)
            ));
            continue;
        }
        match of_cacerts(seen, "ca-cert.pem").unwrap_or_default().first() {
            None => {
                verdict.failed(name, "its cacerts has no ca-cert.pem".to_owned());
            }
            Some(own) => match live.iter().find_map(|root| own.check_issuer(root).err()) {
                // one root that signed it will do
                Some(why) if !live.iter().any(|root| own.check_issuer(root).is_ok()) => {
                    verdict.failed(name, format!("ca-cert.pem is not of its root: {why}"));
                }
                _ => right += 1,
            },
        }
    }
    verdict.summary = format!("{} below the root {}", count(right, "intermediate"), short(root));
    verdict
}

pub fn handed_out(view: &View<'_>) -> Verdict {
    let Some(root) = view.root() else { return no_root() };
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let Some(surveyed) = &seen.surveyed else { continue };
        let name = &seen.name;
        let roots = surveyed.records.roots.as_ref();
        match roots {
            Err(why) => {
                verdict.not_looked(name, format!("ConfigMap istio-ca-root-cert: {why}"));
            }
            Ok(None) => {
                verdict.failed(
                    name,
                    "istiod hands out no root: there is no ConfigMap istio-ca-root-cert".to_owned(),
                );
            }
            Ok(Some(pem)) => {
                let all = Certificate::all(pem).unwrap_or_default();
                if all.iter().any(|own| own.der() == root.der()) {
                    right += 1;
                } else {
                    let finding = verdict.failed(name, "istiod hands out another root".to_owned());
                    let found = all.first().map_or_else(|| "no certificate".to_owned(), short);
                    finding
                        .evidence
                        .push(format!("it hands out {found}, the mesh's root is {}", short(root)));
                }
            }
        }
    }
    verdict.summary = format!("{} with the mesh's root", count(right, "cluster"));
    verdict
}

/// Whether a chain, leaf first, leads to a root.
pub fn leads_to(chain: &[Certificate], root: &Certificate) -> bool {
    let Some(mut last) = chain.first() else { return false };
    for _ in 0..chain.len() {
        if last.der() == root.der() || last.check_issuer(root).is_ok() {
            return true;
        }
        let next = chain
            .iter()
            .find(|other| other.der() != last.der() && last.check_issuer(other).is_ok());
        match next {
            Some(next) => last = next,
            None => return false,
        }
    }
    false
}

/// The top of a chain, for people.
pub fn top(chain: &[Certificate]) -> String {
    match chain.last() {
        Some(last) if last.is_self_issued() => {
            format!("root {} ({})", short(last), last.info().subject)
        }
        Some(last) => format!("issuer {}", last.info().issuer),
        None => "no certificate".to_owned(),
    }
}

pub fn used(view: &View<'_>) -> Verdict {
    let Some(root) = view.root() else { return no_root() };
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let name = &seen.name;
        let Some(istiods) = verdict.istiods(seen) else { continue };
        for istiod in istiods {
            let pod = &istiod.pod.name;
            match &istiod.chain {
                Err(why) => {
                    verdict.not_looked(name, format!("what {pod} serves on 15012: {why}"));
                }
                Ok(chain) if leads_to(chain, root) => right += 1,
                Ok(chain) => {
                    let finding = verdict.failed(name, format!("{pod} uses another root"));
                    finding.evidence.push(format!(
                        "it serves {}, the mesh's root is {}",
                        top(chain),
                        short(root)
                    ));
                    let has_cacerts = of_cacerts(seen, "root-cert.pem").is_some();
                    if matches!(seen.own_root, Ok(true)) {
                        let cacerts = if has_cacerts {
                            "cacerts is there now, and came after it"
                        } else {
                            "there is no cacerts"
                        };
                        finding.evidence.push(format!(
                            "Secret istio-ca-secret is there: istiod made a root of its own; {cacerts}"
                        ));
                    }
                }
            }
        }
    }
    verdict.summary = format!("{} with the mesh's root", count(right, "istiod"));
    verdict
}

pub fn proxies(view: &View<'_>) -> Verdict {
    let Some(root) = view.root() else { return no_root() };
    if view.looked().all(|seen| seen.sample.is_none()) {
        return Verdict::skip("the tree has no sample");
    }
    let mut verdict = Verdict::default();
    let mut right = 0;
    for seen in view.looked() {
        let (name, Some(sample)) = (&seen.name, &seen.sample) else { continue };
        let Some(proxy) = verdict.take(name, &sample.proxy) else { continue };
        let Some(secrets) = verdict.take(name, &proxy.secrets) else { continue };
        let holds = leads_to(&secrets.chain, root);
        let trusts = secrets.roots.iter().any(|own| own.der() == root.der());
        if holds && trusts {
            right += 1;
            continue;
        }
        let what = match (holds, trusts) {
            (false, false) => "holds a certificate of another root and trusts another one",
            (false, true) => "holds a certificate of another root",
            _ => "trusts another root",
        };
        let finding = verdict.failed(name, format!("the proxy of {} {what}", proxy.pod));
        let trusted: Vec<String> = secrets.roots.iter().map(short).collect();
        finding.evidence.push(format!("it holds {}", top(&secrets.chain)));
        finding.evidence.push(format!(
            "it trusts {}; the mesh's root is {}",
            trusted.join(", "),
            short(root)
        ));
    }
    verdict.summary = format!("{} with the mesh's root", count_of(right, "proxy", "proxies"));
    verdict
}

pub fn expiry(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut first: Option<(OffsetDateTime, String)> = None;
    for seen in view.looked() {
        let name = &seen.name;
        let mut kept: Vec<(String, Certificate)> = Vec::new();
        for key in ["root-cert.pem", "ca-cert.pem"] {
            for certificate in of_cacerts(seen, key).unwrap_or_default() {
                kept.push((format!("{key} of cacerts"), certificate));
            }
        }
        let mut renewed: Vec<(String, Certificate)> = Vec::new();
        for istiod in seen.istiods.iter().flatten() {
            let leaf = istiod.chain.as_ref().ok().and_then(|chain| chain.first().cloned());
            renewed.extend(leaf.map(|leaf| (format!("what {} serves", istiod.pod.name), leaf)));
        }
        let proxy = seen.sample.as_ref().and_then(|sample| sample.proxy.as_ref().ok());
        if let Some(proxy) = proxy {
            let leaf = proxy.secrets.as_ref().ok().and_then(|all| all.chain.first().cloned());
            renewed.extend(leaf.map(|leaf| (format!("that of {}", proxy.pod), leaf)));
        }
        for (what, certificate) in &kept {
            let end = certificate.info().not_after;
            let left = (end - view.now()).whole_days();
            if first.as_ref().is_none_or(|(known, _)| end < *known) {
                first = Some((end, format!("{what} in {name}")));
            }
            if end > view.now() && left < SOON_DAYS {
                verdict.warning(name, format!("{what} ends in {left} days, {}", date(end)));
            }
        }
        for (what, certificate) in kept.iter().chain(&renewed) {
            let info = certificate.info();
            if info.not_after <= view.now() {
                verdict.failed(name, format!("{what} ended {}", date(info.not_after)));
            } else if info.not_before > view.now() {
                verdict.failed(name, format!("{what} begins {}", date(info.not_before)));
            }
        }
    }
    verdict.summary = match first {
        Some((end, what)) => format!("the first to end is {what}, {}", date(end)),
        None => "no certificate to look at".to_owned(),
    };
    verdict
}
