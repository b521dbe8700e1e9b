//! `k8s.overlays`: every form of a path, on every component.

use super::Cases;

const PILOT: &str = "Deployment istiod";
const CONTAINER: &str = "spec.template.spec.containers.[name:discovery]";

/// Patches of pilot's Deployment: `path` and, where it is not deleted, `value`. `C` is the path of
/// the container.
const PATHS: [(&str, &str); 83] = [
    ("map", "{path: spec.template.metadata.annotations, value: {a: b, c: {d: [1, 2]}}}"),
    ("new key", "{path: spec.template.metadata.annotations.new, value: here}"),
    ("new nested keys", "{path: spec.one.two.three, value: 4}"),
    ("new key and index", "{path: \"spec.list.[0].name\", value: first}"),
    ("new key and last", "{path: \"spec.list.[-1]\", value: first}"),
    ("new key and selector", "{path: \"spec.list.[name:x].y\", value: first}"),
    ("number", "{path: spec.replicas, value: 5}"),
    ("float", "{path: spec.replicas, value: 1.5}"),
    ("large number", "{path: spec.replicas, value: 12345678901}"),
    ("larger number", "{path: spec.replicas, value: 1e30}"),
    ("bool", "{path: spec.paused, value: true}"),
    ("text", "{path: spec.paused, value: \"true\"}"),
    ("empty text", "{path: spec.template.spec.serviceAccountName, value: \"\"}"),
    ("null", "{path: spec.template.spec.serviceAccountName, value: null}"),
    ("delete", "{path: spec.template.spec.serviceAccountName}"),
    ("delete map", "{path: spec.template.metadata.labels}"),
    ("delete missing", "{path: spec.missing}"),
    ("delete missing nested", "{path: spec.missing.one.two}"),
    ("delete item by index", "{path: \"spec.template.spec.volumes.[1]\"}"),
    ("delete item by name", "{path: \"spec.template.spec.volumes.[name:local-certs]\"}"),
    ("delete scalar item", "{path: \"C.args.[0]\"}"),
    ("delete scalar by value", "{path: \"C.args.[discovery]\"}"),
    ("delete last", "{path: \"spec.template.spec.volumes.[-1]\"}"),
    ("delete beyond", "{path: \"spec.template.spec.volumes.[99]\"}"),
    ("delete list", "{path: \"C.args\"}"),
    ("delete in item", "{path: \"C.env.[name:REVISION].value\"}"),
    ("index", "{path: \"spec.template.spec.containers.[0].image\", value: x}"),
    (
        "index replaces",
        "{path: \"spec.template.spec.volumes.[0]\", value: {name: new, emptyDir: {}}}",
    ),
    (
        "index beyond",
        "{path: \"spec.template.spec.volumes.[99]\", value: {name: new, emptyDir: {}}}",
    ),
    ("index beyond, field", "{path: \"spec.template.spec.volumes.[99].name\", value: new}"),
    ("last", "{path: \"spec.template.spec.volumes.[-1]\", value: {name: new, emptyDir: {}}}"),
    ("last, field", "{path: \"spec.template.spec.volumes.[-1].name\", value: new}"),
    ("last scalar", "{path: \"C.args.[-1]\", value: --new}"),
    ("scalar index", "{path: \"C.args.[1]\", value: --new}"),
    ("index of minus two", "{path: \"C.args.[-2]\", value: --new}"),
    ("selector", "{path: \"C.image\", value: x}"),
    ("selector twice", "{path: \"C.env.[name:REVISION].value\", value: x}"),
    ("selector replaces", "{path: \"C.env.[name:REVISION]\", value: {name: REVISION, value: z}}"),
    ("selector replaces by text", "{path: \"C.env.[name:REVISION]\", value: plain}"),
    ("selector by number", "{path: \"C.ports.[containerPort:8080].containerPort\", value: 8081}"),
    ("selector misses", "{path: \"C.env.[name:NOWHERE].value\", value: x}"),
    ("selector of no key", "{path: \"C.env.[nokey:REVISION].value\", value: x}"),
    ("selector with a colon", "{path: 'C.args.[a\\:b]', value: x}"),
    ("selector on scalars", "{path: \"C.args.[--domain:x]\", value: yy}"),
    (
        "selector with a dot",
        "{path: 'C.volumeMounts.[mountPath:/etc/cacerts].readOnly', value: false}",
    ),
    ("selector with dots", "{path: 'C.args.[--monitoringAddr=:15014]', value: yy}"),
    ("value in colon form", "{path: \"C.args.[:discovery]\", value: other}"),
    ("pattern", "{path: 'C.args.[--log.*]', value: --log_output_level=debug}"),
    ("pattern in colon form", "{path: 'C.args.[:^--domain$]', value: --other}"),
    ("pattern of escapes", "{path: 'C.args.[:--keepalive[A-Z]\\w+]', value: --other}"),
    ("pattern matches part", "{path: 'C.args.[omain]', value: --other}"),
    ("pattern misses", "{path: 'C.args.[:nowhere]', value: --other}"),
    ("bad pattern", "{path: 'C.args.[:(]', value: --other}"),
    ("empty brackets", "{path: 'C.args.[]', value: --other}"),
    ("bracket on a map", "{path: 'spec.template.[0].x', value: yy}"),
    ("selector on a map", "{path: 'spec.template.[name:x].y', value: z}"),
    ("key on a list", "{path: 'spec.template.spec.containers.image', value: z}"),
    ("key on a scalar", "{path: 'spec.template.spec.serviceAccountName.x', value: z}"),
    (
        "escaped dots",
        "{path: 'spec.template.metadata.annotations.sidecar\\.istio\\.io/inject', value: \"true\"}",
    ),
    ("escaped dots, new", "{path: 'metadata.annotations.example\\.org/a', value: b}"),
    ("glued brackets", "{path: 'spec.template.spec.containers[name:discovery].image', value: x}"),
    ("glued index", "{path: 'spec.template.spec.containers[0].image', value: x}"),
    ("two brackets", "{path: 'spec.template.spec.containers.[0].[1]', value: x}"),
    ("leading dot", "{path: .spec.replicas, value: 5}"),
    ("trailing dot", "{path: spec.replicas., value: 5}"),
    ("double dots", "{path: spec..replicas, value: 5}"),
    ("slashes", "{path: spec/replicas, value: 5}"),
    ("parent", "{path: spec/../spec.replicas, value: 5}"),
    ("empty path", "{path: \"\", value: 5}"),
    ("no path", "{value: 5}"),
    ("dot", "{path: ., value: 5}"),
    ("case", "{path: spec.Replicas, value: 5}"),
    ("unicode", "{path: spec.grün, value: \"größe: ✓\"}"),
    ("list as value", "{path: C.command, value: [a, b, {c: d}]}"),
    ("list over list", "{path: C.args, value: [a, b]}"),
    ("text with a colon", "{path: spec.template.spec.hostname, value: \"a: b\"}"),
    ("text with lines", "{path: spec.template.spec.hostname, value: \"a: b\\nc: d\\n\"}"),
    ("text with a colon in a list", "{path: \"C.args.[0]\", value: \"a: b\"}"),
    ("JSON as text", "{path: spec.template.spec.hostname, value: '{\"a\": {\"b\": 1}}'}"),
    ("lines without colons", "{path: spec.template.spec.hostname, value: \"a\\nb\"}"),
    ("hostile text", "{path: spec.template.spec.hostname, value: \"on\"}"),
    ("octal text", "{path: spec.template.spec.hostname, value: \"0777\"}"),
    ("date", "{path: spec.template.spec.hostname, value: 2024-01-02}"),
];

/// Overlays of other objects: component, kind and name, patches.
const OBJECTS: [(&str, &str, &str, &str); 22] = [
    (
        "base",
        "base",
        "ServiceAccount istio-reader-service-account",
        "[{path: metadata.labels.mine, value: a}]",
    ),
    (
        "base",
        "crd",
        "CustomResourceDefinition wasmplugins.extensions.istio.io",
        "[{path: metadata.annotations.mine, value: a}, {path: spec.versions.[0].schema}]",
    ),
    (
        "pilot",
        "config",
        "ConfigMap istio",
        "[{path: data.mesh, value: \"a: b\"}, {path: data.more, value: \"x\\ny: z\\n\"}]",
    ),
    ("pilot", "injector", "ConfigMap istio-sidecar-injector", "[{path: data.values, value: '{}'}]"),
    (
        "pilot",
        "service",
        "Service istiod",
        "[{path: 'spec.ports.[name:http-monitoring].port', value: 9}, {path: 'spec.ports.[port:15010]'}]",
    ),
    (
        "pilot",
        "webhook",
        "MutatingWebhookConfiguration istio-sidecar-injector",
        "[{path: 'webhooks.[name:rev.namespace.sidecar-injector.istio.io].failurePolicy', value: Ignore}, {path: 'webhooks.[0].failurePolicy', value: Ignore}]",
    ),
    (
        "pilot",
        "webhook escapes",
        "MutatingWebhookConfiguration istio-sidecar-injector",
        "[{path: 'webhooks.[name:rev\\.namespace\\.sidecar-injector\\.istio\\.io].failurePolicy', value: Ignore}]",
    ),
    (
        "pilot",
        "role",
        "ClusterRole istiod-clusterrole-istio-system",
        "[{path: 'rules.[0].verbs.[-1]', value: impersonate}, {path: 'rules.[1].verbs.[0]'}]",
    ),
    ("pilot", "budget", "PodDisruptionBudget istiod", "[{path: spec.minAvailable, value: 2}]"),
    (
        "pilot",
        "scaler",
        "HorizontalPodAutoscaler istiod",
        "[{path: spec.metrics.[0].resource.target.averageUtilization, value: 50}]",
    ),
    (
        "pilot",
        "order",
        PILOT,
        "[{path: spec.a, value: {b: c}}, {path: spec.a.b, value: d}, {path: spec.a.e, value: f}, {path: spec.a.b}]",
    ),
    (
        "pilot",
        "bad among good",
        PILOT,
        "[{path: spec.a, value: 1}, {path: 'spec.template.spec.containers.[name:no].x', value: 2}, {path: spec.b, value: 3}]",
    ),
    ("pilot", "no patches", PILOT, "[]"),
    ("pilot", "null patches", PILOT, "null"),
    ("pilot", "other name", "Deployment nobody", "[{path: spec.a, value: 1}]"),
    ("pilot", "other kind", "DaemonSet istiod", "[{path: spec.a, value: 1}]"),
    (
        "pilot",
        "identity",
        PILOT,
        "[{path: metadata.name, value: renamed}, {path: metadata.namespace, value: moved}]",
    ),
    ("pilot", "kind", PILOT, "[{path: kind, value: StatefulSet}]"),
    (
        "ingress",
        "gateway",
        "Deployment in",
        "[{path: 'spec.template.spec.containers.[name:istio-proxy].securityContext.runAsUser', value: 5}]",
    ),
    ("egress", "gateway", "Service out", "[{path: spec.ports.[0].name, value: renamed}]"),
    (
        "cni",
        "daemon",
        "DaemonSet istio-cni-node",
        "[{path: 'spec.template.spec.containers.[name:install-cni].env.[name:X].value', value: yy}, {path: spec.template.spec.hostPID, value: true}]",
    ),
    (
        "ztunnel",
        "daemon",
        "DaemonSet ztunnel",
        "[{path: 'spec.template.spec.containers.[name:istio-proxy].env.[-1]', value: {name: A, value: b}}]",
    ),
];

pub fn add(cases: &mut Cases) {
    for (name, patch) in PATHS {
        let patches = format!("[{}]", patch.replace("C.", &format!("{CONTAINER}.")));
        cases.spec(&format!("overlay/path {name}"), &spec("pilot", PILOT, &patches));
    }
    for (component, name, object, patches) in OBJECTS {
        cases.specs(&format!("overlay/{component} {name}"), &spec(component, object, patches));
    }
    mixtures(cases);
}

fn spec(component: &str, object: &str, patches: &str) -> String {
    let (kind, name) = object.split_once(' ').expect("a kind and a name");
    let k8s = format!("k8s: {{overlays: [{{kind: {kind}, name: {name}, patches: {patches}}}]}}");
    match component {
        "ingress" => format!("{{components: {{ingressGateways: [{{name: in, {k8s}}}]}}}}"),
        "egress" => {
            format!("{{components: {{egressGateways: [{{name: out, enabled: true, {k8s}}}]}}}}")
        }
        _ => format!("{{components: {{{component}: {{enabled: true, {k8s}}}}}}}"),
    }
}

fn mixtures(cases: &mut Cases) {
    for (name, k8s) in [
        (
            "after settings",
            "{replicaCount: 3, env: [{name: A, value: b}], overlays: [{kind: Deployment, name: istiod, patches: [{path: spec.replicas, value: 9}, {path: 'spec.template.spec.containers.[name:discovery].env.[name:A].value', value: c}]}]}",
        ),
        (
            "two of one object",
            "{overlays: [{kind: Deployment, name: istiod, patches: [{path: spec.replicas, value: 1}]}, {kind: Deployment, name: istiod, patches: [{path: spec.replicas, value: 2}]}]}",
        ),
        (
            "renamed, then not found",
            "{overlays: [{kind: Deployment, name: istiod, patches: [{path: metadata.name, value: other}]}, {kind: Deployment, name: istiod, patches: [{path: spec.replicas, value: 2}]}]}",
        ),
        (
            "apiVersion is not read",
            "{overlays: [{apiVersion: nothing/v9, kind: Deployment, name: istiod, patches: [{path: spec.replicas, value: 2}]}]}",
        ),
        ("empty", "{overlays: []}"),
        ("null", "{overlays: null}"),
        ("empty item", "{overlays: [{}]}"),
        ("null item", "{overlays: [null]}"),
        ("kind deleted", "{overlays: [{kind: Deployment, name: istiod, patches: [{path: kind}]}]}"),
        (
            "metadata deleted",
            "{overlays: [{kind: Deployment, name: istiod, patches: [{path: metadata}]}]}",
        ),
        (
            "name as number",
            "{overlays: [{kind: Deployment, name: istiod, patches: [{path: metadata.name, value: 5}]}]}",
        ),
    ] {
        cases.specs(
            &format!("overlay/{name}"),
            &format!("{{components: {{pilot: {{k8s: {k8s}}}}}}}"),
        );
    }
}
