//! Gateways: names, labels, namespaces, ports.

use super::Cases;

/// What follows a gateway's name.
const GATEWAYS: [(&str, &str); 24] = [
    ("labels", "label: {a: b, \"topology.istio.io/network\": nn}"),
    ("no labels", "label: {}"),
    ("null labels", "label: null"),
    ("default labels", "label: {app: mine, istio: mine}"),
    ("version label", "label: {version: v1}"),
    ("labels that look like other types", "label: {a: \"true\", b: \"1\", c: \"\"}"),
    ("namespace", "namespace: elsewhere"),
    ("namespace istio-system", "namespace: istio-system"),
    ("no ports", "k8s: {service: {ports: []}}"),
    (
        "ports",
        "k8s: {service: {ports: [{name: status-port, port: 15021, targetPort: 15021}, {name: tls, port: 15443, targetPort: 15443}]}}",
    ),
    ("no targetPort", "k8s: {service: {ports: [{name: tls, port: 15443}]}}"),
    ("targetPort zero", "k8s: {service: {ports: [{name: tls, port: 15443, targetPort: 0}]}}"),
    ("targetPort null", "k8s: {service: {ports: [{name: tls, port: 15443, targetPort: null}]}}"),
    ("named targetPort", "k8s: {service: {ports: [{name: tls, port: 80, targetPort: http}]}}"),
    (
        "targetPort as text",
        "k8s: {service: {ports: [{name: tls, port: 80, targetPort: \"8080\"}]}}",
    ),
    (
        "protocols",
        "k8s: {service: {ports: [{name: a, port: 2000, protocol: TCP}, {name: b, port: 2000, targetPort: 2001, protocol: UDP}]}}",
    ),
    (
        "all of a port",
        "k8s: {service: {ports: [{name: a, port: 2000, targetPort: 2001, protocol: TCP, nodePort: 30001, appProtocol: http2}]}}",
    ),
    ("nameless port", "k8s: {service: {ports: [{port: 2000}]}}"),
    ("unordered ports", "k8s: {service: {ports: [{name: z, port: 3000}, {name: a, port: 2000}]}}"),
    ("port above 1024", "k8s: {service: {ports: [{name: z, port: 1025}]}}"),
    (
        "service with ports",
        "k8s: {service: {type: NodePort, ports: [{name: z, port: 3000}], loadBalancerClass: x/y, selector: {s: t}}}",
    ),
    (
        "annotations",
        "k8s: {serviceAnnotations: {\"example.org/lb\": internal}, podAnnotations: {p: q}}",
    ),
    (
        "environment",
        "k8s: {env: [{name: ISTIO_META_ROUTER_MODE, value: sni-dnat}, {name: ISTIO_META_NETWORK, value: nn}]}",
    ),
    ("image", "hub: a/b, tag: c"),
];

const PORTS: [(&str, &str); 14] = [
    ("80", "port: 80"),
    ("1024", "port: 1024"),
    ("80 to 80", "port: 80, targetPort: 80"),
    ("80 to 1023", "port: 80, targetPort: 1023"),
    ("80 to 1024", "port: 80, targetPort: 1024"),
    ("2000 to 80", "port: 2000, targetPort: 80"),
    ("80 to zero", "port: 80, targetPort: 0"),
    ("80 to name", "port: 80, targetPort: http"),
    ("text", "port: \"80\""),
    ("fraction", "port: 80.5"),
    ("negative", "port: -1"),
    ("70000", "port: 70000"),
    ("3000000000", "port: 3000000000"),
    ("unknown field", "port: 3000, target: 8"),
];

pub fn add(cases: &mut Cases) {
    for (name, rest) in GATEWAYS {
        cases.specs(
            &format!("gateway/{name}"),
            &format!(
                "{{components: {{ingressGateways: [{{name: in, {rest}}}], egressGateways: [{{name: out, enabled: true, {rest}}}]}}}}"
            ),
        );
    }
    for (name, port) in PORTS {
        for gateway in ["ingress", "egress"] {
            for root in [false, true] {
                cases.spec(
                    &format!("gateway/{gateway} port {name}, root {root}"),
                    &format!(
                        "{{components: {{{gateway}Gateways: [{{name: g, enabled: true, k8s: {{service: {{ports: [{{name: p, {port}}}]}}}}}}]}}, \
                         values: {{gateways: {{istio-{gateway}gateway: {{runAsRoot: {root}}}}}}}}}"
                    ),
                );
            }
        }
    }
    for (name, text) in [
        ("dots", "a.b"),
        ("one letter", "a"),
        ("upper case", "Gate"),
        ("underscore", "a_b"),
        ("space", "\"a b\""),
        ("number", "5"),
        ("text number", "\"5\""),
        ("null", "null"),
        ("empty", "\"\""),
        ("dash", "\"-\""),
        ("newline", "\"a\\n\""),
    ] {
        cases.spec(
            &format!("gateway/name {name}"),
            &format!("{{components: {{ingressGateways: [{{name: {text}}}]}}}}"),
        );
    }
    let long = "a".repeat(254);
    for (name, text) in [("254 letters", long.clone()), ("255 letters", format!("{long}a"))] {
        cases.spec(
            &format!("gateway/name {name}"),
            &format!("{{components: {{ingressGateways: [{{name: {text}}}]}}}}"),
        );
    }
    for (name, spec) in [
        (
            "east-west",
            "{profile: empty, components: {ingressGateways: [{name: istio-eastwestgateway, enabled: true, label: {istio: eastwestgateway, app: istio-eastwestgateway, \"topology.istio.io/network\": nn}, k8s: {env: [{name: ISTIO_META_REQUESTED_NETWORK_VIEW, value: nn}], service: {ports: [{name: status-port, port: 15021, targetPort: 15021}, {name: tls, port: 15443, targetPort: 15443}, {name: tls-istiod, port: 15012, targetPort: 15012}, {name: tls-webhook, port: 15017, targetPort: 15017}]}}}]}, values: {gateways: {istio-ingressgateway: {injectionTemplate: gateway}}, global: {network: nn}}}",
        ),
        (
            "three with shared values",
            "{components: {ingressGateways: [{name: a}, {name: b, label: {x: yy}}, {name: c, k8s: {service: {ports: [{name: p, port: 3000}]}}}]}, values: {gateways: {istio-ingressgateway: {labels: {all: of}, ports: [{name: v, port: 4000}]}}}}",
        ),
        (
            "ingress and egress of one name",
            "{components: {ingressGateways: [{name: same, label: {a: b}}], egressGateways: [{name: same, enabled: true, label: {c: d}}]}}",
        ),
        ("as istiod", "{components: {ingressGateways: [{name: istiod}]}}"),
        (
            "revision",
            "{revision: canary, components: {ingressGateways: [{name: a, k8s: {replicaCount: 2}}]}}",
        ),
        (
            "values ports of a privileged number",
            "{values: {gateways: {istio-ingressgateway: {ingressPorts: [{name: a, port: 80}]}}}, components: {ingressGateways: [{name: a}]}}",
        ),
        (
            "values ports to a high number",
            "{values: {gateways: {istio-ingressgateway: {ingressPorts: [{name: a, port: 80, targetPort: 8080}]}}}}",
        ),
    ] {
        cases.specs(&format!("gateway/{name}"), spec);
    }
}
