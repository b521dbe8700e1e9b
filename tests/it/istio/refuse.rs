//! What istioctl refuses, and where it panics.

use super::{faults, run};

#[test]
fn invalid_specifications_are_refused_with_their_places() {
    let cases: [(&str, &[&str], &str); 30] = [
        ("unknown: 1", &[], "spec.unknown: unknown field"),
        ("profile: nope", &[], "profile `nope` not found"),
        ("profile: 5", &[], "spec.profile: it must be a string"),
        ("revision: 123", &[], "spec.revision: it must be a string"),
        ("revision: '123'", &[], "spec.values.revision: it must be a string"),
        ("revision: a_b", &[], "spec.revision: it must be a DNS label"),
        ("hub: 'A b'", &[], "spec.hub: `A b` is no hub"),
        ("tag: a/b", &[], "spec.tag: `a/b` is no tag"),
        (
            "components: {pilot: {replicas: 2}}",
            &[],
            "spec.components.pilot.replicas: unknown field",
        ),
        (
            "components: {pilot: {k8s: {replicaCount: '2'}}}",
            &[],
            "replicaCount: it must be a number",
        ),
        (
            "components: {pilot: {k8s: {replicaCount: -2}}}",
            &[],
            "replicaCount: it must be a whole number",
        ),
        (
            "components: {pilot: {k8s: {env: [{name: A, value: 5}]}}}",
            &[],
            "env[0].value: it must be a string",
        ),
        (
            "components: {pilot: {k8s: {env: [{nam: A}]}}}",
            &[],
            "env[0].nam: unknown field; did you mean `name`?",
        ),
        (
            "components: {pilot: {k8s: {resources: {limits: {cpu: a}}}}}",
            &[],
            "cpu: it must be a quantity",
        ),
        (
            "components: {base: {namespace: x}}",
            &[],
            "spec.components.base.namespace: unknown field",
        ),
        (
            "components: {ingressGateways: {name: x}}",
            &[],
            "spec.components.ingressGateways: it must be a list",
        ),
        (
            "components: {ingressGateways: null}",
            &[],
            "spec.components.ingressGateways: it must be a list",
        ),
        (
            "components: {ingressGateways: [{name: A_b}]}",
            &[],
            "ingressGateways[0].name: small letters",
        ),
        (
            "components: {ingressGateways: [{name: g, k8s: {service: {ports: [{port: 80}]}}}]}",
            &[],
            "ports[0]: port 80 listens on 80, which needs root",
        ),
        ("values: {globl: {}}", &[], "spec.values.globl: unknown field; did you mean `global`?"),
        ("values: {global: {hub: 5}}", &[], "spec.values.global.hub: it must be a string"),
        ("values: {pilot: {autoscaleMin: 1.5}}", &[], "autoscaleMin: it must be a whole number"),
        ("values: {pilot: {tolerations: [{kye: a}]}}", &[], "tolerations[0].kye: unknown field"),
        (
            "values: {global: {proxy: {includeIPRanges: 1.2.3.4/33}}}",
            &[],
            "includeIPRanges: it must be address ranges",
        ),
        (
            "values: {global: {proxy: {excludeInboundPorts: '70000'}}}",
            &[],
            "excludeInboundPorts: it must be ports",
        ),
        (
            "meshConfig: {connectTimeout: 5x}",
            &[],
            "spec.meshConfig.connectTimeout: it must be a duration",
        ),
        (
            "meshConfig: {outboundTrafficPolicy: {mode: NO}}",
            &[],
            "mode: it must be one of REGISTRY_ONLY, ALLOW_ANY",
        ),
        ("{}", &["profile.x=1"], "spec.profile: it must be a string"),
        ("hub: a.org", &["hub.x=1"], "`--set hub.x=1`: `hub` is a string, and has no fields"),
        ("{}", &["components.egressGateways[name:x].enabled=true"], "element [name:x] not found"),
    ];
    for (spec, sets, expected) in cases {
        let found = faults(spec, sets);
        assert!(found.contains(expected), "{spec} {sets:?}:\n{found}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let found = faults("one: 1\ntwo: 2\n", &[]);
    assert_eq!(found.lines().count(), 2, "{found}");
}

#[test]
fn what_the_profile_holds_is_no_fault() {
    // `global.oldKey` is unknown to the schema
    run("{}", &[]).unwrap();
    assert!(faults("values: {global: {oldKey: 2}}", &[]).contains("spec.values.global.oldKey"));
}

#[test]
fn documents_must_be_one_object() {
    let package = super::package::package();
    for (text, expected) in [
        ("spec: {}\n", "`kind` is missing"),
        ("kind: IstioOperator\n---\nkind: IstioOperator\n", "it holds several"),
        ("kind: [\n", "line 1, column 7"),
    ] {
        let document = meshgen::istio::Document::text("mesh.yaml", text);
        let request = meshgen::istio::Request { documents: vec![document], ..Default::default() };
        let error = meshgen::istio::generate(&package, &request).unwrap_err().to_string();
        assert!(error.starts_with("mesh.yaml: ") && error.contains(expected), "{text:?}: {error}");
    }
}
