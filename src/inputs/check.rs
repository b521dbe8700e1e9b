//! Rules that need facts.

use std::collections::BTreeMap;

use super::facts::{Facts, ServerFault, check_server, is_fact};
use crate::diag::{
    Diagnostic, Diagnostics, Rule, Sources, Span, facts_rules as rules, input_rules,
};
use crate::mesh::{Cluster, Mesh};
use crate::spec::Spec;
use crate::spec::model::Annotation;
use crate::yaml::{self, Schema};

/// Asks every rule about facts.
pub(super) fn check(
    spec: &Spec,
    mesh: &Mesh,
    facts: &BTreeMap<String, Facts>,
    texts: &BTreeMap<String, (String, String)>,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) {
    let mut places = Places { texts, sources };
    for cluster in mesh.enabled() {
        fact_references(spec, cluster, diagnostics);
        if let Some(own) = facts.get(cluster.name.as_str()) {
            server(cluster, own, &mut places, diagnostics);
            certificate_authority(cluster, own, &mut places, diagnostics);
        }
    }
    unique(mesh, facts, "server", &rules::SAME_SERVER, "API server", &mut places, diagnostics);
    unique(mesh, facts, "uid", &rules::SAME_UID, "identity (uid)", &mut places, diagnostics);
    for (name, (path, _)) in texts {
        if mesh.cluster(name).is_none() {
            let message = format!("there is no cluster `{name}` in mesh.yaml");
            diagnostics
                .push(Diagnostic::new(&rules::UNKNOWN_CLUSTER, message).in_file(path.as_str()));
        }
    }
}

/// Finds places in facts files, which are read with places only where something is wrong.
struct Places<'a> {
    texts: &'a BTreeMap<String, (String, String)>,
    sources: &'a mut Sources,
}

impl Places<'_> {
    fn of(&mut self, cluster: &str, name: &str) -> Option<Span> {
        let (path, text) = self.texts.get(cluster)?;
        let source = self.sources.add(path.as_str(), text.as_str());
        let node = yaml::parse(source, text, Schema::Strict).ok()?;
        let keys: Vec<&str> = std::iter::once("facts").chain(name.split('.')).collect();
        node.at_keys(&keys).map(|node| node.span)
    }
}

fn server(
    cluster: &Cluster,
    facts: &Facts,
    places: &mut Places<'_>,
    diagnostics: &mut Diagnostics,
) {
    let Some(url) = facts.get("server") else {
        return;
    };
    let name = cluster.name.as_str();
    let diagnostic = match check_server(url) {
        Ok(()) => return,
        Err(ServerFault::NotAUrl) => {
            let message = format!("the API server address of `{name}` is no https URL: `{url}`");
            Diagnostic::new(&rules::BAD_SERVER, message).hint("write it as https://HOST:PORT")
        }
        Err(ServerFault::Loopback) => {
            let message = format!("peers cannot reach the API server of `{name}` at `{url}`");
            Diagnostic::new(&rules::LOOPBACK, message).hint(format!(
                "set the private endpoint: `meshgen facts import --server {name}=https://…`"
            ))
        }
    };
    diagnostics.push(diagnostic.at_maybe(places.of(name, "server"), "").of_cluster(name));
}

fn certificate_authority(
    cluster: &Cluster,
    facts: &Facts,
    places: &mut Places<'_>,
    diagnostics: &mut Diagnostics,
) {
    let Some(text) = facts.get("certificateAuthority") else {
        return;
    };
    let name = cluster.name.as_str();
    if text.starts_with("-----BEGIN CERTIFICATE-----\n") && !text.contains("PRIVATE KEY") {
        return;
    }
    let message = format!("the API server's CA of `{name}` is no certificate in PEM");
    diagnostics.push(
        Diagnostic::new(&rules::BAD_CA, message)
            .at_maybe(places.of(name, "certificateAuthority"), "")
            .of_cluster(name),
    );
}

/// Annotations that ask for a fact that does not exist would wait for ever.
fn fact_references(spec: &Spec, cluster: &Cluster, diagnostics: &mut Diagnostics) {
    let gateways = &cluster.settings.gateways;
    let all = [
        ("ingress", &gateways.ingress),
        ("egress", &gateways.egress),
        ("eastWest", &gateways.east_west),
    ];
    for (gateway_name, gateway) in all {
        for (key, value) in &gateway.annotations {
            let Some(Annotation::Fact(reference)) = value else {
                continue;
            };
            if is_fact(&reference.fact) {
                continue;
            }
            let path = ["gateways", gateway_name, "annotations", key.as_str()];
            let place = spec.setting_place(&spec.clusters[cluster.index], &path);
            let message = format!("there is no fact `{}`", reference.fact);
            diagnostics.push(
                Diagnostic::new(&input_rules::BAD_VALUE, message)
                    .at_maybe(place, "")
                    .hint("`meshgen facts import --help` lists the facts; `other.NAME` is for your own")
                    .of_cluster(cluster.name.as_str()),
            );
        }
    }
}

fn unique(
    mesh: &Mesh,
    facts: &BTreeMap<String, Facts>,
    fact: &str,
    rule: &'static Rule,
    what: &str,
    places: &mut Places<'_>,
    diagnostics: &mut Diagnostics,
) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for cluster in mesh.enabled() {
        let name = cluster.name.as_str();
        let Some(value) = facts.get(name).and_then(|facts| facts.get(fact)) else {
            continue;
        };
        let value = value.trim_end_matches('/').to_ascii_lowercase();
        let Some(first) = seen.get(&value).copied() else {
            seen.insert(value, name);
            continue;
        };
        let message = format!("`{name}` and `{first}` have one {what}");
        diagnostics.push(
            Diagnostic::new(rule, message)
                .at_maybe(places.of(name, fact), "")
                .at_maybe(places.of(first, fact), format!("`{first}` has it here"))
                .of_cluster(name),
        );
    }
}
