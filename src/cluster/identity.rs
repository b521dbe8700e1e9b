//! Whether a cluster is the one that bears its name, and whether it may be applied to.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;

use super::observe::Records;
use super::plan::Refusal;
use crate::pki::Certificate;
use crate::tree::Index;
use crate::tree::stage_name::{ISTIOD, REMOTE_SECRETS};
use crate::yaml::{self, Schema};

/// The oldest server that checks fields strictly.
const MIN_VERSION: (u32, u32) = (1, 25);
/// From how many days on a certificate is warned about.
const SOON_DAYS: i64 = 30;

/// What a tree says of one cluster, as far as its identity goes.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// The mesh.
    pub mesh: String,
    /// The cluster.
    pub cluster: String,
    /// Its pinned UID.
    pub pinned: Option<String>,
    /// The CA that its peers will trust, from its remote secret.
    pub authority: Vec<Certificate>,
    /// The root of its `cacerts`.
    pub root: Option<Certificate>,
    /// All certificates of its `cacerts`, with the name of the file.
    pub certificates: Vec<Certificate>,
}

/// What lifts a guard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `--pin`.
    pub pin: bool,
    /// `--change-root`.
    pub change_root: bool,
}

/// What of a tree itself stands against applying it to a cluster.
pub fn unfit(index: &Index, cluster: &str) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |message: String, hint: String| {
        refusals.push(Refusal { key: None, message, hint: Some(hint) });
    };
    if index.examples.iter().any(|name| name == cluster) {
        refuse(
            "its facts are made up (`\"example\": true`)".to_owned(),
            format!("`meshgen facts import --cluster {cluster} …`, then `meshgen render`"),
        );
    }
    for row in &index.pending {
        let own = row.targets.as_ref().is_some_and(|targets| targets.contains(cluster));
        let stage = row.stage.as_deref().filter(|stage| *stage != REMOTE_SECRETS);
        if let (Some(stage), true) = (stage, own) {
            refuse(
                format!("`{}` of {stage} waits for {}", row.path, row.needs.join(", ")),
                "`meshgen facts import`, then `meshgen render`".to_owned(),
            );
        }
    }
    let operator = format!("{cluster}/istio-operator.yaml");
    let brings = index.artifacts.iter().any(|row| {
        row.stage.as_deref() == Some(ISTIOD)
            && row.targets.as_ref().is_some_and(|targets| targets.contains(cluster))
    });
    if let Some(row) = index.pending.iter().find(|row| row.path.as_str() == operator && !brings) {
        refusals.push(Refusal {
            key: None,
            message: format!(
                "`{operator}` waits for {}, and nothing else installs istiod",
                row.needs.join(", ")
            ),
            hint: Some("`meshgen facts import`, then `meshgen render`".to_owned()),
        });
    }
    refusals
}

/// What is wrong with applying to a cluster at all, whatever the objects are.
pub fn check(
    claim: &Claim,
    index: &Index,
    records: &Records,
    trusted: &[Certificate],
    allowed: Allowed,
) -> Vec<Refusal> {
    let mut refusals = unfit(index, &claim.cluster);
    let mut refuse = |message: String, hint: Option<String>| {
        refusals.push(Refusal { key: None, message, hint });
    };
    if records.version < MIN_VERSION {
        let (major, minor) = records.version;
        refuse(
            format!("its server is {major}.{minor}; strict checks of fields need 1.25"),
            Some("upgrade the cluster".to_owned()),
        );
    }
    if let Some((message, hint)) = stranger(claim, records, trusted, allowed.pin) {
        refuse(message, Some(hint));
    }
    if let Some((message, hint)) = other_root(claim, records)
        && !allowed.change_root
    {
        refuse(message, Some(hint));
    }
    refusals
}

/// What is wrong with taking something out of a cluster: it must call itself by that name, or hold
/// nothing of ours.
pub fn check_known(claim: &Claim, records: &Records) -> Vec<Refusal> {
    let found = stranger(claim, records, &[], true);
    let refusal =
        |(message, hint): (String, String)| Refusal { key: None, message, hint: Some(hint) };
    found.map(refusal).into_iter().collect()
}

/// Why a cluster is not the one that bears the name.
pub fn stranger(
    claim: &Claim,
    records: &Records,
    trusted: &[Certificate],
    pin: bool,
) -> Option<(String, String)> {
    let Claim { mesh, cluster, pinned, .. } = claim;
    let context = format!("name the right context: `--context {cluster}=CONTEXT`");
    if let Some(pinned) = pinned
        && *pinned != records.uid
    {
        return Some((
            format!(
                "its context leads to another cluster: UID {}, pinned is {pinned}",
                records.uid
            ),
            format!(
                "{context}; if the cluster was made anew: `meshgen facts pin {cluster}`, then `meshgen render`"
            ),
        ));
    }
    match &records.inventory {
        Some(inventory) => {
            let owner = &inventory.owner;
            if owner.mesh != *mesh || owner.cluster != *cluster {
                return Some((
                    format!("that cluster is `{}` of mesh `{}`, as its inventory says", owner.cluster, owner.mesh),
                    context,
                ));
            }
            (owner.uid != records.uid).then(|| (
                format!(
                    "its inventory was written for a cluster of UID {}, and this one is {}: a copy?",
                    owner.uid, records.uid
                ),
                context,
            ))
        }
        None if pinned.is_some() || pin => None,
        None if claim.authority.is_empty() => Some((
            "nothing says that its context leads to the right cluster: no UID is pinned, and its CA is not known".to_owned(),
            format!("`meshgen facts pin {cluster}` and `meshgen render`, or `--pin`"),
        )),
        None => {
            let same = !trusted.is_empty()
                && claim.authority.iter().any(|own| trusted.iter().any(|other| other.der() == own.der()));
            (!same).then(|| (
                "the CA of its context is not the one of its facts, and no UID is pinned: is it another cluster?".to_owned(),
                format!("{context}; or `meshgen facts pin {cluster}` and `meshgen render`; or `--pin`"),
            ))
        }
    }
}

/// Two names that lead to one cluster.
pub fn twins(uids: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut twins = Vec::new();
    for (name, uid) in uids {
        match seen.get(uid.as_str()) {
            Some(first) => twins.push(((*first).to_owned(), name.clone())),
            None => {
                seen.insert(uid, name);
            }
        }
    }
    twins
}

/// Whether istiod hands out a root that does not hold ours, or whether that cannot be told.
pub fn other_root(claim: &Claim, records: &Records) -> Option<(String, String)> {
    let ours = claim.root.as_ref()?;
    let unknown = |why: &str| {
        let message = format!("whether its mesh trusts our root cannot be told: {why}");
        Some((message, "`--change-root --only CLUSTER` takes the risk on purpose".to_owned()))
    };
    let live = match &records.roots {
        Ok(None) => return None,
        Ok(Some(live)) => live,
        Err(why) => return unknown(why),
    };
    let Ok(live) = Certificate::all(live) else {
        return unknown("ConfigMap istio-system/istio-ca-root-cert holds no certificates");
    };
    if live.iter().any(|certificate| certificate.der() == ours.der()) {
        return None;
    }
    let theirs = live.first().map(|certificate| certificate.info().fingerprint.clone());
    Some((
        format!(
            "its mesh trusts another root: {} is handed out, ours is {}",
            theirs.unwrap_or_else(|| "none".to_owned()),
            ours.info().fingerprint
        ),
        "bring that root in with `meshgen pki import --root CERT --root-key KEY`, or change it on \
         purpose, one cluster at a time: `--change-root --only CLUSTER`"
            .to_owned(),
    ))
}

/// Certificates out of date, as refusals and warnings.
pub fn dates(claim: &Claim, now: OffsetDateTime) -> (Vec<Refusal>, Vec<String>) {
    let (mut refusals, mut warnings) = (Vec::new(), Vec::new());
    for certificate in &claim.certificates {
        let info = certificate.info();
        let name = &info.subject;
        let refuse = |message: String| Refusal {
            key: None,
            message,
            hint: Some("`meshgen pki status`; `meshgen pki rotate` makes new ones".to_owned()),
        };
        if info.not_after <= now {
            refusals.push(refuse(format!("the certificate `{name}` has expired")));
        } else if info.not_before > now {
            refusals.push(refuse(format!(
                "the certificate `{name}` is not valid yet: is the clock of this machine right?"
            )));
        } else if (info.not_after - now).whole_days() < SOON_DAYS {
            let days = (info.not_after - now).whole_days();
            warnings.push(format!("the certificate `{name}` expires in {days} days"));
        }
    }
    (refusals, warnings)
}

/// The CA of the kubeconfig in a remote secret's text.
pub fn authority_of(kubeconfig: &str) -> Option<String> {
    use base64::Engine as _;
    let value = yaml::document(kubeconfig, Schema::Strict).ok()?;
    let data = value.pointer("/clusters/0/cluster/certificate-authority-data")?.as_str()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(data.trim()).ok()?;
    String::from_utf8(bytes).ok()
}

/// The token of the kubeconfig in a remote secret's text.
pub fn token_of(kubeconfig: &str) -> Option<String> {
    let value = yaml::document(kubeconfig, Schema::Strict).ok()?;
    value.pointer("/users/0/user/token").and_then(Value::as_str).map(str::to_owned)
}
