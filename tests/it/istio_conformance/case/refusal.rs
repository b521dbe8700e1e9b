//! What istioctl refuses: meshgen must refuse it as well.

use super::{Cases, NEWEST};

/// Specs that are wrong, or look it.
const SPECS: [(&str, &str); 62] = [
    ("unknown field", "{nothing: 1}"),
    ("unknown component", "{components: {nothing: {}}}"),
    ("unknown field of a component", "{components: {pilot: {nothing: 1}}}"),
    ("unknown field of base", "{components: {base: {namespace: x}}}"),
    ("unknown field of a gateway", "{components: {ingressGateways: [{name: a, labels: {}}]}}"),
    ("label of a component", "{components: {pilot: {label: {a: b}}}}"),
    ("name of a component", "{components: {pilot: {name: x}}}"),
    ("unknown setting", "{components: {pilot: {k8s: {nothing: 1}}}}"),
    ("unknown field in env", "{components: {pilot: {k8s: {env: [{name: a, val: b}]}}}}"),
    ("unknown field in affinity", "{components: {pilot: {k8s: {affinity: {nodes: {}}}}}}"),
    (
        "unknown field in a term",
        "{components: {pilot: {k8s: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{match: []}]}}}}}}}",
    ),
    ("unknown field in resources", "{components: {pilot: {k8s: {resources: {limit: {}}}}}}"),
    ("unknown field in service", "{components: {pilot: {k8s: {service: {kind: x}}}}}"),
    ("unknown field in a toleration", "{components: {pilot: {k8s: {tolerations: [{keys: x}]}}}}"),
    ("unknown field in a probe", "{components: {pilot: {k8s: {readinessProbe: {http: {}}}}}}"),
    ("unknown field in strategy", "{components: {pilot: {k8s: {strategy: {rolling: {}}}}}}"),
    ("unknown field in a budget", "{components: {pilot: {k8s: {podDisruptionBudget: {min: 1}}}}}"),
    ("unknown field in a scaler", "{components: {pilot: {k8s: {hpaSpec: {min: 1}}}}}"),
    (
        "unknown field in security",
        "{components: {pilot: {k8s: {securityContext: {privileged: true}}}}}",
    ),
    (
        "unknown field in a volume",
        "{components: {pilot: {k8s: {volumes: [{name: a, empty: {}}]}}}}",
    ),
    (
        "unknown field in a mount",
        "{components: {pilot: {k8s: {volumeMounts: [{name: a, path: /}]}}}}",
    ),
    (
        "unknown field in an overlay",
        "{components: {pilot: {k8s: {overlays: [{kind: a, patch: []}]}}}}",
    ),
    (
        "unknown field in a patch",
        "{components: {pilot: {k8s: {overlays: [{kind: a, patches: [{paths: x}]}]}}}}",
    ),
    (
        "field in upper case",
        "{Hub: a/b, components: {Pilot: {Enabled: true, K8S: {ReplicaCount: 2}}}}",
    ),
    ("profile as map", "{profile: {a: b}}"),
    ("hub as number", "{hub: 5}"),
    ("hub as list", "{hub: [a]}"),
    ("tag as map", "{tag: {a: b}}"),
    ("tag as list", "{tag: [a]}"),
    ("revision as number", "{revision: 5}"),
    ("revision as bool", "{revision: true}"),
    ("namespace as number", "{namespace: 5}"),
    ("version as number", "{compatibilityVersion: 1.27}"),
    ("components as list", "{components: []}"),
    ("components as text", "{components: x}"),
    ("component as list", "{components: {pilot: []}}"),
    ("component as text", "{components: {pilot: x}}"),
    ("component as bool", "{components: {pilot: true}}"),
    ("gateways as map", "{components: {ingressGateways: {name: a}}}"),
    ("gateways as text", "{components: {ingressGateways: x}}"),
    ("gateway as text", "{components: {ingressGateways: [x]}}"),
    ("enabled as text", "{components: {pilot: {enabled: \"true\"}}}"),
    ("enabled as number", "{components: {pilot: {enabled: 1}}}"),
    ("namespace of a component as number", "{components: {pilot: {namespace: 5}}}"),
    ("label as number", "{components: {ingressGateways: [{name: a, label: {a: 5}}]}}"),
    ("label as list", "{components: {ingressGateways: [{name: a, label: [a]}]}}"),
    ("k8s as list", "{components: {pilot: {k8s: []}}}"),
    ("k8s as text", "{components: {pilot: {k8s: x}}}"),
    ("hub with spaces", "{hub: \"a b\"}"),
    ("hub in upper case", "{hub: Example.org/Istio}"),
    ("hub with a scheme", "{hub: \"https://example.org/istio\"}"),
    ("hub with a tag", "{hub: \"example.org/istio:5\"}"),
    ("hub with a slash at its end", "{hub: example.org/istio/}"),
    ("hub of one letter", "{hub: a}"),
    (
        "hub with a digest",
        "{hub: \"example.org/istio@sha256:0000000000000000000000000000000000000000000000000000000000000000\"}",
    ),
    ("tag with spaces", "{tag: \"a b\"}"),
    ("tag with a slash", "{tag: a/b}"),
    ("tag with a plus", "{tag: 1.2.3+build}"),
    ("tag with a colon", "{tag: \"a:b\"}"),
    (
        "tag that is long",
        "{tag: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
    ),
    (
        "tag with a digest",
        "{tag: \"a@sha256:0000000000000000000000000000000000000000000000000000000000000000\"}",
    ),
    ("tag of a component with spaces", "{components: {pilot: {tag: \"a b\", hub: \"c d\"}}}"),
];

/// Fields of `k8s`, each with values of a wrong type.
const FIELDS: [&str; 19] = [
    "affinity",
    "env",
    "hpaSpec",
    "imagePullPolicy",
    "nodeSelector",
    "podDisruptionBudget",
    "podAnnotations",
    "priorityClassName",
    "readinessProbe",
    "replicaCount",
    "resources",
    "service",
    "strategy",
    "tolerations",
    "serviceAnnotations",
    "securityContext",
    "volumes",
    "volumeMounts",
    "overlays",
];

const WRONG: [(&str, &str); 7] = [
    ("text", "text"),
    ("number", "5"),
    ("bool", "true"),
    ("list of texts", "[text]"),
    ("map of a text", "{key: text}"),
    ("map of a list", "{key: [1]}"),
    ("list of a map", "[{key: text}]"),
];

/// `values` that are wrong, or look it: the schema is Istio's.
const VALUES: [(&str, &str); 40] = [
    ("unknown", "{nothing: 1}"),
    ("unknown global", "{global: {badKey: 1}}"),
    ("unknown pilot", "{pilot: {badKey: 1}}"),
    ("unknown proxy", "{global: {proxy: {badKey: 1}}}"),
    ("unknown gateway", "{gateways: {other-gateway: {}}}"),
    ("unknown of a gateway", "{gateways: {istio-ingressgateway: {badKey: 1}}}"),
    ("unknown cni", "{cni: {badKey: 1}}"),
    ("any ztunnel", "{ztunnel: {badKey: 1}}"),
    ("snake case", "{global: {mesh_id: x, proxy: {log_level: debug}}}"),
    ("number as text", "{pilot: {autoscaleMin: \"2\"}}"),
    ("text as number", "{global: {meshID: 5}}"),
    ("bool as text", "{pilot: {autoscaleEnabled: \"true\"}}"),
    ("text as bool", "{global: {meshID: true}}"),
    ("fraction as number", "{pilot: {autoscaleMin: 1.5}}"),
    ("negative as number", "{pilot: {autoscaleMin: -1}}"),
    ("list as map", "{pilot: []}"),
    ("map as list", "{global: {imagePullSecrets: {a: b}}}"),
    ("text as list", "{global: {imagePullSecrets: a}}"),
    ("text as map", "{global: text}"),
    ("number as percentage", "{pilot: {rollingMaxSurge: 1.5}}"),
    ("bad duration", "{pilot: {keepaliveMaxServerConnectionAge: soon}}"),
    ("duration as number", "{pilot: {keepaliveMaxServerConnectionAge: 5}}"),
    ("bad tracer", "{global: {proxy: {tracer: nothing}}}"),
    ("bad scope", "{global: {resourceScope: nothing}}"),
    ("bad ranges", "{global: {proxy: {includeIPRanges: \"10.0.0.0/8,nonsense\"}}}"),
    ("range without length", "{global: {proxy: {excludeIPRanges: 10.0.0.1}}}"),
    ("ranges of six", "{global: {proxy: {includeIPRanges: \"fd00::/8\", excludeIPRanges: \"*\"}}}"),
    ("bad ports", "{global: {proxy: {includeInboundPorts: \"80,http\"}}}"),
    ("large port", "{global: {proxy: {excludeInboundPorts: \"70000\"}}}"),
    ("ports with spaces", "{global: {proxy: {excludeInboundPorts: \"80, 81\"}}}"),
    ("any outbound ports", "{global: {proxy: {excludeOutboundPorts: \"nonsense\"}}}"),
    ("toleration", "{pilot: {tolerations: [{keys: x}]}}"),
    ("affinity", "{pilot: {affinity: {nodes: x}}}"),
    ("volume", "{pilot: {volumes: [{name: a, empty: {}}]}}"),
    ("lifecycle", "{global: {proxy: {lifecycle: {before: {}}}}}"),
    ("selector", "{sidecarInjectorWebhook: {neverInjectSelector: [{labels: {a: b}}]}}"),
    ("waypoint", "{global: {waypoint: {affinity: {nodes: x}, nodeSelector: {a: b}}}}"),
    ("mesh unknown", "{meshConfig: {nothing: 1}}"),
    ("mesh of a wrong type", "{meshConfig: {enableTracing: maybe}}"),
    ("env as list", "{pilot: {env: [{name: a}]}}"),
];

const MESHES: [(&str, &str); 9] = [
    ("unknown", "{nothing: 1}"),
    ("unknown of the proxy", "{defaultConfig: {nothing: 1}}"),
    ("list", "[]"),
    ("text", "text"),
    ("number", "5"),
    ("text as bool", "{enableTracing: \"true\"}"),
    ("map as text", "{trustDomain: {a: b}}"),
    ("bad mode", "{outboundTrafficPolicy: {mode: NOTHING}}"),
    ("two tracers", "{defaultConfig: {tracing: {zipkin: {address: a}, lightstep: {address: b}}}}"),
];

const FILES: [(&str, &str); 20] = [
    (
        "two documents",
        "kind: IstioOperator\nspec: {tag: a}\n---\nkind: IstioOperator\nspec: {tag: b}\n",
    ),
    (
        "two documents, one without a kind",
        "kind: IstioOperator\nspec: {tag: a}\n---\nspec: {tag: b}\n",
    ),
    ("two documents, one empty", "kind: IstioOperator\nspec: {tag: a}\n---\n"),
    (
        "two documents, a comment",
        "# first\n---\nkind: IstioOperator\nspec: {tag: a}\n---\n# last\n",
    ),
    (
        "a document of another kind",
        "kind: IstioOperator\nspec: {tag: a}\n---\nkind: ConfigMap\nmetadata: {name: a}\n",
    ),
    ("text", "text\n"),
    ("list", "- a\n"),
    ("number", "5\n"),
    ("broken", "spec: {tag: a\n"),
    ("tab", "spec:\n\ttag: a\n"),
    ("duplicate key", "spec: {tag: a, tag: b}\n"),
    ("duplicate spec", "spec: {tag: a}\nspec: {hub: b/c}\n"),
    ("anchor", "spec:\n  components: {pilot: &x {k8s: {replicaCount: 2}}, cni: *x}\n"),
    ("merge key", "kind: IstioOperator\nx: &x {tag: a}\nspec:\n  <<: *x\n"),
    ("unknown field at the top", "kind: IstioOperator\nstatus: {a: b}\nother: 1\nspec: {}\n"),
    ("unknown field in metadata", "metadata: {nothing: 1}\nspec: {}\n"),
    ("spec as text", "spec: text\n"),
    ("spec as list", "spec: []\n"),
    ("metadata as text", "metadata: text\nspec: {}\n"),
    ("binary", "spec: {tag: !!binary aGVsbG8=}\n"),
];

pub fn add(cases: &mut Cases) {
    for (name, spec) in SPECS {
        cases.spec(&format!("refuse/{name}"), spec);
    }
    for (row, field) in FIELDS.into_iter().enumerate() {
        for (column, (wrong, value)) in WRONG.into_iter().enumerate() {
            // each by one of two components
            let (component, frame) = [
                ("pilot", "{components: {pilot: {k8s: {FIELD}}}}"),
                (
                    "gateway",
                    "{components: {egressGateways: [{name: out, enabled: true, k8s: {FIELD}}]}}",
                ),
            ][(row + column) % 2];
            let spec = frame.replace("FIELD", &format!("{field}: {value}"));
            cases.spec(&format!("refuse/{component} {field} as {wrong}"), &spec);
        }
    }
    for (name, values) in VALUES {
        cases.spec(&format!("refuse/values {name}"), &format!("{{values: {values}}}"));
    }
    for (name, mesh) in MESHES {
        cases.spec(&format!("refuse/meshConfig {name}"), &format!("{{meshConfig: {mesh}}}"));
    }
    for (name, file) in FILES {
        cases.light(&format!("refuse/file {name}"), NEWEST, &[file], &[]);
    }
    for (name, values) in
        [("as text", "text"), ("as list", "[]"), ("as number", "5"), ("as bool", "true")]
    {
        cases.spec(&format!("refuse/values {name}"), &format!("{{values: {values}}}"));
        cases.spec(&format!("refuse/spec {name}"), values);
    }
}
